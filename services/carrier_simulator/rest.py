"""Twilio's REST API as far as the engine uses it: create, fetch, list and end calls."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

from aiohttp import web
from multidict import MultiDictProxy

from services.carrier_simulator.book import Book, Call, new_sid
from services.carrier_simulator.callbacks import CallbackSender
from services.carrier_simulator.desk import NUMBER, WITHOUT_CALL, OrderDesk, answer_of
from services.carrier_simulator.exchange import Exchange
from services.carrier_simulator.plan import Plan
from services.carrier_simulator.settings import CallbackFault, Ending
from services.carrier_simulator.twilio_json import call_json, error, page_json
from shared.clock import utc_now

_EARLY_SECONDS = 5.0
_MAX_PAGE_SIZE = 1000
_MAX_INSTRUCTIONS = 4000
# Characters of a message: an ordinary pace.
_SPOKEN_A_SECOND = 15

Form = MultiDictProxy[str | bytes | bytearray | web.FileField]


@dataclass(frozen=True, slots=True)
class _Ordered:
    """What has become of an order: its plan, and its call as it was when it was placed, if there is one."""

    plan: Plan
    call: Call | None = None
    shown: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class TwilioApi:
    """The handlers of `/2010-04-01/Accounts/{sid}/Calls...`."""

    desk: OrderDesk
    book: Book
    exchange: Exchange
    callbacks: CallbackSender

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
        # A client that has gone away meanwhile gets its call all the same, as from a slow carrier.
        ordered = await self.desk.see_through(self._order(form, ordered_at))
        return await self._answer(request, ordered)

    async def fetch(self, request: web.Request) -> web.Response:
        """One call."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        call = None if self.desk.behaviour().simulator_lookup_blind else self.book.calls.get(request.match_info["call"])
        return error(404, 20404) if call is None else web.json_response(call_json(self.desk.account_sid, call))

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
        return web.json_response(page_json(self.desk.account_sid, chosen, query, max(0, page), max(1, size)))

    async def update(self, request: web.Request) -> web.Response:
        """Ends a call, or has it speak a message and end then."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        call = self.book.calls.get(request.match_info["call"])
        if call is None:
            return error(404, 20404)
        form = await request.post()
        status, instructions = _text(form, "Status"), _text(form, "Twiml")
        if instructions:
            message = _message_in(instructions)
            if message is None:
                return error(400, 20001)
            scale = self.desk.behaviour().simulator_time_scale
            done = self.exchange.speak(call, message, len(message) / _SPOKEN_A_SECOND * scale)
        else:
            done = status in {"canceled", "completed"} and self.exchange.hang_up(call, status)
        if not done:
            return error(400, 21220)
        return web.json_response(call_json(self.desk.account_sid, call))

    async def _order(self, form: Form, ordered_at: datetime) -> _Ordered:
        plan = await self.desk.take(_text(form, "From"), _text(form, "To"))
        if plan.ending is Ending.REFUSED or plan.fault in WITHOUT_CALL:
            return _Ordered(plan)
        call = self._place(form, plan, ordered_at)
        return _Ordered(plan, call, call_json(self.desk.account_sid, call))

    async def _answer(self, request: web.Request, ordered: _Ordered) -> web.Response:
        plan = ordered.plan
        if plan.ending is Ending.REFUSED:
            return error(plan.refusal_status, plan.refusal_code)
        if ordered.call is not None and plan.callback_fault is CallbackFault.EARLY:
            await self.callbacks.delivered(ordered.call, _EARLY_SECONDS)
        if plan.fault is not None:
            return await answer_of(plan.fault, request)
        return web.json_response(ordered.shown, status=201)

    def _place(self, form: Form, plan: Plan, ordered_at: datetime) -> Call:
        callback = _text(form, "StatusCallback")
        ids = {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}
        call = Call(
            sid=new_sid(),
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
            machine_callback=_text(form, "AsyncAmdStatusCallback") if _text(form, "AsyncAmd") == "true" else "",
            waits_for_greeting=_text(form, "MachineDetection") == "DetectMessageEnd",
            attempt_id=ids.get("attempt_id", ""),
            organization_id=ids.get("organization_id", ""),
            contact_id=ids.get("contact_id", ""),
        )
        self.exchange.connect(call)
        return call

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not self.desk.admits(request):
            return error(401, 20003)
        return None if request.match_info["account"] == self.desk.account_sid else error(404, 20404)

    def _candidates(self, query: dict[str, str]) -> list[Call]:
        if self.desk.behaviour().simulator_lookup_blind:
            return []
        if "To" in query and "From" in query:
            return self.book.by_numbers.get((query["To"], query["From"]), [])
        return list(self.book.calls.values())


def _bad_order(form: Form) -> int | None:
    number, caller = _text(form, "To"), _text(form, "From")
    if not number:
        return 21201
    if not NUMBER.fullmatch(number):
        return 21211
    if not caller:
        return 21213
    if not NUMBER.fullmatch(caller):
        return 21212
    if not _text(form, "Url").startswith(("http://", "https://")):
        return 21205
    limits = [_text(form, name) for name in ("Timeout", "TimeLimit")]
    return None if all(limit.isdigit() or not limit for limit in limits) else 21208


def _message_in(instructions: str) -> str | None:
    """The message that these instructions speak before they hang up; None for others, which this carrier cannot do."""
    try:
        steps = list(ElementTree.fromstring(instructions)) if len(instructions) <= _MAX_INSTRUCTIONS else []
    except ElementTree.ParseError:
        return None
    return steps[0].text if [step.tag for step in steps] == ["Say", "Hangup"] else None


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
