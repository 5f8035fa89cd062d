from datetime import UTC, datetime
from itertools import pairwise

import pytest

from shared.domain.timezones import (
    canonical_timezone,
    is_known_timezone,
    known_timezones,
    steady_offset,
)
from tests.unit.domain.zone_data import (
    LINKED_OVER_A_BORDER,
    SHARED_CLOCKS,
    at_utc,
    clock_changes,
    countries,
    links,
    new_spelling,
    zone,
)

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


def test_the_ends_of_the_calendar_have_an_offset_too() -> None:
    assert steady_offset("Asia/Tokyo", 253_402_300_799)[0] == 9 * 3600
    assert steady_offset("Pacific/Kiritimati", -62_135_596_800)[0] < 0  # local mean time, long before zones


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("US/Eastern", "America/New_York"),
        ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("America/Montreal", "America/Toronto"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("Europe/Nicosia", "Asia/Nicosia"),
        ("GB-Eire", "Europe/London"),
        ("Eire", "Europe/Dublin"),
        ("US/Samoa", "Pacific/Pago_Pago"),
        ("UTC", "Etc/UTC"),
        ("GMT0", "Etc/GMT"),
        # Themselves: a place in `zone.tab`, whatever the data links it to; no link at all; not a name.
        ("America/New_York", "America/New_York"),
        ("Europe/Stockholm", "Europe/Stockholm"),
        ("Atlantic/Reykjavik", "Atlantic/Reykjavik"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("EST5EDT", "EST5EDT"),
        ("us/eastern", "us/eastern"),
        ("Mars/Olympus", "Mars/Olympus"),
    ],
)
def test_an_old_spelling_is_its_new_one(name: str, canonical: str) -> None:
    assert canonical_timezone(name) == canonical


def test_every_name_is_itself_or_an_old_spelling_of_a_name_that_is_itself() -> None:
    assert set(links()) < set(known_timezones())
    assert not set(links()) & set(links().values())
    for name in known_timezones():
        canonical = canonical_timezone(name)
        assert canonical == new_spelling(name)
        assert is_known_timezone(canonical), name
        assert canonical_timezone(canonical) == canonical, name


def test_every_place_is_itself_although_the_data_links_106_of_them_over_a_border() -> None:
    country = countries("zone.tab")
    assert all(canonical_timezone(name) == name for name in country)
    linked = [name for name in country if name in links()]
    assert len(linked) == 106
    assert all(country[name] != country[links()[name]] for name in linked)


def test_an_old_spelling_that_is_linked_over_a_border_is_itself() -> None:
    country = countries("zone.tab")
    for name, own in LINKED_OVER_A_BORDER.items():
        assert canonical_timezone(name) == name
        assert name not in country
        assert {own} != country[links()[name]], name


def test_the_name_of_a_clock_is_a_place_only_if_one_country_shows_it() -> None:
    january = datetime(2026, 1, 1, tzinfo=UTC)
    shown_in: dict[str | None, set[str]] = {}
    for place, country in countries("zone.tab").items():
        shown_in.setdefault(january.astimezone(zone(place)).tzname(), set()).update(country)
    for name in SHARED_CLOCKS:
        assert canonical_timezone(name) == name
        assert len(shown_in[january.astimezone(zone(name)).tzname()]) > 1, name  # MET shows CET
    assert shown_in["HST"] == {"US"}
    assert canonical_timezone("HST") == "Pacific/Honolulu"


def test_every_old_spelling_of_a_zone_that_countries_share_has_been_looked_at() -> None:
    """An update of the data that brings another one fails here: say which country it is in."""
    followed = {
        *("America/Montreal", "America/Nipigon", "America/Thunder_Bay", "Canada/Eastern"),  # Canada
        *("Europe/Belfast", "GB", "GB-Eire"),  # the United Kingdom; Ireland has been `Eire`
        *("US/Arizona", "US/Samoa", "Pacific/Samoa"),  # as their targets: the United States, American Samoa
        *("Asia/Rangoon", "Japan", "NZ", "Singapore"),
    }
    shared = {
        name
        for name, target in links().items()
        if name not in countries("zone.tab") and len(countries("zone1970.tab").get(target, ())) > 1
    }
    assert shared == followed | (shared & (LINKED_OVER_A_BORDER.keys() | SHARED_CLOCKS))


def test_an_old_spelling_has_the_clock_of_its_new_one() -> None:
    old = [name for name in known_timezones() if canonical_timezone(name) != name]
    assert len(old) > 120
    for name in old:
        canonical = canonical_timezone(name)
        assert clock_changes(name) == clock_changes(canonical), name
        for second in (YEAR_1950, *clock_changes(name), YEAR_2037):
            assert _offset(name, second) == _offset(canonical, second), name
            assert steady_offset(name, second) == steady_offset(canonical, second), name


def _offset(name: str, second: int) -> int:
    offset = at_utc(second).astimezone(zone(name)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
