"""A provider whose calls live in this process, on lines that the simulated carrier holds with us.

It stands for a voice agent that runs inside the executor: while a call is up, so is its one connection to the carrier,
and when the connection goes away, so does the call (services/carrier_simulator/held_lines.py).
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final

import aiohttp

from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal
from shared.domain.voicemail import Voicemail
from shared.errors import OutcomeUnknown, TemporaryError, Unavailable
from shared.settings import TelephonySettings
from shared.telephony.provider import (
    CallLive,
    CallMode,
    CallPlaced,
    CallReference,
    CallReport,
    LookUp,
    OnReport,
    PlaceAnswer,
    PlaceCall,
)
from shared.telephony.twilio_errors import INVALID_CALL_STATE, answer_to_order, refusal_in_ending
from shared.telephony.twilio_voicemail import spoken

HANG_UP_SECONDS: Final = 10.0
# The carrier's word for a call to a fax machine is none of ours.
OUTCOMES: Final[Mapping[str, Outcome]] = {outcome.value: outcome for outcome in Outcome}


@dataclass(slots=True, eq=False)
class _Line:
    """One call, from its order to its end, and what has been heard of it."""

    call: PlaceCall
    answer: asyncio.Future[PlaceAnswer]
    task: asyncio.Task[None] | None = None
    # Whether the order may have left this process; set by the trace below.
    request: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(sent=False))
    call_id: str | None = None
    placed_at: datetime | None = None
    answered_at: datetime | None = None
    ended: bool = False


@dataclass(slots=True)
class HeldLineProvider:
    """A `TelephonyProvider`. The base URL and the account are those of the `twilio` settings."""

    settings: TelephonySettings
    on_report: OnReport
    now: Callable[[], datetime] = utc_now
    _session: aiohttp.ClientSession | None = field(default=None, init=False)
    _lines: set[_Line] = field(default_factory=set, init=False)

    @property
    def name(self) -> str:
        """`held-line`."""
        return "held-line"

    @property
    def mode(self) -> CallMode:
        """In process."""
        return CallMode.IN_PROCESS

    @property
    def can_look_up(self) -> bool:
        """Only the process that holds a call knows it."""
        return False

    async def start(self) -> None:
        """Prepares the session; connects on the first call."""
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_mark_sent)
        token = self.settings.twilio_auth_token.get_secret_value()
        self._session = aiohttp.ClientSession(
            headers={"Authorization": aiohttp.encode_basic_auth(self.settings.twilio_account_sid, token)},
            # Every call has a connection of its own: the executor's capacity bounds them, and none is used again.
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            trace_configs=[trace],
        )

    async def close(self) -> None:
        """Ends the calls that are up; each has been reported as interrupted when this returns."""
        await asyncio.gather(*(_leave(line) for line in self._lines))
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def place(self, call: PlaceCall, timeout_seconds: float) -> PlaceAnswer:
        """Opens a line, and waits for the carrier's word on it; without one in time the line is closed again.

        Then the call may exist, or have existed. It has no report: nobody here has heard how it ended.
        """
        line = _Line(call, asyncio.get_running_loop().create_future())
        self._lines.add(line)
        line.task = asyncio.create_task(self._hold(line))
        try:
            # Not `asyncio.timeout`, which may throw away an answer that has come in the last moment.
            await asyncio.wait({line.answer}, timeout=timeout_seconds)
            self._fail(line, f"no answer within {timeout_seconds:g} s")
            return line.answer.result()
        finally:
            if line.call_id is None:
                self._lines.discard(line)
                line.answer.cancel()
                await _leave(line)

    async def look_up(self, reference: CallReference) -> LookUp:
        """Live, if it is held here. Of all others nothing is known here."""
        for line in self._lines:
            if line.call.attempt_id == reference.attempt_id and line.call_id is not None:
                return CallLive(line.call_id, line.answered_at)
        raise TemporaryError("the call is not held by this process")

    async def hang_up(self, call_id: str) -> None:
        """By the carrier's REST API. See the protocol."""
        url = self._url_of(call_id)
        try:
            async with (
                asyncio.timeout(HANG_UP_SECONDS),
                self._http.post(url, data={"Status": "completed"}, trace_request_ctx=SimpleNamespace()) as response,
            ):
                code = (await response.json()).get("code")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Unavailable("the carrier", f"{type(error).__name__}: {error}") from error
        if response.status not in {200, 404} and code != INVALID_CALL_STATE:
            raise TemporaryError(f"not hung up: HTTP {response.status}, code {code}")

    async def leave_message(self, call_id: str, voicemail: Voicemail) -> bool:
        """By the carrier's REST API. See the protocol."""
        request = SimpleNamespace()
        form = {"Twiml": spoken(voicemail)}
        try:
            async with (
                asyncio.timeout(HANG_UP_SECONDS),
                self._http.post(self._url_of(call_id), data=form, trace_request_ctx=request) as response,
            ):
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OutcomeUnknown(f"the message may be spoken: {type(error).__name__}") from error

    def _url_of(self, call_id: str) -> str:
        return f"{self._base}/2010-04-01/Accounts/{self.settings.twilio_account_sid}/Calls/{call_id}.json"

    async def _hold(self, line: _Line) -> None:
        """The life of a line. However it ends, whoever waits for it hears so."""
        why = "the carrier has closed the line"
        try:
            async with self._http.post(
                f"{self._base}/held-lines", json=_order(line.call), trace_request_ctx=line.request
            ) as response:
                if response.status != 200:
                    self._refused(line, response.status, await response.read())
                    return
                async for words in response.content:
                    self._hear(line, json.loads(words))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            why = f"{type(error).__name__}: {error}"
        except asyncio.CancelledError:
            why = "the process that held the call has stopped"
            raise
        finally:
            # The connection is closed by now: what is reported as over is over at the carrier, or will be at once.
            self._over(line, why)

    def _hear(self, line: _Line, words: Mapping[str, Any]) -> None:
        match words["event"]:
            case "placed" if not line.answer.done():
                line.call_id, line.placed_at = words["call_id"], _instant(words["placed_at"])
                line.answer.set_result(CallPlaced(words["call_id"]))
            case "answered":
                line.answered_at = _instant(words["answered_at"])
            case "ended":
                ended_at = _instant(words["ended_at"]) or self.now()
                refusal = refusal_in_ending(words["error_code"], words["error"] or "")
                self._report(line, OUTCOMES.get(words["outcome"], Outcome.FAILED), ended_at, words["error"], refusal)

    def _refused(self, line: _Line, status: int, body: bytes) -> None:
        if line.answer.done():
            return
        answer = json.loads(body)
        try:
            line.answer.set_result(answer_to_order(status, answer.get("code"), answer.get("message", "")))
        except (OutcomeUnknown, TemporaryError) as error:
            line.answer.set_exception(error)

    def _over(self, line: _Line, why: str) -> None:
        """The line is gone. A call that was up is over for us, whatever the carrier will say."""
        self._lines.discard(line)
        self._fail(line, why)
        if line.call_id is not None:
            self._report(line, Outcome.INTERRUPTED, self.now(), why)

    def _fail(self, line: _Line, why: str) -> None:
        if line.answer.done():
            return
        if line.request.sent:
            line.answer.set_exception(OutcomeUnknown(f"the order was sent and not answered: {why}"))
        else:
            line.answer.set_exception(Unavailable("the carrier", why))

    def _report(
        self, line: _Line, outcome: Outcome, ended_at: datetime, error: str | None, refusal: Refusal | None = None
    ) -> None:
        if line.ended:
            return
        line.ended = True
        talked = None if line.answered_at is None else max(0.0, (ended_at - line.answered_at).total_seconds())
        self.on_report(
            CallReport(
                attempt_id=line.call.attempt_id,
                outcome=outcome,
                ended_at=ended_at,
                started_at=line.placed_at,
                answered_at=line.answered_at,
                duration_seconds=talked,
                call_id=line.call_id,
                error=error,
                refusal=refusal,
            )
        )

    @property
    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the provider has not been started, or is closed")
        return self._session

    @property
    def _base(self) -> str:
        return self.settings.twilio_base_url.rstrip("/")


async def _leave(line: _Line) -> None:
    if line.task is not None:
        line.task.cancel()
        await asyncio.gather(line.task, return_exceptions=True)


async def _mark_sent(_: aiohttp.ClientSession, context: Any, __: Any) -> None:
    # Called before the first byte leaves, so a failure earlier than this is a certain no.
    context.trace_request_ctx.sent = True


def _order(call: PlaceCall) -> dict[str, Any]:
    return {
        "attempt_id": call.attempt_id,
        "organization_id": call.organization_id,
        "contact_id": call.contact_id,
        "to": call.phone_number,
        "from": call.caller_number,
        "ring_limit_seconds": call.ring_timeout_seconds,
        "talk_limit_seconds": call.max_call_seconds,
    }


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
