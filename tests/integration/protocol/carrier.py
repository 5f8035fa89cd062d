"""A carrier that keeps its own record and judges: every call that should not exist is a broken promise."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from shared.domain.configuration import DEFAULT_TIMEZONE
from shared.domain.ids import is_default_campaign
from shared.domain.outcome import Outcome
from shared.domain.phone import compared
from shared.domain.refusal import Refusal, RefusalSubject
from shared.domain.voicemail import Voicemail
from shared.errors import OutcomeUnknown, TemporaryError, Unavailable
from shared.settings import DialingSettings
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
    PlaceAnswer,
    PlaceCall,
)
from shared.telephony.twilio import CLOCK_MARGIN
from tests.integration.protocol.rules_in_force import Caps, RulesInForce

# Endings after which a person is not called again.
FOR_GOOD: Final = frozenset({Outcome.ANSWERED, Outcome.DO_NOT_CALL})
COUNTRIES: Final = {"+1": "US", "+44": "GB", "+52": "MX"}


class Fate(StrEnum):
    """What becomes of one request to place a call."""

    PLACED = "placed"
    REFUSED = "refused"  # a definite no about the person: the line is busy
    DENIED = "denied"  # a definite no about us: the account, the caller number, or the country
    UNSENT = "unsent"  # the request never left
    LOST = "lost"  # the call exists, its answer does not arrive
    LATE = "late"  # the request is still on its way when we have given up waiting
    VANISHED = "vanished"  # the request was lost, and we cannot know


@dataclass(slots=True)
class Call:
    """One call in the carrier's record."""

    request: PlaceCall
    call_id: str
    placed_at: datetime
    looked_at: int
    ordered_at: datetime
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    refusal: Refusal | None = None
    looked_on: date | None = None
    # Whether our endpoint has heard, and kept, that a machine took it; its report says `answered` all the same.
    machine: bool = False
    message: str | None = None

    @property
    def live(self) -> bool:
        """Whether the call is up."""
        return self.outcome is None

    @property
    def counted(self) -> bool:
        """Whether a limit of attempts may count it: it spoke neither of its number nor of us."""
        return self.outcome is not Outcome.INVALID_NUMBER and self.refusal is None


def _fits(call: Call, reference: CallReference) -> bool:
    """Whether this may be the call that is asked for; the carrier's clock may be behind ours."""
    if reference.call_id is not None:
        return call.call_id == reference.call_id
    numbers = (reference.phone_number, reference.caller_number)
    since = reference.started_at - CLOCK_MARGIN
    is_between = (call.request.phone_number, call.request.caller_number) == numbers and call.placed_at >= since
    return is_between and call.call_id not in reference.other_calls


@dataclass(slots=True)
class LateRequest:
    """A request on its way; the network delivers it by `until` or never."""

    request: PlaceCall
    looked_at: int
    ordered_at: datetime
    until: datetime
    looked_on: date | None = None


