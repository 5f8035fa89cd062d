"""Work that comes round, once a second or oftener, for as long as a scheduler is a member of its group."""

import asyncio
from typing import Final, Protocol

from shared.errors import TemporaryError
from shared.logs import get_logger

PERIOD_SECONDS: Final = 1.0

log = get_logger()


class Watcher(Protocol):
    """A part of the scheduler that looks in rounds; `ending` is set when the rounds shall stop."""

    ending: bool

    async def look(self) -> None:
        """One round. A `TemporaryError` is a server that is away: the next round looks again."""


async def go_round(watcher: Watcher, name: str, every_seconds: float = PERIOD_SECONDS) -> None:
    """Have the watcher look that often until cancelled or `ending`; a server that is away is waited for."""
    while not watcher.ending:
        try:
            await watcher.look()
        except TemporaryError as error:
            log.warning(f"{name} waits", why=str(error))
            await asyncio.sleep(PERIOD_SECONDS)
        else:
            await asyncio.sleep(every_seconds)
