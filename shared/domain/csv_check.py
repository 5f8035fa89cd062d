"""Checks a whole CSV file before anything is made of it, for callers that take a list as a whole or not at all.

The first breach counts, in the order of `Breach`.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import orjson

from shared.domain.csv_columns import PHONE, Columns
from shared.domain.csv_numbers import numbers_in
from shared.domain.csv_text import SEPARATORS, BadCsv, CsvFlaw, Encoding, Record, encoding_of, records_of
from shared.domain.json_rules import MAX_JSON_BYTES
from shared.domain.phone import InvalidPhoneNumber, compared, normalize

MAX_FILE_BYTES: Final = 10 * 1024 * 1024
# A refusal names so many rows, and how many more there are.
NAMED_ROWS: Final = 5
PHONE_COLUMN: Final = "phone_number"
# Numbers have their own country code, so it is never read with this one; with one, blanks and marks are read past.
_ANY_COUNTRY: Final = "+1"
_VARIABLE: Final = re.compile(r"\{\{\s*([^\s{}|.]+)\s*\}\}")
_GIVEN: Final = frozenset({"campaign_id", "provider", "source_uuid"})


class Breach(StrEnum):
    """What is wrong with a file, in the order in which it is looked for; `CsvFlaw` has what makes it no table."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too large"
    NO_ROWS = "no rows"
    NO_PHONE_COLUMN = "no phone column"
    DUPLICATE_COLUMN = "duplicate column"
    BAD_NUMBERS = "bad numbers"
    DUPLICATE_NUMBERS = "duplicate numbers"
    ROWS_TOO_LARGE = "rows too large"
    MISSING_VARIABLES = "missing variables"
    EMPTY_VARIABLES = "empty variables"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file is refused. `rows` are the first few concerned, of `count`; `names` columns or variables."""

    breach: Breach
    flaw: CsvFlaw | None = None
    rows: tuple[int, ...] = ()
    count: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that keeps the rules: how it is read, and how many rows have a number."""

    encoding: Encoding
    separator: str
    columns: Columns
    rows: int


def variables_of(definition: Any) -> tuple[str, ...]:
    """The variables `{{name}}` in the texts of an agent's definition that a list must have, in lower case, sorted.

    Not those with a dot or a fallback, and not what every call brings along.
    """
    found: set[str] = set()
    waiting = [definition]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.update(name.lower() for name in _VARIABLE.findall(value))
        elif isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
    return tuple(sorted(found - _GIVEN))


def check_file(data: bytes, required: Collection[str] = ()) -> Checked | Refusal:
    """The file, checked: one column `phone_number`, whose numbers have a plus, each of them once.

    `required` are columns, in lower case, that must be there and filled in every row with a number. Pure, and takes
    seconds for 10 MiB: call it beside the event loop.
    """
    if len(data) > MAX_FILE_BYTES:
        return Refusal(Breach.TOO_LARGE)
    encoding = encoding_of(data)
    try:
        separator = _separator(data, encoding)
        checking = _Checking(tuple(sorted(required)))
        for record in records_of(data, encoding, separator):
            checking.look_at(record)
    except BadCsv as error:
        rows = () if error.row is None else (error.row,)
        return Refusal(Breach.UNREADABLE, error.flaw, rows, len(rows))
    refusal = checking.refusal()
    if refusal is not None or checking.columns is None:
        return refusal or Refusal(Breach.NO_ROWS)
    return Checked(encoding, separator, checking.columns, checking.numbered)


def strict_columns(header: list[str]) -> Columns:
    """The columns of a checked file: trimmed, in lower case; those without a name are left out."""
    names = tuple(cell.strip().lower() for cell in header)
    fields = tuple(PHONE if name == PHONE_COLUMN else "data" if name else "ignore" for name in names)
    return Columns(names, fields)


def _separator(data: bytes, encoding: Encoding) -> str:
    """The first with which the header has the number's column; a comma where none has."""
    for separator in SEPARATORS:
        header = _first(records_of(data, encoding, separator))
        if PHONE_COLUMN in strict_columns(header).names:
            return separator
    return SEPARATORS[0]


def _first(records: Iterator[Record]) -> list[str]:
    record = next(records, None)
    return [] if record is None else record.cells


@dataclass(slots=True)
class _Rows:
    """Rows that break one rule: the first few, and how many."""

    first: list[int] = field(default_factory=list)
    count: int = 0

    def add(self, row: int) -> None:
        self.count += 1
        if len(self.first) < NAMED_ROWS:
            self.first.append(row)

    def refusal(self, breach: Breach, *names: str) -> Refusal | None:
        return Refusal(breach, None, tuple(self.first), self.count, names) if self.count else None


@dataclass(slots=True)
class _Checking:
    required: tuple[str, ...]
    columns: Columns | None = None
    numbered: int = 0
    bad: _Rows = field(default_factory=_Rows)
    repeated: _Rows = field(default_factory=_Rows)
    large: _Rows = field(default_factory=_Rows)
    empty: dict[str, _Rows] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def look_at(self, record: Record) -> None:
        if self.columns is None:
            self.columns = strict_columns(record.cells)
            return
        names = self.columns.names
        if PHONE_COLUMN not in names:
            self.numbered += any(cell.strip() for cell in record.cells)
            return
        cells = dict(zip(names, [*record.cells, *[""] * max(0, len(names) - len(record.cells))], strict=False))
        numbers = numbers_in(cells[PHONE_COLUMN])
        if not numbers:
            return
        self.numbered += 1
        self._look_at_number(record.row, numbers)
        cells.pop("", None)
        if sum(map(len, cells.values())) * 4 > MAX_JSON_BYTES and len(orjson.dumps(cells)) > MAX_JSON_BYTES:
            self.large.add(record.row)
        for name in self.required:
            if not cells.get(name, "").strip():
                self.empty.setdefault(name, _Rows()).add(record.row)

    def _look_at_number(self, row: int, numbers: list[str]) -> None:
        text = numbers[0]
        try:
            if len(numbers) > 1 or not text.lstrip("' ").startswith("+"):
                self.bad.add(row)
                return
            number = compared(normalize(text, _ANY_COUNTRY).e164)
        except InvalidPhoneNumber:
            self.bad.add(row)
            return
        if number in self._seen:
            self.repeated.add(row)
        self._seen.add(number)

    def refusal(self) -> Refusal | None:
        if self.columns is None or not self.numbered:
            return Refusal(Breach.NO_ROWS)
        named = [name for name in self.columns.names if name]
        if PHONE_COLUMN not in named:
            return Refusal(Breach.NO_PHONE_COLUMN)
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            return Refusal(Breach.DUPLICATE_COLUMN, names=tuple(twice))
        missing = tuple(name for name in self.required if name not in named)
        return (
            self.bad.refusal(Breach.BAD_NUMBERS)
            or self.repeated.refusal(Breach.DUPLICATE_NUMBERS)
            or self.large.refusal(Breach.ROWS_TOO_LARGE)
            or (Refusal(Breach.MISSING_VARIABLES, names=missing) if missing else None)
            or next((self.empty[name].refusal(Breach.EMPTY_VARIABLES, name) for name in sorted(self.empty)), None)
        )
