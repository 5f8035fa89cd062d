"""A whole dialing engine inside one test: schedulers and executors on real servers, with a scripted carrier."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.call_executor.app import CallExecutor
from services.call_executor.app import running as executing
from services.call_executor.settings import ExecutorSettings
from services.scheduler.app import Scheduler
from services.scheduler.app import running as scheduling
from services.scheduler.settings import SchedulerSettings
from shared.bus.producer import Producer
from shared.settings import KafkaSettings, TelephonySettings
from shared.store.client import Store
from shared.telephony.provider import OnReport, TelephonyProvider
from shared.telephony.providers import BuildProvider
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import Script, ScriptedCall, always

T = TypeVar("T")


@dataclass(slots=True)
class Engine:
    """Starts members of the engine; everything is stopped at the end of the test."""

    store: Store
    kafka: str
    topic_prefix: str
    script: Script = field(default_factory=lambda: always(ScriptedCall()))
    settings: dict[str, Any] = field(default_factory=dict)
    carriers: list[ScriptedProvider] = field(default_factory=list)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _producers: list[Producer] = field(default_factory=list)

    async def producer(self) -> Producer:
        """A connected producer of its own."""
        producer = Producer(KafkaSettings(kafka=self.kafka, topic_prefix=self.topic_prefix))
        await producer.start(10)
        self._producers.append(producer)
        return producer

    async def _common(self, name: str) -> dict[str, Any]:
        return {
            "kafka": self.kafka,
            "topic_prefix": self.topic_prefix,
            **await address_of(self.store),
            "instance": name,
            "telephony_provider": "scripted",
            **self.settings,
        }

    async def start_scheduler(
        self, name: str = "scheduler-0", carrier: TelephonyProvider | None = None, **settings: Any
    ) -> Scheduler:
        """One more scheduler, which asks a carrier of its own about calls, or this one."""
        known = SchedulerSettings(**await self._common(name) | settings)
        build: BuildProvider = self._build_provider if carrier is None else lambda *_: carrier
        return await self._start(name, scheduling(known, build))

    async def start_executor(self, name: str = "executor-0", **settings: Any) -> CallExecutor:
        """One more executor, with a scripted carrier of its own."""
        known = ExecutorSettings(**await self._common(name) | settings)
        return await self._start(name, executing(known, self._build_provider))

    def _build_provider(self, _: TelephonySettings, on_report: OnReport) -> TelephonyProvider:
        provider = ScriptedProvider(self.script, on_report, can_look_up=False)
        self.carriers.append(provider)
        return provider

    async def _start(self, name: str, running: AbstractAsyncContextManager[T]) -> T:
        """The member, at work in a task of its own. Raises what has kept it from starting."""
        started: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def work() -> None:
            async with running as member:
                started.set_result(member)
                await asyncio.Event().wait()

        task = self._tasks[name] = asyncio.create_task(work(), name=name)
        either: set[asyncio.Future[Any]] = {started, task}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not started.done():
            task.result()
        return started.result()

    async def ended(self, name: str) -> None:
        """Wait until this member ends by itself. Raises its error."""
        await self._tasks.pop(name)

    async def stop_member(self, name: str) -> None:
        """End one member in order, as SIGTERM would."""
        task = self._tasks.pop(name)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def stop(self) -> None:
        """End everything; executors first, so that what they say is still heard."""
        for name in sorted(self._tasks):
            await self.stop_member(name)
        for producer in self._producers:
            await producer.stop()

    def failures(self) -> list[BaseException]:
        """Errors that ended a member."""
        done = [task for task in self._tasks.values() if task.done() and not task.cancelled()]
        return [error for task in done if (error := task.exception()) is not None]


async def address_of(store: Store) -> dict[str, str]:
    """Settings of another store on the same database."""
    address = await store.client.address
    assert address is not None
    host, port = address
    return {"mongodb": f"mongodb://{host}:{port}/?directConnection=true", "mongodb_database": store.db.name}


@asynccontextmanager
async def running_engine(store: Store, kafka: str, topic_prefix: str, **fields: Any) -> AsyncIterator[Engine]:
    """An engine without members yet."""
    engine = Engine(store, kafka, topic_prefix, **fields)
    try:
        yield engine
    finally:
        await engine.stop()