@dataclass(slots=True)
class Carrier:
    """A telephony provider. `now`, the last look at the gate and the fate of the next request are told by the world.

    `refused` is what it takes no call for until that is lifted: `account`, `caller_number:+1…`, `country:GB`.
    """

    rules: RulesInForce
    dialing: DialingSettings
    mode: CallMode
    can_look_up: bool
    now: datetime
    name: str = "judge"
    away: bool = False
    blind: bool = False
    fate: Fate = Fate.PLACED
    speaks_of: RefusalSubject = RefusalSubject.ACCOUNT  # what a request is denied for whose fate that is
    refused: set[str] = field(default_factory=set)
    looked_at: int = 0
    looked_on: date | None = None  # the day (UTC) of that look
    calls: list[Call] = field(default_factory=list)
    late: list[LateRequest] = field(default_factory=list)
    reports: list[Call] = field(default_factory=list)  # ended calls whose report is still to be delivered
    unknowable: set[str] = field(default_factory=set)  # attempts whose only witnesses are gone
    taken: set[str] = field(default_factory=set)  # attempts whose order it took
    denied: set[str] = field(default_factory=set)  # attempts whose order it refused for ours

    async def start(self) -> None:
        """Nothing to make ready."""

    async def close(self) -> None:
        """Calls live on."""

    async def place(self, call: PlaceCall, timeout_seconds: float) -> PlaceAnswer:
        """One request, with the fate that the world has chosen for it."""
        assert 0 < timeout_seconds <= self.dialing.place_seconds, "a request that outlives PLACE"
        match self.fate:
            case Fate.UNSENT:
                raise Unavailable("carrier")
            case Fate.LATE:
                until = self.now + timedelta(seconds=timeout_seconds + self.dialing.settle_seconds)
                self.late.append(LateRequest(call, self.looked_at, self.now, until, self.looked_on))
                raise OutcomeUnknown("no answer")
            case Fate.VANISHED:
                raise OutcomeUnknown("no answer")
        answer = self._answer(call, self.looked_at, self.now)
        if self.fate is Fate.LOST:
            raise OutcomeUnknown("no answer")
        return answer

    async def look_up(self, reference: CallReference) -> LookUp:
        """What the record says, as a real carrier's: by the call's id, else by its two numbers and time."""
        if self.away:
            self.unknowable.add(reference.attempt_id)
            raise Unavailable("carrier")
        if self.blind:
            return CallNotFound()
        found = [call for call in self.calls if _fits(call, reference)]
        if len(found) > 1:
            self.unknowable.add(reference.attempt_id)
            raise TemporaryError(f"{len(found)} calls fit")
        for call in found:
            if call.live:
                return CallLive(call.call_id)
            return CallEnded(replace(self.report_of(call), attempt_id=reference.attempt_id))
        return CallNotFound()

    async def hang_up(self, call_id: str) -> None:
        """Ends the call; its report follows."""
        for call in self.live():
            if call.call_id == call_id:
                self.end(call, Outcome.ANSWERED)

    async def leave_message(self, call_id: str, voicemail: Voicemail) -> bool:
        """Speaks and ends the call, with the fate that the world has chosen for the request."""
        if self.fate is Fate.UNSENT:
            raise Unavailable("carrier")
        for call in self.live():
            if call.call_id == call_id and self.fate is not Fate.VANISHED:
                assert call.message is None, "a second message is left in one call"
                call.message, call.machine = voicemail.message, True
                self.end(call, Outcome.VOICEMAIL)
                if self.fate is Fate.LOST:
                    raise OutcomeUnknown("no answer")
                return True
        if self.fate is Fate.VANISHED:
            raise OutcomeUnknown("no answer")
        return False

    def live(self) -> list[Call]:
        """Calls that are up."""
        return [call for call in self.calls if call.live]

    @property
    def ended(self) -> set[str]:
        """Attempts whose call it took and ended, and not for our sake."""
        return {call.request.attempt_id for call in self.calls if not call.live and call.refusal is None}

    def end(self, call: Call, outcome: Outcome, refusal: Refusal | None = None) -> None:
        """The call ends; with a `refusal` it failed for our sake."""
        if call.machine:
            outcome, refusal = Outcome.VOICEMAIL, None
        call.outcome, call.ended_at, call.refusal = outcome, self.now, refusal
        self.reports.append(call)

    def report_of(self, call: Call) -> CallReport:
        """How an ended call ended."""
        assert call.outcome is not None
        assert call.ended_at is not None
        return CallReport(
            attempt_id=call.request.attempt_id,
            outcome=Outcome.ANSWERED if call.machine else call.outcome,
            ended_at=call.ended_at,
            started_at=call.placed_at,
            call_id=call.call_id,
            refusal=call.refusal,
        )

    def land(self, late: LateRequest) -> None:
        """A request that was long on its way arrives; nobody waits for its answer."""
        self.late.remove(late)
        self.fate, self.looked_on = Fate.PLACED, late.looked_on
        self._answer(late.request, late.looked_at, late.ordered_at)

    def time_passes(self, now: datetime) -> None:
        """The carrier's own limits: it ends what lasts too long, and the network drops what is too old."""
        self.now = now
        longest = timedelta(seconds=self.dialing.ring_seconds + self.dialing.max_call_seconds)
        for call in self.live():
            if call.placed_at + longest <= now:
                self.end(call, Outcome.ANSWERED)
        self.late = [late for late in self.late if now <= late.until]

    def _answer(self, request: PlaceCall, looked_at: int, ordered_at: datetime) -> PlaceAnswer:
        """A request has arrived that was sent at `ordered_at`."""
        self._judge_rests(request, looked_at)
        refusal = self._refusal_of(request)
        if refusal is not None:
            self.denied.add(request.attempt_id)
            return CallDenied(refusal, "denied")
        if self.fate is Fate.REFUSED:
            return CallRefused(Outcome.BUSY, "busy")
        self.taken.add(request.attempt_id)
        self._judge(request, looked_at)
        judge_caps(self.rules.caps[request.organization_id], self.calls, request, ordered_at)
        call = Call(request, f"CA{len(self.calls)}", self.now, looked_at, ordered_at, looked_on=self.looked_on)
        self.calls.append(call)
        return CallPlaced(call.call_id)

    def _refusal_of(self, request: PlaceCall) -> Refusal | None:
        if self.fate is Fate.DENIED:
            return Refusal(subject=self.speaks_of, message="denied")
        for key in needed_by(request):
            if key in self.refused:
                return Refusal(subject=RefusalSubject(key.partition(":")[0]), message=key)
        return None

    def _judge_rests(self, request: PlaceCall, looked_at: int) -> None:
        key = self.rules.resting_since(looked_at, request.organization_id, needed_by(request), request.attempt_id)
        assert not key, f"asked for a call although {key} rested when the gate was asked, and it is not the one to ask"

    def _judge(self, request: PlaceCall, looked_at: int) -> None:
        """`looked_at` is the step of the last look at the gate before the request."""
        self._judge_repeats(request, looked_at)
        why = self.rules.forbidden_since(
            looked_at,
            contact_id=request.contact_id,
            organization_id=request.organization_id,
            campaign_id=request.campaign_id,
            phone=request.phone_number,
        )
        assert not why, f"I5: called although {why} when the gate was asked"
        self._judge_limits(request, looked_at)
        self._judge_caller_number(request, looked_at)
        self._judge_run(request, looked_at)

    def _judge_run(self, request: PlaceCall, looked_at: int) -> None:
        run = self.rules.counted_in.get(request.attempt_id)
        if run is None:
            return
        made = 1 + sum(self.rules.counted_in.get(call.request.attempt_id) == run for call in self.calls)
        allowed = self.rules.max_calls[run[0]].since(looked_at)
        most = max((limit for limit in allowed if limit is not None), default=0)
        assert None in allowed or made <= most, f"S3: {made} calls of a run that may make {most}"

    def _judge_repeats(self, request: PlaceCall, looked_at: int) -> None:
        reset_at = self.rules.resets.get(request.contact_id, -1)
        before = [call for call in self.calls if call.request.contact_id == request.contact_id]
        counted = sum(call.counted and call.looked_at > reset_at for call in before)
        unwanted = self.rules.unwanted(request.contact_id, looked_at, self.now)
        assert not unwanted, f"S4: called though {unwanted}"
        ceiling = self.rules.ceilings[request.campaign_id]
        assert counted < ceiling, f"called {counted + 1} times, and {ceiling} are allowed in all"
        for call in before:
            asked_for = reset_at >= call.looked_at or self.rules.is_asked_since(request.contact_id, call.looked_at)
            assert call.message is None or asked_for, "called again after a message was left"
        for call in self.calls:
            other = call.request
            assert other.attempt_id != request.attempt_id, "I2: one attempt was placed twice"
            if other.contact_id == request.contact_id:
                assert not call.live, "I3: a contact is on two calls at once"
                called_back = call.outcome is Outcome.ANSWERED and self.rules.is_asked_since(
                    request.contact_id, call.looked_at
                )
                unknowing = self.rules.called_again_unknowing(request.contact_id, call.looked_at, looked_at)
                assert call.outcome not in FOR_GOOD or called_back or unknowing, (
                    f"I4: called again after a call that ended {call.outcome}"
                )
            if not call.live or other.organization_id != request.organization_id:
                continue
            assert compared(other.phone_number) != compared(request.phone_number), (
                "I3: a person is on two calls at once"
            )
            if (request.organization_id, request.caller_number) in self.rules.exclusive:
                assert other.caller_number != request.caller_number, "I3: an exclusive caller number on two calls"

    def _judge_limits(self, request: PlaceCall, looked_at: int) -> None:
        live = [call.request for call in self.live()]
        self._within("global", len(live), self.rules.global_limit.since(looked_at))
        organizations = Counter(other.organization_id for other in live)
        limits: Iterable[int | None] = self.rules.organization_limits[request.organization_id].since(looked_at)
        self._within("organization", organizations[request.organization_id], limits)
        history = self.rules.campaign_limits.get(request.campaign_id)
        if history is not None:
            campaigns = Counter(other.campaign_id for other in live)
            self._within("campaign", campaigns[request.campaign_id], history.since(looked_at))

    def _judge_caller_number(self, request: PlaceCall, looked_at: int) -> None:
        """A registered number is switched on, carries no more calls than it may, and makes no more in a day (UTC)."""
        key = request.organization_id, request.caller_number
        rules = self.rules.registered.get(key)
        if rules is None:
            return
        assert True in rules.active.since(looked_at), "called from a number that was switched off"
        mine = [c for c in self.calls if (c.request.organization_id, c.request.caller_number) == key]
        self._within("caller number", sum(call.live for call in mine), rules.max_calls.since(looked_at))
        # The day is that of the last look at the gate: a request may be on its way at midnight.
        today = [call for call in mine if call.looked_on == self.looked_on]
        self._within("caller number's daily", len(today), rules.daily_limit.since(looked_at))

    def _within(self, what: str, live: int, limits: Iterable[int | None]) -> None:
        allowed = list(limits)
        highest = None if None in allowed else max(limit for limit in allowed if limit is not None)
        assert highest is None or live < highest, f"I1: {live + 1} calls with a {what} limit of {highest}"


