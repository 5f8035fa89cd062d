"""The zone files themselves, read without the code under test: every clock change, and what a wall clock shows."""

import struct
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

_HEADER_BYTES = 44


@cache
def zone(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def wall_clock(name: str, instant: datetime) -> datetime:
    """What a clock on the wall shows there, without an offset."""
    return instant.astimezone(zone(name)).replace(tzinfo=None)


def at_utc(second: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)


@cache
def clock_changes(name: str) -> tuple[int, ...]:
    """Every second (since 1970) listed in the zone's file at which its distance from UTC changes."""
    data = files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    utc, std, leap, times, types, chars = struct.unpack(">6l", data[20:44])
    # A file begins with a 32-bit version of itself, for old readers; skip it.
    second = _HEADER_BYTES + times * 5 + types * 6 + chars + leap * 8 + std + utc
    _, _, _, times, types, _ = struct.unpack(">6l", data[second + 20 : second + _HEADER_BYTES])
    body = data[second + _HEADER_BYTES :]
    instants = struct.unpack(f">{times}q", body[: times * 8])
    kinds, offsets = body[times * 8 : times * 9], body[times * 9 :]
    offset_of = [struct.unpack(">l", offsets[kind * 6 : kind * 6 + 4])[0] for kind in range(types)]
    around = zip([offset_of[0], *(offset_of[kind] for kind in kinds)], kinds, instants, strict=False)
    return tuple(instant for before, kind, instant in around if offset_of[kind] != before)
