"""Loads contacts from a CRM's CSV export into a campaign, over the public API: an example to copy from.

The file goes to a URL that the API has signed, and is imported in the background; rows that cannot be contacts are
named with their reasons, and the others are in.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Any, Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from deploy.demo.client import Api, Refused
from deploy.waiting import until
from shared.errors import DialstreamError

FILE_NAME: Final = "contacts.csv"
CSV_TYPE: Final = "text/csv"
IMPORT_SECONDS: Final = 60.0
# What an agent is told of a contact.
DATA: Final = ("first_name", "last_name", "company", "owner", "notes")
# National numbers of other countries than the configuration's must be made international first.
REGIONS: Final = {
    **{"United Kingdom": "GB", "Germany": "DE", "France": "FR", "Australia": "AU", "Sweden": "SE", "Ireland": "IE"},
    **{"Netherlands": "NL", "Spain": "ES", "Italy": "IT", "Switzerland": "CH", "Japan": "JP", "India": "IN"},
    **{"Brazil": "BR", "South Africa": "ZA", "New Zealand": "NZ", "Singapore": "SG"},
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file; `number` is the one that a spreadsheet shows beside it (the head is row 1)."""

    number: int
    values: Mapping[str, str]

    @property
    def contact_id(self) -> str:
        """The customer's own id."""
        return self.values["Contact ID"]


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be said about a row."""

    row: Row
    reason: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of the rows: how many were read, how many of them are contacts now, and why others are not."""

    rows: int
    inserted: int
    refused: list[Remark]


class ImportFailed(DialstreamError):
    """The file could not be read as a table of contacts."""


def read_rows(path: Path, limit: int | None = None) -> list[Row]:
    """The rows of the file, or the first `limit` of them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [Row(number, values) for number, values in islice(enumerate(csv.DictReader(file), start=2), limit)]


def contact_of(row: Row) -> dict[str, Any]:
    """The row as the API wants it. Nothing is checked here: that is the API's part, and it names what is bad."""
    values = row.values
    contact: dict[str, Any] = {
        "external_id": row.contact_id,
        "phone_numbers": list(_numbers(values)),
        "data": {name: values[name.replace("_", " ").title()] for name in DATA},
    }
    if values["Time Zone"]:
        contact["timezone"] = values["Time Zone"]
    return contact


def _numbers(values: Mapping[str, str]) -> Iterator[str]:
    for column in ("Phone", "Mobile"):
        text = values[column].strip()
        if text:
            yield _international(text, REGIONS.get(values["Country"]))


def _international(text: str, region: str | None) -> str:
    """E.164 for numbers of a known foreign country; others as they are, for the API to read or to refuse."""
    if region is None:
        return text
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return text
    if number.extension is not None:
        return text
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


async def load(api: Api, campaign: str, rows: Sequence[Row]) -> Loaded:
    """Imports the rows; `campaign` is an id or an external_id.

    Raises Refused, ImportFailed, and TimeoutError where the import does not come to its end.
    """
    upload = await api.post("/campaign/files", {"name": FILE_NAME, "content_type": CSV_TYPE})
    # The URL alone allows this: a browser of the customer's could do it, without any key.
    headers = {"Content-Type": CSV_TYPE}
    async with api.session.put(upload["upload_url"], data=csv_of(rows), headers=headers) as answer:
        if answer.status != HTTPStatus.OK:
            raise Refused(answer.status, await answer.json(content_type=None))
    begun = await api.post(f"/campaign/campaigns/{campaign}/imports", {"file_id": upload["id"]})
    ended = begun

    async def has_ended() -> bool:
        nonlocal ended
        ended = await api.get(f"/campaign/imports/{begun['id']}")
        return bool(ended["status"] != "running")

    await until(has_ended, IMPORT_SECONDS)
    if ended["failure"] is not None:
        raise ImportFailed(ended["failure"]["message"])
    reasons: dict[int, list[str]] = {}
    for each in ended["refused_rows"]:
        reasons.setdefault(each["row"], []).append(f"{each['field']}: {each['reason']}")
    by_number = {row.number: row for row in rows}
    refused = [Remark(by_number[number], "; ".join(said)) for number, said in reasons.items()]
    return Loaded(ended["rows"], ended["inserted"], refused)


def csv_of(rows: Sequence[Row]) -> bytes:
    """The rows as a file to import: each in its line, its numbers such as can be read without its country."""
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow(("External ID", "Phone", "Mobile", "Time Zone", *DATA))
    for row in rows:
        contact = contact_of(row)
        phone, mobile = [*contact["phone_numbers"], "", ""][:2]
        data = [contact["data"][name] for name in DATA]
        lines.writerow([contact["external_id"], phone, mobile, contact.get("timezone", ""), *data])
    return text.getvalue().encode()
