"""Webhooks: subscriptions, and what became of the events that were sent to them."""

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.datastructures import FormData
from starlette.responses import Response

from services.console.api import segment
from services.console.desk import SignedIn, text_of
from services.console.words import counted
from shared.domain.facts import FactType
from shared.domain.webhooks import DEFAULT_OVERLAP_HOURS, MAX_OVERLAP_HOURS, DeliveryState, Dialect

router = APIRouter(prefix="/webhooks")
HERE: Final = "/webhooks"
PAGE_SIZE: Final = 50
SWITCHES: Final = {"on": True, "off": False}
Text = Annotated[str, Query(max_length=1000)]


@router.get("")
async def list_all(desk: SignedIn, cursor: Text = "") -> Response:
    """A page of subscriptions, newest first."""
    page = await desk.get("/campaign/webhooks", {"cursor": cursor, "limit": PAGE_SIZE})
    return desk.page("webhooks.html", page=page, events=list(FactType))


@router.post("/make")
async def make(desk: SignedIn) -> Response:
    """Subscribe; the page that follows shows the signing secret this once."""
    form = await desk.form()
    body: dict[str, Any] = {"url": text_of(form, "url"), "description": text_of(form, "description") or None}
    for name in ("campaign_id", "secret"):
        if text_of(form, name):
            body[name] = text_of(form, name)
    if _events(form):
        body["events"] = _events(form)
    made, refusal = await desk.asked(HERE, "POST", "/campaign/webhooks", body)
    return refusal or desk.page("webhook_secret.html", webhook=made, title="Webhook made")


@router.get("/{webhook}")
async def show(desk: SignedIn, webhook: str, state: Text = "", cursor: Text = "") -> Response:
    """One subscription with its deliveries, newest first."""
    state = state if state in set(DeliveryState) else ""
    query = {"state": state, "cursor": cursor, "limit": PAGE_SIZE}
    found, page = await asyncio.gather(desk.get(_path(webhook)), desk.get(f"{_path(webhook)}/deliveries", query))
    return desk.page(
        "webhook.html",
        webhook=found,
        page=page,
        state=state,
        states=list(DeliveryState),
        events=list(FactType),
        own_words=found["dialect"] == Dialect.NATIVE,
        overlap=DEFAULT_OVERLAP_HOURS,
        longest=MAX_OVERLAP_HOURS,
    )


@router.post("/{webhook}/change")
async def change(desk: SignedIn, webhook: str) -> Response:
    """Change address, description and events; those of another API's webhook stay."""
    form = await desk.form()
    body: dict[str, Any] = {"url": text_of(form, "url"), "description": text_of(form, "description") or None}
    if form.get("with_events"):
        body["events"] = _events(form)
    return await desk.done(_here(webhook), "The webhook is changed.", "PATCH", _path(webhook), body)


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
    hours = text_of(await desk.form(), "overlap_hours")
    if not (hours.isascii() and hours.isdigit() and int(hours[:9]) <= MAX_OVERLAP_HOURS):
        said = f"Write for how many hours both secrets are to sign, 0 to {MAX_OVERLAP_HOURS}."
        return desk.back(_here(webhook), said, good=False)
    body = {"overlap_hours": int(hours)}
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


@router.post("/{webhook}/delete")
async def delete(desk: SignedIn, webhook: str) -> Response:
    """Delete it; asks first."""
    form = await desk.form()
    if text_of(form, "sure") != "yes":
        return desk.page("delete_webhook.html", webhook=await desk.get(_path(webhook)))
    return await desk.done(HERE, "The webhook is deleted.", "DELETE", _path(webhook))


def _events(form: FormData) -> list[str]:
    return [value for value in form.getlist("event") if isinstance(value, str)]


def _here(webhook: str) -> str:
    return f"{HERE}/{segment(webhook)}"


def _path(webhook: str) -> str:
    return f"/campaign/webhooks/{segment(webhook)}"
