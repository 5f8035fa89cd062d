"""The wiring of campaign-api, on one screen."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from services.campaign_api.carrier import routes as callbacks
from services.campaign_api.carrier.callback_sink import CallbackSink
from services.campaign_api.gateway import Gateway
from services.campaign_api.hints import Hints
from services.campaign_api.http import health, pages
from services.campaign_api.http.openapi import install_openapi
from services.campaign_api.http.paths import RouteEncodedPaths
from services.campaign_api.http.rate_limit import RateLimit
from services.campaign_api.http.request_count import CountRequests
from services.campaign_api.native.errors import install_error_handlers
from services.campaign_api.native.routes import (
    campaigns,
    concurrency,
    configurations,
    contacts,
    diagnosis,
    do_not_call,
    ingest_batches,
    statistics,
)
from services.campaign_api.operator import keys as admin_keys
from services.campaign_api.operator import organizations as admin_organizations
from services.campaign_api.settings import ApiSettings
from shared.bus.producer import Producer
from shared.bus.required_topics import needed_by, wait_for_topics
from shared.domain.phone import raise_regex_cache
from shared.store.client import Store, connect
from shared.store.readiness import wait_until_ready

SERVICE = "campaign-api"
# Counters of added contacts are spread over so many documents, to keep processes out of each other's way.
COUNTER_SOURCES = 16
NOUNS = (
    campaigns,
    contacts,
    statistics,
    diagnosis,
    configurations,
    concurrency,
    do_not_call,
    ingest_batches,
    admin_organizations,
    admin_keys,
    callbacks,
    health,
    pages,
)


def build_app(settings: ApiSettings, *, store: Store, producer: Producer) -> ASGIApp:
    """The application, on a connected store and a started producer. Build it inside the running loop."""
    gateway = Gateway(
        settings=settings,
        store=store,
        producer=producer,
        hints=Hints(producer),
        callbacks=CallbackSink(producer, store),
        rate_limit=RateLimit(settings.requests_per_minute),
        source=f"api-{random.randrange(COUNTER_SOURCES)}",
    )

    @asynccontextmanager
    async def background(_: FastAPI) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(gateway.hints.run()), group.create_task(gateway.callbacks.run())]
            yield
            for task in tasks:
                task.cancel()

    app = FastAPI(
        title="Dialstream",
        version="1.0.0",
        docs_url=None,  # FastAPI's page loads its parts from elsewhere: see http/pages.py
        redoc_url=None,
        redirect_slashes=False,
        lifespan=background,
    )
    app.state.gateway = gateway
    for noun in NOUNS:
        app.include_router(noun.router)
    install_error_handlers(app)
    install_openapi(app, [body for noun in NOUNS for body in noun.BODIES])
    return CountRequests(RouteEncodedPaths(app))


@asynccontextmanager
async def running(settings: ApiSettings) -> AsyncIterator[ASGIApp]:
    """The application with its servers.

    Raises `Unavailable` when one is away past the start deadline, `ConfigurationError` when topics are missing.
    """
    raise_regex_cache()
    store, producer = connect(settings), Producer(settings)
    try:
        await wait_until_ready(store, settings.start_deadline_seconds)
        await producer.start(settings.start_deadline_seconds)
        await wait_for_topics(producer, needed_by(SERVICE), settings.start_deadline_seconds)
        yield build_app(settings, store=store, producer=producer)
    finally:
        await producer.stop()
        await store.close()
