from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.call_results import (
    MAX_TRANSCRIPT_BYTES,
    SENSITIVE,
    CallResult,
    Following,
    ReportedResult,
    following,
    is_too_large,
    merged,
)
from shared.domain.calls import CallFilter, by_result
from shared.domain.outcome import Outcome

NINE, TEN = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "given", "after"),
    [
        ({}, {"notes": "a"}, {"notes": "a"}),
        ({"notes": "a"}, {}, {"notes": "a"}),
        ({"notes": "a"}, {"notes": "b"}, {"notes": "b"}),
        ({"notes": "a"}, {"cost": 1.5}, {"notes": "a", "cost": 1.5}),
        ({"tags": ["a", "b"]}, {"tags": ["c"]}, {"tags": ["c"]}),
        ({"tags": ["a"]}, {"tags": []}, {"tags": []}),
        ({"extracted": {"a": 1}}, {"extracted": {"b": 2}}, {"extracted": {"a": 1, "b": 2}}),
        (
            {"extracted": {"a": {"b": 1, "c": 2}}},
            {"extracted": {"a": {"c": 3}}},
            {"extracted": {"a": {"b": 1, "c": 3}}},
        ),
        ({"extracted": {"a": {"b": 1}}}, {"extracted": {"a": None}}, {"extracted": {"a": None}}),
        ({"extracted": {"a": 1}}, {"extracted": {"a": {"b": 1}}}, {"extracted": {"a": {"b": 1}}}),
        ({"extracted": {"a": [1, 2]}}, {"extracted": {"a": [3]}}, {"extracted": {"a": [3]}}),
        ({"extracted": {"a": 1}}, {"extracted": {}}, {"extracted": {"a": 1}}),
        ({}, {"opt_out": False}, {"opt_out": False}),
        ({"opt_out": False}, {"opt_out": True}, {"opt_out": True}),
        ({"opt_out": True}, {"opt_out": False}, {"opt_out": True}),
        ({"goal_reached": True}, {"goal_reached": False}, {"goal_reached": False}),
    ],
)
def test_reports_are_merged_field_by_field(
    before: dict[str, Any], given: dict[str, Any], after: dict[str, Any]
) -> None:
    assert merged(before, given) == after


@pytest.mark.parametrize(
    ("before", "given", "follows"),
    [
        ({}, {"notes": "a"}, Following()),
        ({}, {"opt_out": True}, Following(opts_out=True)),
        ({}, {"opt_out": False}, Following()),
        ({"opt_out": True}, {"opt_out": True}, Following()),
        ({"opt_out": True}, {"opt_out": False}, Following()),
        ({}, {"callback_at": NINE}, Following(call_back_at=NINE)),
        ({"callback_at": NINE}, {"callback_at": NINE, "notes": "b"}, Following()),
        ({"callback_at": NINE}, {"callback_at": TEN}, Following(call_back_at=TEN)),
        ({"callback_at": NINE}, {"notes": "b"}, Following()),
        ({}, {"callback_at": NINE, "opt_out": True}, Following(opts_out=True, call_back_at=NINE)),
    ],
)
def test_what_follows_from_a_report_follows_once(
    before: dict[str, Any], given: dict[str, Any], follows: Following
) -> None:
    assert following(before, merged(before, given)) == follows


keys = st.sampled_from("abc")
json_values = st.recursive(st.none() | st.booleans() | st.integers(-9, 9), lambda inner: st.dictionaries(keys, inner))
reports = st.fixed_dictionaries(
    {},
    optional={
        "notes": st.sampled_from("xyz"),
        "opt_out": st.booleans(),
        "callback_at": st.sampled_from([NINE, TEN]),
        "extracted": st.dictionaries(keys, json_values),
    },
)


@given(st.lists(reports, max_size=5), reports)
def test_a_report_repeated_at_once_changes_nothing_and_nothing_follows(
    earlier: list[dict[str, Any]], report: dict[str, Any]
) -> None:
    stored: dict[str, Any] = {}
    for each in [*earlier, report]:
        stored = merged(stored, each)
    again = merged(stored, report)
    assert again == stored
    assert following(stored, again) == Following()


def test_what_is_given_leaves_out_null_and_keeps_what_stands_in_objects() -> None:
    report = ReportedResult.model_validate_json(
        '{"notes": null, "extracted": {"a": null}, "sentiment": "positive", "tags": ["a", "b", "a"], "cost": 1,'
        '"transcript": [{"speaker": "agent", "text": "", "at": "2026-03-02T09:00:00.123456Z"}]}'
    )
    at = datetime(2026, 3, 2, 9, 0, 0, 123_000, tzinfo=UTC)
    assert report.given == {
        "extracted": {"a": None},
        "sentiment": "positive",
        "tags": ["a", "b"],
        "cost": 1,
        "transcript": [{"speaker": "agent", "text": "", "at": at}],
    }
    assert ReportedResult.model_validate_json("{}").given == {}


def test_a_transcript_has_a_size_that_a_document_can_hold() -> None:
    turn = {"speaker": "a", "text": "ä" * 5000}
    most = [turn] * (MAX_TRANSCRIPT_BYTES // 10_001)
    assert ReportedResult.model_validate({"transcript": most}).transcript
    with pytest.raises(ValidationError, match="at most 1048576 bytes"):
        ReportedResult.model_validate({"transcript": [*most, turn]})


def test_what_is_extracted_is_bounded_when_merged() -> None:
    assert not is_too_large({"extracted": {"a": "x" * 60_000}})
    assert is_too_large({"extracted": {"a": "x" * 60_000, "b": "x" * 6_000}})
    assert not is_too_large({})


def test_sensitive_fields_are_fields_of_a_result() -> None:
    assert set(CallResult.__dataclass_fields__) >= SENSITIVE


@pytest.mark.parametrize(
    ("opted_out", "outcome", "result", "found"),
    [
        (None, Outcome.ANSWERED, {"opt_out": True}, True),
        (True, Outcome.ANSWERED, {"opt_out": True}, True),
        (True, Outcome.ANSWERED, {}, False),
        (True, Outcome.BUSY, {}, True),
        (False, Outcome.ANSWERED, {"opt_out": True}, False),
        (False, Outcome.ANSWERED, {}, True),
    ],
)
def test_of_answered_calls_those_are_found_in_which_the_person_opted_out_or_did_not(
    opted_out: bool | None, outcome: Outcome, result: dict[str, Any], found: bool
) -> None:
    which = CallFilter(opted_out=opted_out)
    assert by_result(which, outcome, result) is found
    assert which.is_of_results is (opted_out is not None)
