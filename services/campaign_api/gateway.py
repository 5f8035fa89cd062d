"""What every handler works with, made once by `build_app`."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.campaign_api.carrier.callback_sink import CallbackSink
from services.campaign_api.hints import Hints
from services.campaign_api.http.rate_limit import RateLimit
from services.campaign_api.settings import ApiSettings
from shared.bus.producer import Producer
from shared.store.client import Store


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway's connections. `source` names the counters document that this process adds to."""

    settings: ApiSettings
    store: Store
    producer: Producer
    hints: Hints
    callbacks: CallbackSink
    rate_limit: RateLimit
    source: str


def gateway_of(request: Request) -> Gateway:
    """The gateway of this application."""
    gateway: Gateway = request.app.state.gateway
    return gateway


ThisGateway = Annotated[Gateway, Depends(gateway_of)]
