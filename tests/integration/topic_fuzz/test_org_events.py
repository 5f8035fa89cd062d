"""org.events: a shard's loop works off what it is told, so one event that it cannot bear would stop the shard."""

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

from aiokafka import ConsumerRecord

from deploy.replay import run as run_replay
from services.scheduler.shards.group import SERVICE
from shared.bus.dead_letters import KafkaRecord, dead_letter
from shared.bus.replay import Replayed
from shared.clock import utc_now
from shared.domain.ids import SHARDS
from shared.domain.outcome import Outcome
from shared.errors import PermanentError
from shared.events import AnyOrgEvent, CallAnswered, CallFinished, JobReleased, OutcomeUnknown
from shared.settings import KafkaSettings
from shared.store.client import Store
from shared.topics import ORG_EVENTS
from tests.engine import Engine, running_engine
from tests.eventually import eventually
from tests.factories import new_id
from tests.fuzzing import SEED
from tests.integration.topic_fuzz.letters import check, check_replayed, dressed, mixed, odd_headers
from tests.integration.topic_fuzz.mutations import Bad, noise, truncated, unusable, wrong_fields
from tests.integration.topic_fuzz.people import Case, People, owner_of, people
from tests.integration.topic_fuzz.strangers import Ids, crossed, events_of, hints_of, mixed_up, stale
from tests.integration.topic_fuzz.wire import GZIP, NONE, ZSTD, Message, Wire, largest_value, unreadable, wire_of

CLASSES = {"UnreadableEvent", "MisdirectedEvent"}
KINDS = get_args(get_args(AnyOrgEvent)[0])
UNPACKED = 5 * 1024 * 1024
LATE_REPORTS = 5
ANSWERED_AT = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


def message(rng: random.Random, event: AnyOrgEvent) -> Message:
    """An event as it is published, but with odd headers."""
    return Message(type(event).__name__, event.model_dump_json().encode(), None, odd_headers(rng), event.shard)


def unusable_events(rng: random.Random, victim: People) -> Iterator[Bad]:
    """Of every kind of event, all about a call that is up: whichever was taken for good would end or move it."""
    [running] = victim.running
    ids = Ids(victim.id, victim.shard, running.contact_id, running.attempt_id)
    events = [*events_of(rng, ids, victim), *hints_of(victim, victim)]
    for kind in KINDS:
        valid = next(event for event in events if type(event) is kind).model_dump(mode="json")
        if kind is CallFinished:
            yield from unusable(rng, kind, valid, step=5)
        else:
            yield from wrong_fields(kind, valid)
            yield from truncated(json.dumps(valid).encode(), step=17)


def misdirected(rng: random.Random, victim: People) -> Iterator[Message]:
    """True events on partitions of other shards."""
    [running] = victim.running
    ids = Ids(victim.id, victim.shard, running.contact_id, running.attempt_id)
    for event in [*events_of(rng, ids, victim), *list(hints_of(victim, victim))[:3]]:
        for step in (1, 5, 15):
            yield replace(message(rng, event), partition=(victim.shard + step) % SHARDS, error="MisdirectedEvent")


def huge(rng: random.Random, victim: People) -> Iterator[Message]:
    """As large as the topic takes, and larger once unpacked."""
    true = victim.ending(victim.running[0]).model_dump(mode="json")
    room = largest_value(ORG_EVENTS, None, ()) - len(json.dumps(true)) - 100
    yield Message("random bytes", rng.randbytes(largest_value(ORG_EVENTS, None, ())), codec=NONE)
    # Of attempts together more than MongoDB takes in one question.
    for name in ["attempt_id"] * 20 + ["contact_id", "organization_id"]:
        value = json.dumps({**true, name: "x" * room}).encode()
        yield Message(f"large {name}", value, partition=victim.shard, codec=GZIP)
    yield Message("larger than the topic takes, unpacked from gzip", b" " * UNPACKED, codec=GZIP)
    yield Message("larger than the topic takes, unpacked from zstd", b"{" * UNPACKED, codec=ZSTD)
    yield Message("a large key", b"{}", b"k" * 1_000_000, codec=NONE)


def foreign(rng: random.Random, mine: People, victims: Iterable[People]) -> Iterator[Message]:
    """Good in form; they must change nothing."""
    for victim in victims:
        for ids in mixed_up(mine, victim):
            for event in events_of(rng, ids, victim):
                yield message(rng, event)
        for hint in hints_of(mine, victim):
            yield message(rng, hint)
    for event in [*stale(mine), *crossed(rng, mine, mine.running[2::3])]:
        yield message(rng, event)


def late_reports(mine: People) -> list[CallFinished]:
    """Reports of attempts nobody knows: recorded once each, as calls that were made (docs/architecture.md, I10)."""
    return [mine.ending(Case(mine.done[0].contact_id, new_id())) for _ in range(LATE_REPORTS)]


def good_events(mine: People) -> Iterator[AnyOrgEvent]:
    """What must have its effect, each thing said twice: endings, releases, answers."""
    for number, case in enumerate(mine.running):
        ids = {"organization_id": mine.id, "shard": mine.shard, "contact_id": case.contact_id}
        attempt = {**ids, "attempt_id": case.attempt_id}
        for _ in range(2):
            yield OutcomeUnknown.model_validate(attempt)
            match number % 3:
                case 0:
                    yield mine.ending(case)
                case 1:
                    yield JobReleased.model_validate({**attempt, "nonce": case.nonce, "reason": "test"})
                case 2:
                    yield CallAnswered.model_validate({**attempt, "answered_at": ANSWERED_AT})
    for case in mine.locked:
        ids = {"organization_id": mine.id, "shard": mine.shard, "contact_id": case.contact_id}
        yield JobReleased.model_validate({**ids, "attempt_id": case.attempt_id, "nonce": None, "reason": "test"})


