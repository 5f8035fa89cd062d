"""Views of callbacks, purely."""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.campaign_api.smartalex.schemas.callbacks import View
from shared.engine.callbacks import CallbackFilter

_DAY: Final = timedelta(days=1)
_SUNDAY: Final = 6


def callback_filter(view: View, timezone: str, now: datetime) -> CallbackFilter:
    """The callbacks of a view at `now`; its days are those of the timezone."""
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()

    def midnight(days: int) -> datetime:
        return datetime.combine(today + days * _DAY, time(), zone)

    match view:
        case View.OVERDUE:
            return CallbackFilter(due_before=now)
        case View.TODAY:
            return CallbackFilter(due_after=midnight(0), due_before=midnight(1))
        case View.WEEK:
            return CallbackFilter(due_after=now, due_before=midnight(_SUNDAY - today.weekday() + 1))
    return CallbackFilter()
