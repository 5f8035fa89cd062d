"""What customers and operators have ordered, and when: what the carrier's judge holds every call against."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Generic, TypeVar

from shared.domain.wishes import WishKind

T = TypeVar("T")


class History(Generic[T]):
    """A value over the steps of a run. Only the order of steps counts, never a clock."""

    def __init__(self, value: T) -> None:
        self._values = [(0, value)]

    @property
    def now(self) -> T:
        """The value in force."""
        return self._values[-1][1]

    def set(self, step: int, value: T) -> None:
        """From this step on the value is another one."""
        self._values.append((step, value))

    def since(self, step: int) -> list[T]:
        """The value in force at a step, and all that came later."""
        before = [value for at, value in self._values if at <= step]
        return [before[-1], *(value for at, value in self._values if at > step)]


def _never() -> History[bool]:
    return History(False)


@dataclass(frozen=True, slots=True)
class Resting:
    """What the carrier has refused, as stored, and the attempt that alone may ask about it (None: there is none).

    `in_ending`: the carrier refused it by ending a call that it had taken.
    """

    until: datetime
    refusals: int
    since: datetime
    asking: bool
    in_ending: bool
    probe: str | None = None

    def asked_by(self, attempt_id: str) -> "Resting":
        """The rest while this attempt asks."""
        return replace(self, probe=attempt_id)

    def without_probe(self) -> "Resting":
        """The rest as it is stored."""
        return replace(self, probe=None)


@dataclass(frozen=True, slots=True)
class Caps:
    """Attempts at a contact a day, at a phone a day and in 168 hours, minutes between two calls to it; None: no cap."""

    contact_day: int | None = None
    day: int | None = None
    week: int | None = None
    gap_minutes: int | None = None


NO_CAPS: Final = Caps()


@dataclass(slots=True)
class NumberRules:
    """A registered caller number: its limits, and whether it is switched on."""

    max_calls: History[int | None]
    daily_limit: History[int | None]
    active: History[bool]


@dataclass(slots=True)
class RulesInForce:
    """Limits, states, lists and numbers, by what they belong to.

    `ceilings` are how often a contact of a campaign may be called in all; `resets` the last step at which a contact was
    asked to be called again; `told` whether an ending for good of a contact's call is recorded; `caps` those of an
    organization, and of all contacts of its campaigns, in force since before the first call; `starts` and `ends` dates
    of campaigns that are to come. `callbacks` are the last steps at which a callback was asked for,
    `not_before` the times that callbacks were given last, and since which step, `given_up` since when nothing but
    giving up is asked of a contact.
    """

    global_limit: History[int]
    organization_limits: dict[str, History[int]] = field(default_factory=dict)
    campaign_limits: dict[str, History[int | None]] = field(default_factory=dict)
    active: dict[str, History[bool]] = field(default_factory=dict)
    ended: dict[str, History[bool]] = field(default_factory=dict)
    starts: dict[str, datetime | None] = field(default_factory=dict)
    ends: dict[str, datetime | None] = field(default_factory=dict)
    windows_open: dict[str, History[bool]] = field(default_factory=dict)
    listed: dict[tuple[str, str], History[bool]] = field(default_factory=dict)
    deleted: dict[str, History[bool]] = field(default_factory=dict)
    opted_out: dict[str, History[bool]] = field(default_factory=dict)
    numbers: dict[str, History[tuple[str, ...]]] = field(default_factory=dict)
    exclusive: set[tuple[str, str]] = field(default_factory=set)
    registered: dict[tuple[str, str], NumberRules] = field(default_factory=dict)
    ceilings: dict[str, int] = field(default_factory=dict)
    rests: dict[tuple[str, str], History[Resting | None]] = field(default_factory=dict)
    resets: dict[str, int] = field(default_factory=dict)
    told: dict[str, History[bool]] = field(default_factory=dict)
    callbacks: dict[str, int] = field(default_factory=dict)
    not_before: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    given_up: dict[str, int] = field(default_factory=dict)
    caps: dict[str, Caps] = field(default_factory=dict)
    # Calls of a run, by campaign, and the campaign and generation in whose count an attempt stands, by attempt.
    max_calls: dict[str, History[int | None]] = field(default_factory=dict)
    counted_in: dict[str, tuple[str, int]] = field(default_factory=dict)

    def dates_come(self, step: int, now: datetime) -> None:
        """Campaigns whose time has come are running, or have ended, from this step on."""
        for dates, changes in ((self.starts, self.active), (self.ends, self.ended)):
            for campaign_id, at in dates.items():
                if at is not None and at <= now:
                    changes[campaign_id].set(step, True)
                    dates[campaign_id] = None

    def list_number(self, step: int, organization_id: str, number: str, listed: bool) -> None:
        """A number enters or leaves a do-not-call list."""
        self.listed.setdefault((organization_id, number), _never()).set(step, listed)

    def opt_out(self, step: int, contact_id: str) -> None:
        """A result has said that the person asked not to be called again."""
        self.opted_out.setdefault(contact_id, _never()).set(step, True)

    def delete(self, step: int, contact_id: str) -> None:
        """The deletion of a contact was asked for."""
        self.deleted.setdefault(contact_id, _never()).set(step, True)

    def ask(self, step: int, contact_id: str, kind: WishKind, at: datetime) -> None:
        """Something is asked of a contact, in place of what was asked before."""
        self.not_before.pop(contact_id, None)
        self.given_up.pop(contact_id, None)
        match kind:
            case WishKind.AGAIN:
                self.resets[contact_id] = step
            case WishKind.CALLBACK:
                self.resets[contact_id] = self.callbacks[contact_id] = step
                self.not_before[contact_id] = step, at
            case WishKind.AT:
                self.not_before[contact_id] = step, at
            case WishKind.GIVE_UP | WishKind.DONE:
                self.given_up[contact_id] = step

    def is_asked_since(self, contact_id: str, looked_at: int) -> bool:
        """Whether a callback was asked for since the look at the gate of a call."""
        return self.callbacks.get(contact_id, -1) > looked_at

    def unwanted(self, contact_id: str, looked_at: int, now: datetime) -> str:
        """Why a call is not what was asked last, before its look at the gate; empty when nothing is against it."""
        if self.given_up.get(contact_id, looked_at) < looked_at:
            return "the contact was given up"
        step, at = self.not_before.get(contact_id, (looked_at, now))
        return "it was asked to be called later" if step < looked_at and now < at else ""

    def tell(self, step: int, contact_id: str) -> None:
        """An ending for good of one of the contact's calls is recorded."""
        history = self.told.setdefault(contact_id, _never())
        if not history.now:
            history.set(step, True)

    def called_again_unknowing(self, contact_id: str, looked_at: int, step: int) -> bool:
        """Whether a call after one that ended for good may be: asked for since that one's look at the gate, and the
        ending was not recorded at this one's."""
        asked = self.resets.get(contact_id, -1) > looked_at
        return asked and False in self.told.get(contact_id, _never()).since(step)

    def resting_since(self, step: int, organization_id: str, keys: Iterable[str], attempt_id: str) -> str:
        """What an attempt needs and rested at every moment since a step; empty when it was the one that may ask."""
        for key in keys:
            history = self.rests.get((organization_id, key))
            values = history.since(step) if history is not None else [None]
            if all(rest is not None and rest.probe != attempt_id for rest in values):
                return key
        return ""

    def is_deleted(self, contact_id: str) -> bool:
        """Whether the deletion of a contact was asked for."""
        return self.deleted.get(contact_id, _never()).now

    def is_listed(self, organization_id: str, number: str) -> bool:
        """Whether a number is on the list now."""
        return self.listed.get((organization_id, number), _never()).now

    def forbidden_since(self, step: int, *, contact_id: str, organization_id: str, campaign_id: str, phone: str) -> str:
        """Why a call was forbidden at every moment since a step; empty when it was allowed at one of them."""

        def always(history: History[T] | None, forbids: Callable[[T], bool]) -> bool:
            return history is not None and all(forbids(value) for value in history.since(step))

        if always(self.active.get(campaign_id), lambda active: not active):
            return "the campaign was paused or closed"
        if always(self.ended.get(campaign_id), lambda ended: ended):
            return "the campaign's end date had come"
        if always(self.windows_open.get(campaign_id), lambda is_open: not is_open):
            return "the calling window was closed"
        if always(self.listed.get((organization_id, phone)), lambda listed: listed):
            return "the number was on the do-not-call list"
        if always(self.deleted.get(contact_id), lambda deleted: deleted):
            return "the contact was deleted"
        if always(self.opted_out.get(contact_id), lambda opted_out: opted_out):
            return "the person had opted out"
        if always(self.numbers.get(contact_id), lambda numbers: phone not in numbers):
            return "the number was edited away"
        return ""
