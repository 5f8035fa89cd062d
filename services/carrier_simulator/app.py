"""The simulated carrier's wiring, on one screen."""

from aiohttp import web

from services.carrier_simulator.book import Book
from services.carrier_simulator.callbacks import CallbackSender
from services.carrier_simulator.control import Control
from services.carrier_simulator.exchange import Exchange
from services.carrier_simulator.rest import TwilioApi
from services.carrier_simulator.settings import Behaviour, SimulatorSettings
from shared.clock import utc_now


class Simulator:
    """A carrier on an HTTP port; `book` is its memory, `control.behaviour` how its calls go from now on."""

    def __init__(self, settings: SimulatorSettings, behaviour: Behaviour) -> None:
        self._settings = settings
        account, token = settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value()
        self.book = Book(settings.simulator_calls_kept, settings.simulator_record_kept)
        self.control = Control(behaviour, self.book)
        current = self.control.current
        self._sender = CallbackSender(account, token, current, self.book)
        self._exchange = Exchange(self.book, self._sender.report, utc_now)
        api = TwilioApi(account, token, current, self.book, self._exchange, self._sender)
        app = web.Application()
        app.add_routes([*api.routes(), *self.control.routes()])
        # A client that has gone away ends its handler: held requests must not pile up.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)

    async def start(self) -> None:
        """Listen; with port 0 on a free one."""
        self.book.open_record(self._settings.simulator_record_file)
        await self._sender.open()
        await self._runner.setup()
        await web.TCPSite(self._runner, self._settings.http_host, self._settings.http_port, backlog=1024).start()

    async def stop(self) -> None:
        """Stop listening; calls that are up are forgotten, callbacks on their way given up."""
        await self._runner.cleanup()
        self._exchange.close()
        await self._sender.close()
        self.book.close_record()

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"
