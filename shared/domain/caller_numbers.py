"""Caller numbers: an organization's registry of them, what each has in use, and which one a call is made from.

A campaign names numbers or a pool, and a choice. A number that is off is no number at all; one that is full, spent or
at rest passes its contacts on to their next choice, for that call alone.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from shared.domain.reasons import WaitReason

MIN_WEIGHT: Final = 1
MAX_WEIGHT: Final = 20
MAX_LABEL: Final = 255
MAX_POOL_NAME: Final = 100
MAX_POOLS: Final = 20  # of one number
MAX_LISTED: Final = 100  # by one campaign
MAX_REGISTERED: Final = 1000  # by one organization: a claim reads them all
MAX_CALLS_AT_ONCE: Final = 100_000
MAX_CALLS_A_DAY: Final = 1_000_000
_HASHED_BITS: Final = 53  # as many as a float holds exactly


class NumberChoice(StrEnum):
    """How the number of a call is chosen from those that a campaign has."""

    FIXED = "fixed"
    ROTATE = "rotate"
    RANDOM_FREE = "random_free"
    WEIGHTED_STICKY = "weighted_sticky"


DEFAULT_CHOICE: Final = NumberChoice.WEIGHTED_STICKY


@dataclass(frozen=True, slots=True)
class CallerNumber:
    """One number (E.164) of an organization's registry.

    `max_calls`: how many calls it carries at once, `daily_limit`: how many it may make in a day (UTC),
    `calls_per_second`: how many may be placed in a second; None: no limit. It is in these `pools`. One that is not
    `active` makes no call. `account_id` is the telephony account that it belongs to, and is called from; None: none.
    `serial` is unique within the organization, and higher than those of numbers registered before.
    """

    id: str
    number: str
    weight: int = 1
    max_calls: int | None = None
    daily_limit: int | None = None
    active: bool = True
    pools: Set[str] = frozenset()
    calls_per_second: float | None = None
    account_id: str | None = None
    serial: int | None = None


@dataclass(frozen=True, slots=True)
class NumberUse:
    """What a caller number has in use: slots `held`, and calls `used` on `day` (UTC, `YYYY-MM-DD`; None: never any)."""

    held: int = 0
    day: str | None = None
    used: int = 0

    def day_at(self, now: datetime) -> str:
        """The day (UTC) that a call claimed at `now` counts on.

        Never one before the last: another scheduler's clock may have been ahead.
        """
        today = utc_day(now)
        return today if self.day is None else max(today, self.day)

    def used_on(self, day: str) -> int:
        """The calls counted on a day; those of another day count no more."""
        return self.used if self.day == day else 0

    def with_call(self, day: str | None) -> "NumberUse":
        """The use with one call more, counted on a day; None: of a number whose days are not counted."""
        if day is None:
            return NumberUse(self.held + 1, self.day, self.used)
        return NumberUse(self.held + 1, day, self.used_on(day) + 1)


UNUSED: Final = NumberUse()


@dataclass(frozen=True, slots=True)
class ListedNumber:
    """A registered number as a campaign lists it; `weight` None: the number's own."""

    id: str
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A number that a campaign may call from, and its share of the contacts where weights count."""

    number: str
    weight: int = MIN_WEIGHT


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """The numbers that a call may be made from, and how one is chosen.

    `campaign_id` is whose turn it is under `rotate`.
    """

    choice: NumberChoice
    offers: tuple[Offer, ...]
    campaign_id: str = ""


@dataclass(frozen=True, slots=True)
class CallerNumbers:
    """An organization's caller numbers as dialing sees them, by number.

    `exclusive` ones carry one call, registered or not. `uses` says what is in use, and nothing of a number of which
    none is known. `turns`: the number that a campaign's last call under `rotate` was made from, by campaign id.
    `times`: for how many calls a number with a limit of calls a second has a time now; nothing where none is given out.
    """

    registered: Mapping[str, CallerNumber] = field(default_factory=dict)
    exclusive: Set[str] = frozenset()
    uses: Mapping[str, NumberUse] = field(default_factory=dict)
    turns: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, int] = field(default_factory=dict)

    def is_off(self, number: str) -> bool:
        """Whether a number is registered and not active: no call is made from it, whatever names it."""
        entry = self.registered.get(number)
        return entry is not None and not entry.active

    def is_counted(self, number: str) -> bool:
        """Whether a number has a budget."""
        return number in self.registered or number in self.exclusive

    def max_calls(self, number: str) -> int | None:
        """How many calls a number carries at once; None: no limit."""
        if number in self.exclusive:
            return 1
        entry = self.registered.get(number)
        return entry.max_calls if entry is not None else None

    def daily_limit(self, number: str) -> int | None:
        """How many calls a number may make in a day (UTC); None: no limit."""
        entry = self.registered.get(number)
        return entry.daily_limit if entry is not None else None

    def is_full(self, number: str) -> bool:
        """Whether a number carries as many calls as it may."""
        limit = self.max_calls(number)
        return limit is not None and self.uses.get(number, UNUSED).held >= limit

    def calls_per_second(self, number: str) -> float | None:
        """How many calls of a number may be placed in a second; None: no limit."""
        entry = self.registered.get(number)
        return entry.calls_per_second if entry is not None else None

    def has_no_time(self, number: str) -> bool:
        """Whether there is no time now at which a call from a number may be placed."""
        return self.times.get(number, 1) <= 0

    def spent_until(self, number: str, now: datetime) -> datetime | None:
        """The midnight (UTC) until which a number makes no more calls; None: it may make one at `now`."""
        limit = self.daily_limit(number)
        if limit is None:
            return None
        use = self.uses.get(number, UNUSED)
        day = use.day_at(now)
        return end_of_day(day) if use.used_on(day) >= limit else None

    def blocked_until(self, number: str, now: datetime, rests_until: datetime | None) -> datetime | None:
        """Until when something stands against a call from a number at `now`; `now` where that may end at any moment."""
        spent_until = self.spent_until(number, now)
        if spent_until is not None or rests_until is not None:
            return max(until for until in (spent_until, rests_until) if until is not None)
        return now if self.is_full(number) or self.has_no_time(number) else None

    def with_no_calls(self) -> "CallerNumbers":
        """The same numbers while no call is up, the calls of the day made all the same."""
        return replace(self, uses={number: replace(use, held=0) for number, use in self.uses.items()})


NO_NUMBERS: Final = CallerNumbers()


def utc_day(now: datetime) -> str:
    """The day of an instant in UTC, as it is stored: `YYYY-MM-DD`, so that later days compare as greater."""
    return now.astimezone(UTC).date().isoformat()


def end_of_day(day: str) -> datetime:
    """The first instant (UTC) after a day."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)


