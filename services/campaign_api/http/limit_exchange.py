"""Once a second: gateways tell each other what they have counted, and learn which organizations have limits."""

import asyncio
import uuid
from typing import Final

from services.campaign_api.http.request_limits import RequestLimits
from shared.engine.engine import Engine
from shared.engine.request_limits import exchange_counts, limits_of_organizations
from shared.errors import TemporaryError
from shared.logs import get_logger

EVERY_SECONDS: Final = 1.0


class LimitExchange:
    """The exchange of one process, under a name that no other one has."""

    def __init__(self, engine: Engine, limits: RequestLimits) -> None:
        self._engine, self._limits = engine, limits
        self._process = uuid.uuid4().hex
        self._told: dict[str, int] = {}
        self._answers = True

    async def run(self) -> None:
        """Exchange until cancelled. While MongoDB is away, each process goes on with what it knows."""
        while True:
            try:
                await self.exchange()
            except TemporaryError as error:
                self._note(answers=False, why=str(error))
            else:
                self._note(answers=True)
            await asyncio.sleep(EVERY_SECONDS)

    async def exchange(self) -> None:
        """One round: two questions, one of them only where requests were counted. Raises `Unavailable`."""
        self._limits.set_organizations(await limits_of_organizations(self._engine))
        own = self._limits.counts.own()
        if not own:
            self._told = {}
            return
        changed = {key: count for key, (count, _) in own.items() if self._told.get(key, 0) != count}
        self._limits.counts.learn(await exchange_counts(self._engine, self._process, own, changed))
        self._told = {key: count for key, (count, _) in own.items()}

    def _note(self, *, answers: bool, **facts: str) -> None:
        if answers != self._answers:
            self._answers = answers
            said = "request counts are exchanged again" if answers else "request counts are not exchanged"
            get_logger().warning(said, **facts)
