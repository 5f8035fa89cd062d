"""One contact as customers send it: what is taken, what is refused, and how a list of them is prepared."""

import json
import math
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.contact_input import ContactInput, PreparedContacts, prepare_contacts, why_unreadable
from shared.domain.json_rules import MAX_JSON_BYTES, MAX_NESTING, check_json
from shared.domain.phone import NumberType
from shared.domain.row_remarks import Fact, Remark, RemarkCode

NUMBER = "+14155550100"
ID = "3F2B8A54-0c55-4c1e-9a57-1f0f6c3e8d21"


def contact(**fields: Any) -> ContactInput:
    return ContactInput.model_validate({"phone_numbers": [NUMBER], **fields})


def nested(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels - 1):
        value = {"in": value}
    return value


def test_what_was_given_is_known() -> None:
    assert contact(agent_id=None).model_fields_set == {"phone_numbers", "agent_id"}


def test_times_are_kept_in_utc_to_the_millisecond() -> None:
    given_at = contact(scheduled_at="2026-07-01T14:30:00.123999+02:00").scheduled_at
    assert given_at == datetime(2026, 7, 1, 12, 30, 0, 123_000, tzinfo=UTC)


def test_ids_are_kept_in_lower_case() -> None:
    assert contact(id=ID).id == ID.lower()


@pytest.mark.parametrize(
    "fields",
    [
        {"data": nested(MAX_NESTING)},
        {"data": {"max": 2**63 - 1, "min": -(2**63)}},
        {"data": {"$gt": "", "a.b": 1, "": None}},
        {"data": {"x": "a" * (MAX_JSON_BYTES - 8)}},
        {"data": {"path": "C:\\u0000"}},
        {"initial_context": "hello"},
        {"initial_context": {"a": [1, 2]}},
        {"phone_numbers": [NUMBER] * 10},
        {"external_id": "x" * 255},
        {"external_id": "ümlaut/?#%"},
        {"timezone": "Europe/Berlin", "agent_number": NUMBER},
    ],
)
def test_taken(fields: dict[str, Any]) -> None:
    contact(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"phone_numbers": []},
        {"phone_numbers": None},
        {"phone_numbers": NUMBER},
        {"phone_numbers": [NUMBER] * 11},
        {"phone_numbers": [14155550100]},
        {"phone_numbers": [{"$gt": ""}]},
        {"phone_numbers": ["+1\x004155550100"]},
        {"id": "not-a-uuid"},
        {"id": "3f2b8a540c554c1e9a571f0f6c3e8d21"},
        {"external_id": 7},
        {"external_id": ""},
        {"external_id": "x" * 256},
        {"external_id": {"$ne": None}},
        {"external_id": "nul\x00"},
        {"external_id": "half \ud83d"},
        {"data": []},
        {"data": "text"},
        {"data": nested(MAX_NESTING + 1)},
        {"data": {"x": 2**63}},
        {"data": {"x": [{"y": -(2**63) - 1}]}},
        {"data": {"x": math.nan}},
        {"data": {"x": [math.inf]}},
        {"data": {"x": "nul\x00"}},
        {"data": {"nul\x00": 1}},
        {"data": {"x": "half \udc00"}},
        {"data": {"half \udc00": 1}},
        {"data": {"x": "a" * (MAX_JSON_BYTES - 7)}},
        {"data": {"x": [{"$ref": "elsewhere", "$id": None}]}},
        {"timezone": "Mars/Olympus"},
        {"timezone": "europe/berlin"},
        {"timezone": "../etc/passwd"},
        {"scheduled_at": "2026-07-01T14:30:00"},
        {"scheduled_at": "2026-07-01"},
        {"scheduled_at": "tomorrow"},
        {"scheduled_at": 1782914400},
        {"scheduled_at": "1782914400"},
        {"scheduled_at": "0001-01-01T00:00:00+14:00"},
        {"agent_number": "415 555 0123"},
        {"agent_config": []},
        {"initial_context": 1},
        {"initial_context": []},
        {"initial_context": "x" * MAX_JSON_BYTES},
        {"unknown": 1},
    ],
)
def test_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        contact(**fields)


json_texts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(categories=None)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(categories=None)), inner),
    max_leaves=20,
)


@given(json_texts)
def test_json_that_is_taken_survives_every_encoding(value: Any) -> None:
    try:
        check_json(value)
    except ValueError:
        return
    assert json.loads(json.dumps(value).encode()) == value


def prepare(
    *contacts: dict[str, Any], strict: bool = False, code: str | None = None, refused: Collection[NumberType] = ()
) -> PreparedContacts:
    inputs = [contact(**fields) for fields in contacts]
    return prepare_contacts(inputs, default_country_code=code, strict_e164=strict, refused_types=refused)


def test_national_numbers_are_read_with_the_country_code() -> None:
    assert prepare({"phone_numbers": ["(415) 555-0100"]}).rows[0].phone_numbers == (NUMBER,)
    german = prepare({"phone_numbers": ["030 901820"]}, code="+49")
    assert german.rows[0].phone_numbers == ("+4930901820",)


def test_contacts_of_no_campaign_need_e164() -> None:
    result = prepare({"phone_numbers": ["+1 (415) 555-0123"]}, strict=True)
    assert [(problem.index, problem.field) for problem in result.problems] == [(0, "phone_numbers[0]")]
    assert not result.rows


