"""The connections that use cases work with, made once by a process."""

from dataclasses import dataclass

from shared.engine.file_places import FilePlace
from shared.engine.hints import Hints
from shared.store.client import Store


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine's connections. `source` names the counters document that this process adds to."""

    store: Store
    hints: Hints
    source: str
    files: FilePlace
