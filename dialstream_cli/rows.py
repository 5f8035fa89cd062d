"""Rows of NDJSON files in batches that the API and Kafka take, and rows that are set aside."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dialstream_cli.faults import UsageFault

MOST_ROWS: Final = 1000
# A batch in Kafka may have 8 MiB, with its envelope; a request 32.
MOST_BYTES: Final = 7 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of a file; `number` counts from 1, blank lines too."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that was not taken, and why."""

    row: int
    field: str
    reason: str


def lines_of(file: Path) -> Iterator[FileRow]:
    """The lines of a file in UTF-8 that are not blank. Raises UsageFault for a file that cannot be read so."""
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield FileRow(number, line.strip())
    except OSError as error:
        raise UsageFault(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageFault(f"{file} is not in UTF-8.") from None


def parsed(row: FileRow) -> dict[str, Any] | SetAside:
    """A line as the contact that it holds, or why it holds none."""
    try:
        value = json.loads(row.text)
    except (ValueError, RecursionError):
        return SetAside(row.number, "", "The line is no JSON.")
    return value if isinstance(value, dict) else SetAside(row.number, "", "The line is no JSON object.")


def batches(rows: Iterable[FileRow], most: int = MOST_ROWS, most_bytes: int = MOST_BYTES) -> Iterator[list[FileRow]]:
    """Rows in their order, at most so many and so many bytes at a time; a row that is larger alone goes alone."""
    batch: list[FileRow] = []
    size = 0
    for row in rows:
        length = len(row.text.encode()) + 1
        if batch and (len(batch) == most or size + length > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield batch


def set_aside_file(file: Path) -> Path:
    """Where the refused rows of a file go: beside it."""
    return file.with_name(f"{file.name}.refused.csv")


def write_set_aside(rows: Sequence[SetAside], file: Path) -> None:
    """Write refused rows as CSV: row, field, reason."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("row", "field", "reason"))
        writer.writerows((row.row, row.field, row.reason) for row in rows)
