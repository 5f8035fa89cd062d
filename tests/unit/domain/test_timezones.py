from itertools import pairwise

import pytest

from shared.domain.timezones import is_known_timezone, known_timezones, steady_offset, steady_spans
from tests.unit.domain.zone_data import at_utc, clock_changes, zone

DAY = 86_400
YEAR_1950, YEAR_2037 = -20 * 365 * DAY, 67 * 365 * DAY


def test_names_are_sorted_and_hold_places_and_aliases() -> None:
    names = known_timezones()
    assert list(names) == sorted(set(names))
    assert {"America/New_York", "US/Eastern", "Asia/Kathmandu", "Europe/Kyiv", "Etc/GMT+5", "UTC"} <= set(names)
    assert not {"localtime", "posixrules", "Factory"} & set(names)
    assert len(names) > 590


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../UTC", "/etc/localtime", "America", "America/", "america/new_york", "America/New_York ",
     "America/../UTC", "UTC\x00", "Mars/Olympus", "localtime", "posixrules", "Factory", "tzdata.zi", "zone.tab"],
)  # fmt: skip
def test_what_is_no_name_is_not_known(name: str) -> None:
    assert not is_known_timezone(name)


def test_every_known_name_has_rules() -> None:
    assert all(steady_offset(name, 1_800_000_000)[1] > 1_800_000_000 for name in known_timezones())


def test_no_zone_changes_its_clock_twice_within_six_days() -> None:
    for name in known_timezones():
        assert all(later - earlier > 6 * DAY for earlier, later in pairwise(clock_changes(name))), name


def test_every_clock_change_of_every_zone_is_found_to_the_second() -> None:
    for name in known_timezones():
        for change in clock_changes(name):
            if not YEAR_1950 < change < YEAR_2037:
                continue
            before, after = _offset(name, change - 1), _offset(name, change)
            assert before != after
            assert steady_offset(name, change - 1) == (before, change), name
            assert steady_offset(name, change)[0] == after, name


def test_spans_cover_the_time_asked_for_without_a_hole() -> None:
    start, end = 1_770_000_000, 1_770_000_000 + 365 * DAY
    spans = list(steady_spans("America/New_York", start, end))
    assert spans[0][0] == start
    assert spans[-1][1] == end
    assert all(earlier[1] == later[0] for earlier, later in pairwise(spans))
    assert {offset for _, _, offset in spans} == {-4 * 3600, -5 * 3600}


def test_the_ends_of_the_calendar_have_an_offset_too() -> None:
    assert steady_offset("Asia/Tokyo", 253_402_300_799)[0] == 9 * 3600
    assert steady_offset("Pacific/Kiritimati", -62_135_596_800)[0] < 0  # local mean time, long before zones


def _offset(name: str, second: int) -> int:
    offset = at_utc(second).astimezone(zone(name)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
