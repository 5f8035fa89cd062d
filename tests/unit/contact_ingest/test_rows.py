"""From bytes to rows: whatever arrives, it is a batch or a refusal, a row or a problem, and never a surprise."""

import contextlib
import hashlib
import json
from dataclasses import asdict
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contact_ingest.refusals import BatchTooLarge, UnreadableBatch
from services.contact_ingest.rows import MAX_BATCH_BYTES, MAX_PROBLEMS_OF_A_ROW, read_batch, read_message, read_rows
from shared.domain.contact_input import PreparedContacts
from shared.store.contacts.ingest_batches import BatchRow

ENVELOPE = {
    "schema_version": 1,
    "batch_id": "b",
    "organization_id": "o",
    "credential": "ak_x.y",
    "campaign": "default",
    "contacts": [{}],
}
FIELDS = [
    "id",
    "external_id",
    "phone_numbers",
    "data",
    "timezone",
    "scheduled_at",
    "agent_id",
    "agent_number",
    "agent_config",
    "initial_context",
]

# Everything the parser can return, the odd ones included.
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.floats()
    | st.text(st.characters(categories=None), max_size=20)
    | st.sampled_from(["+14155550100", "Europe/Berlin", "2026-01-01T00:00:00Z", "\ud800", "\x00", "$ref"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(categories=None), max_size=8) | st.just("$ref"), inner, max_size=4)
    ),
    max_leaves=12,
)
contacts = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), json_values, max_size=5)
plausible = st.fixed_dictionaries(
    {"phone_numbers": st.lists(st.sampled_from(["+14155550100", "030 901820", "0", "+1", ""]), max_size=3)},
    optional={"external_id": st.sampled_from(["a", "b", None]), "data": json_values, "timezone": json_values},
)


def prepared(*rows: Any, strict: bool = False) -> PreparedContacts:
    return read_rows(rows, default_country_code="+1", strict_e164=strict)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_batch_or_a_refusal(value: bytes) -> None:
    with contextlib.suppress(UnreadableBatch):
        read_batch(value)


@given(json_values)
def test_any_json_is_a_batch_or_a_refusal(value: Any) -> None:
    with contextlib.suppress(UnreadableBatch):
        read_batch(json.dumps(value).encode())


@given(st.dictionaries(st.sampled_from([*ENVELOPE, "more"]), json_values, max_size=4))
def test_any_envelope_is_a_batch_or_a_refusal(changes: dict[str, Any]) -> None:
    with contextlib.suppress(UnreadableBatch):
        read_batch(json.dumps(ENVELOPE | changes).encode())


@given(st.lists(contacts | plausible | json_values, max_size=8), st.booleans())
def test_every_row_is_stored_or_reported_or_counts_with_a_later_one(rows: list[Any], strict: bool) -> None:
    result = prepared(*rows, strict=strict)
    stored = [index for row in result.rows for index in row.indexes]
    reported = {problem.index for problem in result.problems}
    assert len(stored) == len(set(stored))
    assert set(stored) | reported == set(range(len(rows)))
    assert not set(stored) & reported
    # All that is said must fit into MongoDB and Kafka.
    for problem in result.problems:
        (problem.field + problem.message + (problem.external_id or "")).encode()
        assert "\x00" not in problem.field + problem.message + (problem.external_id or "")


def test_a_batch_is_read() -> None:
    assert read_batch(json.dumps(ENVELOPE).encode()).campaign == "default"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "no JSON"),
        (b"", "no JSON"),
        (b"\xff", "UnicodeDecodeError"),
        (b"[]", "JSON object"),
        (json.dumps(ENVELOPE | {"schema_version": 2}).encode(), "schema_version"),
        (json.dumps(ENVELOPE | {"typo": 1}).encode(), "typo: There is no such field; leave it out"),
        (json.dumps(ENVELOPE | {"campain": 1}).encode(), "campain: There is no such field; write campaign"),
        (json.dumps({}).encode(), "batch_id: Add this field: it is required"),
        (json.dumps(ENVELOPE | {"contacts": [{}] * 1001}).encode(), "contacts"),
    ],
)
def test_the_refusal_says_what_is_wrong(value: bytes | None, says: str) -> None:
    with pytest.raises(UnreadableBatch, match=says):
        read_batch(value)


