"""Removes files that no campaign uses, every ten minutes, in as many processes as there are."""

import asyncio
from typing import Final

from shared.clock import utc_now
from shared.engine.file_places import FilePlace
from shared.engine.files import sweep_files
from shared.errors import TemporaryError
from shared.logs import get_logger
from shared.store.client import Store

SWEEP_SECONDS: Final = 600.0


async def sweep_for_ever(store: Store, place: FilePlace, every_seconds: float = SWEEP_SECONDS) -> None:
    """Sweep until cancelled; a server that is away is waited for."""
    while True:
        try:
            while await sweep_files(store, place, utc_now()):
                pass
        except TemporaryError as error:
            get_logger().warning("the sweep of files waits", why=str(error))
        await asyncio.sleep(every_seconds)
