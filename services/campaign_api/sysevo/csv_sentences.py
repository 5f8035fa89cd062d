"""Why a list is refused, in sentences, purely."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.domain.csv_check import MAX_FILE_BYTES, Breach, Refusal
from shared.domain.csv_text import MAX_COLUMNS, CsvFlaw

NO_FILE: Final = "contacts_file_key: nothing was uploaded under this key; upload the list first"
_LARGE_ROW: Final = "A row must not have more than 64 KiB"
_UNREADABLE: Final[Mapping[CsvFlaw | None, str]] = MappingProxyType(
    {
        CsvFlaw.TOO_MANY_COLUMNS: f"it has more than {MAX_COLUMNS:,} columns",
        CsvFlaw.UNCLOSED_QUOTE: "a quotation mark opens a field and nothing closes it (unclosed quote)",
        CsvFlaw.NUL: "it has a NUL character",
        CsvFlaw.NOT_TEXT: "its byte order mark says UTF-16, and its bytes are none",
    }
)


def refusal_sentence(refusal: Refusal) -> str:
    """The sentence; rows are counted from 1, the header's."""
    rows, names = _rows(refusal), ", ".join(refusal.names)
    match refusal.breach:
        case Breach.TOO_LARGE:
            return f"The CSV file is larger than {MAX_FILE_BYTES:,} bytes"
        case Breach.UNREADABLE if refusal.flaw is CsvFlaw.CELL_TOO_LARGE:
            return f"{_LARGE_ROW}: {rows}"
        case Breach.UNREADABLE if refusal.flaw not in (CsvFlaw.EMPTY, CsvFlaw.NO_ROWS):
            why = _UNREADABLE.get(refusal.flaw, "it is no table")
            return f"The CSV file cannot be read: {why}{f' ({rows})' if refusal.rows else ''}"
        case Breach.NO_ROWS | Breach.UNREADABLE:
            return "The CSV file must have a header row and at least one data row"
        case Breach.NO_PHONE_COLUMN:
            return "The CSV file must have a 'phone_number' column"
        case Breach.DUPLICATE_COLUMN:
            return f"The CSV file has a duplicate column: {names}"
        case Breach.BAD_NUMBERS:
            return f"Write phone numbers with a plus and the country code, such as +14155552671: {rows}"
        case Breach.DUPLICATE_NUMBERS:
            return f"The CSV file has duplicate phone numbers: {rows}"
        case Breach.ROWS_TOO_LARGE:
            return f"{_LARGE_ROW}: {rows}"
        case Breach.MISSING_VARIABLES:
            return f"The workflow has template variables that are no column of the CSV file: {names}"
        case Breach.EMPTY_VARIABLES:
            return f"The template variable {names} is empty: {rows}"


def _rows(refusal: Refusal) -> str:
    named = ", ".join(map(str, refusal.rows))
    more = refusal.count - len(refusal.rows)
    return f"rows {named}{f' and {more} more' if more > 0 else ''}"