def test_the_refusal_never_repeats_the_credential() -> None:
    with pytest.raises(UnreadableBatch) as refusal:
        read_batch(json.dumps(ENVELOPE | {"credential": ["ak_id.verysecret"]}).encode())
    assert "verysecret" not in str(refusal.value)


def test_a_message_beyond_the_limit_is_not_even_parsed() -> None:
    with pytest.raises(BatchTooLarge):
        read_batch(b" " * (MAX_BATCH_BYTES + 1))


def test_a_row_reports_every_wrong_field_but_not_without_end() -> None:
    row = {"phone_numbers": ["x"], "timezone": "Mars", "agent_number": "1"} | {f"f{n}": 1 for n in range(50)}
    assert len(prepared(row).problems) == MAX_PROBLEMS_OF_A_ROW


def test_the_problems_of_the_largest_batch_fit_into_one_document() -> None:
    wide = "\N{GRINNING FACE}"
    row = {"external_id": wide * 255, "phone_numbers": ["1"]} | {wide * 175 + str(number): 1 for number in range(10)}
    assert len(json.dumps([row] * 1000, ensure_ascii=False).encode()) < MAX_BATCH_BYTES
    problems = prepared(*[row] * 1000).problems
    assert len(problems) == 10_000
    assert len(bson.encode({"failed": [asdict(BatchRow.of_problem(problem)) for problem in problems]})) < 15_000_000


@pytest.mark.parametrize(
    ("row", "field", "says"),
    [
        ({"phone_numbers": ["+14155550100"], "first_name": "Ada"}, "first_name", "put what is your own into data"),
        ({"phone_numbers": ["+14155550100"], "agentId": "a"}, "agentId", "write agent_id"),
        ({"phone_numbers": "+14155550100"}, "phone_numbers", 'Write a list, also for one alone: ["+14155550123"]'),
        ("+14155550100", "", 'Write each contact as a JSON object: {"phone_numbers": ["+14155550123"]}'),
        (["+14155550100"], "", 'Write each contact as a JSON object: {"phone_numbers": ["+14155550123"]}'),
        ({"phone_numbers": ["+14155550100"], "\ud800": 1}, "", "Send valid Unicode"),
        ({}, "phone_numbers", "Add this field: it is required"),
    ],
)
def test_a_row_is_told_what_to_write_as_over_http(row: Any, field: str, says: str) -> None:
    [problem] = prepared(row).problems
    assert problem.field == field
    assert says in problem.message


def test_no_row_repeats_more_of_a_long_text_than_can_be_stored() -> None:
    long = "\x00" + "x" * 1_000_000
    [problem] = prepared({"phone_numbers": ["+14155550100"], long: 1}).problems
    assert problem.field == "?" + "x" * 62 + "…"
    long = "\ud800" + "x" * 1_000_000
    [problem] = prepared({"phone_numbers": ["+14155550100"], "external_id": long}).problems
    assert problem.external_id == "?" + "x" * 253 + "…"


def test_problems_carry_the_rows_place_and_name() -> None:
    good = {"phone_numbers": ["+14155550100"]}
    result = prepared(good, {"external_id": "a", "phone_numbers": ["+14155550100", "tomorrow"]}, good)
    assert [(problem.index, problem.external_id, problem.field) for problem in result.problems] == [
        (1, "a", "phone_numbers[1]")
    ]
    assert [row.index for row in result.rows] == [0, 2]


def test_a_message_is_told_from_others_by_the_sha256_of_its_bytes() -> None:
    value = json.dumps(ENVELOPE).encode()
    batch, digest = read_message(value)
    assert (batch.batch_id, digest) == ("b", hashlib.sha256(value).hexdigest())
    assert read_message(value + b" ")[1] != digest
