"""Calling windows as a person reads them, purely: a week of them by the clock of the place, and retries in words."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.console.words import counted

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES: Final = 24 * 60
_WEEK_MINUTES: Final = len(DAYS) * DAY_MINUTES
Window = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the week and its open spans, in minutes from its midnight, ascending and apart from each other."""

    name: str
    spans: tuple[tuple[int, int], ...]

    @property
    def text(self) -> str:
        """`09:00-12:00, 13:00-17:00`."""
        return ", ".join(f"{_clock(start)}-{_clock(end)}" for start, end in self.spans) or "closed"


def week(windows: Sequence[Window]) -> list[Day]:
    """The week of these windows of the API; one that crosses midnight opens the morning of the next day too."""
    spans: list[tuple[int, int]] = []
    for window in windows:
        start, end = _minutes(window["start"]), _minutes(window["end"])
        for name in window["days"]:
            first = DAYS.index(name) * DAY_MINUTES
            opens, closes = first + start, first + end + (DAY_MINUTES if end <= start else 0)
            # What goes on beyond Sunday is Monday's.
            spans += [(opens, min(closes, _WEEK_MINUTES)), (0, max(0, closes - _WEEK_MINUTES))]
    joined = _joined(spans)
    return [Day(name, _of_day(joined, place * DAY_MINUTES)) for place, name in enumerate(DAYS)]


def windows_text(windows: Sequence[Window]) -> str:
    """`mon tue wed 09:00-17:00; sat 10:00-12:00`."""
    shown = (f"{' '.join(window['days'])} {window['start']}-{window['end']}" for window in windows)
    return "; ".join(shown) or "none: nobody is called"


def retry_text(rule: Mapping[str, Any]) -> str:
    """A retry rule as it was set; what it leaves out is the outcome's built-in value."""
    if rule.get("retry") is False:
        return "not called again"
    said = ["called again"]
    if rule.get("mode") == "list":
        said.append("after " + ", ".join(_wait(seconds) for seconds in rule.get("delays_seconds", ())))
    elif "delay_seconds" in rule:
        said.append(f"after {_wait(rule['delay_seconds'])}")
    if rule.get("mode") == "exponential":
        said.append(f"each wait {rule.get('multiplier', 2):g} times the one before")
    if rule.get("max_delay_seconds") is not None:
        said.append(f"{_wait(rule['max_delay_seconds'])} at most")
    if rule.get("max_attempts") is not None:
        said.append(f"up to {counted(rule['max_attempts'], 'attempt')} that end so")
    if rule.get("after_message"):
        said.append("also where a message was left")
    return ", ".join(said)


def closure_text(closure: Mapping[str, Any]) -> str:
    """The days of a closure."""
    first, last = closure["first_day"], closure["last_day"]
    days = first if last in (None, first) else f"{first} to {last}"
    return f"{days}, every year" if closure["yearly"] else days


def json_text(value: Any) -> str:
    """A value of the API as one text, the same for the same value: a form names by it what it is about."""
    return json.dumps(value, sort_keys=True)


def end_of_window(typed: str) -> str:
    """The end of a window as the API wants it: a clock's field has no 24:00, so midnight ends the day."""
    return "24:00" if typed == "00:00" else typed


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if start == end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _of_day(spans: Sequence[tuple[int, int]], midnight: int) -> tuple[tuple[int, int], ...]:
    cut = ((max(start - midnight, 0), min(end - midnight, DAY_MINUTES)) for start, end in spans)
    return tuple((start, end) for start, end in cut if start < end)


def _minutes(wall_time: str) -> int:
    hours, minutes = wall_time.split(":")
    return int(hours) * 60 + int(minutes)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _wait(seconds: float) -> str:
    """`90 s`, `15 min`, `1.5 h`, `2 days`: the largest unit in which it is a short number."""
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length and seconds * 2 % length == 0:
            return f"{seconds / length:g} {'day' if seconds == length and unit == 'days' else unit}"
    return f"{seconds:g} s"
