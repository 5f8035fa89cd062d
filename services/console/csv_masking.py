"""Reports in CSV for keys that may not see contacts' numbers, purely: row by row, as they come."""

import csv
import io
from typing import Final

from services.console.words import masked, without_numbers
from shared.domain.csv_text import RecordReader
from shared.domain.spreadsheets import harmless

# Columns with a contact's number alone, and those that are left empty.
NUMBERS: Final = ("phone_number",)
LEFT_EMPTY: Final = ("contact_name",)
# Columns that name something of ours, and numbers of ours: as they are. In all others, whatever they are, numbers go.
AS_THEY_ARE: Final = frozenset(
    {"id", "number", "contact_id", "caller_number", "agent_id", "conversation_id", "provider_call_id", "row"}
)


class MaskedCsv:
    """A report whose numbers of contacts keep their last four digits; fed with its bytes (UTF-8), in order."""

    def __init__(self) -> None:
        self._reader = RecordReader("utf-8", ",", 0)
        self._columns: list[str] = []

    def feed(self, data: bytes, *, last: bool = False) -> bytes:
        """What these bytes complete, masked; `last` when no bytes follow. Raises `BadCsv` for what is no CSV."""
        written = io.StringIO(newline="")
        lines = csv.writer(written)
        for record in self._reader.feed(data, last=last):
            if not self._columns:
                self._columns = list(record.cells)
                lines.writerow(self._columns)
            else:
                lines.writerow([_cell(name, cell) for name, cell in zip(self._columns, record.cells, strict=False)])
        return written.getvalue().encode()


def _cell(column: str, cell: str) -> str:
    if column in LEFT_EMPTY:
        return ""
    if column in NUMBERS:
        return harmless(masked(cell, whole=False)) if cell else ""
    return cell if column in AS_THEY_ARE else without_numbers(cell, whole=False)
