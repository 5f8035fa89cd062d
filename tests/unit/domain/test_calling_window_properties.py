"""The calling-window rules in every zone of the world, against a second, slow way to say the same."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.domain.calling_window import (
    Schedule,
    ScheduleOverride,
    TimeWindow,
    Weekday,
    is_open,
    known_timezones,
    next_opening,
)
from tests.unit.domain.window_edges import closes_at, open_zones
from tests.unit.domain.zone_data import at_utc, clock_changes, links, new_spelling, wall_clock

DAYS = list(Weekday)
ZONES = known_timezones()
SECOND, MINUTE, WEEK = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=7)
# The clock changes worth a visit: old enough to hold the oddities, planned as far as anybody plans.
FIRST_SECOND, LAST_SECOND = 473_385_600, 2_240_524_800  # 1985 to 2040


def shows_a_time_inside(windows: Iterable[TimeWindow], wall: datetime) -> bool:
    """The rule in its plainest form: a time on the clock, compared as text."""
    today, yesterday, shown = DAYS[wall.weekday()], DAYS[wall.weekday() - 1], f"{wall:%H:%M}"
    return any(
        today in window.days and window.start <= shown < window.end
        if window.start < window.end
        else (today in window.days and shown >= window.start) or (yesterday in window.days and shown < window.end)
        for window in windows
    )


def plainly_open(schedule: Schedule, zone: str | None, instant: datetime) -> bool:
    name = schedule.default_timezone if zone is None else zone
    zone_of_contact = new_spelling(name)
    overridden = [
        override.windows
        for override in schedule.overrides
        if zone_of_contact in [new_spelling(named) for named in override.timezones]
    ]
    return shows_a_time_inside(overridden[0] if overridden else schedule.windows, wall_clock(name, instant))


wall_times = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
windows = st.builds(
    lambda days, start, end: TimeWindow(days=tuple(days), start=start, end="24:00" if start == end else end),
    st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True),
    wall_times,
    wall_times | st.just("24:00"),
)
zones = st.sampled_from(ZONES)


@st.composite
def instants_in(draw: st.DrawFn, zone: str) -> datetime:
    """Any instant, or (which is where the trouble is) one within two days of a clock change of the zone."""
    changes = [change for change in clock_changes(zone) if FIRST_SECOND < change < LAST_SECOND]
    near_a_change = draw(st.booleans())
    if changes and near_a_change:
        return at_utc(draw(st.sampled_from(changes)) + draw(st.integers(-2 * 86_400, 2 * 86_400)))
    return at_utc(draw(st.integers(FIRST_SECOND, LAST_SECOND))) + timedelta(microseconds=draw(st.integers(0, 999_999)))


@st.composite
def questions(draw: st.DrawFn) -> tuple[Schedule, str, datetime]:
    zone = draw(zones)
    schedule = Schedule("UTC", tuple(draw(st.lists(windows, min_size=1, max_size=3))))
    return schedule, zone, draw(instants_in(zone))


def question(
    zone: str, window: str, after: str, days: str = "mon tue wed thu fri sat sun"
) -> tuple[Schedule, str, datetime]:
    start, end = window.split("-")
    only = TimeWindow(days=tuple(Weekday(day) for day in days.split()), start=start, end=end)
    return Schedule("UTC", (only,)), zone, datetime.fromisoformat(after).replace(tzinfo=UTC)


def minutes_between(start: datetime, end: datetime) -> Iterable[datetime]:
    """Every minute for three hours at both ends, every seventh in between (a window may lie between those)."""
    near, at = timedelta(hours=3), start.replace(second=0, microsecond=0) + MINUTE
    while at < end:
        yield at
        at += MINUTE if at - start < near or end - at < near else 7 * MINUTE


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions())
@example(question("America/New_York", "02:00-03:00", "2026-03-08T00:00"))
@example(question("America/New_York", "01:15-01:45", "2026-11-01T05:50"))
@example(question("Europe/London", "01:30-06:00", "2026-03-28T12:00"))
@example(question("Australia/Lord_Howe", "02:15-03:00", "2026-10-03T12:00"))
@example(question("Australia/Lord_Howe", "01:40-02:00", "2026-04-04T12:00"))
@example(question("Africa/Casablanca", "02:30-04:00", "2025-04-06T00:00"))
@example(question("Asia/Kathmandu", "00:00-01:00", "1985-12-31T12:00"))
@example(question("Pacific/Apia", "09:00-17:00", "2011-12-29T22:00", "fri"))
@example(question("America/Sao_Paulo", "00:00-02:00", "2018-11-03T12:00", "sun"))
@example(question("Asia/Tehran", "23:00-00:00", "2022-09-21T19:00", "wed"))
@example(question("Africa/Cairo", "23:30-00:30", "2023-10-26T20:40", "thu"))
@example(question("Africa/Monrovia", "00:00-00:30", "1972-01-07T00:00"))
def test_next_opening_is_the_first_open_instant(asked: tuple[Schedule, str, datetime]) -> None:
    schedule, zone, after = asked
    opening = next_opening(schedule, zone, after)
    assert opening is not None
    assert opening >= after
    assert opening - after <= 2 * WEEK
    assert plainly_open(schedule, zone, opening)
    assert opening == after or not plainly_open(schedule, zone, opening - timedelta(microseconds=1))
    assert not any(plainly_open(schedule, zone, at) for at in minutes_between(after, opening))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions())
@example(question("America/New_York", "00:30-03:00", "2026-11-01T04:30"))
@example(question("Pacific/Apia", "22:00-02:00", "2011-12-30T09:00", "thu"))
def test_a_window_closes_at_the_first_closed_instant(asked: tuple[Schedule, str, datetime]) -> None:
    schedule, zone, now = asked
    closing = closes_at(schedule, zone, now)
    if closing is None:
        assert all(plainly_open(schedule, zone, now + hours * timedelta(hours=1)) for hours in range(24 * 14))
        return
    assert not plainly_open(schedule, zone, closing)
    assert closing == now or plainly_open(schedule, zone, closing - timedelta(microseconds=1))
    assert all(plainly_open(schedule, zone, at) for at in minutes_between(now, closing))


@settings(max_examples=300, deadline=None)
@given(questions(), st.integers(0, 7200))
def test_open_for_some_time_means_open_at_every_second_of_it(
    asked: tuple[Schedule, str, datetime], seconds: int
) -> None:
    schedule, zone, now = asked
    whole = now.replace(microsecond=0)
    steps = [whole + step * SECOND for step in [*range(0, seconds, 60), max(0, seconds - 1)]]
    assert is_open(schedule, zone, whole) == plainly_open(schedule, zone, whole)
    assert is_open(schedule, zone, whole, for_seconds=seconds) == all(plainly_open(schedule, zone, at) for at in steps)


def test_is_open_agrees_in_every_zone_around_every_clock_change() -> None:
    schedule = question("UTC", "01:30-02:45", "2026-01-01")[0]
    midnight = question("UTC", "23:30-00:15", "2026-01-01", "mon thu sat")[0]
    for zone in ZONES:
        for change in clock_changes(zone):
            if not 1_262_304_000 < change < 1_893_456_000:  # 2010 to 2030
                continue
            for around in (-5400, -1, 0, 1799, 3600):
                at = at_utc(change + around)
                wall = wall_clock(zone, at)
                assert is_open(schedule, zone, at) == shows_a_time_inside(schedule.windows, wall), (zone, at)
                assert is_open(midnight, zone, at) == shows_a_time_inside(midnight.windows, wall), (zone, at)


def test_next_opening_agrees_in_every_zone() -> None:
    schedule, _, after = question("UTC", "09:00-17:00", "2026-11-20T12:00", "tue")
    for zone in ZONES:
        opening = next_opening(schedule, zone, after)
        assert opening is not None
        assert f"{wall_clock(zone, opening):%a %H:%M:%S}" == "Tue 09:00:00"
        assert timedelta(days=2) < opening - after < timedelta(days=5)


@st.composite
def crowds(draw: st.DrawFn) -> tuple[Schedule, list[str | None], datetime]:
    chosen: list[str | None] = list(draw(st.lists(zones, min_size=1, max_size=12)))
    if draw(st.booleans()):
        chosen.append(None)
    override = ScheduleOverride(
        timezones=tuple(draw(st.lists(zones, min_size=1, max_size=3))) + tuple(z for z in chosen[:1] if z),
        windows=tuple(draw(st.lists(windows, max_size=2))),
    )
    overrides = (override,) if draw(st.booleans()) else ()
    schedule = Schedule(draw(zones), tuple(draw(st.lists(windows, max_size=3))), overrides)
    return schedule, chosen, draw(instants_in(chosen[0] or "UTC"))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(crowds())
def test_open_zones_agrees_with_each_zone_until_it_says_so(asked: tuple[Schedule, list[str | None], datetime]) -> None:
    schedule, chosen, now = asked

    def plainly(at: datetime) -> frozenset[str | None]:
        return frozenset(zone for zone in chosen if plainly_open(schedule, zone, at))

    found = open_zones(schedule, chosen, now)
    assert found.zones == plainly(now) == {zone for zone in chosen if is_open(schedule, zone, now)}
    end = now + 5 * WEEK if found.until is None else found.until
    assert end > now
    assert all(plainly(now + (end - now) * step / 40) == found.zones for step in range(40))
    if found.until is not None:
        assert plainly(found.until - timedelta(microseconds=1)) == found.zones
        assert plainly(found.until) != found.zones


OLD_SPELLINGS = [name for name in links() if new_spelling(name) != name]
SPELLINGS = {
    name: [other for other in ZONES if new_spelling(other) == name] for name in sorted(map(new_spelling, OLD_SPELLINGS))
}


@st.composite
def spellings(draw: st.DrawFn) -> tuple[Schedule, str, datetime]:
    """An old spelling, and overrides of which about half name its zone, in whichever spelling."""
    old = draw(st.sampled_from(OLD_SPELLINGS))
    names = st.lists(zones | st.sampled_from(SPELLINGS[new_spelling(old)]), min_size=1, max_size=3)
    given_windows = st.lists(windows, max_size=2)
    overrides = [
        ScheduleOverride(timezones=tuple(draw(names)), windows=tuple(draw(given_windows)))
        for _ in range(draw(st.integers(0, 3)))
    ]
    schedule = Schedule(draw(zones), tuple(draw(given_windows)), tuple(overrides))
    return schedule, old, draw(instants_in(old))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spellings(), st.integers(0, 7200))
def test_a_contact_in_an_old_spelling_is_called_when_one_in_the_new_spelling_is(
    asked: tuple[Schedule, str, datetime], seconds: int
) -> None:
    schedule, old, now = asked
    new = new_spelling(old)
    assert is_open(schedule, old, now) == is_open(schedule, new, now) == plainly_open(schedule, old, now)
    assert is_open(schedule, old, now, for_seconds=seconds) == is_open(schedule, new, now, for_seconds=seconds)
    assert next_opening(schedule, old, now) == next_opening(schedule, new, now)
    assert closes_at(schedule, old, now) == closes_at(schedule, new, now)
    assert open_zones(schedule, [old, new], now).zones in (frozenset(), frozenset({old, new}))
    by_default = Schedule(old, schedule.windows, schedule.overrides)
    assert is_open(by_default, None, now) == is_open(schedule, new, now)


def test_open_zones_answers_for_the_whole_world_at_once() -> None:
    schedule, _, now = question("UTC", "09:00-17:00", "2026-11-20T12:00", "mon tue wed thu fri")
    found = open_zones(schedule, [*ZONES, None], now)
    assert found.zones == {zone for zone in [*ZONES, None] if plainly_open(schedule, zone, now)}
    assert found.until == datetime(2026, 11, 20, 12, 30, tzinfo=UTC)  # 18:00 in India, 09:00 in Newfoundland
