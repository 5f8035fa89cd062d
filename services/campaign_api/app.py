"""The wiring of campaign-api, on one screen: the root, and the dialects that are mounted on it.

Dialects are applications of their own, because each has its form of refusals and its OpenAPI document. The root answers
what belongs to none of them, and its lifespan is the only one that runs.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from services.campaign_api import operations
from services.campaign_api.carrier.errors import install_carrier_errors
from services.campaign_api.gateway import Gateway
from services.campaign_api.http import docs_page
from services.campaign_api.http.application import application
from services.campaign_api.http.browsers import OpenToBrowsers
from services.campaign_api.http.edge import Edge
from services.campaign_api.http.limit_exchange import LimitExchange
from services.campaign_api.http.paths import RouteEncodedPaths
from services.campaign_api.http.request_count import CountRequests
from services.campaign_api.http.request_limits import RequestLimits, TellLimits
from services.campaign_api.native import app as native
from services.campaign_api.native.errors import form
from services.campaign_api.operator import keys as admin_keys
from services.campaign_api.operator import organizations as admin_organizations
from services.campaign_api.operator import system as admin_system
from services.campaign_api.public import files, pages
from services.campaign_api.settings import ApiSettings
from services.campaign_api.smartalex import app as smartalex
from services.campaign_api.sysevo import app as sysevo
from services.campaign_api.talkturo import app as talkturo
from shared.bus.producer import Producer
from shared.cancelling import cancel
from shared.carriers import Carriers
from shared.domain.ids import COUNTER_SOURCES, counter_source
from shared.domain.phone import raise_regex_cache
from shared.engine.callback_sink import CallbackSink
from shared.engine.engine import Engine
from shared.engine.file_places import file_place
from shared.engine.hints import Hints
from shared.engine.installation import Installation
from shared.file_urls import PATH
from shared.result_tokens import ResultTokens
from shared.store.client import Store, connect
from shared.stored_secrets import SecretCipher
from shared.telephony.providers import carrier_of_calls
from shared.wiring import reach

SERVICE = "campaign-api"


@dataclass(frozen=True, slots=True)
class Mounted:
    """A dialect under its prefix (`/name`)."""

    prefix: str
    build: Callable[[Edge], FastAPI]


@dataclass(frozen=True, slots=True)
class Served:
    """The gateway's application. `leave` ends what has no end of its own: the streams that clients follow."""

    app: ASGIApp
    leave: Callable[[], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self.app(scope, receive, send)


# Beside the native API, which is at the root.
DIALECTS: Final[Sequence[Mounted]] = (
    Mounted(smartalex.PREFIX, smartalex.build),
    Mounted(sysevo.PREFIX, sysevo.build),
    Mounted(talkturo.PREFIX, talkturo.build),
)
ROUTERS: Final = (
    admin_organizations.router,
    admin_keys.router,
    admin_system.router,
    pages.router,
    docs_page.router,
    files.router,
)


def build_app(
    settings: ApiSettings, *, store: Store, producer: Producer, dialects: Sequence[Mounted] = DIALECTS
) -> Served:
    """The application, on a connected store and a started producer. Build it inside the running loop."""
    secrets = SecretCipher(settings.secret_key)
    engine = Engine(
        store,
        Hints(producer),
        source=counter_source("api", random.randrange(COUNTER_SOURCES)),
        files=file_place(settings, store, settings.secret_key),
        secrets=secrets,
        account_base_urls=settings.allowed_base_urls,
        private_receivers=settings.webhook_private_addresses,
    )
    tokens = ResultTokens(settings.secret_key)
    edge = Edge(engine, RequestLimits(settings.default_windows), settings.public_url, tokens)
    exchange = LimitExchange(engine, edge.request_limits)
    carriers = Carriers(store, settings, secrets, carrier_of_calls(settings))
    installation = Installation(settings, store, producer)
    gateway = Gateway(settings, edge, producer, CallbackSink(producer, store), store, carriers, installation)

    @asynccontextmanager
    async def background(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await carriers.start()
            stack.push_async_callback(carriers.close)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            background_work = (engine.hints.run(), gateway.callbacks.run(), exchange.run())
            tasks = [group.create_task(work) for work in background_work]
            yield
            for task in tasks:
                cancel(task)

    # The native API stands at the root, so its routes are in the root's document too.
    root = application(
        native.ABOUT,
        ROUTERS,
        form,
        edge,
        also_documented=native.ROUTERS,
        documented_elsewhere=(*operations.ROUTERS, operations.router),
        lifespan=background,
    )
    root.state.gateway = gateway
    install_carrier_errors(root)
    for dialect in dialects:
        root.mount(dialect.prefix, dialect.build(edge))
    # Not mounted at "": a mount there would take every address, and the root's own could not answer 405.
    root.router.default = native.build(edge)
    return Served(CountRequests(TellLimits(RouteEncodedPaths(OpenToBrowsers(root, PATH)))), engine.live.close)


@asynccontextmanager
async def running(settings: ApiSettings) -> AsyncIterator[Served]:
    """The application with its servers; raises what `reach` raises."""
    raise_regex_cache()
    store, producer = connect(settings), Producer(settings)
    try:
        await reach(settings, store, producer, SERVICE)
        yield build_app(settings, store=store, producer=producer)
    finally:
        await producer.stop()
        await store.close()
