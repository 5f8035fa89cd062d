"""Which slots wait for evidence, and when an operator is told of them. Rules and a memory; no clock, no I/O.

A slot waits for evidence when nobody has reported how its call ended, and one of these is true:

- the executor that started it is dead, and the carrier has not said that the call is up;
- its call must have been placed or lost by now (it is older than PLACE + SETTLE), and the carrier, when it was
  asked, did not find the call, could not tell, or has not answered for `UNANSWERED`;
- it is past `hold_until`, when the carrier itself must have ended the call.

A call that the carrier says is up waits for nothing, and neither does one that a living executor holds itself:
their endings will be reported.
"""

import heapq
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from shared.store.dialing.in_progress import RunningAttempt
from shared.telephony.provider import CallMode

# A call of a dead executor counts when the carrier has not said within this that it is up.
UNTOLD = timedelta(seconds=2)
# Any other counts when the question was not answered for this, which is longer than a look-up may take.
UNANSWERED = timedelta(seconds=15)
# What the carrier said to be up is remembered this long, so that being asked again does not make it count.
REMEMBERED = timedelta(minutes=2)
# Between two log lines at least, and between two that say the same.
SHORTEST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(seconds=30)
# The number has changed noticeably when it did by so many, and by this part of what was said last.
NOTICEABLE, NOTICEABLE_PART = 10, 0.25


class Reason(StrEnum):
    """The reason for which a slot waits for evidence."""

    EXECUTOR_DEAD = "executor_dead"
    NOT_REPORTED = "not_reported"  # past the time at which the call must have been placed or lost
    PAST_LONGEST_CALL = "past_longest_call"


@dataclass(slots=True)
class Suspect:
    """A running attempt whose ending should have been reported by now.

    `pending_since`: when the question became due that is not answered yet. `up_at`: when the carrier said that it
    is up; None when it was asked and could not say, or was never asked (`untold` tells which).
    """

    attempt: RunningAttempt
    pending_since: datetime | None
    asked: int = 0
    looked_at: int = 0
    untold: bool = False
    up_at: datetime | None = None

    def reason(self, now: datetime, dead: Collection[str]) -> Reason | None:
        """The reason for which the attempt's slot waits at `now`; None when it does not.

        `dead`: executors whose heartbeat stands still.
        """
        if now > self.attempt.hold_until:
            return Reason.PAST_LONGEST_CALL
        is_dead = self.attempt.executor in dead
        if self.attempt.mode == CallMode.IN_PROCESS and not is_dead:
            return None
        patience = UNTOLD if is_dead and self.up_at is None else UNANSWERED
        unanswered = self.pending_since is not None and now - self.pending_since >= patience
        if not self.untold and not unanswered:
            return None
        return Reason.EXECUTOR_DEAD if is_dead else Reason.NOT_REPORTED


@dataclass(frozen=True, slots=True)
class SuspectSlots:
    """The slots that wait now: how many for which reason, since when the oldest call runs, the last one's end."""

    reasons: Counter[Reason]
    oldest: datetime
    given_up_by: datetime

    @property
    def slots(self) -> int:
        """The number of slots that wait."""
        return self.reasons.total()


