"""A transaction of hundreds of contacts, which is written in parts: all of it or nothing, each contact once."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.events import CallFinished, DialJob
from shared.store import in_parts
from shared.store.client import Document, Store
from shared.store.dialing import claim
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.moves import GuardFailed
from shared.store.dialing.shard_transaction import Ownership, ShardTransaction
from shared.store.dialing.shard_work import ShardWork, WorkDone, do_shard_work
from shared.store.dialing.shards import GrantMove, ensure_shards, move_grants, set_global_limit, take_over
from shared.store.reports.counters import campaign_counts
from tests.factories import add_campaign, add_contacts, add_organization

NOW = utc_now()
EARLIER = NOW - timedelta(hours=1)
MANY = in_parts.FIRST_PART + 2 * in_parts.PART + 1


async def stand(store: Store, count: int) -> tuple[Ownership, Document, list[str]]:
    """A shard with room for all, and so many contacts that wait."""
    await ensure_shards(store)
    organization = await add_organization(store, concurrency_limit=count)
    campaign = await add_campaign(store, organization)
    contacts = await add_contacts(store, organization, campaign, count, created_at=EARLIER, due_at=EARLIER)
    await set_global_limit(store, count)
    owner = Ownership(organization["shard"], await take_over(store, organization["shard"]))
    assert await move_grants(store, [GrantMove(owner, count)])
    return owner, campaign, [contact["_id"] for contact in contacts]


def ended(jobs: Sequence[DialJob]) -> list[CallFinished]:
    return [
        CallFinished(
            organization_id=job.organization_id,
            shard=job.shard,
            attempt_id=job.attempt_id,
            contact_id=job.contact_id,
            outcome=Outcome.ANSWERED if place % 2 else Outcome.BUSY,
            started_at=NOW,
            ended_at=NOW + timedelta(seconds=1),
            duration_seconds=1.0,
        )
        for place, job in enumerate(jobs)
    ]


async def claimed(store: Store, owner: Ownership, ids: Sequence[str]) -> WorkDone:
    return await do_shard_work(store, owner, ShardWork(claim=ClaimOrder(ids)), NOW)


async def test_hundreds_are_claimed_in_their_order_and_ended_each_once(store: Store) -> None:
    owner, campaign, ids = await stand(store, MANY)
    jobs = (await claimed(store, owner, ids)).jobs
    assert [job.contact_id for job in jobs] == ids
    locked = {contact["_id"]: contact["lock"] async for contact in store["contacts"].find({"status": "locked"})}
    assert {job.contact_id: job.attempt_id for job in jobs} == {key: lock["attempt"] for key, lock in locked.items()}
    numbers = [locked[contact_id]["call_number"] for contact_id in ids]
    assert numbers == sorted(set(numbers)), "calls are numbered in the order of their claims"
    # A few of them told twice, as Kafka may.
    done = await do_shard_work(store, owner, ShardWork(ended=ended(jobs) + ended(jobs)[:5]), NOW)
    assert sorted(done.recorded.new) == sorted(job.attempt_id for job in jobs)
    assert await store["attempts"].count_documents({}) == MANY
    counts = await campaign_counts(store, campaign["_id"])
    assert (counts.completed, counts.pending, counts.outcomes) == (
        MANY // 2,
        MANY - MANY // 2,
        {"answered": MANY // 2, "busy": MANY - MANY // 2},
    )
    waiting = store["contacts"].find({"status": "pending", "attempts_made": 1, "last_outcome": "busy"})
    assert {contact["_id"] async for contact in waiting} == set(ids[::2])
    assert done.held == {campaign["organization_id"]: -MANY}


async def test_an_error_in_a_later_part_leaves_nothing_of_those_before(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, campaign, ids = await stand(store, MANY)
    lock, parts = claim._lock, []

    async def fail_late(transaction: ShardTransaction, claims: Sequence[tuple[Document, Document]]) -> None:
        parts.append(len(claims))
        await lock(transaction, claims)
        if len(parts) == 2:
            raise GuardFailed("a part that was not as read")

    monkeypatch.setattr(claim, "_lock", fail_late)
    with pytest.raises(GuardFailed):
        await claimed(store, owner, ids)
    assert parts == [in_parts.FIRST_PART, in_parts.PART]
    assert await store["contacts"].count_documents({"status": "pending"}) == MANY
    assert (await campaign_counts(store, campaign["_id"])).pending == MANY
    monkeypatch.undo()
    assert len((await claimed(store, owner, ids)).jobs) == MANY


async def test_a_contact_that_stands_in_the_queue_twice_is_claimed_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_parts, "FIRST_PART", 1)
    monkeypatch.setattr(in_parts, "PART", 1)
    owner, _, ids = await stand(store, 4)
    done = await claimed(store, owner, [*ids, *ids, str(uuid.uuid4())])
    assert [job.contact_id for job in done.jobs] == ids
