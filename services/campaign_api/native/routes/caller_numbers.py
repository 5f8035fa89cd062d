"""Caller numbers: register, list, read, change, delete; and their pools."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.http.paths import OurRef
from services.campaign_api.http.requests import MAX_IDENTIFIER, as_stored
from services.campaign_api.native import translate_numbers
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.paths import PoolRef
from services.campaign_api.native.schemas.caller_numbers import (
    CallerNumberPage,
    CallerNumberUses,
    CallerNumberView,
    DeletedPool,
    EditNumber,
    PoolList,
    RegisterNumber,
)
from services.campaign_api.native.schemas.deleted import Deleted
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.clock import utc_now
from shared.domain.answered_calls import MOST_HOURS
from shared.domain.caller_numbers import MAX_POOL_NAME
from shared.domain.json_rules import check_text
from shared.engine import caller_numbers
from shared.engine.caller_numbers import NewNumber

router = APIRouter(prefix="/campaign", tags=["Caller numbers"], route_class=BodyRoute)
PoolFilter = Annotated[
    str | None,
    Query(min_length=1, max_length=MAX_POOL_NAME, description="Only numbers of this pool."),
    AfterValidator(lambda name: name if name is None else check_text(name)),
]

AccountFilter = Annotated[
    str | None,
    Query(min_length=1, max_length=MAX_IDENTIFIER, description="Only numbers of this telephony account."),
    AfterValidator(lambda account_id: account_id if account_id is None else as_stored(check_text(account_id))),
]

Hours = Annotated[
    int | None,
    Query(ge=1, le=MOST_HOURS, description="Count ended calls, too, that began in the last so many hours."),
]


@router.post("/caller-numbers", responses=body_problems(409))
async def register(
    engine: ThisEngine, caller: CampaignManager, body: Annotated[RegisterNumber, json_body(RegisterNumber)]
) -> CallerNumberView:
    """Register a number to call from."""
    new = NewNumber(**body.model_dump())
    registered = await caller_numbers.register_number(engine, caller.organization_id, new, utc_now())
    return translate_numbers.caller_number_view(registered)


@router.get("/caller-numbers", responses=problems(400))
async def list_all(
    engine: ThisEngine,
    caller: CampaignReader,
    pool: PoolFilter = None,
    telephony_account: AccountFilter = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> CallerNumberPage:
    """List caller numbers, newest first."""
    page = await caller_numbers.list_numbers(
        engine, caller.organization_id, pool=pool, cursor=cursor, limit=limit, account_id=telephony_account
    )
    return translate_numbers.caller_number_page(page)


@router.get("/caller-numbers/{caller_number_id}", responses=problems(404))
async def get_one(engine: ThisEngine, caller: CampaignReader, caller_number_id: OurRef) -> CallerNumberView:
    """Get one caller number."""
    found = await caller_numbers.get_number(engine, caller.organization_id, caller_number_id)
    return translate_numbers.caller_number_view(found)


@router.patch("/caller-numbers/{caller_number_id}", responses=body_problems(404, 409))
async def edit(
    engine: ThisEngine,
    caller: CampaignManager,
    caller_number_id: OurRef,
    body: Annotated[EditNumber, json_body(EditNumber)],
) -> CallerNumberView:
    """Change a caller number; campaigns follow within a second."""
    changes = body.model_dump(exclude_unset=True)
    edited = await caller_numbers.edit_number(engine, caller.organization_id, caller_number_id, changes, utc_now())
    return translate_numbers.caller_number_view(edited)


@router.delete("/caller-numbers/{caller_number_id}", responses=problems(404, 409))
async def delete(engine: ThisEngine, caller: CampaignManager, caller_number_id: OurRef) -> Deleted:
    """Delete a caller number that no campaign uses and no call is made from."""
    await caller_numbers.delete_number(engine, caller.organization_id, caller_number_id, utc_now())
    return Deleted(id=caller_number_id)


@router.get("/caller-number-use", responses=problems())
async def list_use(engine: ThisEngine, caller: CampaignReader, hours: Hours = None) -> CallerNumberUses:
    """List what each caller number has in use, and which of them rest because the carrier has refused them.

    With `hours` also how their calls of so many hours have ended, and which share a person has answered.
    """
    now, organization_id = utc_now(), caller.organization_id
    in_use = await caller_numbers.numbers_in_use(engine, organization_id, now)
    calls = None
    if hours is not None:
        numbers = [one.number for one in in_use]
        calls = await caller_numbers.ended_calls(engine, organization_id, numbers, hours, now)
    return translate_numbers.caller_number_uses(in_use, calls, now)


@router.get("/caller-number-pools", responses=problems())
async def list_all_pools(engine: ThisEngine, caller: CampaignReader) -> PoolList:
    """List pools, by name."""
    return translate_numbers.pool_list(await caller_numbers.list_pools(engine, caller.organization_id))


@router.delete("/caller-number-pools/{pool}", responses=problems(404, 409))
async def delete_one_pool(engine: ThisEngine, caller: CampaignManager, pool: PoolRef) -> DeletedPool:
    """Take all numbers out of a pool that no campaign uses; the numbers stay."""
    await caller_numbers.delete_pool(engine, caller.organization_id, pool, utc_now())
    return DeletedPool(name=pool)