@dataclass(slots=True)
class Suspects:
    """The calls that a scheduler asks the carrier about, with what it heard; all instants are the server's."""

    _of: dict[str, Suspect] = field(default_factory=dict)
    _round: int = 0

    def __len__(self) -> int:
        return len(self._of)

    def add(self, attempts: Iterable[RunningAttempt], now: datetime) -> None:
        """Attempts that the carrier is to be asked about, again if it was before."""
        for attempt in attempts:
            known = self._of.setdefault(attempt.attempt_id, Suspect(attempt, now))
            known.attempt = attempt
            known.pending_since = known.pending_since or now

    def next_to_ask(self, count: int) -> list[RunningAttempt]:
        """Up to `count` attempts whose question is due; asked about longest ago first."""
        self._round += 1
        due = (suspect for suspect in self._of.values() if suspect.pending_since is not None)
        chosen = heapq.nsmallest(count, due, key=lambda suspect: suspect.asked)
        for suspect in chosen:
            suspect.asked = self._round
        return [suspect.attempt for suspect in chosen]

    def is_up(self, attempt_id: str, now: datetime) -> None:
        """Note that the carrier says the attempt's call is up."""
        self._answered(attempt_id, untold=False, up_at=now)

    def is_untold(self, attempt_id: str) -> None:
        """Note that the carrier does not know of the attempt's call, or could not tell."""
        self._answered(attempt_id, untold=True, up_at=None)

    def forget(self, attempt_ids: Iterable[str]) -> None:
        """Forget attempts whose endings are known."""
        for attempt_id in attempt_ids:
            self._of.pop(attempt_id, None)

    def tidy(self, shards: Collection[int], now: datetime) -> None:
        """Forget attempts of shards that this process owns no more, and calls that are up and no longer asked about."""
        self._of = {
            attempt_id: suspect
            for attempt_id, suspect in self._of.items()
            if suspect.attempt.shard in shards and not _is_old_news(suspect, now)
        }

    def next_to_look_at(self, count: int, now: datetime, dead: Collection[str]) -> list[RunningAttempt]:
        """Up to `count` attempts whose slots wait, to see whether they still run; longest not looked at first."""
        self._round += 1
        waiting = (suspect for suspect in self._of.values() if suspect.reason(now, dead))
        chosen = heapq.nsmallest(count, waiting, key=lambda suspect: suspect.looked_at)
        for suspect in chosen:
            suspect.looked_at = self._round
        return [suspect.attempt for suspect in chosen]

    def suspect_slots(self, now: datetime, dead: Collection[str]) -> SuspectSlots | None:
        """The slots that wait for evidence at `now`; None when none does."""
        waiting = [(suspect.attempt, reason) for suspect in self._of.values() if (reason := suspect.reason(now, dead))]
        if not waiting:
            return None
        return SuspectSlots(
            reasons=Counter(reason for _, reason in waiting),
            oldest=min(attempt.started_at for attempt, _ in waiting),
            given_up_by=max(attempt.hold_until for attempt, _ in waiting),
        )

    def _answered(self, attempt_id: str, *, untold: bool, up_at: datetime | None) -> None:
        suspect = self._of.get(attempt_id)
        if suspect is not None:
            suspect.pending_since, suspect.untold, suspect.up_at = None, untold, up_at


def _is_old_news(suspect: Suspect, now: datetime) -> bool:
    return suspect.pending_since is None and suspect.up_at is not None and now - suspect.up_at > REMEMBERED


@dataclass(slots=True)
class Announcements:
    """When the log says how many slots wait: when it begins, changes noticeably and ends, else now and then."""

    _said: int = 0
    _said_at: datetime | None = None

    def is_due(self, slots: int, now: datetime) -> bool:
        """Whether the log says this number at `now`; counts as said then."""
        if not self._is_worth_saying(slots, now):
            return False
        self._said, self._said_at = slots, now
        return True

    def _is_worth_saying(self, slots: int, now: datetime) -> bool:
        if slots == self._said == 0:
            return False
        if self._said_at is None:
            return True
        pause = now - self._said_at
        if pause < SHORTEST_PAUSE:
            return False
        if (slots == 0) != (self._said == 0):
            return True
        return pause >= LONGEST_PAUSE or abs(slots - self._said) >= max(NOTICEABLE, self._said * NOTICEABLE_PART)


def facts(waiting: SuspectSlots, now: datetime) -> dict[str, int | str]:
    """The facts of the log line about slots that wait. Ages in whole seconds, the instant in UTC."""
    return {
        "waiting": waiting.slots,
        **{reason.value: waiting.reasons[reason] for reason in Reason},
        "oldest_seconds": round((now - waiting.oldest).total_seconds()),
        "given_up_by": waiting.given_up_by.isoformat(timespec="seconds"),
    }
