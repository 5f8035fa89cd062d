"""Webhooks: subscriptions, and what became of the events that were sent to them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.console.api import segment
from services.console.desk import Desk, Manager, SignedIn, text_of
from services.console.forms import Field, Form, Kind
from services.console.words import counted, whole_number
from shared.domain.facts import FactType
from shared.domain.receiver_urls import MAX_URL
from shared.domain.webhooks import DEFAULT_OVERLAP_HOURS, MAX_OVERLAP_HOURS, DeliveryState, Dialect

router = APIRouter(prefix="/webhooks")
HERE: Final = "/webhooks"
API: Final = "/campaign/webhooks"
PAGE_SIZE: Final = 50
SWITCHES: Final = {"on": True, "off": False}
_EVENTS: Final = Field(
    "event", "Events", Kind.TICKS, options=tuple((event, event) for event in FactType), makes=("events",)
)
_WHERE: Final = (
    Field("url", "Address (https)", required=True, most=MAX_URL, placeholder="https://example.com/hooks"),
    Field("description", "Description", most=255),
)
NEW: Final = (
    *_WHERE,
    Field("campaign_id", "Only of this campaign", most=255, placeholder="id or external id", hint="Empty: of all."),
    Field("secret", "Signing secret", most=255, hint="8 characters or more. Empty: one is made."),
    replace(_EVENTS, hint="None ticked: all."),
)
# Only the campaign can be the reason of this answer.
UNKNOWN: Final[Mapping[int, str]] = MappingProxyType({404: "campaign_id"})
Text = Annotated[str, Query(max_length=1000)]


@router.get("")
async def list_all(desk: SignedIn, cursor: Text = "") -> Response:
    """A page of subscriptions, newest first."""
    return await _listed(desk, Form.of("new", NEW, {}), cursor)


@router.post("/make")
async def make(desk: SignedIn) -> Response:
    """Subscribe; the page that follows shows the signing secret this once."""
    form = await desk.filled(Form("new", NEW, {}))
    if form.refusal:
        return await _listed(desk, form)
    made, refused = await desk.taken(form, "POST", API, _body(form.body()), UNKNOWN)
    if refused is not None:
        return await _listed(desk, refused)
    return desk.page("webhook_secret.html", webhook=made, title="Webhook made")


@router.get("/{webhook}")
async def show(desk: SignedIn, webhook: str, state: Text = "", cursor: Text = "") -> Response:
    """One subscription with its deliveries, newest first."""
    return await _shown(desk, webhook, None, state, cursor)


@router.post("/{webhook}/change")
async def change(desk: SignedIn, webhook: str) -> Response:
    """Change address, description and events; those of another API's webhook stay."""
    found = await desk.get(_path(webhook))
    form = await desk.filled(Form("change", _changeable(found), {}))
    if form.refusal:
        return await _shown(desk, webhook, form)
    _, refused = await desk.taken(form, "PATCH", _path(webhook), _body(form.changes()))
    return (
        desk.back(_here(webhook), "The webhook is changed.")
        if refused is None
        else await _shown(desk, webhook, refused)
    )


@router.post("/{webhook}/switch/{to}")
async def switch(desk: SignedIn, webhook: str, to: str) -> Response:
    """Switch it on or off."""
    await desk.form()
    if to not in SWITCHES:
        return desk.back(_here(webhook), "A webhook is either on or off.", good=False)
    said = f"The webhook is {to}."
    return await desk.done(_here(webhook), said, "PATCH", _path(webhook), {"active": SWITCHES[to]})


@router.post("/{webhook}/secret")
async def replace_secret(desk: SignedIn, webhook: str) -> Response:
    """Replace the signing secret; the page that follows shows the new one this once."""
    hours = whole_number(text_of(await desk.form(), "overlap_hours"), MAX_OVERLAP_HOURS)
    if hours is None:
        said = f"Write for how many hours both secrets are to sign, 0 to {MAX_OVERLAP_HOURS}."
        return desk.back(_here(webhook), said, good=False)
    body = {"overlap_hours": hours}
    made, refusal = await desk.asked(_here(webhook), "POST", f"{_path(webhook)}/rotate-secret", body)
    return refusal or desk.page("webhook_secret.html", webhook=made, title="New secret")


@router.post("/{webhook}/test")
async def send_test(desk: SignedIn, webhook: str) -> Response:
    """Send a test event."""
    await desk.form()
    said = "A test event is on its way; load the page again to see what the receiver has answered."
    return await desk.done(_here(webhook), said, "POST", f"{_path(webhook)}/test")


@router.post("/{webhook}/replay")
async def replay_all(desk: SignedIn, webhook: str) -> Response:
    """Deliver all dead letters again."""
    await desk.form()
    done, refusal = await desk.asked(_here(webhook), "POST", f"{_path(webhook)}/replay")
    return refusal or desk.back(_here(webhook), f"{counted(done['replayed'], 'dead letter')} sent again.")


@router.post("/{webhook}/deliveries/{delivery}/replay")
async def replay_one(desk: SignedIn, webhook: str, delivery: str) -> Response:
    """Deliver one event again."""
    await desk.form()
    path = f"{_path(webhook)}/deliveries/{segment(delivery)}/replay"
    return await desk.done(_here(webhook), "The event is sent again.", "POST", path)


@router.get("/{webhook}/delete")
async def ask_to_delete(desk: Manager, webhook: str) -> Response:
    """Whether it is to be deleted."""
    return desk.page("delete_webhook.html", webhook=await desk.get(_path(webhook)))


@router.post("/{webhook}/delete")
async def delete(desk: SignedIn, webhook: str) -> Response:
    """Delete it; asks first."""
    form = await desk.form()
    if text_of(form, "sure") != "yes":
        return desk.ask(f"{_here(webhook)}/delete")
    return await desk.done(HERE, "The webhook is deleted.", "DELETE", _path(webhook))


async def _listed(desk: Desk, form: Form, cursor: str = "") -> Response:
    page = await desk.get(API, {"cursor": cursor, "limit": PAGE_SIZE})
    return desk.page("webhooks.html", code=form.code, page=page, form=form)


async def _shown(desk: Desk, webhook: str, refused: Form | None, state: str = "", cursor: str = "") -> Response:
    state = state if state in set(DeliveryState) else ""
    query = {"state": state, "cursor": cursor, "limit": PAGE_SIZE}
    found, page = await asyncio.gather(desk.get(_path(webhook)), desk.get(f"{_path(webhook)}/deliveries", query))
    return desk.page(
        "webhook.html",
        code=200 if refused is None else refused.code,
        webhook=found,
        page=page,
        state=state,
        states=list(DeliveryState),
        form=refused or Form.of("change", _changeable(found), {**found, "event": found["events"]}),
        own_words=found["dialect"] == Dialect.NATIVE,
        overlap=DEFAULT_OVERLAP_HOURS,
        longest=MAX_OVERLAP_HOURS,
    )


def _changeable(webhook: Any) -> tuple[Field, ...]:
    """What can be changed of a webhook: the events of another API are told in its words, and changed there."""
    return (*_WHERE, replace(_EVENTS, required=True)) if webhook["dialect"] == Dialect.NATIVE else _WHERE


def _body(values: dict[str, Any]) -> dict[str, Any]:
    """The fields of a form under the names of the API."""
    return {"events" if name == "event" else name: value for name, value in values.items()}


def _here(webhook: str) -> str:
    return f"{HERE}/{segment(webhook)}"


def _path(webhook: str) -> str:
    return f"/campaign/webhooks/{segment(webhook)}"
