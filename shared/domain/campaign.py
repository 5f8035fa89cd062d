"""A campaign: what its owner wants, what has come of it, the state that both show, and the moves between states."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

MIN_PRIORITY: Final = 0
MAX_PRIORITY: Final = 999_999
DEFAULT_PRIORITY: Final = 1
# Contacts of no campaign go before every campaign.
NO_CAMPAIGN_PRIORITY: Final = 1_000_000
# The generation of a campaign's first run; a draft has a smaller one.
FIRST_GENERATION: Final = 1


class Intent(StrEnum):
    """What a campaign's owner wants of it."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"  # to run from its `start_at` on
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class RunState(StrEnum):
    """What has come of one run of a campaign."""

    OPENED = "opened"
    COMPLETED = "completed"
    HALTED = "halted"
    FAILED = "failed"


class HaltReason(StrEnum):
    """Why a run was halted."""

    MAX_CALLS = "max_calls"  # all the calls that it may make are made
    CIRCUIT_BREAKER = "circuit_breaker"  # too many of its calls have failed


# Why a run has failed.
IMPORT_FAILED: Final = "source_sync_failed"


class CampaignState(StrEnum):
    """How a campaign stands, as it is shown."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SYNCING = "syncing"  # it runs while an import is still under way
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class CampaignMove(StrEnum):
    """What a client may ask of a campaign."""

    SCHEDULE = "schedule"
    UNSCHEDULE = "unschedule"
    START = "start"
    PAUSE = "pause"
    CANCEL = "cancel"
    DELETE = "delete"


class CampaignUse(StrEnum):
    """What else a client may ask of a campaign; one in a state of `OVER` takes none of it.

    A completed one takes no `CALL_BACK`.
    """

    CHANGE = "change"
    ADD_CONTACTS = "add contacts"
    RESET_CONTACTS = "reset contacts"
    CALL_BACK = "call back"
    REDIAL = "redial"


@dataclass(frozen=True, slots=True)
class Run:
    """What has come of the run of one generation. It counts only while the campaign has that generation.

    `reason` says why it was halted or failed; `at` (UTC) since when it stands so.
    """

    generation: int
    state: RunState
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """A campaign's course: the owner's intent and what has come of it.

    `generation` grows with each start, resume and schedule, so that what was known of an earlier run counts for no
    later one. `start_at` (UTC) is when a scheduled campaign starts; `imports` how many are under way. From `end_at`
    (UTC) on nobody is called in the campaign, whatever its state. One with `deleted_at` (UTC) is hidden, and keeps
    everything.
    """

    intent: Intent
    generation: int = FIRST_GENERATION - 1
    start_at: datetime | None = None
    run: Run | None = None
    imports: int = 0
    end_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def current_run(self) -> Run | None:
        """The run of this generation; None while nothing has come of it."""
        return self.run if self.run is not None and self.run.generation == self.generation else None

    @property
    def is_opened(self) -> bool:
        """Whether the run of this generation has begun: whatever anybody's clock says, it is not before its time."""
        return self.current_run is not None

    @property
    def is_over(self) -> bool:
        """Whether the campaign calls nobody any more, for good: deleted, cancelled, or its run has failed."""
        run = self.current_run
        failed = run is not None and run.state is RunState.FAILED
        return self.deleted_at is not None or self.intent is Intent.CANCELLED or failed

    def has_ended(self, now: datetime) -> bool:
        """Whether the campaign's end date has come by `now` (UTC)."""
        return self.end_at is not None and self.end_at <= now

    @property
    def ends_before_it_starts(self) -> bool:
        """Whether the campaign is scheduled for a time at which its end date has come already."""
        return self.intent is Intent.SCHEDULED and self.start_at is not None and self.has_ended(self.start_at)


@dataclass(frozen=True, slots=True)
class ShownState:
    """A campaign's state at one moment, and why it is paused or failed, where neither was its owner's wish."""

    state: CampaignState
    reason: str | None = None


_BY_RUN: Final[Mapping[RunState, CampaignState]] = MappingProxyType(
    {
        RunState.COMPLETED: CampaignState.COMPLETED,
        RunState.HALTED: CampaignState.PAUSED,
        RunState.FAILED: CampaignState.FAILED,
    }
)


def shown_state(course: Course, now: datetime) -> ShownState:
    """The state of a campaign at `now` (UTC).

    A scheduled campaign whose time has come is running, though nothing was written; one whose run is opened is
    running by every clock. A run that has ended shows through an intent to run alone.
    """
    match course.intent:
        case Intent.DRAFT:
            return ShownState(CampaignState.DRAFT)
        case Intent.PAUSED:
            return ShownState(CampaignState.PAUSED)
        case Intent.CANCELLED:
            return ShownState(CampaignState.CANCELLED)
        case Intent.SCHEDULED if not course.is_opened and (course.start_at is None or course.start_at > now):
            return ShownState(CampaignState.SCHEDULED)
    run = course.current_run
    if run is None or run.state is RunState.OPENED:
        return ShownState(CampaignState.SYNCING if course.imports > 0 else CampaignState.RUNNING)
    return ShownState(_BY_RUN[run.state], run.reason)


