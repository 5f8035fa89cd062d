"""From bytes to rows, purely: the batch's envelope as a whole, then every row by itself."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from services.contact_ingest.refusals import BatchTooLarge, UnreadableBatch
from shared.domain.contact_input import ContactInput, PreparedContacts, RowProblem, field_path, prepare_contacts
from shared.domain.json_rules import check_text
from shared.domain.mistakes import mistake, object_like
from shared.domain.phone import NumberType
from shared.domain.repeating import repeated
from shared.events import CONTACT_BATCH, ContactBatch

MAX_BATCH_BYTES: Final = 8 * 1024 * 1024
# What one row may say about itself in the batch's result, so that the result always fits into one document of
# 16 MiB: a thousand rows, ten problems each, four bytes a character.
MAX_PROBLEMS_OF_A_ROW: Final = 10
MAX_REPORTED_ID: Final = 255
MAX_REPORTED_FIELD: Final = 64
# Where a kind of mistake in a row has more to be said: what else this product offers.
HINTS: Final[Mapping[str, str]] = {"unknown_timezone": " (GET /campaign/timezones lists them all)"}


def read_message(value: bytes) -> tuple[ContactBatch, str]:
    """The batch in a message's value, and the SHA-256 of that value, which tells it from others under its id."""
    return read_batch(value), hashlib.sha256(value).hexdigest()


def read_batch(value: bytes | None) -> ContactBatch:
    """The batch in a message's value, its contacts not looked at yet.

    Raises `BatchTooLarge` or `UnreadableBatch`, whatever the bytes are.
    """
    if value is not None and len(value) > MAX_BATCH_BYTES:
        raise BatchTooLarge(f"The message has {len(value)} bytes; a batch may have {MAX_BATCH_BYTES}. Split it.")
    try:
        batch = CONTACT_BATCH.validate_python(_parsed(value))
        for text in (batch.batch_id, batch.organization_id, batch.campaign):
            check_text(text)
    except ValidationError as error:
        raise UnreadableBatch("; ".join(_sentences(error))) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableBatch(f"The message is no JSON in UTF-8: {type(error).__name__}.") from error
    return batch


def read_rows(
    contacts: Sequence[Any],
    *,
    default_country_code: str | None,
    strict_e164: bool,
    refused_types: Collection[NumberType] = (),
) -> PreparedContacts:
    """Every row checked by itself: `rows` to store, `problems` of the others. Never raises."""
    positions: list[int] = []
    inputs: list[ContactInput] = []
    problems: list[RowProblem] = []
    for index, raw in enumerate(contacts):
        if not isinstance(raw, dict):
            problems.append(RowProblem(index, None, (), f"Write {object_like(ContactInput)}"))
            continue
        try:
            inputs.append(ContactInput.model_validate(raw))
            positions.append(index)
        except ValidationError as error:
            problems.extend(_problems(index, raw, error))
    prepared = prepare_contacts(
        inputs,
        default_country_code=default_country_code,
        strict_e164=strict_e164,
        refused_types=refused_types,
        positions=positions,
    )
    return PreparedContacts(
        rows=prepared.rows,
        problems=tuple(sorted([*problems, *prepared.problems], key=lambda problem: problem.index)),
        warnings=prepared.warnings,
    )


def _parsed(value: bytes | None) -> Any:
    # The standard parser, because it lets half surrogate pairs through: they cost a row then, not the batch.
    parsed = json.loads((value or b"").decode())
    if not isinstance(parsed, dict):
        raise UnreadableBatch("The message must be a JSON object with schema_version, batch_id and contacts.")
    return parsed


def _problems(index: int, raw: Mapping[str, Any], error: ValidationError) -> list[RowProblem]:
    external_id = raw.get("external_id")
    reported_id = repeated(external_id, MAX_REPORTED_ID) if isinstance(external_id, str) else None
    found = error.errors(include_url=False, include_input=False)
    return [
        RowProblem(index, reported_id, _place(detail["loc"]), _said_of(detail))
        for detail in found[:MAX_PROBLEMS_OF_A_ROW]
    ]


def _said_of(detail: Mapping[str, Any]) -> str:
    return f"{mistake(detail, ContactInput)}{HINTS.get(detail['type'], '')}"


def _sentences(error: ValidationError) -> list[str]:
    found = error.errors(include_url=False, include_input=False)
    return [
        f"{field_path(_place(detail['loc'])) or 'message'}: {mistake(detail, ContactBatch)}"
        for detail in found[:MAX_PROBLEMS_OF_A_ROW]
    ]


def _place(loc: Sequence[str | int]) -> tuple[str | int, ...]:
    return tuple(repeated(part, MAX_REPORTED_FIELD) if isinstance(part, str) else part for part in loc)
