"""What schedulers and executors have said of themselves lately, and what each shard holds: for the operator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.store.client import Document, Store, translates
from shared.store.dialing.executors import SEEN_LATELY_SECONDS
from shared.store.dialing.shard_catalog import server_now
from shared.store.dialing.shards import read_shards_and_global
from shared.store.documents.completing import complete
from shared.store.documents.dialing import ExecutorDocument, SchedulerDocument

# Of so many of each kind; one that has ended is in the list for an hour.
MOST_PROCESSES: Final = 1000
ENDED_SHOWN: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Executor:
    """A call-executor, as it last said of itself; `alive`: within the last ten seconds."""

    id: str
    alive: bool
    draining: bool
    capacity: int
    calls_per_second: float
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Scheduler:
    """A scheduler, as it last said of itself; `alive`: within the last ten seconds.

    `waiting`: slots that wait for evidence, by reason; `oldest_at` is when the oldest call among them began,
    `given_up_by` when the last of them is given up.
    """

    id: str
    alive: bool
    shards: Sequence[int]
    waiting: Mapping[str, int]
    oldest_at: datetime | None
    given_up_by: datetime | None
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard: slots that its calls hold, those of the global limit that it has been granted, organizations with work.

    `scheduler` is the living one that owns it; None: nobody dials its organizations.
    """

    shard: int
    scheduler: str | None
    held: int
    granted: int
    organizations_waiting: int


@dataclass(frozen=True, slots=True)
class Installation:
    """The processes that dial, the shards, and the global limit of calls at once with what is held of it."""

    executors: Sequence[Executor]
    schedulers: Sequence[Scheduler]
    shards: Sequence[Shard]
    held: int
    limit: int


@translates
async def read_installation(store: Store) -> Installation:
    """All of it, not at one moment; processes by their ids."""
    now = await server_now(store)
    states, limit, _ = await read_shards_and_global(store)
    seen = {"seen_at": {"$gt": now - ENDED_SHOWN}}
    executors = [_executor(one, now) for one in await _some(store, "executors", seen)]
    schedulers = [_scheduler(one, now) for one in await _some(store, "schedulers", seen)]
    owners = {shard: one.id for one in schedulers if one.alive for shard in one.shards}
    shards = [Shard(state.shard, owners.get(state.shard), state.held, state.grant, len(state.want)) for state in states]
    return Installation(executors, schedulers, shards, sum(state.held for state in states), limit)


async def _some(store: Store, collection: str, query: Document) -> list[Document]:
    return await store[collection].find(query).sort("_id").limit(MOST_PROCESSES).to_list()


def _executor(stored: Document, now: datetime) -> Executor:
    document = complete(ExecutorDocument, stored)
    return Executor(
        id=document["_id"],
        alive=_is_alive(document, now),
        draining=document["draining"],
        capacity=document["capacity"],
        calls_per_second=document["calls_per_second"],
        seen_at=document["seen_at"],
    )


def _scheduler(stored: Document, now: datetime) -> Scheduler:
    document = complete(SchedulerDocument, stored)
    return Scheduler(
        id=document["_id"],
        alive=_is_alive(document, now),
        shards=tuple(document["shards"]),
        waiting=document["waiting"],
        oldest_at=document["oldest_at"],
        given_up_by=document["given_up_by"],
        seen_at=document["seen_at"],
    )


def _is_alive(document: Document, now: datetime) -> bool:
    alive: bool = document["seen_at"] > now - timedelta(seconds=SEEN_LATELY_SECONDS)
    return alive
