"""The relay: facts reach Kafka complete and in order, whatever is lost on the way; the traces in which they did not."""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

import pytest

from services.scheduler.shards import relay as relays
from services.scheduler.shards.relay import Relay
from shared.bus.producer import Record
from shared.clock import utc_now
from shared.domain.facts import Fact, FactType
from shared.errors import OwnershipLost, Unavailable
from shared.events import ORG_FACT, OrgFact
from shared.store.catalog.facts import tell
from shared.store.client import Store
from shared.store.dialing import facts
from shared.store.dialing.adoption import adopt_facts
from shared.store.dialing.ledger import Ledger
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shards import ensure_shards, take_over
from tests.factories import add_organization

NOW = utc_now()


class Answer(StrEnum):
    """What becomes of a batch on its way to Kafka."""

    ACKNOWLEDGED = "acknowledged"
    LOST = "lost"
    UNANSWERED = "unanswered"  # it is there, and nobody says so


@dataclass
class Topic:
    """`org.facts`, one partition, as the relay's producer reaches it."""

    answers: list[Answer] = field(default_factory=list)
    records: list[OrgFact] = field(default_factory=list)
    noted_at: list[int] = field(default_factory=list)

    async def publish_facts(self, records: list[Record]) -> None:
        answer = self.answers.pop(0) if self.answers else Answer.ACKNOWLEDGED
        if answer is not Answer.LOST:
            self.records += [ORG_FACT.validate_json(record.value) for record in records]
        if answer is not Answer.ACKNOWLEDGED:
            raise Unavailable("Kafka", "no ack")

    def seen(self) -> list[int]:
        """The numbers that a reader handles, who ignores what is not above the highest so far."""
        handled: list[int] = []
        for fact in self.records:
            if not handled or fact.n > handled[-1]:
                handled.append(fact.n)
        return handled


@dataclass
class Shard:
    """A shard with an organization that wants all facts."""

    store: Store
    organization_id: str
    shard: int
    owner: Ownership
    topic: Topic = field(default_factory=Topic)

    async def write(self, count: int, owner: Ownership | None = None) -> None:
        """One scheduler transaction that tells so many facts."""
        ledger = Ledger(self.shard, (owner or self.owner).epoch)
        for place in range(count):
            told = Fact(type=FactType.CALL_ENDED, at=NOW, campaign_id="c", facts={"place": place, "ended_at": NOW})
            ledger.tell(self.organization_id, told)

        async def work(session: Any) -> None:
            ledger.adopted.clear()
            await ledger.write(self.store, session)

        await self.store.in_transaction(work)

    async def put_in(self, *told: Fact, fact_seq: int | None = None) -> None:
        """What another service tells."""
        await self.store.in_transaction(
            lambda session: tell(self.store, session, self.organization_id, told, fact_seq=fact_seq)
        )

    def relay(self) -> Relay:
        return Relay(self.store, self.topic, self.shard)  # type: ignore[arg-type]


@pytest.fixture
async def shard(store: Store) -> Shard:
    organization = await add_organization(store, fact_types=list(FactType))
    await ensure_shards(store)
    number = organization["shard"]
    return Shard(store, organization["_id"], number, Ownership(number, await take_over(store, number)))


async def step(relay: Relay) -> bool:
    """One batch of the relay, as its loop does it."""
    try:
        return await relay.relay_batch()
    except Unavailable:
        relay._relayed = None
        return True


async def drain(relay: Relay) -> None:
    while await step(relay):
        pass


async def test_facts_reach_kafka_once_in_order_as_they_were_written(shard: Shard) -> None:
    await shard.write(3)
    await shard.write(2)
    await drain(shard.relay())
    first, *_, last = shard.topic.records
    assert [fact.n for fact in shard.topic.records] == [1, 2, 3, 4, 5]
    assert (first.id, last.id) == (f"{shard.shard}-1", f"{shard.shard}-5")
    assert first.organization_id == shard.organization_id
    assert (first.type, first.at, first.campaign_id) == (FactType.CALL_ENDED, NOW, "c")
    assert first.facts == {"place": 0, "ended_at": NOW.isoformat().replace("+00:00", "Z")}
    await shard.write(1)
    await drain(shard.relay())
    assert [fact.n for fact in shard.topic.records] == [1, 2, 3, 4, 5, 6], "a new owner goes on where Kafka is"