def judge_caps(caps: Caps, calls: Iterable[Call], request: PlaceCall, at: datetime) -> None:
    """Hold one more call against the list of all calls before it.

    Days are those of the configurations' zone, and of UTC where there is none. A request counts from when it was sent.
    """
    phone = compared(request.phone_number)
    ours = [call for call in calls if call.request.organization_id == request.organization_id]
    to_phone = [call for call in ours if compared(call.request.phone_number) == phone]
    to_contact = [call for call in ours if call.request.contact_id == request.contact_id]
    zone = ZoneInfo("UTC" if is_default_campaign(request.campaign_id) else DEFAULT_TIMEZONE)
    today = at.astimezone(zone).date()
    for cap, before in ((caps.day, to_phone), (None if zone.key == "UTC" else caps.contact_day, to_contact)):
        same_day = sum(call.ordered_at.astimezone(zone).date() == today for call in before)
        assert cap is None or same_day < cap, f"call {same_day + 1} of a day, and {cap} are allowed"
    in_week = sum(at - call.ordered_at < timedelta(hours=168) for call in to_phone)
    assert caps.week is None or in_week < caps.week, f"call {in_week + 1} in 168 hours, and {caps.week} are allowed"
    for call in to_phone:
        if caps.gap_minutes is not None and call.ended_at is not None:
            gap = at - call.ended_at
            assert gap >= timedelta(minutes=caps.gap_minutes), f"called again after {gap}"


def needed_by(request: PlaceCall) -> tuple[str, ...]:
    """What a call needs that the carrier may refuse, by the names under which it rests."""
    country = next(country for code, country in COUNTRIES.items() if request.phone_number.startswith(code))
    return ("account", f"caller_number:{request.caller_number}", f"country:{country}")
