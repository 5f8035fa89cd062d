"""What schedulers and executors keep: sums, shares and signs of life."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

# Before everything that was ever stored.
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetDocument:
    """`budgets`: slots held of one limit. An organization's also has what rests, and the last refusals.

    A registered caller number's has the calls `used` on a `day` (UTC, `YYYY-MM-DD`); a campaign's that rotates its
    numbers the one whose `turn` was last; one with a limit of calls also the generation of the `run` that it was
    counted in last, that run's `calls`, and its `claims` that have no ending yet.
    """

    id: str
    held: int = 0
    rests: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    refusals: Sequence[Mapping[str, Any]] = ()
    day: str | None = None
    used: int = 0
    turn: str | None = None
    run: int | None = None
    calls: int = 0
    claims: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestDocument:
    """One of a budget's `rests`: what the carrier has refused, and until when it is left alone."""

    until: datetime
    refusals: int
    since: datetime
    refusal: Mapping[str, Any]
    asking: bool = False
    in_ending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CountersDocument:
    """`counters`: how a campaign's contacts have moved, by the scheduler. A count that never changed is absent.

    `called`, `answered`, `opted_out`, `retrying`, `called_back` are contacts (shared/store/documents/tallies.py);
    `outcomes` attempts; `run` the calls of one generation; `minute` the calls claimed and ended in the 60 s before its
    `at`.
    """

    id: str
    organization_id: str
    shard: int
    pending: int = 0
    active: int = 0
    completed: int = 0
    exhausted: int = 0
    error: int = 0
    skipped: int = 0
    attempts: int = 0
    attempts_removed: int = 0
    ended: Mapping[str, int] = field(default_factory=dict)
    called: int = 0
    answered: int = 0
    opted_out: int = 0
    retrying: int = 0
    called_back: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    talk_milliseconds: int = 0
    run: Mapping[str, int] | None = None
    minute: Mapping[str, Any] | None = None
    # What a circuit breaker goes by: `generation`, and `parts` of `{at, calls, failures}`.
    breaker: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountersInDocument:
    """`counters_in`: how many contacts one process has added to a campaign, and in which timezones.

    `wishes` and `completions` are counted up so that wishes for contacts, and the campaign's completion, write what
    those who add contacts write.
    """

    id: str
    campaign_id: str
    organization_id: str
    shard: int
    changed_at: datetime
    zones: Sequence[str | None] = ()
    added: int = 0
    added_skipped: int = 0
    # Those of the skipped ones that have no number to call; the others are on the do-not-call list.
    added_no_phone: int = 0
    # Whether any of them has ever had a priority of its own, or a caller number.
    prioritized: bool = False
    own_numbers: bool = False
    wishes: int = 0
    completions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardDocument:
    """`shards`: who owns a shard (`epoch`), what it holds of its grant, and what its organizations could use."""

    id: int
    epoch: int
    held: int
    grant: int
    want: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    resting: int = 0
    at: datetime | None = None
    # How many facts its organizations have been told, or will be: the number of the last one.
    facts: int = 0
    # Of the do-not-call list what was listed before this has been swept.
    listed_until: datetime = BEGINNING
    # The highest number of a call that was given out.
    last_call: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalBudgetDocument:
    """`global_budget`: the limit of all calls; `moves` is written so that those who take slots collide."""

    id: str
    limit: int
    moves: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorDocument:
    """`executors`: an executor's last heartbeat; `seen_at` by the server's clock."""

    id: str
    sequence: int
    capacity: int
    calls_per_second: float
    draining: bool
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerDocument:
    """`schedulers`: what a scheduler said of itself last; `seen_at` by the server's clock.

    `waiting` are slots without evidence, by reason; `oldest_at` and `given_up_by` are theirs.
    """

    id: str
    shards: Sequence[int]
    waiting: Mapping[str, int]
    oldest_at: datetime | None
    given_up_by: datetime | None
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultDocument:
    """`results`: the ending of a call that Kafka has not acknowledged; `event` is a `CallFinished`."""

    id: str
    shard: int
    organization_id: str
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweringMachineDocument:
    """`answering_machines`: a machine that has taken a call, by the attempt's id.

    `outcome` is the one that the call has for it; `message`: one was left there, or may have been.
    """

    id: str
    organization_id: str
    outcome: str
    message: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaDocument:
    """`schema`: in which form the database's documents are; see shared/store/migrations."""

    id: str
    version: int
