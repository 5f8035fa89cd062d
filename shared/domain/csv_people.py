"""From rows of a CSV file to people of the contact book: each row by itself, found by its phone or made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from shared.domain.contact_input import NumberRules, RowProblem
from shared.domain.csv_columns import DATA, IGNORED, PHONE, PHONE_NAMES, Columns, understood
from shared.domain.csv_numbers import numbers_in
from shared.domain.csv_text import Record
from shared.domain.fields import TimezoneName
from shared.domain.json_rules import JsonObject, ShortText, check_text
from shared.domain.mistakes import mistake
from shared.domain.person import MAX_EMAIL, Tags
from shared.domain.phone import InvalidPhoneNumber

_NO_NUMBER: Final = "The row has no phone number; fill in the column, or leave the row out"
MAX_NUMBERS: Final = 2
INACTIVE: Final = "This person is inactive, and enrolled in nothing"
# Names of columns as contact books and CRMs have them, folded; all others are custom fields.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    PHONE: PHONE_NAMES,
    "first_name": ("firstname", "givenname", "forename", "vorname", "prenom", "nombre", "nome", "first"),
    "last_name": ("lastname", "surname", "familyname", "nachname", "nom", "apellido", "apellidos", "cognome", "last"),
    "email": ("email", "emailaddress", "mail", "workemail", "primaryemail", "email1", "correo", "emailadresse"),
    "company": ("company", "companyname", "organization", "organisation", "accountname", "account", "firma", "empresa"),
    "job_title": ("title", "jobtitle", "position", "role", "berufsbezeichnung", "cargo"),
    "tags": ("tags", "tag", "labels"),
    "timezone": ("timezone", "tz", "zeitzone", "contacttimezone"),
}
_FIELD_OF: Final[Mapping[str, str]] = MappingProxyType(
    {name: field for field, names in _NAMES.items() for name in names}
)
PERSON_FIELDS: Final = (*_NAMES, DATA, IGNORED)
"""What a column of a list of people may hold; `data`: a custom field of the column's name."""


class _Cells(BaseModel):
    """What a row may say of a person, beside the phone."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    first_name: ShortText | None = None
    last_name: ShortText | None = None
    # As it is: whether mail arrives there is nobody's business here.
    email: Annotated[str, Field(max_length=MAX_EMAIL), AfterValidator(check_text)] | None = None
    company: ShortText | None = None
    job_title: ShortText | None = None
    timezone: TimezoneName | None = None
    tags: Tags | None = None
    custom_fields: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A row that can be stored: its number in the file, and the given fields of the person, phone in E.164."""

    row: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReadPeople:
    """What some records became: people to store, why others cannot be, and how many were empty."""

    rows: tuple[PersonRow, ...]
    problems: tuple[RowProblem, ...]
    passed_over: int


def person_columns(header: Sequence[str], mapping: Mapping[str, str]) -> Columns:
    """The columns of a header, as `understood` has them for contacts. Raises `BadCsv`."""
    return understood(header, mapping, _FIELD_OF)


def read_people(records: Sequence[Record], columns: Columns, rules: NumberRules) -> ReadPeople:
    """The people of these records. Of several numbers the first is the phone, and the next the second one."""
    rows: list[PersonRow] = []
    problems: list[RowProblem] = []
    passed_over = 0
    for record in records:
        cells = [*record.cells, *[""] * (len(columns.names) - len(record.cells))]
        if not any(cell.strip() for cell in cells):
            passed_over += 1
            continue
        read = _person(record.row, cells, columns, rules)
        if isinstance(read, RowProblem):
            problems.append(read)
        else:
            rows.append(read)
    return ReadPeople(tuple(rows), tuple(problems), passed_over)


def _person(row: int, cells: Sequence[str], columns: Columns, rules: NumberRules) -> PersonRow | RowProblem:
    raw = [number for place in columns.phones for number in numbers_in(cells[place])]
    if not raw:
        return RowProblem(row, None, ("phone",), _NO_NUMBER)
    try:
        numbers = [rules.e164(number) for number in raw[:MAX_NUMBERS]]
    except InvalidPhoneNumber as error:
        return RowProblem(row, None, ("phone",), str(error))
    try:
        given = _Cells.model_validate(_values(cells, columns))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return RowProblem(row, None, (str(first["loc"][0]),), mistake(first, _Cells))
    values = {name: getattr(given, name) for name in given.model_fields_set}
    phones = dict(zip(("phone", "phone_secondary"), numbers, strict=False))
    return PersonRow(row, {**phones, **values})


def _values(cells: Sequence[str], columns: Columns) -> dict[str, Any]:
    """The cells that say something, by the field that they are for."""
    values: dict[str, Any] = {}
    custom: dict[str, str] = {}
    for name, field, cell in zip(columns.names, columns.fields, cells, strict=False):
        text = cell.strip()
        if not text or field in (PHONE, IGNORED):
            continue
        if field == DATA:
            custom[name] = cell
        elif field == "tags":
            values[field] = [tag for part in text.replace(";", ",").split(",") if (tag := part.strip())]
        else:
            values[field] = text
    return {**values, "custom_fields": custom} if custom else values
