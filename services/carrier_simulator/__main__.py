"""Runs the simulated carrier: `python -m services.carrier_simulator`."""

import sys

from services.carrier_simulator.app import running
from services.carrier_simulator.settings import Behaviour, SimulatorSettings
from shared.process import run_service


def main() -> int:
    """The process's exit code."""
    return run_service("carrier-simulator", SimulatorSettings, lambda settings: running(settings, Behaviour()))


if __name__ == "__main__":
    sys.exit(main())
