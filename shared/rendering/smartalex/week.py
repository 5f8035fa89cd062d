"""The hours of a week, purely: a configuration's windows as this dialect shows them.

A week has a list of (start, end) for each weekday.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.domain.calling_window import Weekday
from shared.rendering.smartalex.campaign_views import BusinessHoursView, DayView, WindowView

Hours = tuple[str, str]
Week = Mapping[Weekday, Sequence[Hours]]
# The days as this dialect writes them.
DAY_NAMES: Final = dict(zip(Weekday, BusinessHoursView.model_fields, strict=True))


def on_all_days(week: Week) -> Hours | None:
    """The calling hours, where every day has the same ones, and one window."""
    days = {tuple(week.get(day, ())) for day in Weekday}
    hours = days.pop()
    return hours[0] if not days and len(hours) == 1 else None


def week_of(windows: Sequence[Mapping[str, Any]]) -> Week:
    """The week of a configuration's windows, each day's by their start."""
    week: dict[Weekday, list[Hours]] = {day: [] for day in Weekday}
    for window in windows:
        for day in window["days"]:
            week[Weekday(day)].append((window["start"], window["end"]))
    return {day: tuple(sorted(set(hours))) for day, hours in week.items()}


def week_view(week: Week) -> BusinessHoursView:
    """The week as it is shown."""
    return BusinessHoursView.model_validate({DAY_NAMES[day]: _day_view(week[day]) for day in Weekday})


def _day_view(windows: Sequence[Hours]) -> DayView:
    if not windows:
        return DayView(enabled=False)
    start, end = windows[0][0], windows[-1][1]
    if len(windows) == 1:
        return DayView(enabled=True, start=start, end=end)
    several = [WindowView(start=first, end=last) for first, last in windows]
    return DayView(enabled=True, start=start, end=end, windows=several)
