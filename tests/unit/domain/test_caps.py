import itertools
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.domain.caps import (
    CLOCKS,
    NEVER_CALLED,
    NO_CAPS,
    PLACING,
    WEEK,
    Called,
    CapReached,
    NumberCaps,
    cap_reached,
    counts_from,
    day_counts_from,
)
from shared.domain.reasons import CAPS, WaitReason

NEW_YORK = "America/New_York"
NOON = datetime(2026, 11, 18, 17, tzinfo=UTC)  # in New York
MIDNIGHT = datetime(2026, 11, 19, 5, tzinfo=UTC)  # the next one there
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
MARGIN = CLOCKS + PLACING


def called(*ago: timedelta, ended: timedelta | None = None, now: datetime = NOON) -> Called:
    """Attempts that started so long ago; the last one ended so long ago."""
    return Called([now - each for each in ago], None if ended is None else now - ended)


def ask(caps: NumberCaps, phone: Called, now: datetime = NOON, **contact: Any) -> CapReached | None:
    return cap_reached(contact.get("day"), contact.get("called", NEVER_CALLED), caps, phone, NEW_YORK, now)


@pytest.mark.parametrize(
    ("caps", "phone", "reason", "until"),
    [
        pytest.param(NO_CAPS, called(MINUTE, HOUR, ended=SECOND), None, None, id="no cap"),
        pytest.param(NumberCaps(day=1), NEVER_CALLED, None, None, id="never called"),
        pytest.param(NumberCaps(day=2), called(HOUR), None, None, id="one of two today"),
        pytest.param(NumberCaps(day=1), called(HOUR), "number_day_cap", MIDNIGHT + CLOCKS, id="one of one today"),
        pytest.param(NumberCaps(day=1), called(13 * HOUR), None, None, id="yesterday"),
        pytest.param(NumberCaps(day=3), called(HOUR, HOUR, 13 * HOUR), None, None, id="two today, one yesterday"),
        pytest.param(NumberCaps(week=1), called(WEEK), "number_week_cap", NOON + MARGIN, id="just a week ago"),
        pytest.param(NumberCaps(week=1), called(WEEK + MARGIN), None, None, id="a week and the margin ago"),
        pytest.param(
            NumberCaps(week=2),
            called(HOUR, 100 * HOUR, 160 * HOUR),
            "number_week_cap",
            NOON + 68 * HOUR + MARGIN,
            id="above the cap, which was lowered: until the second latest is a week old",
        ),
        pytest.param(
            NumberCaps(gap_minutes=60),
            called(HOUR, ended=10 * MINUTE),
            "number_gap",
            NOON + 50 * MINUTE + CLOCKS,
            id="the gap counts from the end",
        ),
        pytest.param(NumberCaps(gap_minutes=60), called(HOUR * 2, ended=61 * MINUTE), None, None, id="gap over"),
        pytest.param(
            NumberCaps(1, 5, 60),
            called(HOUR, ended=MINUTE),
            "number_day_cap",
            MIDNIGHT + CLOCKS,
            id="of several the one that holds longest",
        ),
    ],
)
def test_what_a_phones_caps_allow(caps: NumberCaps, phone: Called, reason: str | None, until: datetime | None) -> None:
    reached = ask(caps, phone)
    assert reached == (None if reason is None or until is None else CapReached(WaitReason(reason), until))
    assert reached is None or reached.reason in CAPS


def test_a_contacts_day_counts_the_contact_and_not_the_phone() -> None:
    once = called(HOUR)
    assert ask(NO_CAPS, once, day=1) is None
    assert ask(NO_CAPS, NEVER_CALLED, day=1, called=once) == CapReached(WaitReason.CONTACT_DAY_CAP, MIDNIGHT + CLOCKS)


@pytest.mark.parametrize(
    ("now", "started", "until"),
    [
        pytest.param(MIDNIGHT - SECOND, MIDNIGHT - HOUR, MIDNIGHT + CLOCKS, id="still the same day"),
        pytest.param(MIDNIGHT + 4 * SECOND, MIDNIGHT - HOUR, MIDNIGHT + CLOCKS, id="our clock may be ahead"),
        pytest.param(MIDNIGHT + CLOCKS, MIDNIGHT - HOUR, None, id="the next day"),
        pytest.param(
            MIDNIGHT + CLOCKS,
            MIDNIGHT - 20 * SECOND,
            MIDNIGHT + 24 * HOUR + CLOCKS,
            id="started_before_midnight: it may have been placed after it",
        ),
        pytest.param(MIDNIGHT + CLOCKS, MIDNIGHT - 21 * SECOND, None, id="placed before midnight for sure"),
        pytest.param(
            MIDNIGHT - 5 * SECOND, MIDNIGHT - 10 * SECOND, MIDNIGHT + 24 * HOUR + CLOCKS, id="counts for both days"
        ),
    ],
)
def test_around_midnight(now: datetime, started: datetime, until: datetime | None) -> None:
    reached = ask(NumberCaps(day=1), Called([started]), now)
    assert (reached.until if reached else None) == until


