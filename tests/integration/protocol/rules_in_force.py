"""What customers and operators have ordered, and when: what the carrier's judge holds every call against."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

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


@dataclass(slots=True)
class RulesInForce:
    """Limits, states, lists and numbers, by what they belong to."""

    global_limit: History[int]
    organization_limits: dict[str, History[int]] = field(default_factory=dict)
    campaign_limits: dict[str, History[int | None]] = field(default_factory=dict)
    active: dict[str, History[bool]] = field(default_factory=dict)
    windows_open: dict[str, History[bool]] = field(default_factory=dict)
    listed: dict[tuple[str, str], History[bool]] = field(default_factory=dict)
    deleted: dict[str, History[bool]] = field(default_factory=dict)
    numbers: dict[str, History[tuple[str, ...]]] = field(default_factory=dict)
    exclusive: set[tuple[str, str]] = field(default_factory=set)

    def list_number(self, step: int, organization_id: str, number: str, listed: bool) -> None:
        """A number enters or leaves a do-not-call list."""
        self.listed.setdefault((organization_id, number), _never()).set(step, listed)

    def delete(self, step: int, contact_id: str) -> None:
        """The deletion of a contact was asked for."""
        self.deleted.setdefault(contact_id, _never()).set(step, True)

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
        if always(self.windows_open.get(campaign_id), lambda is_open: not is_open):
            return "the calling window was closed"
        if always(self.listed.get((organization_id, phone)), lambda listed: listed):
            return "the number was on the do-not-call list"
        if always(self.deleted.get(contact_id), lambda deleted: deleted):
            return "the contact was deleted"
        if always(self.numbers.get(contact_id), lambda numbers: phone not in numbers):
            return "the number was edited away"
        return ""
