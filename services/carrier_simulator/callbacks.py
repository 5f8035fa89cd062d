"""Status callbacks: signed like Twilio's, repeated when refused, and lost, late or doubled where planned."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from urllib.parse import parse_qs, urldefrag

import aiohttp
from yarl import URL

from services.carrier_simulator.book import Book, Call
from services.carrier_simulator.settings import Behaviour, CallbackFault
from shared.clock import utc_now
from shared.telephony.twilio_signature import sign

Form = list[tuple[str, str]]

# Callbacks on their way at once.
_CONNECTIONS = 200


@dataclass(slots=True)
class CallbackSender:
    """Sends callbacks in the background. Like Twilio's they may overtake each other on the way."""

    account_sid: str
    auth_token: str
    behaviour: Callable[[], Behaviour]
    book: Book
    _session: aiohttp.ClientSession | None = None
    _sending: set[asyncio.Task[None]] = field(default_factory=set)
    _of_call: dict[str, list[asyncio.Task[None]]] = field(default_factory=dict)

    async def open(self) -> None:
        """Makes ready to send."""
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    def report(self, call: Call, event: str) -> None:
        """Sends `event` if it was asked for."""
        detected = event == "detected"
        address = call.machine_callback if detected else call.status_callback
        if not address or not (detected or event in call.events):
            return
        if call.plan.callback_fault is CallbackFault.LOST:
            self.book.counts["callbacks_lost"] += 1
            return
        form = self._detected(call) if detected else self._form(call)
        call.sequence += not detected
        times = 2 if call.plan.callback_fault is CallbackFault.DOUBLED else 1
        for _ in range(times):
            task = asyncio.get_running_loop().create_task(self._deliver(call, address, form))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
            if call.plan.callback_fault is CallbackFault.EARLY:
                self._of_call.setdefault(call.sid, []).append(task)

    async def delivered(self, call: Call, seconds: float) -> None:
        """Waits until the early call's callbacks were answered, at most `seconds`."""
        tasks = self._of_call.pop(call.sid, [])
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    async def close(self) -> None:
        """Gives up what is still on its way."""
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _deliver(self, call: Call, address: str, form: Form) -> None:
        behaviour = self.behaviour()
        if call.plan.callback_fault is CallbackFault.LATE:
            await asyncio.sleep(behaviour.simulator_callback_late_seconds)
        url, overrides = urldefrag(address)
        retries = _retries(overrides, behaviour.simulator_callback_retries)
        pause = behaviour.simulator_callback_retry_seconds
        for attempt in range(retries + 1):
            if await self._post(url, form, behaviour.simulator_callback_timeout_seconds):
                return
            if attempt < retries:
                await asyncio.sleep(pause * 2**attempt)
        self.book.counts["callbacks_given_up"] += 1

    async def _post(self, url: str, form: Form, timeout_seconds: float) -> bool:
        """Whether this is done: taken, or refused for good."""
        if self._session is None:
            raise RuntimeError("the sender is not open")
        self.book.counts["callbacks_sent"] += 1
        headers = {"X-Twilio-Signature": sign(self.auth_token, url, form), "User-Agent": "TwilioProxy/1.1"}
        try:
            async with self._session.post(
                URL(url, encoded=True),  # the receiver must see the very URL that was signed
                data=form,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=timeout_seconds),
            ) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
        self.book.counts["callbacks_accepted" if status < 300 else "callbacks_refused"] += 1
        return status < 500

    def _detected(self, call: Call) -> Form:
        fields = {"AccountSid": self.account_sid, "CallSid": call.sid, "AnsweredBy": str(call.answered_by)}
        return [*fields.items(), ("MachineDetectionDuration", str(round(1000 * call.plan.detection_seconds)))]

    def _form(self, call: Call) -> Form:
        ended = call.ended_at is not None
        fields = {
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
            "CallSid": call.sid,
            "CallStatus": call.status,
            "CallbackSource": "call-progress-events",
            "Called": call.to,
            "Caller": call.caller,
            "Direction": "outbound-api",
            "From": call.caller,
            "To": call.to,
            "SequenceNumber": str(call.sequence),
            "Timestamp": format_datetime(call.ended_at or call.answered_at or utc_now()),
        }
        # Where detection ran beside the call, its own callback alone says so; the least that Twilio promises.
        if call.answered_by is not None and not call.machine_callback:
            fields["AnsweredBy"] = call.answered_by
        if ended:
            fields |= {
                "CallDuration": str(call.duration),
                "Duration": str(-(-call.duration // 60)),  # minutes, as billed
                "SipResponseCode": str(call.sip_response),
            }
        if call.error_code is not None:
            fields["ErrorCode"] = str(call.error_code)
        return list(fields.items())


def _retries(overrides: str, default: int) -> int:
    """The `rc` of a URL's fragment, Twilio's connection overrides."""
    wanted = parse_qs(overrides).get("rc", [""])[0]
    return int(wanted) if wanted.isdigit() else default
