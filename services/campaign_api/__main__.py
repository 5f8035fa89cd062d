"""Runs campaign-api: `python -m services.campaign_api`."""

import sys

from pydantic import ValidationError

from services.campaign_api.server import serve
from services.campaign_api.settings import ApiSettings
from shared.logs import configure_logs
from shared.process import refuse_to_start, run_until_stopped


def main() -> int:
    """The process's exit code."""
    try:
        settings = ApiSettings()
    except ValidationError as error:
        return refuse_to_start(error)
    configure_logs(settings.log_level, "campaign-api")
    return run_until_stopped(serve(settings))


if __name__ == "__main__":
    sys.exit(main())
