"""Calls that wait for evidence: what the safety net and RECONCILE read. Judged by the server's clock."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.domain.contact import ContactStatus
from shared.domain.dialing import dialed_number
from shared.domain.ids import SHARDS
from shared.store.client import Document, Store, translates
from shared.store.documents.contacts import contact_of

# A call that could be taken for another one's by its numbers and time was placed at most so long before: a carrier's
# clock may differ by half a minute (shared/telephony/twilio.py), and its queue may hold a call for some.
RECENT: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class RunningAttempt:
    """An attempt that was started and has no ending yet.

    `other_calls`: the carrier's ids of calls to the same phone that are known to be of other attempts.
    """

    contact_id: str
    organization_id: str
    shard: int
    attempt_id: str
    phone_number: str
    caller_number: str
    executor: str
    mode: str
    started_at: datetime
    hold_until: datetime
    call_id: str | None
    account_id: str | None = None
    other_calls: frozenset[str] = frozenset()


@translates
async def count_locked(store: Store, shard: int) -> int:
    """How many contacts of a shard are claimed and not started."""
    query = {"shard": shard, "status": ContactStatus.LOCKED}
    return await store["contacts"].count_documents(query, hint="active")


@translates
async def started_between(
    store: Store, shards: Collection[int], spans: Sequence[tuple[datetime, datetime]], limit: int
) -> list[RunningAttempt]:
    """Running attempts started within one of these spans (from exclusive, to inclusive)."""
    if not spans:
        return []
    query = {**_started_in(shards), "$or": [{"start.at": {"$gt": start, "$lte": end}} for start, end in spans]}
    return await _running(store, query, limit)


@translates
async def started_by_executors(
    store: Store, shards: Collection[int], executors: Collection[str], limit: int
) -> list[RunningAttempt]:
    """Running attempts of these executors: asked only about dead ones."""
    if not executors:
        return []
    return await _running(store, {**_started_in(shards), "start.executor": {"$in": list(executors)}}, limit)


@translates
async def past_hold(
    store: Store, shards: Collection[int], now: datetime, hold: timedelta, limit: int
) -> list[RunningAttempt]:
    """Running attempts that the carrier must have ended by now, of those that are older than `hold`."""
    return await _running(store, {**_older(shards, now, hold), "start.hold_until": {"$lte": now}}, limit)


@translates
async def running_for_longer(
    store: Store, shards: Collection[int], now: datetime, hold: timedelta, limit: int
) -> list[RunningAttempt]:
    """Running attempts older than `hold` whose own time limits, set in their configuration, are not over yet."""
    return await _running(store, {**_older(shards, now, hold), "start.hold_until": {"$gt": now}}, limit)


@translates
async def still_running(store: Store, contact_ids: Collection[str]) -> set[str]:
    """The attempts that these contacts are on now and that have no ending yet."""
    query = {"_id": {"$in": list(contact_ids)}, "status": ContactStatus.IN_PROGRESS}
    return {d["lock"]["attempt"] async for d in store["contacts"].find(query, {"lock.attempt": 1})}


@translates
async def with_other_calls(store: Store, attempts: Sequence[RunningAttempt]) -> list[RunningAttempt]:
    """These attempts; those whose call can only be looked for by its numbers know which calls are not theirs."""
    unnamed = [attempt for attempt in attempts if attempt.call_id is None]
    if not unnamed:
        return list(attempts)
    calls = [
        {
            "organization_id": attempt.organization_id,
            "phone_number": attempt.phone_number,
            "created_at": {"$gte": attempt.started_at - RECENT},
        }
        for attempt in unnamed
    ]
    fields = {"organization_id": 1, "phone_number": 1, "provider_call_id": 1}
    known = defaultdict(set)
    async for call in store["attempts"].find({"$or": calls, "provider_call_id": {"$ne": None}}, fields):
        known[call["organization_id"], call["phone_number"]].add(call["provider_call_id"])
    return [
        replace(attempt, other_calls=frozenset(known[attempt.organization_id, attempt.phone_number]))
        if attempt.call_id is None
        else attempt
        for attempt in attempts
    ]


@translates
async def count_running(store: Store) -> int:
    """Calls of all organizations that have been started and have no ending yet."""
    return await store["contacts"].count_documents(_started_in(range(SHARDS)), hint="active")


def _started_in(shards: Collection[int]) -> Document:
    return {"shard": {"$in": list(shards)}, "status": ContactStatus.IN_PROGRESS}


def _older(shards: Collection[int], now: datetime, hold: timedelta) -> Document:
    return {**_started_in(shards), "start.at": {"$lte": now - hold}}


async def _running(store: Store, query: Document, limit: int) -> list[RunningAttempt]:
    fields = {"organization_id": 1, "shard": 1, "lock": 1, "start": 1}
    cursor = store["contacts"].find(query, fields, hint="active").limit(limit)
    return [
        RunningAttempt(
            contact_id=d["_id"],
            organization_id=d["organization_id"],
            shard=d["shard"],
            attempt_id=d["lock"]["attempt"],
            phone_number=dialed_number(d["lock"]),
            caller_number=d["lock"]["caller_number"],
            executor=d["start"]["executor"],
            mode=d["start"]["mode"],
            started_at=d["start"]["at"],
            hold_until=d["start"]["hold_until"],
            call_id=d["start"]["call_id"],
            account_id=d["lock"]["account"],
        )
        async for contact in cursor
        for d in [contact_of(contact, frozenset(fields))]
    ]
