"""The organization's do-not-call list."""

from typing import Annotated

from fastapi import APIRouter

from services.campaign_api.http.bodies import json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.native import translate
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.filters import PhoneFilter
from services.campaign_api.native.once import Once, OnceRoute
from services.campaign_api.native.paths import PhoneRef
from services.campaign_api.native.schemas.do_not_call import AddedNumbers, AddNumbers, DoNotCallPage, RemovedNumber
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.clock import utc_now
from shared.engine.do_not_call import list_numbers, stop_numbers, take_number_off

router = APIRouter(prefix="/campaign/do-not-call", tags=["Do not call"], route_class=OnceRoute)


@router.post("", responses=body_problems(409))
async def add(
    engine: ThisEngine, caller: CampaignManager, body: Annotated[AddNumbers, json_body(AddNumbers)], _: Once
) -> AddedNumbers:
    """Put numbers on the list: they are not called any more.

    Listing one again, in whatever spelling, changes only its reason.
    """
    entries = await stop_numbers(engine, caller.organization_id, body.phone_numbers, body.reason, utc_now())
    return translate.added_numbers(entries)


@router.get("", responses=problems(400))
async def list_all(
    engine: ThisEngine,
    caller: CampaignReader,
    phone_number: PhoneFilter = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> DoNotCallPage:
    """List the numbers, newest first."""
    page = await list_numbers(engine, caller.organization_id, phone_number=phone_number, cursor=cursor, limit=limit)
    return translate.do_not_call_page(page)


@router.delete("/{phone_number}", responses=problems(404), response_model_exclude_unset=True)
async def remove(engine: ThisEngine, caller: CampaignManager, phone_number: PhoneRef) -> RemovedNumber:
    """Take a number off the list, in whatever spelling it was listed."""
    warnings = await take_number_off(engine, caller.organization_id, phone_number)
    return translate.removed_number(phone_number, warnings)
