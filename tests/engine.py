"""A whole dialing engine inside one test: schedulers and executors on real servers, with a scripted carrier."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from services.call_executor.app import CallExecutor
from services.call_executor.settings import ExecutorSettings
from services.scheduler.app import Scheduler
from services.scheduler.settings import SchedulerSettings
from shared.bus.producer import Producer
from shared.settings import KafkaSettings
from shared.store.client import Store
from shared.telephony.provider import CallReport, TelephonyProvider
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import Script, ScriptedCall, always


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

    def _common(self, name: str) -> dict[str, Any]:
        return {
            "kafka": self.kafka,
            "topic_prefix": self.topic_prefix,
            "instance": name,
            "telephony_provider": "scripted",
            **self.settings,
        }

    async def start_scheduler(self, name: str = "scheduler-0", **settings: Any) -> Scheduler:
        """One more scheduler."""
        scheduler = Scheduler(
            SchedulerSettings(**self._common(name) | settings),
            store=self.store,
            producer=await self.producer(),
            provider=self._build_provider(lambda report: None),
        )
        self._tasks[name] = asyncio.create_task(scheduler.run(), name=name)
        return scheduler

    async def start_executor(self, name: str = "executor-0", **settings: Any) -> CallExecutor:
        """One more executor, with a scripted carrier of its own."""
        executor = CallExecutor(
            ExecutorSettings(**self._common(name) | settings),
            store=self.store,
            producer=await self.producer(),
            build_provider=self._build_provider,
        )
        self._tasks[name] = asyncio.create_task(executor.run(), name=name)
        return executor

    def _build_provider(self, on_report: Callable[[CallReport], None]) -> TelephonyProvider:
        provider = ScriptedProvider(self.script, on_report, can_look_up=False)
        self.carriers.append(provider)
        return provider

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


@asynccontextmanager
async def running_engine(store: Store, kafka: str, topic_prefix: str, **fields: Any) -> AsyncIterator[Engine]:
    """An engine without members yet."""
    engine = Engine(store, kafka, topic_prefix, **fields)
    try:
        yield engine
    finally:
        await engine.stop()
