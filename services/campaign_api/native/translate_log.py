"""A campaign's log on this API's wire, purely."""

from collections.abc import Sequence

from services.campaign_api.native.schemas.campaign_log import LogActor, LogEntryView, LogPage
from shared.domain.campaign_log import LogEntry
from shared.domain.page import NumberedPage, Page


def log_page(page: Page[LogEntry] | NumberedPage[LogEntry]) -> LogPage:
    """A page of a campaign's log."""
    entries = _views(page.rows)
    if isinstance(page, NumberedPage):
        return LogPage(entries=entries, next_cursor=None, total=page.total)
    return LogPage(entries=entries, next_cursor=page.next_cursor, total=None)


def _views(rows: Sequence[LogEntry]) -> list[LogEntryView]:
    return [
        LogEntryView(
            at=entry.at,
            level=entry.level,
            event=entry.event,
            reason=entry.reason,
            by=LogActor(kind=entry.by.kind, id=entry.by.id),
            details=dict(entry.facts),
        )
        for entry in rows
    ]
