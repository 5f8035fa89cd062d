"""The form of a renderer."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain.facts import FactType
from shared.engine.engine import Engine
from shared.events import OrgFact


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One event as it is to be told. `event` is its name in the dialect, `at` (UTC) when it became true.

    `fact` is None for a test event; `things` is what the renderer's `read` gave, None without one.
    """

    event_id: str
    event: str
    organization_id: str
    at: datetime
    fact: OrgFact | None
    things: Any = None


Body = Callable[[Told], Mapping[str, Any]]
"""Pure: the event's JSON, in values that JSON has, and datetimes."""

Read = Callable[[Engine, OrgFact], Awaitable[Any]]
"""What `Body` needs beside the fact, read by use cases when the event is delivered; what is gone since is None there.

Raises `TemporaryError`: the delivery is made later, and no try is counted.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """A dialect's words for facts.

    `events`: the events by which a fact is told; several, or none. `fact_types`: the types of facts that stand behind
    events of these names; unknown names stand for none.
    """

    events: Callable[[OrgFact], Sequence[str]]
    fact_types: Callable[[Collection[str]], frozenset[FactType]]
    body: Body
    read: Read | None = None
