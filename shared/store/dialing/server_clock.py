"""The database's clock as a process reckons it: one time for all processes, however wrong their own clocks are."""

from datetime import UTC, datetime, timedelta

from shared.clock import monotonic, utc_now
from shared.store.client import Store
from shared.store.dialing.shard_catalog import server_now

# An answer that took longer says less; it is taken once the better one is so old that clocks may have drifted.
DRIFT_SECONDS = 30.0
# Oftener the server is not asked: an answer costs it as much as a write.
ASKED_EVERY_SECONDS = 5.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ServerClock:
    """Runs with this process's monotonic clock from the last good answer on; with its wall clock until the first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._offset: float | None = None
        self._took, self._asked_at = 0.0, 0.0
        self._looked_at: float | None = None

    async def keep(self) -> None:
        """Look where the last look was `ASKED_EVERY_SECONDS` ago; call it once a second. Raises as `look` does."""
        if self._looked_at is None or monotonic() - self._looked_at >= ASKED_EVERY_SECONDS:
            await self.look()

    async def look(self) -> None:
        """Ask the server for its time. Raises `Unavailable`: the clock goes on as it does."""
        asked_at = monotonic()
        server = await server_now(self._store)
        self._looked_at = asked_at
        took = monotonic() - asked_at
        if self._offset is None or took <= self._took or asked_at - self._asked_at > DRIFT_SECONDS:
            self._offset = (server - _EPOCH).total_seconds() - asked_at - took / 2
            self._took, self._asked_at = took, asked_at

    def now(self) -> datetime:
        """The server's time, as far as this process knows."""
        if self._offset is None:
            return utc_now()
        return _EPOCH + timedelta(seconds=round(monotonic() + self._offset, 3))
