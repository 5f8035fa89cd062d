"""The zone files themselves, read without the code under test: clock changes, wall clocks, and links of names."""

import struct
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

_HEADER_BYTES = 44
_ZONE_FILES = files("tzdata") / "zoneinfo"

# Old spellings that the data links into another country, with their own country (ISO 3166).
LINKED_OVER_A_BORDER = {
    "Africa/Asmera": "ER",
    "Africa/Timbuktu": "ML",
    "America/Coral_Harbour": "CA",
    "America/Virgin": "VI",
    "Antarctica/South_Pole": "AQ",
    "Atlantic/Jan_Mayen": "SJ",
    "Iceland": "IS",
    "Pacific/Johnston": "UM",
    "Pacific/Ponape": "FM",
    "Pacific/Truk": "FM",
    "Pacific/Yap": "FM",
}
# Names of a clock, not of a place, whose clock several countries have.
SHARED_CLOCKS = {"CET", "EET", "EST", "MET", "MST", "WET"}


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


@cache
def links() -> dict[str, str]:
    """What the data links each name to."""
    rows = [line.split() for line in (_ZONE_FILES / "tzdata.zi").read_text(encoding="utf-8").splitlines()]
    return {row[2]: row[1] for row in rows if row[0] == "L"}


@cache
def countries(table: str) -> dict[str, frozenset[str]]:
    """The countries of each zone: one in `zone.tab`, all that share it in `zone1970.tab`."""
    lines = (_ZONE_FILES / table).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return {row[2]: frozenset(row[0].split(",")) for row in rows}


def new_spelling(name: str) -> str:
    """The rule for old spellings in its plainest form; no link leads to a link (tested)."""
    stays = name in countries("zone.tab") or name in LINKED_OVER_A_BORDER or name in SHARED_CLOCKS
    return name if stays else links().get(name, name)
