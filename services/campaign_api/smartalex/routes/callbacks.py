"""Callbacks: contacts that wait for a retry, or for a time that was asked for."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.credentials import Caller
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paths import OurRef
from services.campaign_api.smartalex.auth import Manager, Reader
from services.campaign_api.smartalex.paging import EMPTY_IS_NONE, IdFilter, Page, ThisPage
from services.campaign_api.smartalex.paths import CallbackRef, campaign_of, person_of
from services.campaign_api.smartalex.schemas.callbacks import CreateCallback, Reschedule, View
from services.campaign_api.smartalex.schemas.common import Many, One, many, one, unknown_fields
from services.campaign_api.smartalex.schemas.problems import body_problems, problems
from services.campaign_api.smartalex.translate_callbacks import callback_filter
from shared.clock import utc_now
from shared.domain.contact_record import Contact
from shared.domain.fields import TimezoneName
from shared.domain.ids import contact_id_of_person
from shared.engine import callbacks, campaigns
from shared.engine.callbacks import WishKind
from shared.engine.campaigns import Campaign
from shared.engine.engine import Engine
from shared.errors import Clash, Conflict, Kind, NotFound, WrongState
from shared.rendering.smartalex.callbacks import CallbackView, callback_view, changed_callback

router = APIRouter(prefix="/v1", tags=["Callbacks"], route_class=BodyRoute)
Which = Annotated[
    View | None, EMPTY_IS_NONE, Query(description="overdue: their time has passed; week: to the end of Sunday.")
]
# What is wrong with the time that is asked for, and not with the callback.
_TOO_LATE: Final = frozenset({Clash.EXPIRES_BEFORE, Clash.ENDS_BEFORE})
Zone = Annotated[TimezoneName | None, EMPTY_IS_NONE, Query(description="Whose days these are.")]


@router.get("/campaigns/{campaign}/callbacks", responses=problems(404))
async def list_of_campaign(
    engine: ThisEngine,
    caller: Reader,
    campaign: OurRef,
    asked: ThisPage,
    view: Which = None,
    timezone: Zone = None,
) -> Many[CallbackView]:
    """List the pending callbacks of a campaign, soonest first."""
    found = await campaign_of(engine, caller.organization_id, campaign)
    return await _listed(engine, caller, found.id, asked, view, timezone)


@router.get("/callbacks", responses=problems())
async def list_all(
    engine: ThisEngine,
    caller: Reader,
    asked: ThisPage,
    campaign_id: IdFilter = "",
    view: Which = None,
    timezone: Zone = None,
) -> Many[CallbackView]:
    """List the pending callbacks of all campaigns, soonest first; 10,000 of them at most."""
    if campaign_id:
        try:
            campaign_id = (await campaign_of(engine, caller.organization_id, campaign_id)).id
        except NotFound:
            return many([], 0, asked)
    return await _listed(engine, caller, campaign_id or None, asked, view, timezone)


@router.post(
    "/campaigns/{campaign}/callbacks",
    status_code=201,
    responses=body_problems(404, 409),
    response_model_exclude_unset=True,
)
async def create(
    engine: ThisEngine, caller: Manager, campaign: OurRef, body: Annotated[CreateCallback, json_body(CreateCallback)]
) -> One[CallbackView]:
    """Have a contact of the campaign called once more at a time, before all others, whatever has become of it."""
    organization_id, now = caller.organization_id, utc_now()
    found = await campaign_of(engine, organization_id, campaign)
    person = await person_of(engine, organization_id, body.contact_id)
    contact_id = contact_id_of_person(found.id, person.id)
    contact = await callbacks.request_callback(
        engine, organization_id, found.id, contact_id, body.scheduled_at, body.notes, now
    )
    return one(callback_view(contact, {found.id: found}, now), *unknown_fields(body))


@router.post(
    "/callbacks/{callback}/reschedule",
    operation_id="callbacks_reschedule_by_post",
    responses=body_problems(404),
    response_model_exclude_unset=True,
)
@router.patch("/callbacks/{callback}", responses=body_problems(404), response_model_exclude_unset=True)
@router.put("/callbacks/{callback}", responses=body_problems(404), response_model_exclude_unset=True)
async def reschedule(
    engine: ThisEngine, caller: Manager, callback: CallbackRef, body: Annotated[Reschedule, json_body(Reschedule)]
) -> One[CallbackView]:
    """Call back at another time."""
    answer = await _changed(engine, caller, callback, WishKind.AT, at=body.scheduled_at, notes=body.notes)
    return one(answer, *unknown_fields(body))


@router.post("/callbacks/{callback}/call-now", responses=problems(404), response_model_exclude_unset=True)
async def call_now(engine: ThisEngine, caller: Manager, callback: CallbackRef) -> One[CallbackView]:
    """Call back as soon as hours and limits allow."""
    return one(await _changed(engine, caller, callback, WishKind.NOW))


@router.post("/callbacks/{callback}/skip", responses=problems(404), response_model_exclude_unset=True)
async def skip(engine: ThisEngine, caller: Manager, callback: CallbackRef) -> One[CallbackView]:
    """Leave out this retry: the contact waits for the next one, or ends. One that was asked for is dropped."""
    return one(await _changed(engine, caller, callback, WishKind.SKIP))


@router.post(
    "/callbacks/{callback}/cancel",
    operation_id="callbacks_cancel_by_post",
    responses=problems(404),
    response_model_exclude_unset=True,
)
@router.delete("/callbacks/{callback}", responses=problems(404), response_model_exclude_unset=True)
async def cancel(engine: ThisEngine, caller: Manager, callback: CallbackRef) -> One[CallbackView]:
    """Call the contact no more in this campaign."""
    return one(await _changed(engine, caller, callback, WishKind.GIVE_UP))


@router.post("/callbacks/{callback}/complete", responses=problems(404), response_model_exclude_unset=True)
async def complete(engine: ThisEngine, caller: Manager, callback: CallbackRef) -> One[CallbackView]:
    """Note that the matter is settled."""
    return one(await _changed(engine, caller, callback, WishKind.DONE))


async def _changed(engine: Engine, caller: Caller, callback: str, kind: WishKind, **more: Any) -> CallbackView:
    """The callback as the change leaves it; one that is over, or being called, is not there any more."""
    organization_id, now = caller.organization_id, utc_now()
    before = await callbacks.get_callback(engine, organization_id, callback, now)
    try:
        after = await callbacks.change_callback(engine, organization_id, callback, kind, now, **more)
    except (Conflict, WrongState) as error:
        if kind is WishKind.AT and isinstance(error, Conflict) and error.clash in _TOO_LATE:
            raise
        raise NotFound(Kind.CALLBACK, callback) from error
    named = await _campaigns(engine, organization_id, [before])
    return changed_callback(before, after, kind, named, now)


async def _listed(
    engine: Engine, caller: Caller, campaign_id: str | None, asked: Page, view: View | None, timezone: str | None
) -> Many[CallbackView]:
    organization_id, now = caller.organization_id, utc_now()
    which = callback_filter(view or View.ALL, timezone or "UTC", now)
    page = await callbacks.numbered_callbacks(
        engine, organization_id, campaign_id, which, offset=asked.offset, limit=asked.per_page, now=now
    )
    named = await _campaigns(engine, organization_id, page.rows)
    return many([callback_view(each, named, now) for each in page.rows], page.total, asked)


async def _campaigns(engine: Engine, organization_id: str, contacts: Sequence[Contact]) -> dict[str, Campaign]:
    ids = {contact.campaign_id for contact in contacts if contact.campaign_id is not None}
    return await campaigns.campaigns_by_id(engine, organization_id, ids)