# Campaigns in these states are never called again, so they take no change, no contact and no reset.
OVER: Final = frozenset({CampaignState.CANCELLED, CampaignState.FAILED})
# Campaigns in these states take no wish for a callback.
NOT_CALLED_BACK: Final = OVER | {CampaignState.COMPLETED}
# Campaigns in these states are dialed.
DIALED: Final = frozenset({CampaignState.RUNNING, CampaignState.SYNCING})
_LIVE: Final = frozenset(CampaignState) - OVER - {CampaignState.COMPLETED}

# move -> (states it is allowed from, intent it leads to; None: it stays). Starting a running campaign begins a new run;
# pausing a paused one is refused (the lifecycle of the API we are compatible with).
CAMPAIGN_MOVES: Final[Mapping[CampaignMove, tuple[frozenset[CampaignState], Intent | None]]] = MappingProxyType(
    {
        CampaignMove.SCHEDULE: (frozenset({CampaignState.DRAFT, CampaignState.SCHEDULED}), Intent.SCHEDULED),
        CampaignMove.UNSCHEDULE: (frozenset({CampaignState.SCHEDULED}), Intent.DRAFT),
        CampaignMove.START: (_LIVE | {CampaignState.COMPLETED}, Intent.RUNNING),
        CampaignMove.PAUSE: (DIALED | {CampaignState.SCHEDULED}, Intent.PAUSED),
        CampaignMove.CANCEL: (_LIVE, Intent.CANCELLED),
        CampaignMove.DELETE: (frozenset({CampaignState.DRAFT, CampaignState.CANCELLED}), None),
    }
)


def moved(course: Course, move: CampaignMove, now: datetime, start_at: datetime | None = None) -> Course | None:
    """The course after a move at `now`; None when the campaign's state does not allow it, or it is deleted.

    `start_at` is the time that SCHEDULE sets. A scheduled campaign whose time has come has its run opened by the
    first to write, a move included.
    """
    allowed_from, leads_to = CAMPAIGN_MOVES[move]
    intent = course.intent if leads_to is None else leads_to
    state = shown_state(course, now).state
    if state not in allowed_from or course.deleted_at is not None:
        return None
    match move:
        case CampaignMove.DELETE:
            return replace(course, deleted_at=now)
        case CampaignMove.SCHEDULE:
            return replace(course, intent=intent, generation=course.generation + 1, start_at=start_at)
        case CampaignMove.UNSCHEDULE:
            return replace(course, intent=intent, start_at=None)
        case CampaignMove.START:
            generation = course.generation + 1
            return replace(course, intent=intent, generation=generation, run=Run(generation, RunState.OPENED, now))
        case _:
            return replace(course, intent=intent, run=opened(course, now) if state in DIALED else course.run)


def opened(course: Course, now: datetime) -> Run:
    """The run of a running campaign, opened at `now` where it is not opened yet."""
    return course.current_run or Run(course.generation, RunState.OPENED, now)


def reopened(course: Course, now: datetime) -> Run | None:
    """The run of a completed campaign that has work again, opened at `now`; None where there is nothing to reopen."""
    if shown_state(course, now).state is not CampaignState.COMPLETED or course.has_ended(now):
        return None
    return Run(course.generation, RunState.OPENED, now)


def halted(course: Course, reason: HaltReason, now: datetime) -> Run | None:
    """The run of a campaign that is halted at `now`; None where it is not dialed, so that there is nothing to halt."""
    if shown_state(course, now).state not in DIALED:
        return None
    return Run(course.generation, RunState.HALTED, now, reason)


def import_failed(course: Course, now: datetime) -> Course | None:
    """The course of a campaign whose only list could not be imported; None where it is over or completed already.

    A draft fails too: without its contacts there is nothing to start.
    """
    run = course.current_run
    if course.is_over or (run is not None and run.state is RunState.COMPLETED):
        return None
    failed = Run(course.generation, RunState.FAILED, now, IMPORT_FAILED)
    return replace(course, intent=Intent.RUNNING, start_at=None, run=failed)


def started(now: datetime) -> Course:
    """The course of a campaign that is made running."""
    return Course(Intent.RUNNING, FIRST_GENERATION, run=Run(FIRST_GENERATION, RunState.OPENED, now))


def drafted() -> Course:
    """The course of a campaign that is made as a draft."""
    return Course(Intent.DRAFT)


def scheduled(start_at: datetime) -> Course:
    """The course of a campaign that is made to start by itself."""
    return Course(Intent.SCHEDULED, FIRST_GENERATION, start_at)
