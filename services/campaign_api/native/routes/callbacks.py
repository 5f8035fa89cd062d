"""Callbacks: list, read, ask for, move, skip, give up."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import AfterValidator

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.native import translate, translate_callbacks
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.paths import CallbackRef, ContactRef, ContactsCampaignRef
from services.campaign_api.native.schemas.callbacks import (
    CallbackPage,
    CallbackView,
    RequestCallback,
    RescheduleCallback,
)
from services.campaign_api.native.schemas.contacts import ContactView
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.clock import utc_now
from shared.domain.contact_input import Instant
from shared.domain.json_rules import check_text
from shared.engine import callbacks
from shared.engine.callbacks import CallbackFilter, CallbackType, WishKind

router = APIRouter(prefix="/campaign", tags=["Callbacks"], route_class=BodyRoute)
CampaignFilter = Annotated[
    str | None,
    Query(min_length=1, max_length=255, description="Only those of this campaign: its id, external_id, or `default`."),
    AfterValidator(lambda reference: reference if reference is None else check_text(reference)),
]
TypeFilter = Annotated[CallbackType | None, Query(description="Only those of this type.")]
DueAfter = Annotated[Instant | None, Query(description="Only those due at this time or later.")]
DueBefore = Annotated[Instant | None, Query(description="Only those due before this time.")]
_CHANGE: Final = problems(400, 404, 409)


@router.get("/callbacks", responses=problems(400, 404))
async def list_all(
    engine: ThisEngine,
    caller: CampaignReader,
    campaign: CampaignFilter = None,
    type: TypeFilter = None,
    due_after: DueAfter = None,
    due_before: DueBefore = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> CallbackPage:
    """List the callbacks of all campaigns, soonest first."""
    page = await callbacks.list_callbacks(
        engine,
        caller.organization_id,
        campaign,
        CallbackFilter(type, due_after, due_before),
        cursor=cursor,
        limit=limit,
        now=utc_now(),
    )
    return translate_callbacks.callback_page(page)


@router.get("/campaigns/{campaign}/callbacks", responses=problems(400, 404))
async def list_of_campaign(
    engine: ThisEngine,
    caller: CampaignReader,
    campaign: ContactsCampaignRef,
    type: TypeFilter = None,
    due_after: DueAfter = None,
    due_before: DueBefore = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> CallbackPage:
    """List a campaign's callbacks, soonest first."""
    return await list_all(engine, caller, campaign, type, due_after, due_before, cursor, limit)


@router.get("/callbacks/{callback}", responses=problems(404))
async def get_one(engine: ThisEngine, caller: CampaignReader, callback: CallbackRef) -> CallbackView:
    """Get one callback that waits."""
    contact = await callbacks.get_callback(engine, caller.organization_id, callback, utc_now())
    return translate_callbacks.callback_view(contact)


@router.post("/campaigns/{campaign}/contacts/{contact}/callback", responses=body_problems(400, 404, 409))
async def request(
    engine: ThisEngine,
    caller: CampaignManager,
    campaign: ContactsCampaignRef,
    contact: ContactRef,
    body: Annotated[RequestCallback, json_body(RequestCallback)],
) -> ContactView:
    """Call a contact back at a time, before all else in the campaign, whatever has become of it so far.

    It takes the place of a retry and counts as none.
    """
    asked = await callbacks.request_callback(
        engine, caller.organization_id, campaign, contact, body.at, body.notes, utc_now()
    )
    return translate.contact_view(asked, sensitive=caller.reads_sensitive)


@router.post("/callbacks/{callback}/reschedule", responses=body_problems(400, 404, 409))
async def reschedule(
    engine: ThisEngine,
    caller: CampaignManager,
    callback: CallbackRef,
    body: Annotated[RescheduleCallback, json_body(RescheduleCallback)],
) -> ContactView:
    """Call back at another time."""
    changed = await callbacks.change_callback(
        engine, caller.organization_id, callback, WishKind.AT, utc_now(), at=body.at, notes=body.notes
    )
    return translate.contact_view(changed, sensitive=caller.reads_sensitive)


@router.post("/callbacks/{callback}/now", responses=_CHANGE)
async def call_now(engine: ThisEngine, caller: CampaignManager, callback: CallbackRef) -> ContactView:
    """Call back as soon as hours and limits allow."""
    return await _changed(engine, caller, callback, WishKind.NOW)


@router.post("/callbacks/{callback}/skip", responses=_CHANGE)
async def skip(engine: ThisEngine, caller: CampaignManager, callback: CallbackRef) -> ContactView:
    """Leave out this retry: the contact waits for the next one, or ends. A requested callback is dropped."""
    return await _changed(engine, caller, callback, WishKind.SKIP)


@router.post("/callbacks/{callback}/cancel", responses=_CHANGE)
async def cancel(engine: ThisEngine, caller: CampaignManager, callback: CallbackRef) -> ContactView:
    """Call the contact no more in this campaign: it ends `exhausted`, or `completed` if it was answered once."""
    return await _changed(engine, caller, callback, WishKind.GIVE_UP)


@router.post("/callbacks/{callback}/done", responses=_CHANGE)
async def done(engine: ThisEngine, caller: CampaignManager, callback: CallbackRef) -> ContactView:
    """Note that the matter is settled: the contact ends `completed`."""
    return await _changed(engine, caller, callback, WishKind.DONE)


async def _changed(engine: ThisEngine, caller: CampaignManager, callback: str, kind: WishKind) -> ContactView:
    changed = await callbacks.change_callback(engine, caller.organization_id, callback, kind, utc_now())
    return translate.contact_view(changed, sensitive=caller.reads_sensitive)
