"""Our services with another wait for ends of calls to gather than their turnover tells."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any
from unittest.mock import patch

from shared.domain.turnover import Turnover


def ends_gather(seconds: float | None) -> AbstractContextManager[Any]:
    """Behind a small batch, executor and shard wait for so many seconds; None: as they do."""
    return nullcontext() if seconds is None else patch.object(Turnover, "gather_seconds", lambda *_: seconds)
