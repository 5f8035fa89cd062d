"""When calling windows close, and which zones are open together: asked by tests of the windows alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.domain.calling_window import Schedule, is_open
from shared.domain.timezones import EPOCH


@dataclass(frozen=True, slots=True)
class OpenZones:
    """The zones that are open, and the first later instant at which any of them opens or closes (None: never)."""

    zones: frozenset[str | None]
    until: datetime | None


def closes_at(schedule: Schedule, timezone: str | None, now: datetime) -> datetime | None:
    """The first instant at or after `now` when calling is not allowed, in UTC; None if never."""
    return _edge(schedule, timezone, now, wanted=False)


def open_zones(schedule: Schedule, zones: Iterable[str | None], now: datetime) -> OpenZones:
    """The open ones of these zones; None stands for the default zone."""
    asked = set(zones)
    opened = {zone for zone in asked if is_open(schedule, zone, now)}
    edges = [_edge(schedule, zone, now, wanted=zone not in opened) for zone in asked]
    return OpenZones(frozenset(opened), min((edge for edge in edges if edge is not None), default=None))


def _edge(schedule: Schedule, timezone: str | None, now: datetime, *, wanted: bool) -> datetime | None:
    if now.tzinfo is None:
        raise ValueError("a naive datetime says no instant")
    second = (now - EPOCH) // timedelta(seconds=1)
    found = schedule.open_hours(timezone, None).first(second, wanted=wanted)
    return None if found is None else max(EPOCH + timedelta(seconds=found), now.astimezone(UTC))
