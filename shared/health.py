"""`/health/live`, `/health/ready` and `/metrics` for services that have no HTTP interface of their own."""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared import metrics
from shared.errors import ConfigurationError

Check = Callable[[], Awaitable[bool]]

# A check that hangs counts as failed after this, so that a probe gets its answer.
CHECK_SECONDS = 2.0
# Of the checks, by their names in small letters, those of a server and not of the service's own work.
SERVERS = frozenset({"kafka", "mongodb"})


async def failed_checks(checks: Mapping[str, Check]) -> list[str]:
    """The names of the checks that fail now, in order."""

    async def passes(check: Check) -> bool:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                return await check()
        except TimeoutError:
            return False

    results = await asyncio.gather(*(passes(check) for check in checks.values()))
    return [name for name, passed in zip(checks, results, strict=True) if not passed]


async def exposition(checks: Mapping[str, Check]) -> bytes:
    """The answer of `/metrics`. The servers are looked for at each scrape, since no work may be there to miss them."""
    servers = {name: check for name, check in checks.items() if name.lower() in SERVERS}
    away = await failed_checks(servers)
    for name in servers:
        metrics.AWAY.labels(name.lower()).set(name in away)
    return generate_latest()


def cannot_listen(host: str, port: int, error: OSError) -> ConfigurationError:
    """Why a service has no HTTP pages and so does not start, in one sentence."""
    if error.errno in {errno.EADDRINUSE, errno.EACCES}:
        why = "another process has it" if error.errno == errno.EADDRINUSE else "this user may not have it"
        return ConfigurationError(
            f"port {port} of {host} cannot be listened on, because {why}: "
            f"set DIALSTREAM_HTTP_PORT ({port}) to a free port, or to 0 for any"
        )
    return ConfigurationError(
        f"{host} is not an address of this machine to listen on, with port {port} ({error.strerror or error}): "
        f"set DIALSTREAM_HTTP_HOST ({host}) to one that is, or to 0.0.0.0 for all"
    )


class HealthServer:
    """A small HTTP server beside a consumer. Live: the process runs. Ready: every one of `checks` passes, by name."""

    def __init__(self, host: str, port: int, checks: Mapping[str, Check]) -> None:
        self._host, self._port = host, port
        self.checks = dict(checks)
        app = web.Application()
        app.router.add_get("/health/live", self._live)
        app.router.add_get("/health/ready", self._ready)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Listen; with port 0 on a free one. Raises `ConfigurationError` when address or port cannot be had."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            raise cannot_listen(self._host, self._port, error) from error

    @property
    def port(self) -> int:
        """The port in use."""
        address: tuple[str, int] = self._runner.addresses[0]
        return address[1]

    async def stop(self) -> None:
        """Stop listening. Safe to call twice."""
        await self._runner.cleanup()

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "live"})

    async def _ready(self, _: web.Request) -> web.Response:
        away = await failed_checks(self.checks)
        if away:
            return web.json_response({"status": "not ready", "away": away}, status=503, headers={"Retry-After": "1"})
        return web.json_response({"status": "ready"})

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=await exposition(self.checks), headers={"Content-Type": CONTENT_TYPE_LATEST})
