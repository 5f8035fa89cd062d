"""Instants as Talkturo's clients read them."""

from datetime import UTC, datetime


def said(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with `Z`, whole seconds without a fraction; milliseconds where there are any."""
    if at is None:
        return None
    precision = "milliseconds" if at.microsecond else "seconds"
    return at.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
