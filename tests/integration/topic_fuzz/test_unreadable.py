"""Executors and schedulers beside records that their libraries cannot read; contact-ingest's are in test_poison.py."""

import random

from services.call_executor.app import SERVICE as EXECUTORS
from services.scheduler.shards.group import SERVICE as SCHEDULERS
from shared.store.client import Store
from shared.topics import DIAL_JOBS, ORG_EVENTS
from tests.engine import Engine, running_engine
from tests.eventually import eventually
from tests.fuzzing import SEED
from tests.integration.topic_fuzz.letters import check
from tests.integration.topic_fuzz.people import owner_of, people
from tests.integration.topic_fuzz.wire import Message, Wire, unreadable, wire_of


async def done(engine: Engine, wire: Wire, group: str, completed: int) -> None:
    """So many contacts are completed, and all has been read."""

    async def look() -> bool:
        assert not engine.failures()
        ended = await engine.store["contacts"].count_documents({"status": "completed"})
        return ended == completed and await wire.lag(group) == 0

    await eventually(look, timeout=30, every=0.1)


async def test_an_executor_reads_on_behind_headers_that_are_no_text(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    """A header's value that was no UTF-8 made it drop all that it had read with it; a header's name, stand still."""
    rng = random.Random(SEED)
    mine = await people(store, await owner_of(store, 3), locked=9, running=0, others=1)
    jobs = [mine.job(case) for case in mine.locked]
    values = [job.model_dump_json().encode() for job in jobs]
    async with (
        wire_of(kafka_address, topic_prefix, DIAL_JOBS) as wire,
        running_engine(store, kafka_address, topic_prefix) as engine,
    ):
        await wire.send(rng, [Message("before", value, partition=4) for value in values[:3]])
        [odd] = await wire.send(rng, [Message("odd", b"garbage", None, (("trace", b"\xff\xfe"),), partition=4)])
        [bad] = await wire.send(rng, [unreadable("bad", 4)])
        await wire.send(rng, [Message("behind", value, partition=4) for value in values[3:6]])
        await wire.send(rng, [Message("beside", value, None, (("", b"\x80"),), partition=5) for value in values[6:]])
        await engine.start_executor()
        await engine.start_scheduler()
        await done(engine, wire, EXECUTORS, completed=10)
        check(DIAL_JOBS, topic_prefix, await wire.letters(), [odd, bad], classes={"UnreadableJob"})


async def test_a_scheduler_reads_on_behind_a_header_whose_name_is_no_text(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    """It ended by it, and the next one too: whole shards were without an owner."""
    rng = random.Random(SEED)
    mine = await people(store, await owner_of(store, 3), locked=0, running=6, others=1)
    values = [mine.ending(case).model_dump_json().encode() for case in mine.running]
    async with (
        wire_of(kafka_address, topic_prefix, ORG_EVENTS) as wire,
        running_engine(store, kafka_address, topic_prefix) as engine,
    ):
        bad = []
        for number, value in enumerate(values):
            bad += await wire.send(rng, [unreadable(f"bad {number}", 2 + number % 3)])
            await wire.send(rng, [Message("good", value, partition=3)])
        await engine.start_scheduler()
        await done(engine, wire, SCHEDULERS, completed=7)
        check(ORG_EVENTS, topic_prefix, await wire.letters(), bad, classes={"UnreadableEvent"})
