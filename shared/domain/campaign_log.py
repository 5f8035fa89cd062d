"""What happens to a campaign, as its log has it and as it is told: codes, with reason and who."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from shared.domain.campaign import CampaignMove, CampaignState, Course, HaltReason
from shared.domain.facts import FactType

# The newest entries of a campaign that are kept.
MAX_ENTRIES: Final = 1000


class LogEvent(StrEnum):
    """What a campaign's log tells of."""

    CREATED = "created"
    SCHEDULED = "scheduled"
    UNSCHEDULED = "unscheduled"
    STARTED = "started"
    RESUMED = "resumed"
    PAUSED = "paused"
    COMPLETED = "completed"
    HALTED = "halted"
    CANCELLED = "cancelled"
    DELETED = "deleted"
    IMPORT_STARTED = "import_started"
    IMPORT_DONE = "import_done"
    IMPORT_FAILED = "import_failed"
    IMPORT_CANCELLED = "import_cancelled"
    REDIALED = "redialed"  # a new campaign was made of its contacts
    RESTING = "resting"  # the carrier refuses its calls for a reason that speaks of us: they wait
    REST_OVER = "rest_over"


class LogLevel(StrEnum):
    """How much an entry wants to be looked at."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class ActorKind(StrEnum):
    """The kinds of those who move campaigns."""

    KEY = "key"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Actor:
    """The mover of a campaign: a credential of the organization, by its id, or the engine by itself (no id)."""

    kind: ActorKind
    id: str | None = None


ENGINE: Final = Actor(ActorKind.ENGINE)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of a campaign's log; `at` in UTC. `reason` is a code; `facts` are more of what was so."""

    id: str
    at: datetime
    event: LogEvent
    reason: str | None
    by: Actor
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def level(self) -> LogLevel:
        """How much the entry wants to be looked at."""
        return level_of(self.event, self.reason)


FACT_OF: Final[Mapping[LogEvent, FactType]] = MappingProxyType(
    {
        LogEvent.STARTED: FactType.CAMPAIGN_STARTED,
        LogEvent.RESUMED: FactType.CAMPAIGN_RESUMED,
        LogEvent.PAUSED: FactType.CAMPAIGN_PAUSED,
        LogEvent.COMPLETED: FactType.CAMPAIGN_COMPLETED,
        LogEvent.HALTED: FactType.CAMPAIGN_HALTED,
        LogEvent.CANCELLED: FactType.CAMPAIGN_CANCELLED,
    }
)
_BY_MOVE: Final[Mapping[CampaignMove, LogEvent]] = MappingProxyType(
    {
        CampaignMove.SCHEDULE: LogEvent.SCHEDULED,
        CampaignMove.UNSCHEDULE: LogEvent.UNSCHEDULED,
        CampaignMove.PAUSE: LogEvent.PAUSED,
        CampaignMove.CANCEL: LogEvent.CANCELLED,
        CampaignMove.DELETE: LogEvent.DELETED,
    }
)


def level_of(event: LogEvent, reason: str | None) -> LogLevel:
    """How much an event wants to be looked at: what keeps calls from being made does."""
    if event is LogEvent.IMPORT_FAILED or reason == HaltReason.CIRCUIT_BREAKER:
        return LogLevel.ERROR
    return LogLevel.WARNING if event in (LogEvent.HALTED, LogEvent.RESTING) else LogLevel.INFO


def events_of_move(
    before: Course, after: Course, move: CampaignMove, shown: CampaignState, *, was_started: bool
) -> list[LogEvent]:
    """What a move is told as, in order; `shown` is the state before it, `was_started`: it has run before.

    A move of a scheduled campaign whose time had come tells first that it has started.
    """
    if move is CampaignMove.START:
        return [LogEvent.RESUMED if shown is CampaignState.PAUSED and was_started else LogEvent.STARTED]
    opened_by_it = after.is_opened and not before.is_opened
    return [*([LogEvent.STARTED] if opened_by_it else []), _BY_MOVE[move]]


def events_of_making(course: Course) -> list[LogEvent]:
    """What the making of a campaign is told as, in order."""
    if course.is_opened:
        return [LogEvent.CREATED, LogEvent.STARTED]
    return [LogEvent.CREATED, *([LogEvent.SCHEDULED] if course.start_at is not None else [])]
