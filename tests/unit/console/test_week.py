"""Windows and retry rules as the console draws and words them."""

from typing import Any

import pytest

from services.console import week

OFFICE = {"days": ["mon", "tue"], "start": "09:00", "end": "17:00"}
NIGHT = {"days": ["sun"], "start": "22:00", "end": "02:00"}


def days(*windows: dict[str, Any]) -> dict[str, str]:
    return {day.name: day.text for day in week.week(windows) if day.spans}


def test_a_week_has_the_hours_of_its_windows() -> None:
    assert days(OFFICE) == {"mon": "09:00-17:00", "tue": "09:00-17:00"}
    [monday, *_] = week.week([OFFICE])
    assert monday.spans == ((540, 1020),)
    assert [day.text for day in week.week([])] == ["closed"] * 7


def test_a_window_across_midnight_opens_the_next_morning_and_sundays_that_of_monday() -> None:
    assert days(NIGHT) == {"sun": "22:00-24:00", "mon": "00:00-02:00"}
    assert days({**NIGHT, "days": ["fri"]}) == {"fri": "22:00-24:00", "sat": "00:00-02:00"}


def test_windows_that_touch_or_overlap_are_one_and_whole_days_end_at_midnight() -> None:
    later = {"days": ["mon"], "start": "17:00", "end": "24:00"}
    inside = {"days": ["mon"], "start": "10:00", "end": "11:00"}
    morning = {"days": ["mon"], "start": "06:00", "end": "07:30"}
    assert days(OFFICE, later, inside, morning)["mon"] == "06:00-07:30, 09:00-24:00"
    whole = {"days": list(week.DAYS), "start": "00:00", "end": "24:00"}
    assert set(days(whole).values()) == {"00:00-24:00"}
    assert len(days(whole)) == 7


def test_windows_in_a_line() -> None:
    assert week.windows_text([OFFICE, NIGHT]) == "mon tue 09:00-17:00; sun 22:00-02:00"
    assert week.windows_text([]) == "none: nobody is called"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"retry": False}, "not called again"),
        ({"retry": True}, "called again"),
        ({"delay_seconds": 900, "max_attempts": 1}, "called again, after 15 min, up to 1 attempt that end so"),
        (
            {"mode": "exponential", "delay_seconds": 90, "multiplier": 2.0, "max_delay_seconds": 86400},
            "called again, after 1.5 min, each wait 2 times the one before, 1 day at most",
        ),
        ({"mode": "list", "delays_seconds": [45, 3600, 172800]}, "called again, after 45 s, 1 h, 2 days"),
        ({"after_message": True}, "called again, also where a message was left"),
    ],
)
def test_a_retry_rule_in_words(rule: dict[str, Any], words: str) -> None:
    assert week.retry_text(rule) == words


def test_closures_in_words() -> None:
    one = {"first_day": "2026-12-24", "last_day": None, "yearly": False}
    assert week.closure_text(one) == "2026-12-24"
    assert (
        week.closure_text({**one, "last_day": "2026-12-26", "yearly": True}) == "2026-12-24 to 2026-12-26, every year"
    )


def test_midnight_of_a_clocks_field_ends_the_day() -> None:
    assert [week.end_of_window(typed) for typed in ("00:00", "17:00")] == ["24:00", "17:00"]
