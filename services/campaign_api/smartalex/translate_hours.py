"""Hours, purely: the older calling hours and the newer week of this dialect, and the windows of a configuration.

A week has a list of (start, end) for each weekday; days with the same ones make one window.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from services.campaign_api.http.faults import BadValue, ValuesInvalid
from services.campaign_api.smartalex.schemas.campaigns import (
    BusinessHours,
    CreateCampaign,
    Day,
    EditCampaign,
)
from shared.domain.calling_window import Weekday
from shared.rendering.smartalex.week import DAY_NAMES, Hours, Week, on_all_days

DEFAULT_HOURS: Final = ("09:00", "17:00")


@dataclass(frozen=True, slots=True)
class AskedHours:
    """What a body says of when to call; None: nothing. `week` is the newer form, `start` and `end` are the older."""

    timezone: str | None = None
    week: Week | None = None
    start: str | None = None
    end: str | None = None


def asked_hours(body: CreateCampaign | EditCampaign) -> AskedHours:
    """What the body says, in whichever form. Raises `ValuesInvalid` where the forms contradict each other."""
    settings, bad = body.settings, list[BadValue]()
    older = None if settings is None else settings.timezone
    if body.timezone is not None and older is not None and body.timezone != older:
        bad.append(_bad("timezone", "Write one timezone: this is another than that of settings"))
    asked = AskedHours(body.timezone or older)
    if settings is not None:
        asked = replace(asked, start=settings.calling_hours_start, end=settings.calling_hours_end)
    if body.business_hours is not None:
        week = _week_of(body.business_hours, bad)
        start, end = on_all_days(week) or (None, None)
        for name, given, same in (("calling_hours_start", asked.start, start), ("calling_hours_end", asked.end, end)):
            if given is not None and given != same:
                bad.append(_bad(f"settings.{name}", "Say the same as business_hours, or leave this out"))
        asked = AskedHours(asked.timezone, week)
    elif asked.start is not None and asked.start == asked.end:
        bad.append(_bad("settings.calling_hours_end", "Write another time than calling_hours_start"))
    if bad:
        raise ValuesInvalid(bad)
    if isinstance(body, CreateCampaign):
        week_after(asked, None)  # what it says may contradict the defaults alone
    return asked


def week_after(asked: AskedHours, before: Week | None) -> Week | None:
    """The week that is asked for, over the one there is (None: a new campaign); None: it stays.

    Raises `ValuesInvalid` for calling hours that would end when they start.
    """
    if asked.week is not None:
        return asked.week
    if before is not None and asked.start is None and asked.end is None:
        return None
    known = (None if before is None else on_all_days(before)) or DEFAULT_HOURS
    hours = (asked.start or known[0], asked.end or known[1])
    if hours[0] == hours[1]:
        raise ValuesInvalid([_bad("settings.calling_hours_end", "Write another time than calling_hours_start")])
    if hours[0] == "24:00":
        raise ValuesInvalid([_bad("settings.calling_hours_start", 'To start at midnight write "00:00"')])
    return dict.fromkeys(Weekday, (hours,))


def windows_of(week: Week) -> list[dict[str, Any]]:
    """The week as windows of a configuration, in JSON values; days with the same times are one window."""
    days: dict[Hours, list[str]] = {}
    for day in Weekday:
        for hours in week.get(day, ()):
            days.setdefault(hours, []).append(day.value)
    return [{"days": named, "start": start, "end": end} for (start, end), named in days.items()]


def _week_of(hours: BusinessHours, bad: list[BadValue]) -> Week:
    return {day: _windows(name, getattr(hours, name), bad) for day, name in DAY_NAMES.items()}


def _windows(name: str, day: Day | None, bad: list[BadValue]) -> Sequence[Hours]:
    if day is None or not day.enabled or day.start is None or day.end is None:
        return ()
    windows = sorted({(one.start, one.end) for one in day.windows or ()})
    if not windows or (windows[0][0], windows[-1][1]) != (day.start, day.end):
        windows = [(day.start, day.end)]
    for start, end in windows:
        if start == end:
            bad.append(_bad(f"business_hours.{name}.end", "Write another time than start"))
        elif start == "24:00":
            bad.append(_bad(f"business_hours.{name}.start", 'To start at midnight write "00:00"'))
    return tuple(windows)


def _bad(field: str, message: str) -> BadValue:
    return BadValue(("body", *field.split(".")), message, "contradiction")
