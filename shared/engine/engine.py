"""The connections that use cases work with, made once by a process."""

from dataclasses import dataclass, field

from shared.engine.hints import Hints
from shared.engine.live import Live
from shared.store.client import Store


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine's connections. `source` names the counters document that this process adds to.

    `live`: what clients of this process follow.
    """

    store: Store
    hints: Hints
    source: str
    live: Live = field(default_factory=Live)
