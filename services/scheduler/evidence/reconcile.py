"""RECONCILE: finding the ending of calls without a report.

Evidence frees a slot, silence never does: the second sink first (a chore of its own), then the carrier.
What the carrier knows nothing of counts as never called only after PLACE and SETTLE have passed, since a
request that timed out may still be on its way, and only when it says so twice, SETTLE apart: a look-up
that is wrong for a moment must not have somebody called a second time (docs/decisions/0011). What cannot
be found out ends as `unknown`, and only once the carrier's own time limit has passed.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from services.scheduler.evidence.suspects import Suspects
from shared.carriers import Carriers
from shared.domain.outcome import Outcome
from shared.errors import TemporaryError
from shared.events import CallFinished
from shared.logs import get_logger
from shared.settings import DialingSettings
from shared.store.dialing.in_progress import RunningAttempt, with_other_calls
from shared.telephony.call_events import finished
from shared.telephony.provider import (
    CallEnded,
    CallLive,
    CallMode,
    CallNotFound,
    CallReference,
    CallReport,
    TelephonyProvider,
)

# Questions to the carrier at once; the rest waits for the next round.
PARALLEL = 20
log = get_logger()


class _Heard(Enum):
    """The carrier's answer about a call whose ending could not be found out."""

    UP = auto()
    NOTHING = auto()


@dataclass(slots=True)
class Reconciler:
    """The carrier's answers about running attempts.

    Changes nothing itself; remembers which calls the carrier has not found, and since when.

    Tells `suspects` of every answer as soon as it is there.
    """

    carriers: Carriers
    dialing: DialingSettings
    suspects: Suspects = field(default_factory=Suspects)
    _missed: dict[str, datetime] = field(default_factory=dict)

    async def find_endings(self, attempts: Sequence[RunningAttempt], now: datetime) -> list[CallFinished]:
        """The endings that could be found out; attempts without one stay as they are. `now` is the server's clock.

        Raises `Unavailable` (MongoDB): try again.
        """
        attempts = await with_other_calls(self.carriers.store, attempts)
        await self.carriers.learn({attempt.account_id for attempt in attempts})
        longest = timedelta(seconds=self.dialing.hold_seconds)
        self._missed = {attempt: since for attempt, since in self._missed.items() if now - since < longest}
        places = asyncio.Semaphore(PARALLEL)

        async def one(attempt: RunningAttempt) -> CallFinished | None:
            async with places:
                answer = await self._find_ending(attempt, now)
            return self._noted(attempt.attempt_id, answer, now)

        found = await asyncio.gather(*(one(attempt) for attempt in attempts))
        return [ending for ending in found if ending is not None]

    def _noted(self, attempt_id: str, answer: CallFinished | _Heard, now: datetime) -> CallFinished | None:
        match answer:
            case CallFinished():
                self.suspects.forget([attempt_id])
                return answer
            case _Heard.UP:
                self.suspects.is_up(attempt_id, now)
            case _Heard.NOTHING:
                self.suspects.is_untold(attempt_id)
        return None

    async def _find_ending(self, attempt: RunningAttempt, now: datetime) -> CallFinished | _Heard:
        overdue = now > attempt.hold_until
        try:
            provider = await self.carriers.of(attempt.account_id, attempt.organization_id)
            if attempt.mode == CallMode.IN_PROCESS or not provider.can_look_up:
                why = "no report within the call's time limit"
                return _lost(attempt, Outcome.UNKNOWN, now, why) if overdue else _Heard.NOTHING
            return await self._ask_carrier(provider, attempt, now, overdue=overdue)
        except TemporaryError as error:
            log.info("carrier cannot tell", attempt_id=attempt.attempt_id, why=str(error))
            return _lost(attempt, Outcome.UNKNOWN, now, str(error)) if overdue else _Heard.NOTHING

    async def _ask_carrier(
        self, provider: TelephonyProvider, attempt: RunningAttempt, now: datetime, *, overdue: bool
    ) -> CallFinished | _Heard:
        found = await provider.look_up(
            CallReference(
                attempt_id=attempt.attempt_id,
                phone_number=attempt.phone_number,
                caller_number=attempt.caller_number,
                started_at=attempt.started_at,
                call_id=attempt.call_id,
                other_calls=attempt.other_calls,
            )
        )
        match found:
            case CallLive(call_id=call_id):
                self._missed.pop(attempt.attempt_id, None)
                if overdue:
                    await self._hang_up(provider, attempt, call_id)
                return _Heard.UP
            case CallEnded(report=report):
                ending = _ending(attempt, report, proven=True)
                return ending.model_copy(update={"by_numbers": attempt.call_id is None})
            case CallNotFound():
                return self._not_found(attempt, now)

    def _not_found(self, attempt: RunningAttempt, now: datetime) -> CallFinished | _Heard:
        settle = timedelta(seconds=self.dialing.settle_seconds)
        if now <= attempt.started_at + timedelta(seconds=self.dialing.place_seconds) + settle:
            return _Heard.NOTHING
        if now < self._missed.setdefault(attempt.attempt_id, now) + settle:
            return _Heard.NOTHING
        return _lost(attempt, Outcome.INTERRUPTED, now, "the carrier knows no such call", proven=True)

    async def _hang_up(self, provider: TelephonyProvider, attempt: RunningAttempt, call_id: str) -> None:
        """End a call past its time limit. One that cannot be ended now is up all the same: its slot stays held."""
        log.warning("hanging up a call past its time limit", attempt_id=attempt.attempt_id)
        try:
            await provider.hang_up(call_id)
        except TemporaryError as error:
            log.warning("not hung up, trying again", attempt_id=attempt.attempt_id, why=str(error))


def _lost(
    attempt: RunningAttempt, outcome: Outcome, now: datetime, error: str, *, proven: bool = False
) -> CallFinished:
    report = CallReport(
        attempt_id=attempt.attempt_id,
        outcome=outcome,
        started_at=attempt.started_at,
        ended_at=now,
        call_id=attempt.call_id,
        error=error,
    )
    return _ending(attempt, report, proven=proven)


def _ending(attempt: RunningAttempt, report: CallReport, *, proven: bool) -> CallFinished:
    return finished(
        report,
        organization_id=attempt.organization_id,
        shard=attempt.shard,
        contact_id=attempt.contact_id,
        proven=proven,
    )


def ages_to_ask_at(dialing: DialingSettings, every_seconds: float) -> Iterable[timedelta]:
    """The ages at which a running call is asked for: once it must be placed or lost, again SETTLE later, then at
    each interval.

    The last one lies past `hold_until`, where the call is hung up or given up.
    """
    age = dialing.place_seconds + dialing.settle_seconds + 1
    yield timedelta(seconds=age)
    age += dialing.settle_seconds + 1
    while age <= dialing.hold_seconds:
        yield timedelta(seconds=age)
        age += every_seconds


def spans_to_ask(ages: Iterable[timedelta], since: datetime, now: datetime) -> list[tuple[datetime, datetime]]:
    """Start times whose calls have come to one of these ages between two looks. Pure: no call is asked about twice."""
    return [(since - age, now - age) for age in ages]
