"""Calls without a carrier: a script decides what every call does. In process, no network, deterministic.

For tests and benchmarks. It keeps the books a carrier would keep (placements, live and peak calls), so
that a test can judge the engine by what reached "the carrier" and not by what the engine believes.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal
from shared.domain.voicemail import Voicemail, VoicemailAction
from shared.errors import OutcomeUnknown, TemporaryError
from shared.telephony.provider import (
    CallDenied,
    CallEnded,
    CallLive,
    CallMode,
    CallNotFound,
    CallPlaced,
    CallReference,
    CallRefused,
    CallReport,
    LookUp,
    OnReport,
    PlaceAnswer,
    PlaceCall,
)
from shared.telephony.scripts import PICKED_UP, Placement, Script, ScriptedCall


@dataclass(slots=True)
class _Live:
    """A call that is up: when what happens next, and the timer that makes it happen."""

    call: PlaceCall
    plan: ScriptedCall
    call_id: str
    started_at: datetime
    answered_at: datetime | None = None
    message_left: bool = False
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class ScriptedProvider:
    """A `TelephonyProvider` whose calls do what `script` says.

    `can_look_up` is only true to its word where everybody shares this one object (tests);
    `finished_kept` bounds how many ended calls `look_up` remembers.
    """

    script: Script
    on_report: OnReport
    can_look_up: bool = True
    keep_placements: bool = True
    finished_kept: int = 100_000
    now: Callable[[], datetime] = utc_now

    placements: list[PlaceCall] = field(default_factory=list, init=False)
    placed: int = field(default=0, init=False)
    peak_live: int = field(default=0, init=False)
    hang_ups: list[str] = field(default_factory=list, init=False)
    # Calls with the messages that were left on machines, in order.
    messages: list[tuple[str, str]] = field(default_factory=list, init=False)
    _live: dict[str, _Live] = field(default_factory=dict, init=False)
    _attempts: dict[str, str] = field(default_factory=dict, init=False)
    _ended: dict[str, CallReport] = field(default_factory=dict, init=False)
    _order: deque[str] = field(default_factory=deque, init=False)

    @property
    def name(self) -> str:
        """`scripted`."""
        return "scripted"

    @property
    def mode(self) -> CallMode:
        """In process."""
        return CallMode.IN_PROCESS

    @property
    def live(self) -> int:
        """Calls that are up now, ringing ones included."""
        return len(self._live)

    @property
    def answered(self) -> int:
        """Calls that are up and answered now; counts them one by one."""
        return sum(live.answered_at is not None for live in self._live.values())

    async def start(self) -> None:
        """Nothing to make ready."""

    async def close(self) -> None:
        """Ends every call that is still up; each is reported as interrupted."""
        for live in list(self._live.values()):
            self._end(live, Outcome.INTERRUPTED, "the process that held the call has stopped")

    async def place(self, call: PlaceCall, timeout_seconds: float) -> PlaceAnswer:
        """What the script says; see `Placement` for the ways a placement can go wrong."""
        plan = self.script(call)
        if plan.latency_seconds > timeout_seconds:
            await asyncio.sleep(timeout_seconds)
            raise OutcomeUnknown(f"no answer within {timeout_seconds:g} s")
        if plan.latency_seconds:
            await asyncio.sleep(plan.latency_seconds)
        match plan.placement:
            case Placement.REFUSED:
                return CallRefused(plan.outcome, plan.error or "refused by the script")
            case Placement.DENIED:
                assert plan.refusal is not None
                return CallDenied(plan.refusal, plan.error or plan.refusal.message or "denied by the script")
            case Placement.RATE_LIMITED:
                raise TemporaryError("rate limited by the script")
            case Placement.LOST_BEFORE:
                raise OutcomeUnknown("the request was lost on its way to the carrier")
            case Placement.LOST_AFTER:
                self._begin(call, plan)
                raise OutcomeUnknown("the carrier's answer was lost")
            case Placement.ACCEPTED:
                return CallPlaced(self._begin(call, plan))

    async def look_up(self, reference: CallReference) -> LookUp:
        """Live, ended, or not found, by attempt id: the scripted carrier has a client reference."""
        call_id = self._attempts.get(reference.attempt_id)
        if call_id is None:
            return CallNotFound()
        live = self._live.get(call_id)
        if live is not None:
            return CallLive(call_id, live.answered_at)
        return CallEnded(self._ended[call_id])

    async def hang_up(self, call_id: str) -> None:
        """Ends the call now: `answered` (or `voicemail`) when it had been picked up, else `interrupted`."""
        self.hang_ups.append(call_id)
        live = self._live.get(call_id)
        if live is None:
            return
        if live.answered_at is None:
            self._end(live, Outcome.INTERRUPTED, "hung up before anybody answered")
        else:
            self._end_as_planned(live)

    async def leave_message(self, call_id: str, voicemail: Voicemail) -> bool:
        """Speaks at once on a call that is answered, and ends it."""
        live = self._live.get(call_id)
        if live is None or live.answered_at is None:
            return False
        self._speak(live, voicemail)
        self._end_as_planned(live)
        return True

    def _begin(self, call: PlaceCall, plan: ScriptedCall) -> str:
        self.placed += 1
        call_id = f"scripted-{self.placed}"
        if self.keep_placements:
            self.placements.append(call)
        live = _Live(call, plan, call_id, self.now())
        self._live[call_id] = live
        self._attempts[call.attempt_id] = call_id
        self.peak_live = max(self.peak_live, len(self._live))
        if plan.report_early:
            self._answer_and_end(live)
        else:
            self._ring(live)
        return call_id

    def _ring(self, live: _Live) -> None:
        plan, limit = live.plan, live.call.ring_timeout_seconds
        if plan.ring_seconds > limit:
            self._later(live, limit, lambda: self._end(live, Outcome.NO_ANSWER, None))
        elif plan.outcome in PICKED_UP:
            self._later(live, plan.ring_seconds, lambda: self._answer(live))
        else:
            self._later(live, plan.ring_seconds, lambda: self._end_as_planned(live))

    def _answer(self, live: _Live) -> None:
        live.answered_at = self.now()
        voicemail = live.call.voicemail
        if voicemail is not None and voicemail.detect and live.plan.outcome is Outcome.VOICEMAIL:
            if voicemail.action is VoicemailAction.HANG_UP:
                self._end_as_planned(live)
                return
            self._speak(live, voicemail)
        talk_seconds = min(live.plan.talk_seconds, live.call.max_call_seconds)
        self._later(live, talk_seconds, lambda: self._end_as_planned(live))

    def _speak(self, live: _Live, voicemail: Voicemail) -> None:
        live.message_left = True
        self.messages.append((live.call_id, voicemail.message or ""))

    def _answer_and_end(self, live: _Live) -> None:
        if live.plan.outcome in PICKED_UP:
            live.answered_at = self.now()
        self._end_as_planned(live)

    def _later(self, live: _Live, seconds: float, then: Callable[[], None]) -> None:
        live.timer = asyncio.get_running_loop().call_later(seconds, then)

    def _end_as_planned(self, live: _Live) -> None:
        self._end(live, live.plan.outcome, live.plan.error, live.plan.refusal)

    def _end(self, live: _Live, outcome: Outcome, error: str | None, refusal: Refusal | None = None) -> None:
        if live.timer is not None:
            live.timer.cancel()
        del self._live[live.call_id]
        report = self._report(live, outcome, error, refusal)
        self._remember(report, live.call_id)
        if not live.plan.lose_report:
            self.on_report(report)

    def _report(self, live: _Live, outcome: Outcome, error: str | None, refusal: Refusal | None) -> CallReport:
        ended_at = self.now()
        talked = None if live.answered_at is None else max(timedelta(0), ended_at - live.answered_at)
        return CallReport(
            attempt_id=live.call.attempt_id,
            outcome=outcome,
            ended_at=ended_at,
            started_at=live.started_at,
            answered_at=live.answered_at,
            duration_seconds=None if talked is None else talked.total_seconds(),
            call_id=live.call_id,
            error=error,
            refusal=refusal,
            message_left=live.message_left,
        )

    def _remember(self, report: CallReport, call_id: str) -> None:
        self._ended[call_id] = report
        self._order.append(call_id)
        if len(self._order) > self.finished_kept:
            forgotten = self._ended.pop(self._order.popleft())
            # A second placement of the same attempt (a bug that tests look for) owns the entry by then.
            if self._attempts.get(forgotten.attempt_id) == forgotten.call_id:
                del self._attempts[forgotten.attempt_id]
