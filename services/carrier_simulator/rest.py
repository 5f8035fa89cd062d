"""Twilio's REST API as far as the engine uses it: create, fetch, list and end calls."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hmac import compare_digest
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from aiohttp import encode_basic_auth, web
from multidict import MultiDictProxy

from services.carrier_simulator.book import Book, Call
from services.carrier_simulator.callbacks import CallbackSender
from services.carrier_simulator.exchange import Exchange
from services.carrier_simulator.plan import Plan, plan_call
from services.carrier_simulator.settings import Behaviour, CallbackFault, Ending, Fault
from services.carrier_simulator.twilio_json import call_json, error, page_json
from shared.clock import monotonic, utc_now

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
# How long an unanswered request is held at most; clients give up long before.
_SILENCE_SECONDS = 60.0
_EARLY_SECONDS = 5.0
_MAX_PAGE_SIZE = 1000
_WITHOUT_CALL = {Fault.RATE_LIMITED, Fault.ERROR_BEFORE, Fault.SILENT_BEFORE}

Form = MultiDictProxy[str | bytes | bytearray | web.FileField]


@dataclass(slots=True)
class TwilioApi:
    """The handlers of `/2010-04-01/Accounts/{sid}/Calls...`."""

    account_sid: str
    auth_token: str
    behaviour: Callable[[], Behaviour]
    book: Book
    exchange: Exchange
    callbacks: CallbackSender
    _second: int = field(default=0, init=False)
    _this_second: int = field(default=0, init=False)

    def routes(self) -> list[web.RouteDef]:
        """What `app.py` adds."""
        base = "/2010-04-01/Accounts/{account}/Calls"
        return [
            web.post(f"{base}.json", self.create),
            web.get(f"{base}.json", self.list_calls),
            web.get(f"{base}/{{call}}.json", self.fetch),
            web.post(f"{base}/{{call}}.json", self.update),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Orders a call."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        ordered_at = utc_now()
        form = await request.post()
        code = _bad_order(form)
        if code is not None:
            return error(400, code)
        number = _text(form, "To")
        plan = plan_call(self.behaviour(), number, self.book.calls_to[number])
        self.book.calls_to[number] += 1
        # A client that has gone away meanwhile gets its call all the same, as from a slow carrier.
        self.book.counts["orders_open"] += 1
        await asyncio.sleep(plan.latency_seconds)
        self.book.counts["orders_open"] -= 1
        return await self._answer(request, form, plan, ordered_at)

    async def fetch(self, request: web.Request) -> web.Response:
        """One call."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        call = None if self.behaviour().simulator_lookup_blind else self.book.calls.get(request.match_info["call"])
        return error(404, 20404) if call is None else web.json_response(call_json(self.account_sid, call))

    async def list_calls(self, request: web.Request) -> web.Response:
        """Calls, newest first, filtered by To, From, Status and StartTime."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        query = dict(request.query)
        try:
            page, size = int(query.pop("Page", "0")), min(int(query.pop("PageSize", "50")), _MAX_PAGE_SIZE)
            chosen = [call for call in self._candidates(query) if _fits(call, query)]
        except ValueError:
            return error(400, 20001)
        chosen.sort(key=lambda call: call.created_at, reverse=True)
        return web.json_response(page_json(self.account_sid, chosen, query, max(0, page), max(1, size)))

    async def update(self, request: web.Request) -> web.Response:
        """Ends a call."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        call = self.book.calls.get(request.match_info["call"])
        if call is None:
            return error(404, 20404)
        status = _text(await request.post(), "Status")
        if status not in {"canceled", "completed"} or not self.exchange.hang_up(call, status):
            return error(400, 21220)
        return web.json_response(call_json(self.account_sid, call))

    async def _answer(self, request: web.Request, form: Form, plan: Plan, ordered_at: datetime) -> web.Response:
        fault = Fault.RATE_LIMITED if self._too_many() else plan.fault
        if fault is not None:
            self.book.counts[f"fault:{fault}"] += 1
        if plan.ending is Ending.REFUSED:
            self.book.counts["refused"] += 1
            return error(400, plan.refusal_code)
        call = None if fault in _WITHOUT_CALL else self._place(form, plan, ordered_at)
        if call is not None and plan.callback_fault is CallbackFault.EARLY:
            await self.callbacks.settled(call, _EARLY_SECONDS)
        match fault:
            case Fault.RATE_LIMITED:
                return error(429, 20429)
            case Fault.ERROR_BEFORE | Fault.ERROR_AFTER:
                return error(503, 20500)
            case Fault.SILENT_BEFORE | Fault.SILENT_AFTER:
                await _silence(request)
                return error(503, 20500)
            case Fault.DROPPED_AFTER:
                if request.transport is not None:
                    request.transport.abort()
                return error(503, 20500)
        if call is None:
            raise RuntimeError("a call that nothing prevented was not placed")
        return web.json_response(call_json(self.account_sid, call), status=201)

    def _place(self, form: Form, plan: Plan, ordered_at: datetime) -> Call:
        callback = _text(form, "StatusCallback")
        ids = {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}
        call = Call(
            sid=f"CA{uuid4().hex}",
            to=_text(form, "To"),
            caller=_text(form, "From"),
            plan=plan,
            ordered_at=ordered_at,
            created_at=utc_now(),
            answer_url=_text(form, "Url"),
            status_callback=callback,
            events=frozenset(str(event) for event in form.getall("StatusCallbackEvent", ["completed"])),
            ring_limit_seconds=float(_text(form, "Timeout") or 60),
            talk_limit_seconds=float(_text(form, "TimeLimit") or 14_400),
            detect_machines=bool(_text(form, "MachineDetection")),
            attempt_id=ids.get("attempt_id", ""),
            organization_id=ids.get("organization_id", ""),
            contact_id=ids.get("contact_id", ""),
        )
        self.exchange.connect(call)
        return call

    def _refusal(self, request: web.Request) -> web.Response | None:
        # HTTP's scheme names ignore case, clients differ; the rest is exact.
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        expected = encode_basic_auth(self.account_sid, self.auth_token).partition(" ")[2]
        if scheme.lower() != "basic" or not compare_digest(given.encode(), expected.encode()):
            return error(401, 20003)
        return None if request.match_info["account"] == self.account_sid else error(404, 20404)

    def _too_many(self) -> bool:
        limit, second = self.behaviour().simulator_calls_per_second, int(monotonic())
        if second != self._second:
            self._second, self._this_second = second, 0
        self._this_second += 1
        return 0 < limit < self._this_second

    def _candidates(self, query: dict[str, str]) -> list[Call]:
        if self.behaviour().simulator_lookup_blind:
            return []
        if "To" in query and "From" in query:
            return self.book.by_numbers.get((query["To"], query["From"]), [])
        return list(self.book.calls.values())


