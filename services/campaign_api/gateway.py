"""The gateway's connections, for the root's own routes; dialects have the edge alone."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.campaign_api.http.edge import Edge
from services.campaign_api.settings import ApiSettings
from shared.bus.producer import Producer
from shared.carriers import Carriers
from shared.engine.callback_sink import CallbackSink
from shared.engine.installation import Installation
from shared.store.client import Store


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway's connections. `carriers` hold the calls that are up."""

    settings: ApiSettings
    edge: Edge
    producer: Producer
    callbacks: CallbackSink
    store: Store
    carriers: Carriers
    installation: Installation


async def gateway_of(request: Request) -> Gateway:
    """The gateway of the root application."""
    gateway: Gateway = request.app.state.gateway
    return gateway


ThisGateway = Annotated[Gateway, Depends(gateway_of)]