async def test_two_batches_on_the_way(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    """S7: with a second batch sent before the first one's ack, the first was lost and the second noted as safe."""
    monkeypatch.setattr(relays, "BATCH", 2)
    for _ in range(3):
        await shard.write(2)
    shard.topic.answers = [Answer.LOST, Answer.UNANSWERED]
    relay = shard.relay()
    await step(relay)
    assert shard.topic.records == []
    await step(relay)
    assert [fact.n for fact in shard.topic.records] == [1, 2], "the first one again, not the second"
    await drain(relay)
    assert [fact.n for fact in shard.topic.records] == [1, 2, 1, 2, 3, 4, 5, 6]
    assert shard.topic.seen() == [1, 2, 3, 4, 5, 6]


async def test_cursor_before_the_ack(shard: Shard) -> None:
    """S7: a relay that noted its batch before the ack, and died, left it unsent for ever."""
    await shard.write(2)
    shard.topic.answers = [Answer.LOST]
    await step(shard.relay())
    assert await facts.read_relayed(shard.store, shard.shard) == 0
    await step(shard.relay())
    assert await facts.read_relayed(shard.store, shard.shard) == 2
    await facts.note_relayed(shard.store, shard.shard, 1)
    assert await facts.read_relayed(shard.store, shard.shard) == 2, "it only grows"


async def test_cursor_by_time(shard: Shard) -> None:
    """S7: a reader that went on from the latest time it had seen left out what was written late, with an older time."""
    early = Fact(type=FactType.PERSON_CREATED, at=NOW - timedelta(seconds=5), person_id="p1")
    late = Fact(type=FactType.PERSON_CHANGED, at=NOW, person_id="p2")
    await shard.put_in(late)
    assert await adopt_facts(shard.store, shard.owner) == 1
    await shard.put_in(early)
    assert await adopt_facts(shard.store, shard.owner) == 1
    assert await adopt_facts(shard.store, shard.owner) == 0
    await drain(shard.relay())
    assert [(fact.n, fact.person_id) for fact in shard.topic.records] == [(1, "p2"), (2, "p1")]


async def test_facts_of_one_campaigns_course_are_told_in_its_order_whatever_the_clocks_say(shard: Shard) -> None:
    ahead, behind = NOW + timedelta(seconds=5), NOW - timedelta(seconds=5)
    await shard.put_in(Fact(type=FactType.CAMPAIGN_PAUSED, at=ahead, campaign_id="c"), fact_seq=2)
    await shard.put_in(Fact(type=FactType.CAMPAIGN_RESUMED, at=behind, campaign_id="c"), fact_seq=3)
    await shard.put_in(Fact(type=FactType.CAMPAIGN_PAUSED, at=NOW, campaign_id="d"), fact_seq=1)
    await shard.put_in(Fact(type=FactType.PERSON_CREATED, at=NOW + timedelta(seconds=9), person_id="p"))
    # A transaction that tells of the campaign adopts what waits of it first.
    await shard.write(1)
    assert await adopt_facts(shard.store, shard.owner) == 2
    await drain(shard.relay())
    told = [(fact.type, fact.campaign_id) for fact in shard.topic.records]
    assert told == [
        (FactType.CAMPAIGN_PAUSED, "c"),
        (FactType.CAMPAIGN_RESUMED, "c"),
        (FactType.CALL_ENDED, "c"),
        (FactType.CAMPAIGN_PAUSED, "d"),
        (FactType.PERSON_CREATED, None),
    ]


async def test_an_owner_that_was_replaced_numbers_nothing(shard: Shard) -> None:
    old, shard.owner = shard.owner, Ownership(shard.shard, await take_over(shard.store, shard.shard))
    await shard.put_in(Fact(type=FactType.PERSON_CREATED, at=NOW, person_id="p"))
    for write in (lambda: shard.write(1, old), lambda: adopt_facts(shard.store, old)):
        with pytest.raises(OwnershipLost):
            await write()
    assert await adopt_facts(shard.store, shard.owner) == 1
    await drain(shard.relay())
    assert [(fact.n, fact.type) for fact in shard.topic.records] == [(1, FactType.PERSON_CREATED)]


async def test_what_nobody_wants_is_not_written(shard: Shard) -> None:
    wanted = {"$set": {"fact_types": [FactType.CALL_ENDED]}}
    await shard.store["organizations"].update_one({"_id": shard.organization_id}, wanted)
    await shard.put_in(Fact(type=FactType.PERSON_CREATED, at=NOW, person_id="p"))
    assert await shard.store["facts_in"].count_documents({}) == 0


async def test_facts_are_removed_some_time_after_kafka_has_them(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "REMOVE_EVERY", 4)
    monkeypatch.setattr(facts, "KEPT", 2)
    monkeypatch.setattr(facts, "IN_ONE", 1)
    for _ in range(5):
        await shard.write(1)
    await drain(shard.relay())
    kept = await shard.store["facts"].find().sort("_id", 1).to_list()
    assert [document["n"] for document in kept] == [2, 3, 4, 5]
    assert shard.topic.seen() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("seed", range(6))
async def test_none_is_lost_and_each_is_first_seen_in_order_whatever_fails(
    shard: Shard, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two relays at once, the owner's and one that was replaced and wakes up; acks and batches are lost."""
    monkeypatch.setattr(relays, "BATCH", 3)
    rng = random.Random(seed)
    both, written = [shard.relay(), shard.relay()], 0
    for _ in range(25):
        if rng.random() < 0.5:
            count = rng.randint(1, 3)
            await shard.write(count)
            written += count
        shard.topic.answers = [rng.choice(list(Answer))]
        await step(rng.choice(both))
    shard.topic.answers = []
    await drain(both[0])
    assert shard.topic.seen() == list(range(1, written + 1))
