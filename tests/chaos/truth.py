"""What customers and the operator have ordered, and when: the rules that the carrier's record is held against."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeVar

from shared.domain.facts import FactType

T = TypeVar("T")


@dataclass(slots=True)
class Change(Generic[T]):
    """A value that was asked for. From `sent_at` on it may be in force, from `acknowledged_at` on it is."""

    value: T
    sent_at: datetime
    acknowledged_at: datetime | None = None


class Rule(Generic[T]):
    """A value over time. While a change is on its way, and for good when its answer was lost, both may be in force."""

    def __init__(self, value: T, since: datetime) -> None:
        self._changes = [Change(value, since, since)]

    def __repr__(self) -> str:
        return " ".join(f"{change.value} {change.sent_at:%T.%f} {change.acknowledged_at}" for change in self._changes)

    @property
    def last(self) -> T:
        """What was asked for last."""
        return self._changes[-1].value

    def ask(self, value: T, now: datetime) -> Change[T]:
        """A change is being sent; note its acknowledgement in what this returns. One at a time."""
        change = Change(value, now)
        self._changes.append(change)
        return change

    def switch(self, value: T, at: datetime) -> None:
        """A change that happens by itself at a known moment, such as the end of a calling window."""
        self._changes.append(Change(value, at, at))

    def ever(self, value: T) -> bool:
        """Whether `value` was ever asked for."""
        return any(change.value == value for change in self._changes)

    def possible(self, begin: datetime, end: datetime) -> list[T]:
        """Every value that may have been in force at some moment from `begin` to `end`, both included."""
        values, over_at = [], None
        for change in reversed(self._changes):
            if change.sent_at <= end and (over_at is None or over_at >= begin):
                values.append(change.value)
            if change.acknowledged_at is not None:
                over_at = change.acknowledged_at if over_at is None else min(over_at, change.acknowledged_at)
        return values


def _no_end() -> Rule[datetime | None]:
    return Rule[datetime | None](None, datetime.min.replace(tzinfo=UTC))


@dataclass(slots=True)
class CampaignRules:
    """A campaign. `open` is whether it may dial by its calling windows; `end_at` its end date, None without one."""

    organization_id: str
    active: Rule[bool]
    open: Rule[bool]
    end_at: Rule[datetime | None] = field(default_factory=_no_end)


@dataclass(slots=True)
class NumberRules:
    """One organization's phone number: one contact of one campaign has it, as long as it is `wanted`."""

    campaign_id: str
    external_id: str
    wanted: Rule[bool]
    listed: Rule[bool]


@dataclass(frozen=True, slots=True)
class Caps:
    """An organization's caps on contacts and phones; None: no such cap. Days are those of `timezone`."""

    contact_day: int | None = None
    day: int | None = None
    week: int | None = None
    gap_minutes: int | None = None
    timezone: str = "America/New_York"


@dataclass(slots=True)
class CallerRules:
    """One organization's registered caller number: calls at once, calls a day (UTC), None without limit, and active."""

    max_calls: Rule[int | None]
    daily_limit: Rule[int | None]
    active: Rule[bool]


@dataclass(slots=True)
class LimitedRun:
    """A run of a campaign, from its start (which may lie up to `begun_by`) to the next, and how many calls it makes."""

    began_at: datetime
    begun_by: datetime
    max_calls: Rule[int | None]


@dataclass(slots=True)
class Truth:
    """All rules. Numbers are never shared by contacts, so a number names its campaign and its person."""

    global_limit: Rule[int]
    limits: dict[str, Rule[int]] = field(default_factory=dict)
    # Of campaigns that have a limit of their own; and organizations' caller numbers that take one call at a time.
    campaign_limits: dict[str, Rule[int]] = field(default_factory=dict)
    exclusive: set[tuple[str, str]] = field(default_factory=set)
    # Calls a second, by `organization …`, `campaign …` or `caller number … …` (organization and number); caps by
    # organization, in force from before its first call on.
    rates: dict[str, Rule[float | None]] = field(default_factory=dict)
    caps: dict[str, Caps] = field(default_factory=dict)
    callers: dict[tuple[str, str], CallerRules] = field(default_factory=dict)
    # Starts of campaigns whose runs make only so many calls, by campaign, oldest first.
    runs: dict[str, list[LimitedRun]] = field(default_factory=dict)
    campaigns: dict[str, CampaignRules] = field(default_factory=dict)
    numbers: dict[tuple[str, str], NumberRules] = field(default_factory=dict)
    # Contacts whose adding was acknowledged, and those whose deletion was: organization and external id.
    accepted: set[tuple[str, str]] = field(default_factory=set)
    deleted: set[tuple[str, str]] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    # By contact: when it was asked to be called back, and when that it is called no more was acknowledged last.
    called_back: dict[str, list[datetime]] = field(default_factory=dict)
    no_more: dict[str, datetime] = field(default_factory=dict)
    # By contact: when it was acknowledged that a call has ended in an opt-out; then no callback is made either.
    opted_out: dict[str, datetime] = field(default_factory=dict)
    # Contacts (organization and external id) that may end uncalled because that was asked of them.
    given_up: set[tuple[str, str]] = field(default_factory=set)
    # By organization: whether its days are closed now, and whether it keeps the hours of the law.
    shut: dict[str, Rule[bool]] = field(default_factory=dict)
    lawful: dict[str, Rule[bool]] = field(default_factory=dict)
    # Organizations with webhooks, as `WANTED` has them, since before anything of them was told.
    subscribed: set[str] = field(default_factory=set)
    # What customers have done that must be told: organization, type, and the id of the person, attempt or import.
    must_be_told: set[tuple[str, FactType, str]] = field(default_factory=set)

    def due_at_end(self) -> dict[tuple[str, str], set[str]]:
        """Contacts that must have been called once everything has settled, for nothing ever stood against it.

        Organization and external id → all numbers they ever had.
        """
        due: dict[tuple[str, str], set[str]] = {
            contact: set() for contact in self.accepted - self.deleted - self.given_up
        }
        for (organization_id, phone), number in self.numbers.items():
            contact = (organization_id, number.external_id)
            if contact not in due:
                continue
            if number.campaign_id in self.closed or number.listed.ever(True):
                del due[contact]
            else:
                due[contact].add(phone)
        return due
