"""Contacts of an NDJSON file into a campaign, a thousand at a time; bad rows are set aside, the others go on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dialstream_cli.client import Api, segment
from dialstream_cli.faults import Refused
from dialstream_cli.rows import FileRow, SetAside, batches, parsed

_INVALID: Final = 422
_TOO_LARGE: Final = 413


@dataclass(slots=True)
class Uploaded:
    """What has become of the rows so far."""

    inserted: int = 0
    updated: int = 0
    refused: list[SetAside] = field(default_factory=list)
    warnings: list[SetAside] = field(default_factory=list)


def upload(api: Api, campaign: str, rows: Iterator[FileRow]) -> Iterator[tuple[int, Uploaded]]:
    """Send all rows; after each batch, how many rows it had and what has become of all so far.

    Raises Refused where it is no row that is at fault, and NotReachable: what was yielded is stored.
    """
    so_far = Uploaded()
    for batch in batches(rows):
        contacts: list[tuple[int, dict[str, Any]]] = []
        for row in batch:
            match parsed(row):
                case SetAside() as bad:
                    so_far.refused.append(bad)
                case contact:
                    contacts.append((row.number, contact))
        _send(api, campaign, contacts, so_far)
        yield len(batch), so_far


def _send(api: Api, campaign: str, contacts: list[tuple[int, dict[str, Any]]], so_far: Uploaded) -> None:
    """Send a batch; where rows of it break the rules, nothing was stored, and those without them go out once more."""
    while contacts:
        # A row that names its contact may be sent twice: the second time changes nothing.
        named = all("external_id" in contact or "id" in contact for _, contact in contacts)
        try:
            answer = api.post(
                f"/campaign/campaigns/{segment(campaign)}/contacts",
                {"contacts": [contact for _, contact in contacts]},
                again=named,
            )
        except Refused as refusal:
            bad = bad_rows(refusal, [number for number, _ in contacts])
            if not bad:
                raise
            so_far.refused += bad
            numbers = {row.row for row in bad}
            contacts = [(number, contact) for number, contact in contacts if number not in numbers]
            continue
        so_far.inserted += answer["inserted"]
        so_far.updated += answer["updated"]
        so_far.refused += [SetAside(contacts[row["index"]][0], "", row["reason"]) for row in answer["failed"]]
        so_far.warnings += [SetAside(contacts[row["index"]][0], "", row["message"]) for row in answer["warnings"]]
        return


def bad_rows(refusal: Refused, numbers: Sequence[int]) -> list[SetAside]:
    """The rows that a refusal names, by `["body", "contacts", index, field…]`; none where something else is wrong."""
    if refusal.status == _TOO_LARGE and len(numbers) == 1:
        return [SetAside(numbers[0], "", refusal.detail)]
    if refusal.status != _INVALID:
        return []
    found = [_bad_row(error, numbers) for error in refusal.errors]
    return [row for row in found if row is not None] if all(found) else []


def _bad_row(error: Mapping[str, Any], numbers: Sequence[int]) -> SetAside | None:
    match error["loc"]:
        case ["body", "contacts", int(index), *inner] if index < len(numbers):
            return SetAside(numbers[index], _written(inner), error["msg"])
        case _:
            return None


def _written(way: Sequence[str | int]) -> str:
    """A way into a row as results of imports and batches write it: `phone_numbers[0]`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in way)
    return "".join(steps).removeprefix(".")
