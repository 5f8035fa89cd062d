"""The simulated carrier's wiring, on one screen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from services.carrier_simulator.book import Book, Call
from services.carrier_simulator.callbacks import CallbackSender
from services.carrier_simulator.control import Control
from services.carrier_simulator.desk import OrderDesk
from services.carrier_simulator.exchange import Exchange
from services.carrier_simulator.held_lines import HeldLines
from services.carrier_simulator.rest import TwilioApi
from services.carrier_simulator.settings import Behaviour, SimulatorSettings
from shared.clock import utc_now
from shared.errors import ConfigurationError
from shared.health import cannot_listen
from shared.logs import get_logger


@asynccontextmanager
async def running(settings: SimulatorSettings, behaviour: Behaviour) -> AsyncIterator["Simulator"]:
    """The simulated carrier at work; raises what `Simulator.start` raises."""
    simulator = Simulator(settings, behaviour)
    try:
        await simulator.start()
        get_logger().info("listening", url=simulator.url)
        yield simulator
    finally:
        await simulator.stop()


class Simulator:
    """A carrier on an HTTP port; `book` is its memory, `control.behaviour` how its calls go from now on."""

    def __init__(self, settings: SimulatorSettings, behaviour: Behaviour) -> None:
        self._settings = settings
        account, token = settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value()
        self.book = Book(settings.simulator_calls_kept, settings.simulator_record_kept)
        self.control = Control(behaviour, self.book)
        current = self.control.current
        self._desk = OrderDesk(account, token, current, self.book)
        self._sender = CallbackSender(account, token, current, self.book)
        self._exchange = Exchange(self.book, self._report, utc_now)
        self._lines = HeldLines(self._desk, self.book, self._exchange)
        api = TwilioApi(self._desk, self.book, self._exchange, self._sender)
        app = web.Application()
        app.add_routes([*api.routes(), *self._lines.routes(), *self.control.routes()])
        # A request ends with its client's connection; what must go on all the same sees `OrderDesk` through.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)

    def _report(self, call: Call, event: str) -> None:
        self._lines.report(call, event)
        self._sender.report(call, event)

    async def start(self) -> None:
        """Listen; with port 0 on a free one. Raises `ConfigurationError` when port or record cannot be had."""
        settings = self._settings
        try:
            self.book.open_record(settings.simulator_record_file)
        except OSError as error:
            raise ConfigurationError(f"DIALSTREAM_SIMULATOR_RECORD_FILE cannot be written: {error}") from error
        await self._sender.open()
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, settings.http_host, settings.http_port, backlog=1024).start()
        except OSError as error:
            raise cannot_listen(settings.http_host, settings.http_port, error) from error

    async def stop(self) -> None:
        """Stop listening; held lines are cut, other calls that are up forgotten, callbacks on their way given up."""
        await self._runner.cleanup()
        await self._desk.close()
        self._exchange.close()
        await self._sender.close()
        self.book.close_record()

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"