def test_every_bad_number_is_named() -> None:
    result = prepare({"phone_numbers": ["x", NUMBER, "y"]}, {}, {"phone_numbers": ["1"]})
    assert [(problem.index, problem.loc) for problem in result.problems] == [
        (0, ("phone_numbers", 0)),
        (0, ("phone_numbers", 2)),
        (2, ("phone_numbers", 0)),
    ]
    assert [row.index for row in result.rows] == [1]


def test_a_number_twice_is_kept_once() -> None:
    result = prepare({"phone_numbers": [NUMBER, "415-555-0100", "+14155550199"]})
    assert result.rows[0].phone_numbers == (NUMBER, "+14155550199")
    assert [warning.index for warning in result.warnings] == [0]


def test_a_number_that_is_possible_but_not_in_use_is_kept_with_a_warning() -> None:
    result = prepare({"phone_numbers": ["+11115550100"]})
    assert result.rows[0].phone_numbers == ("+11115550100",)
    assert [one.remark for one in result.warnings] == [Remark(RemarkCode.NUMBER_NOT_IN_USE, {"place": 0})]


def test_a_spreadsheets_float_is_a_problem_that_says_what_to_do() -> None:
    result = prepare({"phone_numbers": ["+491701234500.0"]}, {"phone_numbers": ["+491701234500.0"]}, strict=True)
    assert not result.rows
    [loose] = prepare({"phone_numbers": ["+491701234500.0"]}).problems
    assert "format the column as text" in loose.message
    assert "4917" not in loose.message


def test_the_two_readings_of_a_number_without_a_plus_are_a_warning_that_names_both() -> None:
    result = prepare({"external_id": "a", "phone_numbers": [NUMBER, "491701234500"]}, code="+49")
    assert result.rows[0].phone_numbers == (NUMBER, "+49491701234500")
    [warning] = result.warnings
    assert (warning.index, warning.external_id) == (0, "a")
    facts: dict[str, Fact] = {"place": 1, "number": "+49491701234500", "other": "+491701234500"}
    assert warning.remark == Remark(RemarkCode.NUMBER_AMBIGUOUS, facts)


def test_mexicos_mobile_1_and_the_number_without_it_are_one_number() -> None:
    result = prepare({"phone_numbers": ["+52 1 55 1234 5678", "+525512345678"]})
    assert result.rows[0].phone_numbers == ("+525512345678",)
    assert [warning.remark for warning in result.warnings] == [Remark(RemarkCode.NUMBER_REPEATED, {"place": 1})]


@pytest.mark.parametrize(
    ("first", "again"),
    [("+5491123456789", "+541123456789"), ("+541123456789", "+54 9 11 2345-6789")],
)
def test_two_spellings_of_one_phone_in_a_contact_are_one_number_the_first(first: str, again: str) -> None:
    result = prepare({"phone_numbers": [first, NUMBER, again]}, strict=" " not in again)
    assert result.rows[0].phone_numbers == (first, NUMBER)
    [warning] = result.warnings
    assert warning.remark == Remark(RemarkCode.NUMBER_REPEATED, {"place": 2})


COSTLY = [
    pytest.param("+19002345678", NumberType.PREMIUM_RATE, "premium-rate", id="premium rate"),
    pytest.param("+49180123456", NumberType.SHARED_COST, "shared-cost", id="shared cost"),
    pytest.param("+881612345678", NumberType.SATELLITE, "satellite", id="satellite"),
]


@pytest.mark.parametrize(("number", "kind", "words"), COSTLY)
def test_a_costly_number_is_kept_with_a_warning(number: str, kind: NumberType, words: str) -> None:
    assert kind.words == words
    others = [other for other in NumberType if other is not kind]
    result = prepare({"phone_numbers": [NUMBER, number]}, refused=others)
    assert result.rows[0].phone_numbers == (NUMBER, number)
    [warning] = result.warnings
    assert warning.remark == Remark(RemarkCode.NUMBER_COSTLY, {"place": 1, "type": kind.value})


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(("number", "kind", "words"), COSTLY)
def test_a_number_of_a_refused_type_is_a_problem(number: str, kind: NumberType, words: str, strict: bool) -> None:
    result = prepare({"phone_numbers": [NUMBER, number]}, {}, strict=strict, refused=[kind])
    [problem] = result.problems
    assert (problem.index, problem.field) == (0, "phone_numbers[1]")
    assert f"This is a {words} number" in problem.message
    assert "refused_number_types" in problem.message
    assert number not in problem.message
    assert [row.index for row in result.rows] == [1]
    assert (
        why_unreadable(number, default_country_code=None, strict_e164=strict, refused_types=[kind]) == problem.message
    )
    assert why_unreadable(number, default_country_code=None, strict_e164=strict) is None


def test_the_same_contact_twice_counts_once_and_the_last_one_wins() -> None:
    result = prepare(
        {"external_id": "a", "agent_id": "first", "data": {"kept": 1}},
        {"external_id": "b"},
        {"external_id": "a", "agent_id": "last"},
        {"id": ID},
        {"id": ID, "external_id": "b"},
    )
    rows = {row.indexes: row for row in result.rows}
    assert rows.keys() == {(0, 2), (1,), (3, 4)}
    assert rows[0, 2].fields == {"agent_id": "last", "data": {"kept": 1}}
    assert rows[3, 4].external_id == "b"
    assert [(warning.index, warning.external_id) for warning in result.warnings] == [(0, "a"), (3, None)]


def test_two_ids_under_one_external_id_stay_two_rows() -> None:
    other = "00000000-0000-4000-8000-000000000000"
    assert len(prepare({"id": ID, "external_id": "a"}, {"id": other, "external_id": "a"}).rows) == 2
