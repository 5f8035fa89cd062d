"""IANA zones as the rules see them: their names, which of them are one, and their distance from UTC as steps in time.

Names, links and rules all come from the `tzdata` package, never from the host, so that every process of a
deployment agrees about the hour; a change of law reaches Dialstream with an update of that package.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DAY_SECONDS: Final = 86_400

# Names of files in the zone database that are no place on earth.
_NOT_PLACES: Final = frozenset({"localtime", "posixrules", "Factory"})
# Old spellings whose link in the zone database does not lead to their new one. A country's hours and holidays bind
# nobody in another, so these stay themselves, as every link over a border does whose name is in `zone.tab`.
_NOT_THEIR_TARGET: Final = frozenset(
    {
        # Places that the data links over a border, borders being those of ISO 3166 as in `zone.tab`.
        "Africa/Asmera",  # Eritrea, linked to Kenya
        "Africa/Timbuktu",  # Mali, to Ivory Coast
        "America/Coral_Harbour",  # Canada, to Panama
        "America/Virgin",  # the U.S. Virgin Islands, to Puerto Rico
        "Antarctica/South_Pole",  # Antarctica, to New Zealand
        "Atlantic/Jan_Mayen",  # Svalbard and Jan Mayen, to Germany
        "Iceland",  # to Ivory Coast
        "Pacific/Johnston",  # the U.S. Minor Outlying Islands, to Hawaii
        "Pacific/Ponape",  # Micronesia, to the Solomon Islands
        "Pacific/Truk",  # Micronesia, to Papua New Guinea
        "Pacific/Yap",  # Micronesia, to Papua New Guinea
        # Names of a clock that several countries share, each linked to one place in one of them.
        "CET",  # to Belgium
        "EET",  # to Greece
        "EST",  # to Panama
        "MET",  # to Belgium
        "MST",  # to Arizona
        "WET",  # to Portugal
    }
)
_BLOCK_SECONDS: Final = 16 * DAY_SECONDS
# No zone changes its clock twice within six days, past or planned (tested against the data), so a look every four
# days finds every change.
_LOOK_EVERY_SECONDS: Final = 4 * DAY_SECONDS
# Instants that still have a local time everywhere between the years 1 and 9999.
_FIRST_SECOND: Final = (datetime(1, 1, 3, tzinfo=UTC) - EPOCH) // timedelta(seconds=1)
_LAST_SECOND: Final = (datetime(9999, 12, 29, tzinfo=UTC) - EPOCH) // timedelta(seconds=1)


@cache
def known_timezones() -> tuple[str, ...]:
    """Every IANA name that may be used, sorted; aliases such as `US/Eastern` included."""
    return tuple(sorted(_names()))


def is_known_timezone(name: str) -> bool:
    """Whether `name` is exactly one of `known_timezones`; case matters, and a path is no name."""
    return name in _names()


def canonical_timezone(name: str) -> str:
    """The name that zones are compared by: two names are one zone if they have the same.

    An old spelling is its new one: `America/New_York` for `US/Eastern`. A name in `zone.tab` is itself, wherever the
    data links it: `Europe/Stockholm` is not `Europe/Berlin`. So is a name that is not known. Keep and answer names
    as they were given; this one is for comparing only.
    """
    return _new_spellings().get(name, name)


def steady_offset(name: str, second: int) -> tuple[int, int]:
    """Seconds that local time is ahead of UTC at `second` (since 1970), and a second until which that surely holds.

    The bound is exclusive and later than `second`; the offset may well stay the same beyond it.
    `name` must be known.
    """
    block = second // _BLOCK_SECONDS
    starts, offsets = _steps(name, block)
    at = bisect_right(starts, second)
    return offsets[at - 1], starts[at] if at < len(starts) else (block + 1) * _BLOCK_SECONDS


def local_date(name: str, instant: datetime) -> date:
    """The date on the wall calendar of a known zone at an aware instant."""
    return instant.astimezone(_zone(name)).date()


def start_of_day(name: str, day: date) -> datetime:
    """The first instant of a date in a known zone, in UTC.

    Where the clock skips midnight that is the end of the gap; where midnight comes twice, the first.
    """
    return datetime.combine(day, time(), tzinfo=_zone(name)).astimezone(UTC)


@lru_cache(maxsize=4096)  # all zones in several blocks; a block is 16 days
def _steps(name: str, block: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    start = block * _BLOCK_SECONDS
    starts, offsets = [start], [_offset_at(name, start)]
    for look in range(start, start + _BLOCK_SECONDS, _LOOK_EVERY_SECONDS):
        end = look + _LOOK_EVERY_SECONDS
        offset = _offset_at(name, end)
        if offset != offsets[-1]:
            starts.append(_change_between(name, look, end))
            offsets.append(offset)
    return tuple(starts), tuple(offsets)


def _change_between(name: str, before: int, after: int) -> int:
    """The first second with the offset that holds at `after`; a different one holds at `before`."""
    new = _offset_at(name, after)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if _offset_at(name, middle) == new else (middle, after)
    return after


def _offset_at(name: str, second: int) -> int:
    clamped = min(max(second, _FIRST_SECOND), _LAST_SECOND)
    offset = (EPOCH + timedelta(seconds=clamped)).astimezone(_zone(name)).utcoffset()
    return 0 if offset is None else offset // timedelta(seconds=1)


@cache
def _names() -> frozenset[str]:
    return frozenset((files("tzdata") / "zones").read_text(encoding="utf-8").split()) - _NOT_PLACES


@cache
def _new_spellings() -> dict[str, str]:
    """The canonical name of every old spelling; all other names are absent. No link leads to a link (tested)."""
    links = (line.split() for line in _lines("tzdata.zi") if line.startswith("L "))
    places = {line.split("\t")[2] for line in _lines("zone.tab") if not line.startswith("#")}
    stay = places | _NOT_THEIR_TARGET
    return {name: target for _, target, name in links if name not in stay}


def _lines(table: str) -> list[str]:
    return files("tzdata").joinpath("zoneinfo", table).read_text(encoding="utf-8").splitlines()


@cache
def _zone(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)
