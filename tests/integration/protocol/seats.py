"""The processes of the world: what a scheduler and an executor remember, and what is lost when one dies."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from services.call_executor.held_calls import HeldCalls
from services.call_executor.outbox import Outbox
from services.call_executor.placing import Placer
from shared.events import AnyOrgEvent, CallAnswered, CallFinished, CallWasPlaced, DialJob, JobReleased, ProbePlaced
from shared.settings import DialingSettings
from shared.store.client import Document, Store
from shared.store.dialing.shard_transaction import Ownership
from shared.telephony.call_events import finished
from tests.carriers import through
from tests.integration.protocol.carrier import Call, Carrier


@dataclass(slots=True)
class Log:
    """One Kafka partition: records stay, every consumer has a position, one offset is committed."""

    records: list[Any] = field(default_factory=list)
    committed: int = 0

    def append(self, record: Any) -> None:
        """Publish a record."""
        self.records.append(record)


@dataclass(slots=True)
class SchedulerSeat:
    """One scheduler. Whoever was followed by another owner keeps working until a write of its fails."""

    owned: dict[int, Ownership] = field(default_factory=dict)
    positions: dict[int, int] = field(default_factory=dict)
    inbox: dict[int, list[AnyOrgEvent]] = field(default_factory=dict)  # events found elsewhere than in Kafka
    unpublished: list[DialJob] = field(default_factory=list)

    def becomes(self, owner: Ownership, position: int) -> None:
        """Own a shard from here on, with nothing in memory."""
        self.owned[owner.shard] = owner
        self.positions[owner.shard] = position
        self.inbox[owner.shard] = []

    def loses(self, shard: int) -> None:
        """Forget a shard."""
        self.owned.pop(shard, None)
        self.inbox.pop(shard, None)

    def waiting(self, shard: int, log: Log) -> "Waiting":
        """What has arrived for a shard and is not worked on yet, sorted as a scheduler's inbox sorts it."""
        events = [*self.inbox.get(shard, []), *log.records[self.positions[shard] :]]
        return Waiting(
            [event for event in events if isinstance(event, CallFinished)],
            [event for event in events if isinstance(event, JobReleased)],
            [event for event in events if isinstance(event, ProbePlaced)],
            [event for event in events if isinstance(event, CallAnswered | CallWasPlaced)],
        )


class Waiting(NamedTuple):
    """Events that wait for a shard's next transaction."""

    ended: list[CallFinished]
    released: list[JobReleased]
    probes: list[ProbePlaced]
    news: list[CallAnswered | CallWasPlaced]


class Spool(Outbox):
    """An outbox whose sending the world decides on; call ids are kept for one write each."""

    def __init__(self) -> None:
        self.events: list[AnyOrgEvent] = []
        self.call_ids: list[tuple[str, str, str]] = []

    def add(self, event: AnyOrgEvent) -> None:
        """Keep it until the world sends it."""
        self.events.append(event)

    def add_call_id(self, contact_id: str, attempt_id: str, call_id: str) -> None:
        """Keep it until the world writes it."""
        self.call_ids.append((contact_id, attempt_id, call_id))


@dataclass(slots=True)
class Task:
    """One dial job in an executor's hands: not started, started, or past the gate."""

    job: DialJob
    nonce: str = ""
    started: datetime | None = None
    contact: Document | None = None
    looked_at: datetime | None = None
    look_step: int = 0


class ExecutorSeat:
    """One life of an executor, around the real placer."""

    def __init__(self, store: Store, carrier: Carrier, dialing: DialingSettings, position: int) -> None:
        self.id = str(uuid.uuid4())
        self.position = position
        self.spool = Spool()
        self.held = HeldCalls(self.spool)
        self.holding: set[str] = set()  # attempts whose report only this process can hear
        self.placer = Placer(
            store, through(carrier, store), self.held, self.spool, dialing, self.id, lambda: carrier.now
        )
        self.tasks: list[Task] = []

    def take(self, jobs: Sequence[DialJob]) -> None:
        """Jobs read from Kafka."""
        self.tasks += [Task(job) for job in jobs]


def released(job: DialJob, nonce: str | None) -> JobReleased:
    """A job that comes back, by its claim or by the nonce of its start."""
    return JobReleased(
        organization_id=job.organization_id,
        shard=job.shard,
        attempt_id=job.attempt_id,
        contact_id=job.contact_id,
        nonce=nonce,
        reason="test",
    )


def ending_of(carrier: Carrier, call: Call) -> CallFinished:
    """What our endpoint makes of the carrier's report of an ended call."""
    request = call.request
    return finished(
        carrier.report_of(call),
        organization_id=request.organization_id,
        shard=request.shard,
        contact_id=request.contact_id,
    )
