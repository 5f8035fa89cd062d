"""A campaign does not end before it starts, whatever is set."""

from datetime import datetime

from shared.domain.campaign import Course
from shared.errors import BadSetting, Flaw


def check_dates(course: Course, place: str) -> None:
    """Raise `BadSetting` at this field when a campaign would end before it starts."""
    if not course.ends_before_it_starts or course.start_at is None or course.end_at is None:
        return
    starts, ends = _written(course.start_at), _written(course.end_at)
    if place == "end_at":
        raise BadSetting(Flaw.END_BEFORE_START, [place], starts, ends)
    raise BadSetting(Flaw.START_AFTER_END, [place], ends, starts)


def _written(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
