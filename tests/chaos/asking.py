"""How the crowd asks the API while it is broken: again and again until it is answered, as a client would."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from itertools import count
from typing import Any, Final

import aiohttp
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.demo.client import Api, Refused
from shared.topics import Topic
from tests.e2e.system import System
from tests.eventually import eventually

ASK_AGAIN_SECONDS: Final = 0.3
ANSWER_SECONDS: Final = 5.0
# What a process that was frozen or cut off still had to do is done by then.
LAST_REQUESTS_SECONDS: Final = 1.0
# With many faults at once a process may be frozen for a minute several times over, and in the moments between these the
# brokers may be away. How soon a process is well after a fault is judged elsewhere (tests/chaos/back).
WELL_AGAIN_SECONDS: Final = 300.0

Question = Callable[[Api], Awaitable[Any]]


class Asking:
    """Asks at one API and then at the other. `wrong_answers`: what it must never say, whatever is broken."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.wrong_answers: list[str] = []

    async def certainly(self, key: str, ask: Question) -> Any:
        """Ask with this key until answered or refused, by 4xx; a refusal is raised.

        A request whose answer was lost may still be carried out, by a process that was frozen for example. So it is
        asked once more when that process is well again: what is asked last must be what comes last, and what is
        said last what holds.
        """
        lost: set[str] = set()
        for n in count():
            url = self._system.lineup.apis[n % len(self._system.lineup.apis)].url
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    answer = await ask(Api(self._system.session, url, key))
                if not lost:
                    return answer
            except (aiohttp.ClientError, TimeoutError, OSError):
                lost.add(url)
                await asyncio.sleep(ASK_AGAIN_SECONDS)
                continue
            except Refused as refused:
                if refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    if refused.status != HTTPStatus.SERVICE_UNAVAILABLE:
                        self.wrong_answers.append(str(refused))
                    await asyncio.sleep(ASK_AGAIN_SECONDS)
                    continue
                if not lost:
                    raise
            await self._well_again(lost)
            lost = set()

    async def publish(self, topic: Topic, value: bytes, key: bytes) -> None:
        """Publish again and again until acknowledged: the same batch twice changes nothing."""
        while True:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._system.addresses.kafka, acks="all", request_timeout_ms=3000
            )
            try:
                await producer.start()
                await producer.send_and_wait(self._system.topic_prefix + topic.name, value, key=key)
            except (KafkaError, OSError):
                await asyncio.sleep(ASK_AGAIN_SECONDS)
            else:
                return
            finally:
                await producer.stop()

    async def _well_again(self, urls: set[str]) -> None:
        for url in urls:
            await eventually(
                partial(self._is_ready, url), timeout=WELL_AGAIN_SECONDS, every=ASK_AGAIN_SECONDS, saying=url
            )
        await asyncio.sleep(LAST_REQUESTS_SECONDS)

    async def _is_ready(self, url: str) -> bool:
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._system.session.get(f"{url}/health/ready") as answer:
                return answer.status == HTTPStatus.OK
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
