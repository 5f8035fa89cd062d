"""Pages from templates: everything put into them is escaped, and a name that is not there is an error."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from services.console import csv_preview, week, words
from services.console.assets import address_of

TEMPLATES: Final = Path(__file__).parent / "templates"


def environment() -> Environment:
    """The templates, with the console's words as filters."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "waits": words.waits,
        "ends": words.ends,
        "failed_try": words.failed_try,
        "plain": words.plain,
        "duration": words.duration,
        "phone": words.masked,
        "without_numbers": words.without_numbers,
        "when": when,
        "windows": week.windows_text,
        "retry": week.retry_text,
        "closure": week.closure_text,
        "json": week.json_text,
        "hidden": csv_preview.hidden,
        "when_ms": when_ms,
    }
    made.filters.update(filters)
    made.globals.update(
        asset=address_of,
        counted=words.counted,
        share=words.share,
        ended_contacts=words.ended_contacts,
        waits=words.waits,
    )
    return made


def when_ms(milliseconds: int | None) -> Markup:
    """A time of the API in milliseconds since 1970 as HTML, in UTC; `never` for None."""
    if milliseconds is None:
        return escape("never")
    return when(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds))


def when(at: str | datetime | None, zone: str | None = None, none: str = "-") -> Markup:
    """A time of the API as HTML: by the zone's clock, where there is one, and in UTC."""
    if at is None:
        return escape(none)
    text = at.isoformat() if isinstance(at, datetime) else at
    local, utc = words.local_text(text, zone), words.utc_text(text)
    shown = Markup("{}<br><small>{}</small>").format(local, utc) if local else escape(utc)
    return Markup('<time datetime="{}">{}</time>').format(text, shown)
