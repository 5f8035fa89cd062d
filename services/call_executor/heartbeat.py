"""Saying once a second that this executor lives, what it can take, and whether it is on its way out."""

import asyncio

from shared.errors import TemporaryError
from shared.logs import get_logger
from shared.store.client import Store
from shared.store.dialing import executors
from shared.store.dialing.executors import Heartbeat
from shared.store.dialing.server_clock import ServerClock

PERIOD_SECONDS = 1.0

log = get_logger()


class Pulse:
    """The heartbeat of one executor, and the database's clock, which it keeps with each beat."""

    def __init__(self, store: Store, executor: str, *, capacity: int, calls_per_second: float) -> None:
        self._store, self._executor = store, executor
        self._capacity, self._calls_per_second = capacity, calls_per_second
        self._sequence = 0
        self.server_clock = ServerClock(store)
        self.draining = False

    async def beat(self) -> None:
        """One beat. Raises `Unavailable`."""
        self._sequence += 1
        heartbeat = Heartbeat(self._executor, self._sequence, self._capacity, self._calls_per_second, self.draining)
        await executors.beat(self._store, heartbeat)
        await self.server_clock.keep()

    async def run(self) -> None:
        """Beat until cancelled; a missed beat is only logged."""
        while True:
            try:
                await self.beat()
            except TemporaryError as error:
                log.warning("heartbeat missed", why=str(error))
            await asyncio.sleep(PERIOD_SECONDS)

    async def stop(self) -> None:
        """Leave no heartbeat behind, so that no scheduler waits for one."""
        try:
            await executors.retire(self._store, self._executor)
        except TemporaryError as error:
            log.warning("heartbeat left behind", why=str(error))