@pytest.mark.parametrize(
    ("zone", "now", "begin"),
    [
        ("Europe/Berlin", datetime(2026, 10, 25, 12, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)),
        # The clock goes from 24:00 to 01:00 there: the day begins where the gap ends.
        ("Africa/Cairo", datetime(2026, 4, 24, 12, tzinfo=UTC), datetime(2026, 4, 23, 22, tzinfo=UTC)),
        # It goes from 24:00 back to 23:00: the day begins at the only midnight that is not yesterday's last hour.
        ("Africa/Cairo", datetime(2026, 10, 30, 12, tzinfo=UTC), datetime(2026, 10, 29, 22, tzinfo=UTC)),
        # From 01:00 back to 00:00: the first of two midnights.
        ("America/Havana", datetime(2026, 11, 1, 12, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2025, 12, 31, 18, 15, tzinfo=UTC)),
    ],
)
def test_where_a_day_begins(zone: str, now: datetime, begin: datetime) -> None:
    assert day_counts_from(zone, now) == begin - PLACING


def test_only_attempts_that_matter_are_asked_for() -> None:
    today = day_counts_from(NEW_YORK, NOON)
    assert counts_from(NumberCaps(day=1), [NEW_YORK], NOON) == today
    assert counts_from(NumberCaps(day=1), [NEW_YORK, "Asia/Tokyo"], NOON) == min(
        today, day_counts_from("Asia/Tokyo", NOON)
    )
    assert counts_from(NumberCaps(day=1, week=1), [NEW_YORK], NOON) == NOON - WEEK - MARGIN
    assert counts_from(NumberCaps(gap_minutes=60), [NEW_YORK], NOON) == NOON - 25 * HOUR - CLOCKS
    assert counts_from(NO_CAPS, [NEW_YORK], NOON) == NOON


ZONES = st.sampled_from(["UTC", NEW_YORK, "Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"])
SOMETIME = st.integers(0, 40 * 24 * 3600).map(lambda s: datetime(2026, 10, 10, tzinfo=UTC) + timedelta(seconds=s))
AGO = st.lists(st.integers(0, 10 * 24 * 3600), max_size=8)
ANY_CAPS = st.builds(
    NumberCaps,
    st.one_of(st.none(), st.integers(1, 3)),
    st.one_of(st.none(), st.integers(1, 5)),
    st.one_of(st.none(), st.integers(1, 3000)),
)


def allowed(caps: NumberCaps, attempts: Sequence[datetime], ended: datetime | None, zone: str, now: datetime) -> bool:
    """The obvious second implementation, by the calendar."""
    today = (now - CLOCKS).astimezone(ZoneInfo(zone)).date()
    on_day = sum((each + PLACING).astimezone(ZoneInfo(zone)).date() >= today for each in attempts)
    in_week = sum(each > now - WEEK - MARGIN for each in attempts)
    return (
        (caps.day is None or on_day < caps.day)
        and (caps.week is None or in_week < caps.week)
        and (caps.gap_minutes is None or ended is None or now - ended >= timedelta(minutes=caps.gap_minutes) + CLOCKS)
    )


@given(ANY_CAPS, AGO, st.integers(0, 3600), ZONES, SOMETIME)
@settings(max_examples=300)
def test_a_wait_ends_at_the_first_instant_that_the_caps_allow(
    caps: NumberCaps, ago: list[int], ended: int, zone: str, now: datetime
) -> None:
    attempts = [now - timedelta(seconds=each) for each in ago]
    last = max(attempts, default=None)
    last = None if last is None else min(now, last + timedelta(seconds=ended))
    reached = cap_reached(None, NEVER_CALLED, caps, Called(attempts, last), zone, now)
    assert (reached is None) == allowed(caps, attempts, last, zone, now)
    if reached is not None:
        assert allowed(caps, attempts, last, zone, reached.until)
        assert not allowed(caps, attempts, last, zone, reached.until - timedelta(microseconds=1))


@given(ANY_CAPS, ZONES, SOMETIME, st.integers(0, 2**32))
@example(NumberCaps(day=1), "UTC", datetime(2026, 10, 10, 23, 59, 30, tzinfo=UTC), 0)
@settings(max_examples=150, deadline=None)
def test_whatever_the_clocks_say_the_list_of_all_calls_keeps_the_caps(
    caps: NumberCaps, zone: str, begin: datetime, seed: int
) -> None:
    dice, at = random.Random(seed), begin
    attempts: list[datetime] = []
    placed: list[tuple[datetime, datetime]] = []
    for _ in range(60):
        claims_by = at + timedelta(seconds=dice.uniform(-5, 5))
        reached = cap_reached(
            None, NEVER_CALLED, caps, Called(attempts, max((end for _, end in placed), default=None)), zone, claims_by
        )
        if reached is None:
            started = at + timedelta(seconds=dice.uniform(0, 30))
            call_begins = started + timedelta(seconds=dice.uniform(0, 15))
            call_ends = call_begins + timedelta(seconds=dice.uniform(0, 600))
            attempts.append(started)
            placed.append((call_begins, call_ends))
            at = call_ends
        else:
            at = max(at, reached.until) + timedelta(seconds=dice.choice([-5, 0, 1, 30]))
        at += timedelta(seconds=dice.choice([1, 60, 3600, 6 * 3600]))
    begins = [begin for begin, _ in placed]
    if caps.day is not None:
        assert max(Counter(each.astimezone(ZoneInfo(zone)).date() for each in begins).values()) <= caps.day
    if caps.week is not None:
        assert all(sum(each <= later < each + WEEK for later in begins) <= caps.week for each in begins)
    if caps.gap_minutes is not None:
        gaps = [later - end for (_, end), (later, _) in itertools.pairwise(placed)]
        assert all(gap >= timedelta(minutes=caps.gap_minutes) for gap in gaps)
    assert placed