def against_claim(numbers: CallerNumbers, number: str, day: str | None, now: datetime) -> WaitReason | None:
    """Why a call may not be placed at `now` that was claimed from a number, its slot and its `day` counted already.

    None: nothing speaks against it. `day` None: the number was not registered at the claim. A call counts on the day on
    which it is placed, so a claim of another day goes back.
    """
    if numbers.is_off(number):
        return WaitReason.NO_CALLER_NUMBER
    if day is None:
        return None
    if number not in numbers.registered:
        return WaitReason.NO_CALLER_NUMBER
    use, most, daily_limit = numbers.uses.get(number, UNUSED), numbers.max_calls(number), numbers.daily_limit(number)
    if most is not None and use.held > most:
        return WaitReason.CALLER_NUMBER_LIMIT
    other_day = day != use.day or day != utc_day(now)
    if other_day or (daily_limit is not None and use.used > daily_limit):
        return WaitReason.CALLER_NUMBER_SPENT
    return None


def only(number: str) -> NumberPlan:
    """The plan of a contact or a campaign that has one number alone."""
    return NumberPlan(NumberChoice.FIXED, (Offer(number),))


def plan_of_list(
    listed: Iterable[ListedNumber], choice: NumberChoice, registered: Iterable[CallerNumber], campaign_id: str = ""
) -> NumberPlan:
    """The plan of a campaign that lists numbers; those that are off, or not there any more, take no part."""
    by_id = {entry.id: entry for entry in registered if entry.active}
    found = [(by_id[each.id], each.weight) for each in listed if each.id in by_id]
    offers = [Offer(entry.number, entry.weight if weight is None else weight) for entry, weight in found]
    return NumberPlan(choice, tuple(offers), campaign_id)