async def _silence(request: web.Request) -> None:
    """Holds the request until its client gives up."""
    until = monotonic() + _SILENCE_SECONDS
    # aiohttp offers no event for this, short of cancelling every handler whose client has gone.
    while request.transport is not None and monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(0.1)


def _bad_order(form: Form) -> int | None:
    number, caller = _text(form, "To"), _text(form, "From")
    if not number:
        return 21201
    if not _NUMBER.fullmatch(number):
        return 21211
    if not caller:
        return 21213
    if not _NUMBER.fullmatch(caller):
        return 21212
    if not _text(form, "Url").startswith(("http://", "https://")):
        return 21205
    limits = [_text(form, name) for name in ("Timeout", "TimeLimit")]
    return None if all(limit.isdigit() or not limit for limit in limits) else 21208


def _fits(call: Call, query: dict[str, str]) -> bool:
    for name, value in (("To", call.to), ("From", call.caller), ("Status", call.status)):
        if name in query and query[name] != value:
            return False
    # Twilio writes inequalities into the name: `StartTime>=2026-01-01` has the name `StartTime>`.
    for name in ("StartTime>", "StartTime<", "StartTime"):
        if name in query and not _started_as(call, name, _instant(query[name])):
            return False
    return True


def _started_as(call: Call, name: str, instant: datetime) -> bool:
    if call.status == "queued":
        return False
    if name == "StartTime":
        return call.created_at.date() == instant.date()
    return call.created_at >= instant if name == "StartTime>" else call.created_at <= instant


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant


def _text(form: Form, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
