"""The installation as its operator sees it: servers, topics, what dials; dead letters and their replay."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.bus.producer import Producer
from shared.bus.reading_state import TopicState, read_topics
from shared.bus.replay import Replayed, replay
from shared.bus.waiting_letters import Letter, read_letters
from shared.errors import Unavailable
from shared.settings import KafkaSettings
from shared.store.client import Store
from shared.store.reports.installation import Installation as Dialing
from shared.store.reports.installation import read_installation
from shared.topics import TOPICS, Topic

__all__ = ["TOPICS_BY_NAME", "Dialing", "Installation", "Letter", "Replayed", "State", "TopicState"]

TOPICS_BY_NAME: Final = {topic.name: topic for topic in TOPICS}


@dataclass(frozen=True, slots=True)
class State:
    """What each server told; None: it is away, and what it would tell is not known."""

    topics: Sequence[TopicState] | None
    dialing: Dialing | None


class Installation:
    """The operator's look at Kafka and MongoDB, for one process."""

    def __init__(self, settings: KafkaSettings, store: Store, producer: Producer) -> None:
        self._settings, self._store, self._producer = settings, store, producer
        # Two at once would put the same letters back twice.
        self._replaying = asyncio.Lock()

    async def look(self) -> State:
        """Everything as it is now; a server that is away fails nothing."""
        topics, dialing = await asyncio.gather(self._topics(), self._dialing())
        return State(topics, dialing)

    async def letters(self, topic: Topic, limit: int) -> list[Letter]:
        """The first `limit` dead letters of a topic that wait, oldest first. Raises `Unavailable`: ask again."""
        return await read_letters(self._settings, topic, limit)

    async def replay(self, topic: Topic, limit: int) -> Replayed:
        """Put up to `limit` dead letters back onto their topic, oldest first, to be read once more.

        Raises `Unavailable`: some may have been put back; ask again.
        """
        async with self._replaying:
            return await replay(self._settings, self._producer, topic, limit=limit)

    async def _topics(self) -> Sequence[TopicState] | None:
        try:
            return await read_topics(self._settings, self._producer)
        except Unavailable:
            return None

    async def _dialing(self) -> Dialing | None:
        try:
            return await read_installation(self._store)
        except Unavailable:
            return None
