"""The carrier reports on calls here; its signature is the credential."""

from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from services.campaign_api.gateway import ThisGateway
from services.campaign_api.http.bodies import read_body
from services.campaign_api.native.schemas.problems import only_problems
from shared.bus.dead_letters import faults
from shared.clock import utc_now
from shared.domain.ids import SHARDS
from shared.engine.callback_sink import CallEvent
from shared.errors import Unavailable
from shared.events import CallAnswered
from shared.metrics import CALLBACKS
from shared.telephony.call_events import finished
from shared.telephony.twilio_callback import (
    CALLBACK_PATH,
    Callback,
    CallPickedUp,
    ForgedCallback,
    UnusableCallback,
    parse_callback,
)

router = APIRouter(tags=["Carrier"])
MAX_CALLBACK_BYTES: Final = 64 * 1024


@router.post(CALLBACK_PATH, status_code=200, response_class=Response, responses=only_problems(400, 403, 413, 503))
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


async def _verified(request: Request, gateway: ThisGateway) -> Callback | None:
    settings = gateway.settings
    # The signature covers the address the carrier called, which a proxy in front of us may have rewritten.
    query = request.scope["query_string"].decode("latin-1")
    url = f"{settings.callback_base_url.rstrip('/')}{CALLBACK_PATH}{'?' if query else ''}{query}"
    token = settings.twilio_auth_token.get_secret_value()
    if not token:
        # Anybody can sign with an empty secret.
        raise ForgedCallback("this gateway has no DIALSTREAM_TWILIO_AUTH_TOKEN to check signatures with")
    callback = parse_callback(
        token,
        url,
        await read_body(request, MAX_CALLBACK_BYTES),
        request.headers.get("x-twilio-signature"),
        now=utc_now(),
        retries=settings.twilio_callback_retries,
    )
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
