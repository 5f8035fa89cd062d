"""Calls through Twilio's REST API. One request per question, never repeated by this module."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import aiohttp

from shared.clock import monotonic, utc_now
from shared.domain.refusal import CODES
from shared.domain.voicemail import Voicemail
from shared.errors import OutcomeUnknown, TemporaryError, Unavailable
from shared.settings import TelephonySettings
from shared.telephony.provider import (
    CallEnded,
    CallLive,
    CallMode,
    CallNotFound,
    CallPlaced,
    CallReference,
    LookUp,
    PlaceAnswer,
    PlaceCall,
)
from shared.telephony.twilio_callback import read_instant, report_of, status_callback_url
from shared.telephony.twilio_errors import INVALID_CALL_STATE, answer_to_order
from shared.telephony.twilio_voicemail import detection_of, spoken

# Look-ups and hang-ups are made by recovery, not by the dialing path.
ASK_SECONDS = 10.0
# The carrier's clock against ours, and its whole seconds: a call this much older than START may be ours.
CLOCK_MARGIN = timedelta(seconds=30)
_PAGE_SIZE = 200
_MAX_PAGES = 10


@dataclass(frozen=True, slots=True)
class _Answer:
    """A whole answer of the API: HTTP status, and the JSON object in it ({} when there is none)."""

    status: int
    body: Mapping[str, Any]

    @property
    def code(self) -> int | None:
        """Twilio's own error code; None for what can be none."""
        code = self.body.get("code")
        return code if type(code) is int and code in CODES else None

    @property
    def message(self) -> str:
        """Twilio's own words."""
        return str(self.body.get("message", ""))

    @property
    def reason(self) -> str:
        """One line for people."""
        return f"HTTP {self.status}, code {self.code}: {self.message[:200]}"


