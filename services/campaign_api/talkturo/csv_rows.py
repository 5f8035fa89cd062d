"""Rows of an imported CSV as contacts, purely: columns in any case, blanks and underscores apart."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from services.campaign_api.http.faults import BadValue, ValuesInvalid
from services.campaign_api.talkturo.schemas.contacts import NewContact

MOST_ROWS: Final = 10_000
COMPANY: Final = "company"
# Columns that name a company; its field is no contact's.
_COMPANY_NAMES: Final = frozenset({"company", "companyname"})
_APART: Final = re.compile(r"[\s_]+")
_TRUE: Final = frozenset({"true", "yes", "1"})
_FALSE: Final = frozenset({"false", "no", "0"})


def _folded(column: str) -> str:
    return _APART.sub("", column).casefold()


_FIELDS: Final[Mapping[str, str]] = {
    **{_folded(name): name for name in NewContact.model_fields if name not in {"team_id", "account_slug"}},
    **{_folded(name): field for name, field in NewContact.also.items()},
    **dict.fromkeys(_COMPANY_NAMES, COMPANY),
}


def mapping_of(text: str | None) -> dict[str, str]:
    """What `mapping` says of columns: their fields, by folded column. Raises `ValuesInvalid`."""
    if text is None:
        return {}
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise _refused("mapping", 'Write a JSON object such as {"Mobile": "phone"}')
    return {_folded(column): value for column, value in given.items()}


def rows_of(raw: bytes, mapping: Mapping[str, str]) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Each row that is not blank, as the fields of a contact, and the company that it names.

    Raises `ValuesInvalid` for what is no UTF-8, has no usable header or no rows, or more than there may be.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused("body", "Send the CSV in UTF-8") from None
    lines = csv.reader(io.StringIO(text, newline=""))
    try:
        header = next(lines, [])
        rows = [line for line in lines if any(cell.strip() for cell in line)]
    except csv.Error:
        raise _refused("body", "Send CSV with quoted fields closed") from None
    header = [mapping.get(_folded(column), column.strip()) for column in header]
    fields = [_FIELDS.get(_folded(column)) for column in header]
    if "first_name" not in fields or "last_name" not in fields:
        raise _refused("body", "The first line must name the columns, firstName and lastName among them")
    if not 1 <= len(rows) <= MOST_ROWS:
        raise _refused("body", f"Send 1 to {MOST_ROWS} rows, not {len(rows)}")
    return (_contact(header, fields, row) for row in rows)


def _contact(
    header: Sequence[str], fields: Sequence[str | None], row: Sequence[str]
) -> tuple[dict[str, Any], str | None]:
    made: dict[str, Any] = {}
    own: dict[str, str] = {}
    company: str | None = None
    for column, known, cell in zip(header, fields, row, strict=False):
        value = cell.strip()
        if not value:
            continue
        match known:
            case None:
                own[column] = value
            case "company":
                company = value
            case "tags":
                made[known] = [tag.strip() for tag in re.split("[,;]", value) if tag.strip()]
            case "do_not_call":
                made[known] = _truth(value)
            case _:
                made[known] = value
    return (made | {"custom_fields": own} if own else made), company


def _truth(value: str) -> Any:
    word = value.casefold()
    return True if word in _TRUE else False if word in _FALSE else value


def _refused(place: str, sentence: str) -> ValuesInvalid:
    return ValuesInvalid([BadValue(("body",) if place == "body" else ("query", place), sentence, "csv")])
