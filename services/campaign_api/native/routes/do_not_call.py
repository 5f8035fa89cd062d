"""The organization's do-not-call list."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends

from services.campaign_api.gateway import ThisGateway
from services.campaign_api.http.bodies import body_of, json_body
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.http.paths import PhoneRef
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.schemas.do_not_call import (
    AddedNumbers,
    AddNumbers,
    DoNotCallPage,
    DoNotCallView,
    RemovedNumber,
)
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.clock import utc_now
from shared.events import LimitsChanged
from shared.store.catalog.do_not_call import add_numbers, list_numbers, remove_number
from shared.store.contacts.queries import count_skipped_with

router = APIRouter(prefix="/campaign/do-not-call", tags=["Do not call"])
BODIES: Final = (AddNumbers,)


@router.post("", responses=body_problems(), openapi_extra=json_body(AddNumbers))
async def add(
    gateway: ThisGateway, caller: CampaignManager, body: Annotated[AddNumbers, Depends(body_of(AddNumbers))]
) -> AddedNumbers:
    """List numbers: nobody calls them any more. Listing one again, in whatever spelling, changes only its reason."""
    numbers = list(dict.fromkeys(body.phone_numbers))
    entries, shard = await add_numbers(gateway.store, caller.organization_id, numbers, body.reason, utc_now())
    gateway.hints.give(LimitsChanged(organization_id=caller.organization_id, shard=shard))
    return AddedNumbers(do_not_call=[DoNotCallView.of(entry) for entry in entries])


@router.get("", responses=problems(400))
async def list_all(
    gateway: ThisGateway, caller: CampaignReader, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> DoNotCallPage:
    """List the numbers, newest first."""
    page = await list_numbers(gateway.store, caller.organization_id, cursor=cursor, limit=limit)
    return DoNotCallPage(do_not_call=[DoNotCallView.of(entry) for entry in page.rows], next_cursor=page.next_cursor)


@router.delete("/{phone_number}", responses=problems(404), response_model_exclude_unset=True)
async def remove(gateway: ThisGateway, caller: CampaignManager, phone_number: PhoneRef) -> RemovedNumber:
    """Take a number off the list, in whatever spelling it was listed."""
    shard = await remove_number(gateway.store, caller.organization_id, phone_number)
    gateway.hints.give(LimitsChanged(organization_id=caller.organization_id, shard=shard))
    skipped = await count_skipped_with(gateway.store, caller.organization_id, phone_number)
    return RemovedNumber.of(phone_number, skipped)
