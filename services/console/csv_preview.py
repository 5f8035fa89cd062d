"""A CSV file before it is imported, purely: how its columns are understood, and its first rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from shared.domain.csv_columns import DATA, FIELDS, PHONE, Columns, separator_of, understood
from shared.domain.csv_people import PERSON_FIELDS, person_columns
from shared.domain.csv_text import SEPARATORS, BadCsv, CsvFlaw, EncodingSeeker, RecordReader, header_of

ROWS: Final = 10
# Of a file its first bytes are read: enough for ten rows of 25,000 bytes.
HEAD_BYTES: Final = 256 * 1024
# More are read by their names alone: a form has a field for each.
MOST_COLUMNS: Final = 200
# The API takes no longer names in a mapping; such a column is read by its name.
MOST_NAME: Final = 255
_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {PHONE: "phone number", DATA: "data, by its name", "ignore": "left out", "external_id": "external id"}
)
_SHOWN_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class CsvPreview:
    """The columns of a file as they are understood by their names, and its first rows below the header."""

    columns: Columns
    rows: tuple[tuple[str, ...], ...]

    def has_numbers(self, mapping: Mapping[str, str]) -> bool:
        """Whether a column holds numbers, where `mapping` says of some, by name, what they hold."""
        named = zip(self.columns.names, self.columns.fields, strict=True)
        return any(mapping.get(name, field) == PHONE for name, field in named)


def fields_for(people: bool) -> Sequence[str]:
    """What a column may hold."""
    return PERSON_FIELDS if people else FIELDS


def label(field: str) -> str:
    """What a column may hold, in words."""
    return _LABELS.get(field) or field.replace("_", " ")


def csv_preview(head: bytes, *, whole: bool, people: bool) -> CsvPreview:
    """The preview of a file, from its first bytes; `whole`: these are all. Raises `BadCsv` for what is no table."""
    seeker = EncodingSeeker()
    seeker.feed(head, last=whole)
    encoding = seeker.encoding
    if not head[encoding.start :].strip(b"\r\n \0"):
        raise BadCsv(CsvFlaw.EMPTY)
    headers = {each: header_of(head, encoding, each, whole=whole) for each in SEPARATORS}
    separator = separator_of({each: record.cells for each, record in headers.items()})
    header = headers[separator]
    columns = _understood(header.cells, person_columns if people else understood)
    rows: list[tuple[str, ...]] = []
    reader = RecordReader(encoding.name, separator, header.end, header.row)
    for record in reader.feed(head[header.end :], last=whole):
        if any(cell.strip() for cell in record.cells):
            filled = [*record.cells, *[""] * len(columns.names)]
            rows.append(tuple(filled[: len(columns.names)]))
        if len(rows) == ROWS:
            break
    return CsvPreview(columns, tuple(rows))


def _understood(header: Sequence[str], reading: Callable[[Sequence[str], Mapping[str, str]], Columns]) -> Columns:
    """The columns of a header; of one without numbers too, so that the right column can be chosen."""
    try:
        return reading(header, {})
    except BadCsv as error:
        named = [name.strip() for name in header if name.strip()]
        if error.flaw is not CsvFlaw.NO_PHONE_COLUMN or not named:
            raise
    told = reading(header, {named[0]: PHONE})
    return replace(told, fields=tuple(DATA if field == PHONE else field for field in told.fields))


def mapping_of(columns: Columns, chosen: Mapping[int, str], people: bool) -> dict[str, str]:
    """What columns hold, by name, as it was chosen by their places; what nobody could choose is left out."""
    fields = fields_for(people)
    return {
        name: chosen[place]
        for place, name in enumerate(columns.names)
        if 0 < len(name) <= MOST_NAME and chosen.get(place) in fields
    }


def hidden(cell: str, field: str) -> str:
    """A cell for those who may not see contacts' data: of a number its last digits, of all else nothing."""
    digits = "".join(sign for sign in cell if sign.isdigit())
    if field != PHONE or len(digits) <= 2 * _SHOWN_DIGITS:
        return "hidden" if cell.strip() else ""
    return f"…{digits[-_SHOWN_DIGITS:]}"
