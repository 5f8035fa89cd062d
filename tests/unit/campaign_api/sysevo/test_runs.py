"""Runs, their filters and reports of this API."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.campaign_api.sysevo.run_filters import BadFilter, UnknownAttribute, filter_of
from services.campaign_api.sysevo.translate_runs import (
    RunsOf,
    call_tags,
    disposition,
    order_of,
    report_header,
    report_lines,
    report_row,
    run_view,
    status_of,
    talk_seconds,
)
from shared.domain.calls import Call, CallFilter, CallOrder, CallStatus, ListedCall
from shared.domain.outcome import Outcome
from shared.engine.calls import CalledContact

OUT = Outcome
NOW = datetime(2026, 6, 1, tzinfo=UTC)
CONNECTED = {OUT.ANSWERED, OUT.VOICEMAIL}


@pytest.mark.parametrize(
    ("outcome", "said", "status", "tags"),
    [
        (OUT.ANSWERED, "completed", "completed", []),
        (OUT.VOICEMAIL, "voicemail_detected", "completed", ["voicemail_detected"]),
        (OUT.NO_ANSWER, "no-answer", "failed", ["not_connected", "telephony_no-answer"]),
        (OUT.BUSY, "busy", "failed", ["not_connected", "telephony_busy"]),
        (OUT.DECLINED, "canceled", "failed", ["not_connected", "telephony_canceled", "declined"]),
        (OUT.DO_NOT_CALL, "canceled", "failed", ["not_connected", "telephony_canceled", "do_not_call"]),
        (OUT.FAILED, "failed", "failed", ["not_connected", "telephony_failed"]),
        (OUT.INVALID_NUMBER, "failed", "failed", ["not_connected", "telephony_failed", "invalid_number"]),
        (OUT.INTERRUPTED, "error", "failed", ["not_connected", "telephony_error"]),
        (OUT.UNKNOWN, "error", "failed", ["not_connected", "telephony_error"]),
        (None, None, "in_progress", []),
    ],
)
def test_every_outcome_in_this_apis_words(
    outcome: Outcome | None, said: str | None, status: str, tags: list[str]
) -> None:
    assert disposition(outcome, {}) == said
    assert status_of(outcome) == status
    assert call_tags(outcome, None, {}) == tags
    assert call_tags(outcome, OUT.BUSY, {"tags": ["vip"]}) == [*tags, "retry", "retry_reason_busy", "vip"]
    assert set(OUT) | {None} >= {outcome}


def test_what_the_agent_says_of_an_answered_run_wins() -> None:
    assert disposition(OUT.ANSWERED, {"disposition": "appointment"}) == "appointment"
    assert disposition(OUT.BUSY, {"disposition": "appointment"}) == "busy"


@pytest.mark.parametrize(
    ("outcome", "given", "shown"), [(None, None, None), (OUT.BUSY, None, 0), (OUT.ANSWERED, 3.5, 3.5)]
)
def test_duration_is_talk_time(outcome: Outcome | None, given: float | None, shown: float | None) -> None:
    assert talk_seconds(outcome, given) == shown


@pytest.mark.parametrize(
    ("sort_by", "sort_order", "order"),
    [
        (None, "desc", CallOrder.NEWEST),
        ("created_at", "asc", CallOrder.OLDEST),
        ("whatever", "asc", CallOrder.OLDEST),
        ("duration", "desc", CallOrder.LONGEST),
        ("duration", "asc", CallOrder.SHORTEST),
    ],
)
def test_orders(sort_by: str | None, sort_order: str, order: CallOrder) -> None:
    assert order_of(sort_by, sort_order) is order


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, CallFilter()),
        ("null", CallFilter()),
        ("[]", CallFilter()),
        ('"all"', CallFilter()),
        ('[{"attribute": "status", "type": "radio", "value": "all"}]', CallFilter()),
        ('[{"attribute": "status", "value": {"status": "completed"}}]', CallFilter(status=CallStatus.ENDED)),
        ('[{"attribute": "status", "value": {"status": "in_progress"}}]', CallFilter(status=CallStatus.IN_PROGRESS)),
        (
            '[{"attribute": "dateRange", "value": {"from": "2026-06-01", "to": "2026-06-02T00:00:00Z"}}]',
            CallFilter(since=NOW, until=datetime(2026, 6, 2, 0, 0, 0, 1000, tzinfo=UTC)),
        ),
        ('[{"attribute": "duration", "value": {"min": 5, "max": "9"}}]', CallFilter(shortest=5, longest=9)),
        (
            '[{"attribute": "duration", "value": {"min": 5}},{"attribute": "duration", "value": {"min": 2, "max": 9}}]',
            CallFilter(shortest=5, longest=9),
        ),
        ('[{"attribute": "duration", "value": ""}, {"attribute": "dateRange", "value": []}]', CallFilter()),
        ('[{"attribute": "tokenUsage", "value": {"min": 0}}]', CallFilter()),
        ('[{"attribute": "tokenUsage", "value": {"min": 1}}]', CallFilter(contact_ids=())),
        (
            '{"attribute": "dispositionCode", "value": {"codes": ["no-answer", "vip"]}}',
            CallFilter(dispositions=("no-answer", "vip"), outcomes=frozenset({OUT.NO_ANSWER})),
        ),
        ('{"status": "completed"}', CallFilter(outcomes=frozenset({OUT.ANSWERED, OUT.VOICEMAIL}))),
        ('{"status": ["completed", "failed"]}', CallFilter(status=CallStatus.ENDED)),
        ('{"status": ["completed", "failed", "in_progress"]}', CallFilter()),
        ('{"status": ["completed", "in_progress"]}', CallFilter(outcomes=CONNECTED, under_way_too=True)),
        ('{"status": ["in_progress", "failed"]}', CallFilter(outcomes=set(OUT) - CONNECTED, under_way_too=True)),
        ('{"status": ["in_progress", "failed"], "outcome": "busy"}', CallFilter(outcomes={OUT.BUSY})),
        ('{"status": "completed", "outcome": "busy"}', CallFilter(contact_ids=())),
        (
            '{"outcome": "answered", "disposition": "vip"}',
            CallFilter(ended_as=frozenset({OUT.ANSWERED}), dispositions=("vip",)),
        ),
        ('{"phone_number": "+14155552671", "min_duration": 1}', CallFilter(called="+14155552671", shortest=1)),
        ('{"phone_number": "+1 (415) 555-2671"}', CallFilter(called="+14155552671")),
    ],
)
def test_filters(text: str | None, wanted: CallFilter) -> None:
    assert filter_of(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "5",
        "[5]",
        '[{"value": 1}]',
        '[{"attribute": "status", "value": "completed"}]',
        '[{"attribute": "status", "value": {"status": "failed"}}]',
        '[{"attribute": "duration", "value": {"min": "x"}}]',
        '[{"attribute": "duration", "value": {"min": 1e999}}]',
        '[{"attribute": "dateRange", "value": {"from": "yesterday"}}]',
        '[{"attribute": "dispositionCode", "value": {"codes": [5]}}]',
        '[{"attribute": "dispositionCode", "value": {"codes": ["busy"]}},'
        ' {"attribute": "dispositionCode", "value": {"codes": ["vip"]}}]',
        '{"status": "nothing"}',
        '{"phone_number": 5}',
        "[" * 5000,
    ],
)
def test_filters_of_another_shape(text: str) -> None:
    with pytest.raises(BadFilter):
        filter_of(text)


@pytest.mark.parametrize("text", ['[{"attribute": "mood", "value": 1}]', '{"mood": "good"}'])
def test_attributes_without_a_filter(text: str) -> None:
    with pytest.raises(UnknownAttribute):
        filter_of(text)


CALL = Call(
    id="a",
    number=77,
    organization_id="o",
    campaign_id="c",
    contact_id="x",
    contact_created_at=NOW,
    contact_name=None,
    status=CallStatus.ENDED,
    attempt_number=2,
    generation=1,
    phone_number="+14155552671",
    caller_number="+14155550100",
    agent_id="agent",
    agent_version=None,
    outcome=OUT.NO_ANSWER,
    outcome_before=OUT.BUSY,
    created_at=NOW,
    started_at=NOW,
    answered_at=None,
    ended_at=NOW,
    duration_seconds=None,
    conversation_id="v",
    provider_call_id="CA1",
    error="rang out",
)


def test_a_run_has_its_contacts_columns_and_what_the_engine_knows() -> None:
    columns = {"phone_number": "+1 415 555 2671", "name": "007", "provider": "theirs", "campaign_id": "theirs"}
    contact = CalledContact("x", "csv_1234abcd_row_1", {"name": "007"}, columns, NOW, None)
    run = run_view(ListedCall(CALL), contact, RunsOf(5, 3, "twilio", {"agent": 9}), "https://t")
    assert run.initial_context == {
        "phone_number": "+1 415 555 2671",
        "name": "007",
        "campaign_id": 5,
        "provider": "twilio",
        "source_uuid": "csv_1234abcd_row_1",
        "caller_number": "+14155550100",
        "called_number": "+14155552671",
        "direction": "outbound",
        "telephony_configuration_id": 3,
    }
    assert run.gathered_context == {
        "call_id": "CA1",
        "call_disposition": "no-answer",
        "mapped_call_disposition": "no-answer",
        "call_tags": ["not_connected", "telephony_no-answer", "retry", "retry_reason_busy"],
        "extracted_variables": {},
    }
    assert (run.name, run.mode, run.call_type, run.workflow_id) == ("WR-CAMPAIGN-5-77", "twilio", "outbound", 9)
    assert (run.definition_id, run.is_completed, run.status, run.outcome) == (9, True, "failed", "no_answer")
    assert (run.summary, run.transcript, run.extracted_data, run.tags) == (None, None, {}, [])
    assert (run.transcript_url, run.recording_url, run.termination_reason) == (None, None, "rang out")
    assert run.cost_info.model_dump() == {"dograh_token_usage": 0, "call_duration_seconds": 0}


def test_a_run_under_way_and_one_of_nobody_we_know() -> None:
    call = replace(CALL, status=CallStatus.IN_PROGRESS, outcome=None, outcome_before=None, ended_at=None)
    run = run_view(ListedCall(call), None, RunsOf(None, None, "dialstream", {}), None)
    assert (run.status, run.is_completed, run.duration_seconds, run.outcome) == ("in_progress", False, None, None)
    assert (run.workflow_id, run.definition_id, run.campaign_id) == (0, None, None)
    assert run.gathered_context["mapped_call_disposition"] is None
    assert run.gathered_context["call_tags"] == []
    assert run.initial_context["phone_number"] == call.phone_number


def test_a_row_of_the_report() -> None:
    row: dict[str, Any] = {
        "id": "a",
        "number": 77,
        "agent_id": "x",
        "created_at": NOW,
        "started_at": NOW,
        "ended_at": NOW,
        "phone_number": "+14155552671",
        "outcome": "answered",
        "outcome_before": "busy",
        "duration_seconds": 12.5,
        "attempt_number": 2,
        "result": {"summary": "=1+1", "extracted": {"mood": "@good", "n": 3}, "transcript": [], "tags": ["vip"]},
    }
    contact = CalledContact("c", "k", {"name": "Ada", "phone_number": "+1"}, {"name": "Ada"}, NOW, None)
    cells = report_row(row, contact, RunsOf(5, 1, "dialstream", {"x": 9}), ["mood", "n", "other"], "https://t")
    assert dict(zip(report_header(["mood", "n", "other"]), cells, strict=True)) == {
        "Run ID": 77,
        "Campaign ID": 5,
        "Agent ID": 9,
        "Agent Definition ID": 9,
        "Created At": "2026-06-01T00:00:00Z",
        "Phone Number": "+14155552671",
        "Call Disposition": "completed",
        "Call Duration (s)": 12.5,
        "mood": "'@good",
        "n": 3,
        "other": None,
        "Call Tags": "retry, retry_reason_busy, vip",
        "Transcript URL": "https://t",
        "Recording URL": None,
        "Outcome": "answered",
        "Attempt": 2,
        "Contact": '{"name":"Ada"}',
        "Transcript Summary": "'=1+1",
        "Extracted Data": '{"mood":"@good","n":3}',
    }
    assert report_lines([["a", "b,c"]]) == 'a,"b,c"\r\n'
