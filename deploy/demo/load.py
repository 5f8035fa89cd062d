"""Loads contacts from a CRM's CSV export into a campaign, over the public API: an example to copy from.

Sends 1,000 rows at a time. When the API refuses a request because some rows are bad (422) it names every
one of them; they are set aside with the reason, and the others are sent again.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from deploy.demo.client import Api, Refused

BATCH: Final = 1000
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


@dataclass(slots=True)
class Loaded:
    """What became of the rows."""

    inserted: int = 0
    updated: int = 0
    refused: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)


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
        "data": {
            "first_name": values["First Name"],
            "last_name": values["Last Name"],
            "company": values["Company"],
            "owner": values["Owner"],
            "notes": values["Notes"],
        },
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
    """Adds all rows that the API takes; `campaign` is an id or an external_id."""
    loaded = Loaded()
    for first in range(0, len(rows), BATCH):
        await _load_batch(api, campaign, list(rows[first : first + BATCH]), loaded)
    loaded.refused.sort(key=lambda remark: remark.row.number)
    return loaded


async def _load_batch(api: Api, campaign: str, rows: list[Row], loaded: Loaded) -> None:
    while rows:
        try:
            answer = await api.post(
                f"/campaign/campaigns/{campaign}/contacts", {"contacts": [contact_of(row) for row in rows]}
            )
        except Refused as refused:
            bad = _bad_rows(refused)
            if not bad:
                raise
            loaded.refused += [Remark(rows[index], reason) for index, reason in bad.items()]
            rows = [row for index, row in enumerate(rows) if index not in bad]
        else:
            loaded.inserted += answer["inserted"]
            loaded.updated += answer["updated"]
            loaded.refused += [Remark(rows[failed["index"]], failed["reason"]) for failed in answer["failed"]]
            loaded.warnings += [Remark(rows[said["index"]], said["message"]) for said in answer["warnings"]]
            return


def _bad_rows(refused: Refused) -> dict[int, str]:
    """Index -> reason, from errors like {"loc": ["body", "contacts", 3, "phone_numbers", 0], "msg": …}."""
    reasons: dict[int, str] = {}
    for error in refused.errors:
        match error["loc"]:
            case ["body", "contacts", int(index), *where]:
                reason = f"{'.'.join(map(str, where))}: {error['msg']}" if where else error["msg"]
                reasons[index] = f"{reasons[index]}; {reason}" if index in reasons else reason
    return reasons