@dataclass(slots=True)
class TwilioProvider:
    """A `TelephonyProvider` on Twilio's API, or on anything that speaks it (`twilio_base_url`).

    Twilio keeps no reference of ours with a call. The attempt id travels in the callback URL, which is
    enough for reports; `look_up` without a call id has to guess by numbers and time, and says so.
    """

    settings: TelephonySettings
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """`twilio`."""
        return "twilio"

    @property
    def mode(self) -> CallMode:
        """Twilio holds the calls and reports over HTTP."""
        return CallMode.CALLBACK

    @property
    def can_look_up(self) -> bool:
        """Any process can ask."""
        return True

    async def start(self) -> None:
        """Prepares the connection pool; connects on the first request."""
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_let_leave)
        token = self.settings.twilio_auth_token.get_secret_value()
        self._session = aiohttp.ClientSession(
            headers={"Authorization": aiohttp.encode_basic_auth(self.settings.twilio_account_sid, token)},
            connector=aiohttp.TCPConnector(limit=self.settings.carrier_connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[trace],
        )

    async def close(self) -> None:
        """Closes the connections; calls live on at Twilio."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def place(self, call: PlaceCall, timeout_seconds: float) -> PlaceAnswer:
        """One `POST Calls.json`. See the protocol for what the errors mean.

        Above the account's calls a second Twilio accepts and queues: the call then waits there, and its
        time limits start late. Keep the executors' rate at or below the account's.
        """
        return self._placed(await self._ask_once("Calls.json", timeout_seconds, self._order(call), call.send_by))

    async def look_up(self, reference: CallReference) -> LookUp:
        """By call id where it is known: certain. Else by both numbers and the time of START.

        The second way takes a call of the same pair of numbers, created at or after START and not known as
        another attempt's, for ours. The carrier's clock may be half a minute behind, and a retry may come sooner.
        One organization never has two live calls to one phone; the second way fails when something else
        on the same account calls the same phone from the same number at that moment. Several such calls
        raise `TemporaryError`: nobody can tell. The list is not filtered by `StartTime`, which a queued
        call does not have yet.
        """
        if reference.call_id is not None:
            answer = await self._ask("GET", f"Calls/{reference.call_id}.json")
            return CallNotFound() if answer.status == 404 else _found(reference, _ok(answer).body)
        calls = [call async for call in self._calls_between(reference) if _may_be_ours(call, reference)]
        if len(calls) > 1:
            raise TemporaryError(f"{len(calls)} calls fit attempt {reference.attempt_id}; cannot tell which is its")
        return _found(reference, calls[0]) if calls else CallNotFound()

    async def hang_up(self, call_id: str) -> None:
        """`Status=completed`, which ends ringing and answered calls alike."""
        answer = await self._ask("POST", f"Calls/{call_id}.json", form=[("Status", "completed")])
        if answer.status != 404 and answer.code != INVALID_CALL_STATE:
            _ok(answer)

    async def leave_message(self, call_id: str, voicemail: Voicemail) -> bool:
        """Gives the call new instructions, which take the place of the voice agent's."""
        answer = await self._ask_once(f"Calls/{call_id}.json", ASK_SECONDS, [("Twiml", spoken(voicemail))])
        if answer.status >= 500:
            raise OutcomeUnknown(f"the message may be spoken: {answer.reason}")
        if answer.status != 404 and answer.code != INVALID_CALL_STATE:
            _ok(answer)
        return answer.status < 300

    async def _ask_once(
        self, path: str, timeout_seconds: float, form: list[tuple[str, str]], send_by: float | None = None
    ) -> _Answer:
        """The answer to what must not be done twice; what was never sent is told from what may have been heard."""
        sent = SimpleNamespace(sent=False, send_by=send_by)
        try:
            return await self._request("POST", path, timeout_seconds, form=form, sent=sent)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = f"{type(error).__name__}: {error}"
            if sent.sent:
                raise OutcomeUnknown(f"the order was sent and not answered: {why}") from error
            raise Unavailable("the carrier", why) from error

    def _order(self, call: PlaceCall) -> list[tuple[str, str]]:
        settings = self.settings
        order = [
            ("To", call.phone_number),
            ("From", call.caller_number),
            ("Url", _answer_url(settings.twilio_answer_url, call)),
            ("Method", "POST"),
            ("StatusCallback", status_callback_url(settings.callback_base_url, call, settings.twilio_callback_retries)),
            ("StatusCallbackMethod", "POST"),
            ("StatusCallbackEvent", "answered"),
            ("StatusCallbackEvent", "completed"),
            ("Timeout", _whole_seconds(call.ring_timeout_seconds)),
            ("TimeLimit", _whole_seconds(call.max_call_seconds)),
        ]
        return order + detection_of(call, settings)

    def _placed(self, answer: _Answer) -> PlaceAnswer:
        call_id = answer.body.get("sid")
        if 200 <= answer.status < 300 and isinstance(call_id, str) and call_id:
            return CallPlaced(call_id)
        return answer_to_order(answer.status, answer.code, answer.message)

    async def _calls_between(self, reference: CallReference) -> AsyncIterator[Mapping[str, Any]]:
        numbers = {"To": reference.phone_number, "From": reference.caller_number, "PageSize": str(_PAGE_SIZE)}
        path = f"Calls.json?{urlencode(numbers)}"
        for _ in range(_MAX_PAGES):
            page = _ok(await self._ask("GET", path)).body
            calls, following = page.get("calls"), page.get("next_page_uri")
            for call in calls if isinstance(calls, list) else ():
                if isinstance(call, dict):
                    yield call
            if not isinstance(following, str) or not following:
                return
            path = following
        raise TemporaryError(f"more than {_PAGE_SIZE * _MAX_PAGES} calls between this pair of numbers")

    async def _ask(self, method: str, path: str, form: list[tuple[str, str]] | None = None) -> _Answer:
        try:
            return await self._request(method, path, ASK_SECONDS, form=form)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable("the carrier", f"{type(error).__name__}: {error}") from error

    async def _request(
        self,
        method: str,
        path: str,
        timeout_seconds: float,
        *,
        form: list[tuple[str, str]] | None = None,
        sent: SimpleNamespace | None = None,
    ) -> _Answer:
        if self._session is None:
            raise RuntimeError("the provider has not been started, or is closed")
        # Not aiohttp's own timeouts: waiting for a free connection must count too.
        async with (
            asyncio.timeout(timeout_seconds),
            self._session.request(
                method,
                self._url(path),
                data=form,
                allow_redirects=False,
                trace_request_ctx=sent or SimpleNamespace(sent=False, send_by=None),
                timeout=aiohttp.ClientTimeout(total=None),
            ) as response,
        ):
            return _Answer(response.status, _json_object(await response.read()))

    def _url(self, path: str) -> str:
        base = self.settings.twilio_base_url.rstrip("/")
        if path.startswith("/"):  # Twilio's own link to a next page
            return base + path
        return f"{base}/2010-04-01/Accounts/{self.settings.twilio_account_sid}/{path}"


async def _let_leave(_: aiohttp.ClientSession, context: Any, __: Any) -> None:
    # aiohttp calls this before the first byte leaves, so a failure up to here is a certain no. A process that was
    # frozen on its way here finds out now: its timers run only after what was ready before it was frozen.
    request = context.trace_request_ctx
    if request.send_by is not None and monotonic() > request.send_by:
        raise TimeoutError("too late to send the order")
    request.sent = True


def _json_object(raw: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _ok(answer: _Answer) -> _Answer:
    if not 200 <= answer.status < 300:
        raise TemporaryError(f"the carrier cannot tell now: {answer.reason}")
    return answer


def _found(reference: CallReference, call: Mapping[str, Any]) -> CallLive | CallEnded:
    """Statuses without an ending, unknown ones too, count as live: that frees no slot."""
    answered_by = call.get("answered_by")
    updated_at = read_instant(call.get("end_time")) or read_instant(call.get("date_updated")) or utc_now()
    report = report_of(
        reference.attempt_id,
        str(call.get("sid")),
        str(call.get("status")),
        ended_at=updated_at,
        duration=call.get("duration"),
        answered_by=answered_by if isinstance(answered_by, str) else None,
        started_at=read_instant(call.get("date_created")) or read_instant(call.get("start_time")),
    )
    return CallLive(str(call.get("sid"))) if report is None else CallEnded(report)


def _may_be_ours(call: Mapping[str, Any], reference: CallReference) -> bool:
    """Not another attempt's, and not when the carrier dates it before START; one without dates is queued: it may be."""
    if call.get("sid") in reference.other_calls:
        return False
    created_at = read_instant(call.get("date_created")) or read_instant(call.get("start_time"))
    return created_at is None or created_at >= reference.started_at.astimezone(UTC) - CLOCK_MARGIN


def _answer_url(base: str, call: PlaceCall) -> str:
    ids = {
        "attempt_id": call.attempt_id,
        "conversation_id": call.conversation_id,
        "contact_id": call.contact_id,
        "campaign_id": call.campaign_id,
        "agent_id": call.agent_id,
        "agent_version": call.agent_version,
        "result_token": call.result_token,
    }
    scheme, netloc, path, query, _ = urlsplit(base)
    ours = urlencode({name: value for name, value in ids.items() if value is not None})
    return urlunsplit((scheme, netloc, path, f"{query}&{ours}" if query else ours, ""))


def _whole_seconds(seconds: float) -> str:
    return str(max(1, math.ceil(seconds)))
