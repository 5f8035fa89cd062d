"""`python -m services.carrier_simulator`: runs until SIGTERM or Ctrl-C."""

import asyncio
import signal
import sys

import uvloop
from pydantic import ValidationError

from services.carrier_simulator.app import Simulator
from services.carrier_simulator.settings import Behaviour, SimulatorSettings
from shared.logs import configure_logs, get_logger


async def run(settings: SimulatorSettings, behaviour: Behaviour) -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    simulator = Simulator(settings, behaviour)
    await simulator.start()
    get_logger().info("listening", url=simulator.url)
    await stop.wait()
    await simulator.stop()
    get_logger().info("stopped", placed=simulator.book.counts["placed"])


def main() -> None:
    """Read the settings, refuse bad ones with exit code 2, run."""
    try:
        settings, behaviour = SimulatorSettings(), Behaviour()
    except ValidationError as error:
        sys.stderr.write(f"carrier_simulator cannot start: {error}\n")
        raise SystemExit(2) from None
    configure_logs(settings.log_level, "carrier_simulator")
    uvloop.run(run(settings, behaviour))


if __name__ == "__main__":
    main()
