"""The carrier's own record, read: every call with its times."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class CarrierCall:
    """One call as the carrier has written it down. `ended_at` and `outcome` are None while it is live.

    Between `ordered_at`, when its request came in, and `placed_at` nobody but the carrier could have stopped it.
    """

    call_id: str
    attempt_id: str
    organization_id: str
    contact_id: str
    to: str
    caller: str
    ordered_at: datetime
    placed_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    # What was spoken for us on an answering machine.
    messages: tuple[str, ...] = ()

    @property
    def was_answered(self) -> bool:
        """Whether a person answered it, even if the line was lost then."""
        return self.outcome == "answered" or (self.outcome == "interrupted" and self.answered_at is not None)


def calls_of(entries: Iterable[Mapping[str, Any]]) -> list[CarrierCall]:
    """The calls of a record, in the order in which they were placed."""
    calls: dict[str, CarrierCall] = {}
    for entry in entries:
        calls[entry["call_id"]] = CarrierCall(
            call_id=entry["call_id"],
            attempt_id=entry["attempt_id"],
            organization_id=entry["organization_id"],
            contact_id=entry["contact_id"],
            to=entry["to"],
            caller=entry["from"],
            ordered_at=datetime.fromisoformat(entry["ordered_at"]),
            placed_at=datetime.fromisoformat(entry["placed_at"]),
            answered_at=_instant(entry["answered_at"]),
            ended_at=_instant(entry["ended_at"]),
            outcome=entry["outcome"],
            messages=tuple(entry["messages"]),
        )
    return sorted(calls.values(), key=lambda call: call.placed_at)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
