"""How a call-executor ends when something stands in its way: it must neither hang nor live on half dead."""

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from services.call_executor.app import CallExecutor
from services.call_executor.handlers import JobHandler
from services.call_executor.held_calls import HeldCalls
from services.call_executor.placing import Placer
from services.call_executor.settings import ExecutorSettings
from shared.bus.dead_letters import KafkaRecord
from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.errors import Unavailable
from shared.events import DialJob, JobReleased
from shared.settings import DialingSettings, KafkaSettings, MongoSettings, TelephonySettings
from shared.store.client import Store, connect
from shared.store.dialing.executors import Heartbeat
from shared.telephony.provider import OnReport
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import ScriptedCall, always
from tests.carriers import through
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import new_id
from tests.integration.protocol.seats import Spool


async def test_a_start_cut_off_in_the_middle_gives_its_places_and_jobs_back() -> None:
    """The Kafka client waits 15 s for the handler at the end of the process, and a hanging MongoDB lasts longer."""
    away = connect(MongoSettings(mongodb="mongodb://127.0.0.1:9/?directConnection=true"))
    spool = Spool()
    held = HeldCalls(spool)
    carrier = ScriptedProvider(always(ScriptedCall()), held.on_report)
    placer = Placer(away, through(carrier, away), held, spool, DialingSettings(), "executor-0")
    producer = Producer(KafkaSettings())
    handler = JobHandler(placer, held, producer, parallel=5, per_second=100, capacity=10)
    job = DialJob(
        attempt_id=new_id(),
        claim_id=new_id(),
        organization_id=new_id(),
        shard=0,
        campaign_id=new_id(),
        contact_id=new_id(),
        not_after=utc_now().replace(year=9999),
    )
    record = cast(KafkaRecord, SimpleNamespace(value=job.model_dump_json().encode(), headers=()))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await handler.on_dial_jobs([record])
    async with asyncio.timeout(5):
        await handler.finished()
    [released] = spool.events
    assert isinstance(released, JobReleased)
    assert released.attempt_id == job.attempt_id
    assert released.nonce is not None, "it may have been started"
    await producer.stop()
    await away.close()


async def test_an_executor_that_cannot_begin_or_whose_drain_is_cut_off_leaves_no_task_behind(
    store: Store, kafka_address: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ExecutorSettings(kafka=kafka_address, topic_prefix=topic_prefix)
    producer = Producer(settings)
    await producer.start()
    drains = asyncio.Event()
    mine = {"outbox", "pulse", "flushed"}

    def left() -> set[str]:
        return mine & {task.get_name() for task in asyncio.all_tasks()}

    def carrier(_: TelephonySettings, on_report: OnReport) -> ScriptedProvider:
        return ScriptedProvider(always(ScriptedCall()), on_report)

    def executor() -> CallExecutor:
        return CallExecutor(settings, store=store, producer=producer, build_provider=carrier)

    async def away(store: Store, heartbeat: Heartbeat) -> None:
        raise Unavailable("MongoDB", "for a test")

    with monkeypatch.context() as patch:
        patch.setattr("services.call_executor.heartbeat.executors.beat", away)
        with pytest.raises(Unavailable):
            await executor().run()
    assert not left()

    async def for_ever(held: HeldCalls) -> None:
        drains.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(HeldCalls, "none_left", for_ever)
    cut_off = executor()
    running = asyncio.create_task(cut_off.run())
    await eventually(cut_off.is_reading, saying="it reads")
    running.cancel()
    await drains.wait()
    running.cancel()
    await asyncio.wait([running])
    assert not left()
    assert await store["executors"].count_documents({}) == 0, "no scheduler waits for its heartbeat"
    await producer.stop()


async def test_an_executor_whose_heartbeat_fails_for_good_ends(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    await store.db.drop_collection("executors")
    await store.db.create_collection("executors", validator={"sequence": {"$lt": 3}})
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        await engine.start_executor()
        with pytest.raises(Exception, match="failed validation"):
            async with asyncio.timeout(30):
                await engine.ended("executor-0")
