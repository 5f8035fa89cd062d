"""Runs the simulated carrier: `python -m services.carrier_simulator`."""

import sys

from pydantic import ValidationError

from services.carrier_simulator.app import serve
from services.carrier_simulator.settings import Behaviour, SimulatorSettings
from shared.logs import configure_logs
from shared.process import refuse_to_start, run_until_stopped


def main() -> int:
    """The process's exit code."""
    try:
        settings, behaviour = SimulatorSettings(), Behaviour()
    except ValidationError as error:
        return refuse_to_start(error)
    configure_logs(settings.log_level, "carrier-simulator")
    return run_until_stopped(serve(settings, behaviour))


if __name__ == "__main__":
    sys.exit(main())
