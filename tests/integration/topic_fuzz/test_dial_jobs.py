"""dial.jobs: hundreds of bad orders among good ones; everybody is called once, by their own order."""

import json
import random
from collections.abc import Iterable, Iterator

from aiokafka import ConsumerRecord

from deploy.replay import run as run_replay
from services.call_executor.app import SERVICE
from shared.bus.dead_letters import KafkaRecord, dead_letter
from shared.bus.replay import Replayed
from shared.clock import utc_now
from shared.errors import PermanentError
from shared.events import DialJob
from shared.settings import KafkaSettings
from shared.store.client import Store
from shared.topics import DIAL_JOBS
from tests.engine import Engine, running_engine
from tests.eventually import eventually
from tests.factories import new_id
from tests.fuzzing import SEED
from tests.integration.topic_fuzz.letters import check, check_replayed, dressed, mixed, odd_headers
from tests.integration.topic_fuzz.mutations import noise, unusable
from tests.integration.topic_fuzz.people import Case, People, owner_of, people
from tests.integration.topic_fuzz.strangers import jobs_of
from tests.integration.topic_fuzz.wire import GZIP, NONE, ZSTD, Message, Wire, largest_value, unreadable, wire_of

CLASSES = {"UnreadableJob"}
UNPACKED = 5 * 1024 * 1024


def message(rng: random.Random, job: DialJob) -> Message:
    """A job as it is published, but with odd headers and on any partition."""
    return Message("job", job.model_dump_json().encode(), job.attempt_id.encode(), odd_headers(rng))


def huge(rng: random.Random, job: DialJob) -> Iterator[Message]:
    """As large as the topic takes, and larger once unpacked."""
    true = job.model_dump(mode="json")
    room = largest_value(DIAL_JOBS, None, ()) - len(json.dumps(true)) - 100
    yield Message("random bytes", rng.randbytes(largest_value(DIAL_JOBS, None, ())), codec=NONE)
    # Of attempts together more than MongoDB takes in one question.
    for name in ["attempt_id"] * 20 + ["contact_id", "claim_id"]:
        yield Message(f"large {name}", json.dumps({**true, name: "x" * room}).encode(), partition=5, codec=GZIP)
    yield Message("larger than the topic takes, unpacked from gzip", b" " * UNPACKED, codec=GZIP)
    yield Message("larger than the topic takes, unpacked from zstd", b"{" * UNPACKED, codec=ZSTD)
    yield Message("a large key", b"{}", b"k" * 1_000_000, codec=NONE)


def without_effect(rng: random.Random, mine: People, victims: Iterable[People]) -> list[Message]:
    """Good in form; nobody is called by them."""
    jobs = [job for victim in victims for job in jobs_of(mine, victim)]
    jobs += [mine.job(case) for case in (*mine.done, *mine.doubtful, *mine.running)]
    jobs += [mine.job(Case(new_id(), new_id(), new_id())) for _ in range(20)]
    return [message(rng, job) for job in jobs]


async def all_called(engine: Engine, who: Iterable[People]) -> None:
    """Everybody who was claimed is called, once, and nobody else."""
    contacts = sorted(case.contact_id for people in who for case in people.locked)
    query = {"_id": {"$in": contacts}, "status": "completed", "attempts_made": 1}

    async def completed() -> bool:
        assert not engine.failures()
        return await engine.store["contacts"].count_documents(query) == len(contacts)

    await eventually(completed, timeout=60, every=0.1, saying="the effect of every good job")
    assert sorted(call.contact_id for carrier in engine.carriers for call in carrier.placements) == contacts


async def no_lag(engine: Engine, wire: Wire) -> None:
    """All of the topic has been read and committed."""

    async def nothing_left() -> bool:
        assert not engine.failures()
        return await wire.lag(SERVICE) == 0

    await eventually(nothing_left, timeout=90, every=0.2, saying="the end of the topic")


async def replay_all(engine: Engine, wire: Wire, mine: People, victims: list[People]) -> None:
    """What a newer reader can read is dialed; all else dies once more and ends there."""
    producer = await engine.producer()
    for victim in victims:
        value = victim.job(victim.locked[0]).model_dump_json().encode()
        record: KafkaRecord = ConsumerRecord(
            wire.name, 7, 0, 0, 0, b"k", value, None, 1, len(value), (("trace", b"1"),)
        )
        letter = dead_letter(record, PermanentError("of a version that came later"), utc_now())
        assert not await producer.publish_to(f"{wire.name}.dlq", [letter])
    before = await wire.letters()
    settings = KafkaSettings(kafka=engine.kafka, topic_prefix=engine.topic_prefix)
    assert await run_replay(settings, DIAL_JOBS.name, None) == Replayed(len(before) - 1, 1)
    await no_lag(engine, wire)
    await all_called(engine, [mine, *victims])
    check_replayed(before, (await wire.letters())[len(before) :], without=len(victims) + 1)


async def test_whatever_is_ordered_everybody_is_called_once_by_their_own_order(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    rng = random.Random(SEED)
    mine = await people(store, await owner_of(store, 3), locked=60, running=2, others=2)
    victims = [
        await people(store, mine.owner, locked=1, running=1, others=1),
        await people(store, await owner_of(store, 11), locked=1, running=1, others=1),
    ]
    before = [await victim.documents() for victim in victims]
    async with (
        wire_of(kafka_address, topic_prefix, DIAL_JOBS) as wire,
        running_engine(store, kafka_address, topic_prefix) as engine,
    ):
        await engine.start_executor(calls_per_second=1000)
        await engine.start_scheduler()
        bads = [
            bad
            for victim in victims
            for bad in unusable(rng, DialJob, victim.job(victim.locked[0]).model_dump(mode="json"), step=3)
        ]
        bad = [*dressed(rng, bads, "UnreadableJob"), *huge(rng, victims[0].job(victims[0].locked[0]))]
        bad += [unreadable(f"unreadable {n}", n) for n in range(0, 16, 3)]
        rng.shuffle(bad)
        ghost = mine.job(Case(new_id(), new_id(), new_id())).model_dump_json().encode()
        perhaps = dressed(rng, noise(rng, ghost, 150), "UnreadableJob")
        good = [message(rng, mine.job(case)) for case in mine.locked for _ in range(2)]
        others = without_effect(rng, mine, victims)
        sent = await wire.send(rng, mixed(rng, mixed(rng, mixed(rng, bad, perhaps), others), good))
        await no_lag(engine, wire)
        await all_called(engine, [mine])
        check(
            DIAL_JOBS,
            topic_prefix,
            await wire.letters(),
            [one for one in sent if one.message in bad],
            perhaps=[one for one in sent if one.message in perhaps],
            classes=CLASSES,
        )
        for victim, was in zip(victims, before, strict=True):
            await victim.is_as(was)
        await replay_all(engine, wire, mine, victims)
