"""From rows of a CSV file to contacts: each row by itself, the numbers as a spreadsheet may have left them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from shared.domain.contact_input import ContactInput, ContactRow, NumberRules, RowProblem
from shared.domain.csv_columns import DATA, EXTERNAL_ID, IGNORED, PHONE, Columns
from shared.domain.csv_numbers import numbers_in
from shared.domain.csv_text import Record
from shared.domain.mistakes import mistake

MAX_PROBLEMS_OF_A_ROW: Final = 3
_NO_NUMBER: Final = "The row has no phone number; fill in the column, or leave the row out"
_NO_PLUS: Final = "Write the phone number with its country code and a plus before it, for example +14155550123"
_GREETING: Final = frozenset({"greeting_override_type", "greeting_override_text", "greeting_override_recording_id"})
# What a greeting must say, by its type.
_GREETING_OF: Final[Mapping[str | None, str]] = MappingProxyType({"text": "text", "audio": "recording_id"})


@dataclass(frozen=True, slots=True)
class Layout:
    """What a row becomes, beside what its columns say.

    `key`: a row's external_id is this and the row's number less one, so that a file that comes twice changes nothing.
    `as_context`: the columns, in lower case, are the contact's data, but for the number, and all its initial context.
    `needs_plus`: a number without a plus is refused, and a row without a number is passed over.
    """

    key: str | None = None
    as_context: bool = False
    needs_plus: bool = False


AS_THEY_ARE: Final = Layout()


@dataclass(frozen=True, slots=True)
class ReadRows:
    """What some records became: rows to store, why others cannot be, and how many were empty."""

    rows: tuple[ContactRow, ...]
    problems: tuple[RowProblem, ...]
    passed_over: int

    @property
    def refused(self) -> int:
        """How many rows cannot be stored: several problems may be of one."""
        return len({problem.index for problem in self.problems})


def read_records(records: Sequence[Record], columns: Columns, layout: Layout, rules: NumberRules) -> ReadRows:
    """The contacts of these records. A row's index is its number in the file; rows of one external_id are one."""
    inputs: list[ContactInput] = []
    positions: list[int] = []
    problems: list[RowProblem] = []
    passed_over = 0
    for record in records:
        cells = _filled(record.cells, len(columns.names))
        numbers = [number for place in columns.phones for number in numbers_in(cells[place])]
        if not numbers and (layout.needs_plus or not any(cell.strip() for cell in cells)):
            passed_over += 1
            continue
        problem = _why_not(numbers, layout)
        if problem is not None:
            problems.append(RowProblem(record.row, None, (PHONE,), problem))
            continue
        try:
            inputs.append(ContactInput.model_validate(_values(record.row, cells, numbers, columns, layout)))
            positions.append(record.row)
        except ValidationError as error:
            problems += _problems(record.row, error, columns)
    prepared = rules.prepare(inputs, positions)
    return ReadRows(
        prepared.rows,
        tuple(sorted([*problems, *prepared.problems], key=lambda each: each.index)),
        passed_over,
    )


def with_greeting(context: Mapping[str, str]) -> dict[str, Any]:
    """The context with the columns of a greeting as one object, or without them where it is incomplete."""
    rest: dict[str, Any] = {name: value for name, value in context.items() if name not in _GREETING}
    kind = context.get("greeting_override_type", "").strip().lower()
    part = _GREETING_OF.get(kind)
    said = context.get(f"greeting_override_{part}")
    if said:
        rest["greeting_override"] = {"type": kind, part: said}
    return rest


def _why_not(numbers: Sequence[str], layout: Layout) -> str | None:
    if not numbers:
        return _NO_NUMBER
    if layout.needs_plus and not all(number.lstrip("' ").startswith("+") for number in numbers):
        return _NO_PLUS
    return None


def _filled(cells: Sequence[str], width: int) -> Sequence[str]:
    """The cells of a row, as many as there are columns."""
    return cells if len(cells) >= width else [*cells, *[""] * (width - len(cells))]


def _values(row: int, cells: Sequence[str], numbers: list[str], columns: Columns, layout: Layout) -> dict[str, Any]:
    values: dict[str, Any] = {PHONE: numbers}
    data: dict[str, str] = {}
    for name, field, cell in zip(columns.names, columns.fields, cells, strict=False):
        if field == DATA:
            data[name] = cell
        elif field not in (PHONE, IGNORED) and cell.strip():
            values[field] = _value(field, cell.strip())
    if layout.as_context:
        named = zip(columns.names, cells, strict=False)
        values["initial_context"] = with_greeting({name: cell for name, cell in named if name})
        data = with_greeting(data)
    values[DATA] = data
    if layout.key is not None:
        values[EXTERNAL_ID] = f"{layout.key}{row - 1}"
    return values


def _value(field: str, text: str) -> str | int:
    return int(text) if field == "priority" and text.isascii() and text.isdigit() and len(text) < 10 else text


def _problems(row: int, error: ValidationError, columns: Columns) -> list[RowProblem]:
    shown = dict(zip(columns.fields, columns.names, strict=True))
    found = error.errors(include_url=False, include_input=False)[:MAX_PROBLEMS_OF_A_ROW]
    return [
        RowProblem(row, None, (shown.get(str(each["loc"][0]), str(each["loc"][0])),), mistake(each, ContactInput))
        for each in found
    ]
