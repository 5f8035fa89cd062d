"""The life of a call at the carrier: rings, is answered, ends; by timers, within the limits it came with."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.carrier_simulator.book import INTERRUPTED, Book, Call
from services.carrier_simulator.plan import PICKED_UP
from services.carrier_simulator.settings import CallbackFault, Ending

# ending -> (Twilio's call status, SIP response); a declined call is `busy` at Twilio.
_STATUS: Final = {
    Ending.ANSWERED: ("completed", 200),
    Ending.VOICEMAIL: ("completed", 200),
    Ending.FAX: ("completed", 200),
    Ending.NO_ANSWER: ("no-answer", 480),
    Ending.BUSY: ("busy", 486),
    Ending.DECLINED: ("busy", 603),
    Ending.INVALID_NUMBER: ("failed", 404),
    Ending.FAILED: ("failed", 500),
}
_ANSWERED_BY: Final = {Ending.ANSWERED: "human", Ending.VOICEMAIL: "machine_start", Ending.FAX: "fax"}
_GREETING_OVER: Final = "machine_end_beep"

Report = Callable[[Call, str], None]


@dataclass(slots=True)
class Exchange:
    """Moves calls. `report(call, event)` is told of `answered`, `detected` and `completed` as they happen."""

    book: Book
    report: Report
    now: Callable[[], datetime]
    _timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    _detections: dict[str, asyncio.TimerHandle] = field(default_factory=dict)

    def connect(self, call: Call) -> None:
        """Begins a new call. An early one has run its course when this returns."""
        self.book.opened(call)
        if call.plan.callback_fault is CallbackFault.EARLY:
            self._ended_ringing(call)
            if call.ended_at is None:
                self._end_as_planned(call)
            return
        self._after(call, 0, lambda: self._ring(call))

    def hang_up(self, call: Call, status: str) -> bool:
        """Ends the call as Twilio's update does; False when it is over, or answered and only to be canceled."""
        if call.ended_at is not None or (status == "canceled" and call.answered_at is not None):
            return False
        self._end_now(call, INTERRUPTED if call.answered_at is None else call.plan.ending)
        return True

    def speak(self, call: Call, message: str, seconds: float) -> bool:
        """Speaks the message for so long and ends the call then; False when it was not answered, or is over."""
        if call.answered_at is None or call.ended_at is not None:
            return False
        self.book.spoken(call, message)
        self._timers[call.sid].cancel()
        left = call.talk_limit_seconds - (self.now() - call.answered_at).total_seconds()
        self._after(call, max(0.0, min(seconds, left)), lambda: self._end_as_planned(call))
        return True

    def cut(self, call: Call) -> None:
        """Ends the call, if it is still up, because the line on which its client held it is gone."""
        if call.ended_at is None:
            self._end_now(call, INTERRUPTED)

    def close(self) -> None:
        """Stops all timers; calls stay as they are."""
        for timers in (self._timers, self._detections):
            for timer in timers.values():
                timer.cancel()
            timers.clear()

    def _ring(self, call: Call) -> None:
        call.status = "ringing"
        if call.plan.ring_seconds >= call.ring_limit_seconds:
            self._after(call, call.ring_limit_seconds, lambda: self._end(call, Ending.NO_ANSWER, "no-answer", 487))
        else:
            self._after(call, call.plan.ring_seconds, lambda: self._ended_ringing(call))

    def _ended_ringing(self, call: Call) -> None:
        ending = call.plan.ending
        if ending not in PICKED_UP:
            self._end_as_planned(call)
            return
        call.status, call.answered_at = "in-progress", self.now()
        call.answered_by = _ANSWERED_BY[ending] if call.detect_machines and not call.machine_callback else None
        self.report(call, "answered")
        if call.machine_callback:
            greets = ending is Ending.VOICEMAIL and call.waits_for_greeting
            seconds = call.plan.greeting_seconds if greets else call.plan.detection_seconds
            answered_by = _GREETING_OVER if greets else _ANSWERED_BY[ending]
            detected = asyncio.get_running_loop().call_later(seconds, self._detect, call, answered_by)
            self._detections[call.sid] = detected
        talk_seconds = min(call.plan.talk_seconds, call.talk_limit_seconds)
        self._after(call, talk_seconds, lambda: self._end_as_planned(call))

    def _detect(self, call: Call, answered_by: str) -> None:
        del self._detections[call.sid]
        call.answered_by = answered_by
        self.report(call, "detected")

    def _end_as_planned(self, call: Call) -> None:
        call.error_code = call.plan.error_code
        self._end(call, call.plan.ending, *_STATUS[call.plan.ending])

    def _end_now(self, call: Call, outcome: str) -> None:
        self._end(call, outcome, *(("canceled", 487) if call.answered_at is None else ("completed", 200)))

    def _after(self, call: Call, seconds: float, then: Callable[[], None]) -> None:
        self._timers[call.sid] = asyncio.get_running_loop().call_later(seconds, then)

    def _end(self, call: Call, outcome: str, status: str, sip_response: int) -> None:
        for timers in (self._timers, self._detections):
            timer = timers.pop(call.sid, None)
            if timer is not None:
                timer.cancel()
        call.outcome, call.status, call.sip_response, call.ended_at = outcome, status, sip_response, self.now()
        self.book.closed(call)
        self.report(call, "completed")
