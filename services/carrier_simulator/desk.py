"""Where orders come in, whichever interface they use: who may order, how many a second, and what goes wrong."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from hmac import compare_digest
from typing import Any, Final, TypeVar

from aiohttp import encode_basic_auth, web

from services.carrier_simulator.book import Book
from services.carrier_simulator.plan import Plan, plan_call, with_refusals
from services.carrier_simulator.settings import Behaviour, Ending, Fault
from services.carrier_simulator.twilio_json import error
from shared.clock import monotonic

T = TypeVar("T")

NUMBER: Final = re.compile(r"\+[1-9]\d{6,14}")
WITHOUT_CALL: Final = frozenset({Fault.RATE_LIMITED, Fault.ERROR_BEFORE, Fault.SILENT_BEFORE})
# How long an unanswered request is held at most; clients give up long before.
_SILENCE_SECONDS = 60.0


@dataclass(slots=True)
class OrderDesk:
    """One account's orders."""

    account_sid: str
    auth_token: str
    behaviour: Callable[[], Behaviour]
    book: Book
    _second: int = field(default=0, init=False)
    _this_second: int = field(default=0, init=False)
    _seen_through: set[asyncio.Task[Any]] = field(default_factory=set, init=False)

    def admits(self, request: web.Request) -> bool:
        """Whether the request brings the account's id and token."""
        # HTTP's scheme names ignore case, clients differ; the rest is exact.
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        expected = encode_basic_auth(self.account_sid, self.auth_token).partition(" ")[2]
        return scheme.lower() == "basic" and compare_digest(given.encode(), expected.encode())

    async def take(self, caller: str, number: str) -> Plan:
        """What will happen to this order, once the carrier has taken its time; `fault` is what goes wrong with it."""
        behaviour = self.behaviour()
        plan = with_refusals(plan_call(behaviour, number, self.book.calls_to[number]), behaviour, caller, number)
        self.book.calls_to[number] += 1
        self.book.counts["orders_open"] += 1
        try:
            await asyncio.sleep(plan.latency_seconds)
        finally:
            self.book.counts["orders_open"] -= 1
        too_many = self._too_many()
        if plan.ending is Ending.REFUSED:
            self.book.refused(plan.refusal_code)
            return plan
        fault = Fault.RATE_LIMITED if too_many else plan.fault
        if fault is not None:
            self.book.counts[f"fault:{fault}"] += 1
        return replace(plan, fault=fault)

    async def see_through(self, work: Coroutine[Any, Any, T]) -> T:
        """`work` goes on to its end, also when the client goes away and its request with it."""
        task = asyncio.get_running_loop().create_task(work)
        self._seen_through.add(task)
        task.add_done_callback(self._seen_through.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Gives up what is still being seen through."""
        for task in self._seen_through:
            task.cancel()
        await asyncio.gather(*self._seen_through, return_exceptions=True)

    def _too_many(self) -> bool:
        limit, second = self.behaviour().simulator_calls_per_second, int(monotonic())
        if second != self._second:
            self._second, self._this_second = second, 0
        self._this_second += 1
        return 0 < limit < self._this_second


async def answer_of(fault: Fault, request: web.Request) -> web.Response:
    """What a client sees of a fault; with silence nothing, for as long as it stays on the line."""
    match fault:
        case Fault.RATE_LIMITED:
            return error(429, 20429)
        case Fault.SILENT_BEFORE | Fault.SILENT_AFTER:
            # Cut short when the client gives up: the server cancels requests whose connection is gone.
            await asyncio.sleep(_SILENCE_SECONDS)
        case Fault.DROPPED_AFTER if request.transport is not None:
            request.transport.abort()
    return error(503, 20500)