def plan_of_pool(
    name: str, choice: NumberChoice, registered: Iterable[CallerNumber], campaign_id: str = ""
) -> NumberPlan:
    """The plan of a campaign that names a pool, in order of the numbers' digits; those that are off take no part."""
    members = [entry for entry in registered if entry.active and name in entry.pools]
    offers = [Offer(entry.number, entry.weight) for entry in sorted(members, key=lambda entry: entry.number)]
    return NumberPlan(choice, tuple(offers), campaign_id)


def in_use(plan: NumberPlan) -> list[str]:
    """The numbers that calls by a plan may be made from: under `fixed` the first alone."""
    offers = plan.offers[:1] if plan.choice is NumberChoice.FIXED else plan.offers
    return [offer.number for offer in offers]


def in_preference(plan: NumberPlan, contact_id: str, attempts_made: int, turns: Mapping[str, str]) -> Iterable[str]:
    """The plan's numbers in the order in which a contact's next call would have them.

    `fixed` has the first alone. The same contact and attempt find the same order again: a preview names the number
    that the call will have, other calls apart.
    """
    match plan.choice:
        case NumberChoice.FIXED:
            return in_use(plan)
        case NumberChoice.ROTATE:
            return _after(turns.get(plan.campaign_id, ""), plan.offers)
        case NumberChoice.RANDOM_FREE:
            return _by_share(plan.offers, f"{contact_id}/{attempts_made}", weighted=False)
        case NumberChoice.WEIGHTED_STICKY:
            return _by_share(plan.offers, contact_id, weighted=True)


def choose_number(
    plan: NumberPlan,
    numbers: CallerNumbers,
    contact_id: str,
    attempts_made: int,
    now: datetime,
    resting: Mapping[str, datetime],
) -> str | None:
    """The number that a contact's next call is made from; None: all of the plan are off.

    The first in the contact's preference against which nothing stands at `now`, else the one for which that ends first.
    `resting`: until when (UTC) the carrier is not asked for numbers that it has refused.
    """
    best: tuple[datetime, str] | None = None
    for number in in_preference(plan, contact_id, attempts_made, numbers.turns):
        if numbers.is_off(number):
            continue
        until = numbers.blocked_until(number, now, resting.get(number))
        if until is None:
            return number
        if best is None or until < best[0]:
            best = until, number
    return None if best is None else best[1]


def _after(last: str, offers: Sequence[Offer]) -> list[str]:
    """The numbers in order of their digits, beginning behind the last one, which may be gone by now."""
    ordered = sorted(offer.number for offer in offers)
    first = next((place for place, number in enumerate(ordered) if number > last), 0)
    return [*ordered[first:], *ordered[:first]]


def _by_share(offers: Sequence[Offer], key: str, *, weighted: bool) -> Iterator[str]:
    """The numbers by rendezvous hashing (SHA-256 of key and number): each key has an order of its own.

    A number that comes takes an equal part (by weight) from each of the others; one that goes leaves its part to them,
    and nobody else's order changes.
    """
    prefix, sha256 = f"{key} ".encode(), hashlib.sha256
    drawn = {offer.number: sha256(prefix + offer.number.encode()).digest() for offer in offers}
    if weighted and len({offer.weight for offer in offers}) > 1:
        # The number with the least exponential variate by weight has its share; equal weights need no logarithm.
        lots = {offer.number: _logarithm(drawn[offer.number]) / offer.weight for offer in offers}
        yield from _greatest_first(lots)
    else:
        yield from _greatest_first(drawn)


def _greatest_first(lots: Mapping[str, float] | Mapping[str, bytes]) -> Iterator[str]:
    """The numbers by their lots; nearly always the first is enough, and sorting can be left."""
    if not lots:
        return
    lot: Callable[[str], Any] = lots.__getitem__
    first = max(lots, key=lot)
    yield first
    ordered = sorted(lots, key=lot, reverse=True)
    yield from (number for number in ordered if number != first)


def _logarithm(digest: bytes) -> float:
    uniform = ((int.from_bytes(digest[:8]) >> (64 - _HASHED_BITS)) + 0.5) / 2**_HASHED_BITS
    return math.log(uniform)
