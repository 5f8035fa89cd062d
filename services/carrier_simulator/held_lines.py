"""Calls that their client holds: one request is one call, and the call lives no longer than its connection.

`POST /held-lines` with an `Order` as JSON, and the account's id and token as for the REST API. The answer is a stream
of JSON lines: `placed` with the call's id, `answered`, `ended` with outcome and times; then it closes. An order that
makes no call is answered with Twilio's errors. `POST Calls/{sid}.json` of the REST API hangs up.
"""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.carrier_simulator.book import Book, Call, new_sid
from services.carrier_simulator.desk import NUMBER, WITHOUT_CALL, OrderDesk, answer_of
from services.carrier_simulator.exchange import Exchange
from services.carrier_simulator.plan import PICKED_UP, Plan
from services.carrier_simulator.settings import Ending
from services.carrier_simulator.twilio_json import error
from shared.clock import utc_now


class Order(BaseModel):
    """One call to place, with the seconds that it may ring and, from the answer on, last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempt_id: str
    organization_id: str
    contact_id: str
    to: str = Field(pattern=f"^{NUMBER.pattern}$")
    caller: str = Field(alias="from", pattern=f"^{NUMBER.pattern}$")
    ring_limit_seconds: float = Field(gt=0)
    talk_limit_seconds: float = Field(gt=0)


@dataclass(slots=True)
class HeldLines:
    """The handler of `/held-lines`. Calls go into the same book as those of the REST API."""

    desk: OrderDesk
    book: Book
    exchange: Exchange
    _news: dict[str, asyncio.Queue[bytes]] = field(default_factory=dict, init=False)

    def routes(self) -> list[web.RouteDef]:
        """What `app.py` adds."""
        return [web.post("/held-lines", self.hold)]

    def report(self, call: Call, event: str) -> None:
        """Says on the call's line what has happened, if it has one; `event` is `answered` or `completed`."""
        if call.sid in self._news:
            self._say(call, _answered(call) if event == "answered" else _ended(call))

    async def hold(self, request: web.Request) -> web.StreamResponse:
        """Orders a call and stays with it."""
        if not self.desk.admits(request):
            return error(401, 20003)
        ordered_at = utc_now()
        try:
            order = Order.model_validate_json(await request.read())
        except ValidationError:
            return error(400, 21211)
        plan = await self.desk.take(order.caller, order.to)
        if plan.ending is Ending.REFUSED:
            return error(plan.refusal_status, plan.refusal_code)
        if plan.fault is not None and plan.fault in WITHOUT_CALL:
            return await answer_of(plan.fault, request)
        return await self._with_call(request, _call(order, plan, ordered_at))

    async def _with_call(self, request: web.Request, call: Call) -> web.StreamResponse:
        self._news[call.sid] = asyncio.Queue()
        self._say(call, {"event": "placed", "call_id": call.sid, "placed_at": call.created_at.isoformat()})
        try:
            self.exchange.connect(call)
            if call.plan.fault is not None:
                # A client that hears nothing has a call as long as it stays on the line.
                return await answer_of(call.plan.fault, request)
            return await self._stream(request, call)
        finally:
            # However this has ended, nobody holds the call any more.
            self.exchange.cut(call)
            del self._news[call.sid]

    async def _stream(self, request: web.Request, call: Call) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        news = self._news[call.sid]
        while True:
            lines = [await news.get()]
            while not news.empty():
                lines.append(news.get_nowait())
            await response.write(b"".join(lines))
            if call.ended_at is not None and news.empty():
                return response

    def _say(self, call: Call, what: dict[str, Any]) -> None:
        self._news[call.sid].put_nowait(json.dumps(what).encode() + b"\n")


def _call(order: Order, plan: Plan, ordered_at: datetime) -> Call:
    return Call(
        sid=new_sid(),
        to=order.to,
        caller=order.caller,
        plan=plan,
        ordered_at=ordered_at,
        created_at=utc_now(),
        answer_url="",
        status_callback="",
        events=frozenset(),
        ring_limit_seconds=order.ring_limit_seconds,
        talk_limit_seconds=order.talk_limit_seconds,
        detect_machines=True,
        attempt_id=order.attempt_id,
        organization_id=order.organization_id,
        contact_id=order.contact_id,
        held=True,
    )


def _answered(call: Call) -> dict[str, Any]:
    return {"event": "answered", "answered_at": call.answered_at and call.answered_at.isoformat()}


def _ended(call: Call) -> dict[str, Any]:
    return {
        "event": "ended",
        "outcome": call.outcome,
        "answered_at": call.answered_at and call.answered_at.isoformat(),
        "ended_at": call.ended_at and call.ended_at.isoformat(),
        "error_code": call.error_code,
        "error": None if call.outcome in PICKED_UP else f"carrier: {call.status}, SIP {call.sip_response}",
    }
