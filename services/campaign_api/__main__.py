"""Runs campaign-api until SIGTERM; exits with 1 when Kafka or MongoDB stay away for too long at the start."""

import sys

import uvicorn
import uvloop
from pydantic import ValidationError

from services.campaign_api.app import running
from services.campaign_api.settings import ApiSettings
from shared.errors import Unavailable
from shared.logs import configure_logs, get_logger


async def _serve(settings: ApiSettings) -> None:
    async with running(settings) as app:
        config = uvicorn.Config(
            app,
            host=settings.http_host,
            port=settings.http_port,
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=round(settings.shutdown_seconds),
        )
        await uvicorn.Server(config).serve()


def main() -> int:
    """The process's exit code."""
    try:
        settings = ApiSettings()
    except ValidationError as error:
        print(error, file=sys.stderr)  # noqa: T201 - logs are not set up yet
        return 2
    configure_logs(settings.log_level, "campaign-api")
    try:
        uvloop.run(_serve(settings))
    except Unavailable as error:
        get_logger().error("campaign-api gives up", reason=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