async def all_done(engine: Engine, mine: People) -> None:
    """Calls that ended are recorded once; who was given back is called, once; who was answered is still up."""
    given_back = {case.contact_id for case in [*mine.running[1::3], *mine.locked]}
    ended = given_back | {case.contact_id for case in mine.running[::3]}
    query = {"_id": {"$in": sorted(ended)}, "status": "completed"}

    async def completed() -> bool:
        assert not engine.failures()
        return await mine.store["contacts"].count_documents(query) == len(ended)

    await eventually(completed, timeout=60, every=0.1, saying="the effect of every good event")
    called = [call.contact_id for carrier in engine.carriers for call in carrier.placements]
    assert sorted(called) == sorted(given_back)
    async for contact in mine.store["contacts"].find(query):
        assert (contact["attempts_made"], contact["outcomes"]) == (1, {"answered": 1})
        assert await mine.store["attempts"].count_documents({"contact_id": contact["_id"]}) == 1
    for case in mine.running[2::3]:
        contact = await mine.store["contacts"].find_one({"_id": case.contact_id}) or {}
        assert (contact["status"], contact["lock"]["attempt"]) == ("in_progress", case.attempt_id)
        assert contact["start"]["answered_at"] == ANSWERED_AT


async def no_lag(engine: Engine, wire: Wire) -> None:
    """All of the topic has been read and committed."""

    async def nothing_left() -> bool:
        assert not engine.failures()
        return await wire.lag(SERVICE) == 0

    await eventually(nothing_left, timeout=90, every=0.2, saying="the end of the topic")


async def replay_all(engine: Engine, wire: Wire, victims: Iterable[People]) -> None:
    """What a newer reader can read takes effect; all else dies once more and ends there."""
    producer = await engine.producer()
    for victim in victims:
        value = victim.ending(victim.running[0]).model_dump_json().encode()
        record: KafkaRecord = ConsumerRecord(
            wire.name, victim.shard, 0, 0, 0, None, value, None, 0, len(value), (("trace", b"1"),)
        )
        letter = dead_letter(record, PermanentError("of a version that came later"), utc_now())
        assert not await producer.publish_to(f"{wire.name}.dlq", [letter])
    before = await wire.letters()
    settings = KafkaSettings(kafka=engine.kafka, topic_prefix=engine.topic_prefix)
    assert await run_replay(settings, ORG_EVENTS.name, None) == Replayed(len(before) - 1, 1)
    await no_lag(engine, wire)
    for victim in victims:
        ended = victim.running[0]
        assert await victim.store["contacts"].count_documents({"_id": ended.contact_id, "status": "completed"}) == 1
        assert (
            await victim.store["attempts"].count_documents({"_id": ended.attempt_id, "outcome": Outcome.ANSWERED}) == 1
        )
    check_replayed(before, (await wire.letters())[len(before) :], without=len([*victims]) + 1)


async def test_whatever_is_said_of_organizations_stops_no_shard_and_harms_nobody(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    rng = random.Random(SEED)
    owner = await owner_of(store, 3)
    mine = await people(store, owner, locked=6, running=30, others=2)
    victims = [
        await people(store, owner, locked=1, running=1, others=1),
        await people(store, await owner_of(store, 11), locked=1, running=1, others=1),
    ]
    before = [await victim.documents() for victim in victims]
    late = late_reports(mine)
    attempts = await store["attempts"].count_documents({})
    async with (
        wire_of(kafka_address, topic_prefix, ORG_EVENTS) as wire,
        running_engine(store, kafka_address, topic_prefix) as engine,
    ):
        await engine.start_executor()
        await engine.start_scheduler()
        bad = [
            *dressed(rng, unusable_events(rng, victims[0]), "UnreadableEvent", victims[0].shard),
            *(message for victim in victims for message in misdirected(rng, victim)),
            *huge(rng, victims[0]),
            *(unreadable(f"unreadable {n}", n) for n in range(0, 16, 3)),
        ]
        rng.shuffle(bad)
        ghost = CallAnswered(
            organization_id=new_id(), shard=5, attempt_id=new_id(), contact_id=new_id(), answered_at=utc_now()
        )
        perhaps = dressed(rng, noise(rng, ghost.model_dump_json().encode(), 150), None, ghost.shard)
        others = [*foreign(rng, mine, victims), *(message(rng, event) for event in [*late, *late])]
        rng.shuffle(others)
        good = [message(rng, event) for event in good_events(mine)]
        sent = await wire.send(rng, mixed(rng, mixed(rng, mixed(rng, bad, perhaps), others), good))
        await no_lag(engine, wire)
        await all_done(engine, mine)
        check(
            ORG_EVENTS,
            topic_prefix,
            await wire.letters(),
            [one for one in sent if one.message in bad],
            perhaps=[one for one in sent if one.message in perhaps],
            classes=CLASSES,
        )
        for victim, was in zip(victims, before, strict=True):
            await victim.is_as(was)
        recorded = len(mine.running) * 2 // 3 + len(mine.locked) + LATE_REPORTS
        assert await store["attempts"].count_documents({}) == attempts + recorded
        await replay_all(engine, wire, victims)
