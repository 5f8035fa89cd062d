"""campaign-api on its port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.campaign_api.app import running
from services.campaign_api.settings import ApiSettings
from shared.http_server import answering


@asynccontextmanager
async def serving(settings: ApiSettings) -> AsyncIterator[None]:
    """campaign-api at work on its port; at the end requests in flight are finished first.

    Raises what `running` raises, and `ConfigurationError` when address or port cannot be had.
    """
    async with (
        running(settings) as app,
        answering(settings, app, app.leave, shutdown_seconds=settings.shutdown_seconds),
    ):
        yield
