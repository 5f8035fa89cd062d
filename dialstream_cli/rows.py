"""Rows of NDJSON files in batches that the API and Kafka take, and rows that are set aside."""

import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dialstream_cli.faults import UsageFault

MOST_ROWS: Final = 1000
# A batch in Kafka may have 8 MiB, with its envelope; a request 32.
MOST_BYTES: Final = 7 * 1024 * 1024
# Values deeper than 32 levels are refused, each for itself; from 200 on a whole body is no JSON to campaign-api.
MOST_DEPTH: Final = 100


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
    """A line as the contact that it holds, or why it holds none: each that cannot be sent would cost all beside it."""
    try:
        value = json.loads(row.text)
        # Python reads more than others do: NaN, numbers that are endless, halves of a surrogate pair, any depth.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        if row.text.count("[") + row.text.count("{") > MOST_DEPTH:
            _check_depth(value, MOST_DEPTH)
    except (ValueError, RecursionError):
        return SetAside(row.number, "", "The line is no JSON.")
    return value if isinstance(value, dict) else SetAside(row.number, "", "The line is no JSON object.")


def _check_depth(value: Any, levels: int) -> None:
    """Raises ValueError where there are objects or lists in one another beyond so many levels."""
    if not isinstance(value, (dict, list)):
        return
    if levels == 0:
        raise ValueError("too deep")
    for part in value.values() if isinstance(value, dict) else value:
        _check_depth(part, levels - 1)


def count_of(file: Path) -> int | None:
    """How many lines that are not blank a file has; None for what can be read once only, such as a pipe.

    Looking through the file first keeps one that is no text from being sent in part. Raises UsageFault as `lines_of`.
    """
    return sum(1 for _ in lines_of(file)) if file.is_file() else None


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


def check_writable(file: Path) -> Path:
    """The file, which is yet to be written. Raises UsageFault where that cannot be: before the work, not after it."""
    if not file.parent.is_dir():
        raise UsageFault(f"{file} cannot be written: there is no folder {file.parent}.")
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise UsageFault(f"{file} cannot be written; name another file.")
    return file


def write_set_aside(rows: Sequence[SetAside], file: Path) -> None:
    """Write refused rows as CSV: row, field, reason."""
    # A field's name may be any text of the file, also half of a surrogate pair.
    with file.open("w", encoding="utf-8", errors="backslashreplace", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("row", "field", "reason"))
        writer.writerows((row.row, row.field, row.reason) for row in rows)
