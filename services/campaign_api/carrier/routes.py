"""The carrier reports on calls here; its signature is the credential."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from services.campaign_api.carrier.answering_machines import on_machine
from services.campaign_api.gateway import Gateway, ThisGateway
from services.campaign_api.http.bodies import read_body
from services.campaign_api.native.schemas.problems import only_problems
from shared.bus.dead_letters import faults
from shared.carriers import AccountUnusable
from shared.clock import utc_now
from shared.domain.ids import SHARDS
from shared.engine.callback_sink import CallEvent
from shared.errors import TemporaryError, Unavailable
from shared.events import CallAnswered
from shared.metrics import CALLBACKS
from shared.telephony.call_events import finished
from shared.telephony.twilio_callback import (
    CALLBACK_PATH,
    MACHINE_PATH,
    Callback,
    CallPickedUp,
    ForgedCallback,
    UnusableCallback,
    account_named,
    parse_callback,
    parse_machine_callback,
)

router = APIRouter(tags=["Carrier"])
MAX_CALLBACK_BYTES: Final = 64 * 1024
# The ids are in the URL that each call is placed with, since a report may be older than the call's own id.
_CARRIED: Final = {
    "attempt_id": {"type": "string", "format": "uuid"},
    "organization_id": {"type": "string", "format": "uuid"},
    "contact_id": {"type": "string", "format": "uuid"},
    "shard": {"type": "integer", "minimum": 0, "maximum": SHARDS - 1},
}
_SAID: Final = {
    400: "The form or its ids are none that are understood; to send them again is no use.",
    403: "The signature is missing or wrong.",
    413: f"The body is larger than {MAX_CALLBACK_BYTES // 1024} KiB.",
    503: "Send it again.",
}
_REFUSALS: Final = {
    status: {**refusal, "description": _SAID[int(status)]}
    for status, refusal in only_problems(400, 403, 413, 503).items()
}


def _form(**example: str) -> dict[str, Any]:
    """How a report is described: its form, the ids beside it, and the signature."""
    fields = {name: {"type": "string"} for name in example}
    schema = {"type": "object", "required": ["CallSid"], "properties": fields, "examples": [example]}
    ids = [{"name": name, "in": "query", "required": True, "schema": kind} for name, kind in _CARRIED.items()]
    account = {"name": "account_id", "in": "query", "schema": {"type": "string", "format": "uuid"}}
    signature = {"name": "X-Twilio-Signature", "in": "header", "required": True, "schema": {"type": "string"}}
    return {
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}},
        "parameters": [*ids, account, signature],
    }


@router.post(
    CALLBACK_PATH,
    status_code=200,
    response_class=Response,
    responses=_REFUSALS,
    openapi_extra=_form(
        CallSid="CA00000000000000000000000000000001",
        CallStatus="completed",
        CallDuration="49",
        Timestamp="Fri, 05 Mar 2027 15:30:00 +0000",
    ),
)
async def twilio(request: Request, gateway: ThisGateway) -> Response:
    """Take a status callback; 200 means that it is safe with us."""
    try:
        callback = await _verified(request, gateway)
        if callback is not None:
            await gateway.callbacks.keep(event_of(callback))
    except (UnusableCallback, Unavailable) as error:
        CALLBACKS.labels(type(error).__name__).inc()
        raise
    CALLBACKS.labels("kept" if callback is not None else "no news").inc()
    return Response(status_code=200)


@router.post(
    MACHINE_PATH,
    status_code=200,
    response_class=Response,
    responses=_REFUSALS,
    openapi_extra=_form(CallSid="CA00000000000000000000000000000001", AnsweredBy="machine_end_beep"),
)
async def answering_machine(request: Request, gateway: ThisGateway) -> Response:
    """Take the carrier's word on who or what has taken a call; 200 means that it need not be said again."""
    try:
        machine = parse_machine_callback(
            *await _signed(request, gateway, MACHINE_PATH), retries=gateway.settings.twilio_callback_retries
        )
        if machine is not None:
            try:
                carrier = await gateway.carriers.of(machine.account_id, machine.organization_id)
            except AccountUnusable as error:
                raise UnusableCallback(str(error)) from error
            await on_machine(gateway.store, carrier, machine)
    except (UnusableCallback, TemporaryError) as error:
        CALLBACKS.labels(type(error).__name__).inc()
        raise
    CALLBACKS.labels("machine" if machine is not None else "no news").inc()
    return Response(status_code=200)


async def _signed(request: Request, gateway: Gateway, path: str) -> tuple[str, str, bytes, str | None]:
    """The secret, the address that the carrier called, the body, and the signature of all of it."""
    settings = gateway.settings
    # The signature covers the address the carrier called, which a proxy in front of us may have rewritten.
    query = request.scope["query_string"].decode("latin-1")
    url = f"{settings.callback_base_url.rstrip('/')}{path}{'?' if query else ''}{query}"
    account_id, organization_id = account_named(url)
    if account_id is None:
        token = settings.twilio_auth_token.get_secret_value()
        if not token:
            # Anybody can sign with an empty secret.
            raise ForgedCallback("this gateway has no DIALSTREAM_TWILIO_AUTH_TOKEN to check signatures with")
    else:
        await gateway.carriers.learn({account_id})
        try:
            # Only where it is this organization's account: its customer can sign, and not speak of the calls of others.
            token = gateway.carriers.token_of(account_id, organization_id)
        except AccountUnusable as error:
            raise ForgedCallback(str(error)) from error
    return token, url, await read_body(request, MAX_CALLBACK_BYTES), request.headers.get("x-twilio-signature")


async def _verified(request: Request, gateway: Gateway) -> Callback | None:
    retries = gateway.settings.twilio_callback_retries
    callback = parse_callback(*await _signed(request, gateway, CALLBACK_PATH), now=utc_now(), retries=retries)
    if callback is not None and not 0 <= callback.shard < SHARDS:
        raise UnusableCallback(f"there is no shard {callback.shard}")
    return callback


def event_of(callback: Callback) -> CallEvent:
    """The event of a verified callback. Equal callbacks make equal events, which change nothing twice.

    Raises `UnusableCallback` for ids that are none of ours.
    """
    try:
        return _event_of(callback)
    except ValidationError as error:
        raise UnusableCallback(f"the callback is of no call of ours: {faults(error)}") from error


def _event_of(callback: Callback) -> CallEvent:
    organization_id, shard, contact_id = callback.organization_id, callback.shard, callback.contact_id
    said = callback.event
    if isinstance(said, CallPickedUp):
        return CallAnswered(
            organization_id=organization_id,
            shard=shard,
            contact_id=contact_id,
            attempt_id=said.attempt_id,
            answered_at=said.answered_at,
        )
    return finished(said, organization_id=organization_id, shard=shard, contact_id=contact_id)
