"""Ends the transactions that killed processes have left open, whatever their service.

A shard's next owner needs the very documents that its predecessor was writing, and everybody needs the one of the
global limit. A process that stood still is no exception: it begins its transaction again when it goes on.
"""

from typing import Final

from shared import metrics
from shared.clock import monotonic
from shared.errors import PermanentError
from shared.logs import get_logger
from shared.store.client import Store
from shared.store.dialing.open_transactions import IdleTransaction, end_transactions, idle_transactions

SEARCH_SECONDS: Final = 0.5
# Between two operations of a transaction there are milliseconds, and one round trip.
ABANDONED_SECONDS: Final = 1.0

log = get_logger()


class AbandonedTransactions:
    """The transactions that were idle in the look before; one that is idle twice counts as abandoned.

    Every scheduler looks.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._idle_since: dict[IdleTransaction, float] = {}
        self.ending = False

    async def look(self) -> None:
        """One look; the last one where the server does not permit it."""
        now = monotonic()
        try:
            idle = await idle_transactions(self._store)
            self._idle_since = {each: self._idle_since.get(each, now) for each in idle}
            abandoned = [each for each, since in self._idle_since.items() if now - since >= ABANDONED_SECONDS]
            if abandoned:
                await end_transactions(self._store, abandoned)
                metrics.TRANSACTIONS_ENDED.inc(len(abandoned))
                log.info("abandoned transactions ended", transactions=len(abandoned))
        except PermanentError as error:
            log.warning("abandoned transactions wait for the server's own limit", why=str(error))
            self.ending = True
