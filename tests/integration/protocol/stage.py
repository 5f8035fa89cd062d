"""Where worlds are played from synchronous tests: an event loop of its own with a database of its own."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from shared.store.client import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stage:
    """One loop, one store; worlds use it one after the other."""

    runner: asyncio.Runner
    store: Store

    def play(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end."""
        return self.runner.run(coroutine)
