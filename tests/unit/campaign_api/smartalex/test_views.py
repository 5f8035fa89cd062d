"""Calls, callbacks and contacts as this dialect shows them, over HTTP and in webhooks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.campaign_api.smartalex.translate_contacts import contact_with_history
from shared.domain.callbacks import Callback, CallbackType
from shared.domain.calls import Call, CallStatus, ListedCall
from shared.domain.contact import ContactStatus
from shared.domain.contact_record import Contact, Standing
from shared.domain.ids import default_campaign_id
from shared.domain.outcome import Outcome
from shared.domain.person import Person
from shared.domain.wishes import WishKind
from shared.engine.people import PersonsCalls, PersonWithHistory
from shared.rendering.smartalex.callbacks import callback_view, changed_callback
from shared.rendering.smartalex.calls import call_view, whole_call
from shared.rendering.smartalex.contacts import contact_view
from shared.rendering.smartalex.times import shown_time

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
ADA = Person(id="ada", created_at=NOW, updated_at=NOW, first_name="Ada", last_name="Lovelace", email="ada@example.com")
CALL = Call(
    id="call-1",
    number=1,
    organization_id="acme",
    campaign_id="spring",
    contact_id="c-1",
    contact_created_at=NOW,
    contact_name="Ada",
    status=CallStatus.ENDED,
    attempt_number=1,
    generation=1,
    phone_number="+14155550123",
    caller_number="+14155550100",
    agent_id="outreach",
    agent_version=None,
    outcome=Outcome.ANSWERED,
    outcome_before=None,
    created_at=NOW,
    started_at=NOW,
    answered_at=NOW + timedelta(seconds=3),
    ended_at=NOW + timedelta(seconds=65),
    duration_seconds=61.9,
    conversation_id="talk-1",
    provider_call_id=None,
    error=None,
)


def shown(call: Call, person: Person | None = None, **result: Any) -> dict[str, Any]:
    return whole_call(ListedCall(call, result), person).model_dump(mode="json")


def test_a_call_before_its_agent_has_said_anything() -> None:
    whole = shown(CALL, ADA)
    in_list: dict[str, Any] = {
        "id": "call-1",
        "direction": "outbound",
        "agent_id": "outreach",
        "campaign_id": "spring",
        "contact_id": "ada",
        "contact": {"id": "ada", "first_name": "Ada", "last_name": "Lovelace"},
        "phone_number": "+14155550123",
        "status": "completed",
        "call_status": "completed",
        "outcome": "answered",
        "duration": 61,
        "duration_seconds": 61,
        "sentiment": None,
        "cost": None,
        "recording_url": None,
        "summary": None,
        "created_at": "2026-01-15T10:30:00Z",
        "start_timestamp": "2026-01-15T10:30:00Z",
        "end_timestamp": "2026-01-15T10:31:05Z",
    }
    contact = {**in_list["contact"], "email": "ada@example.com"}
    assert whole == {**in_list, "contact": contact, "transcript": [], "extracted_data": None}
    assert call_view(ListedCall(CALL), ADA).model_dump(mode="json", exclude_unset=True) == in_list


def test_what_the_agent_says_of_a_call() -> None:
    said = {"sentiment": "negative", "cost": 0.5, "recording_url": "https://r", "summary": "No", "extracted": {"a": 1}}
    whole = shown(CALL, ADA, **said, transcript=[{"speaker": "agent", "text": "Hello", "at": NOW}])
    assert {name: whole[name] for name in ("sentiment", "cost", "recording_url", "summary")} == {
        name: value for name, value in said.items() if name != "extracted"
    }
    assert whole["extracted_data"] == {"a": 1}
    assert whole["transcript"] == [{"speaker": "agent", "text": "Hello", "timestamp": "2026-01-15T10:30:00Z"}]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.ANSWERED, "completed"),
        (Outcome.DO_NOT_CALL, "completed"),
        (Outcome.VOICEMAIL, "voicemail"),
        (Outcome.NO_ANSWER, "no_answer"),
        (Outcome.BUSY, "no_answer"),
        (Outcome.DECLINED, "no_answer"),
        (Outcome.FAILED, "failed"),
        (Outcome.INVALID_NUMBER, "failed"),
        (Outcome.INTERRUPTED, "failed"),
        (Outcome.UNKNOWN, "failed"),
    ],
)
def test_what_each_call_came_to(outcome: Outcome, status: str) -> None:
    whole = shown(replace(CALL, outcome=outcome))
    assert (whole["status"], whole["call_status"], whole["outcome"]) == (status, status, outcome.value)


@pytest.mark.parametrize(("outcome", "expected"), [(Outcome.ANSWERED, "do_not_call"), (Outcome.BUSY, "busy")])
def test_who_asks_the_agent_for_no_more_calls_has_the_one_word_for_it(outcome: Outcome, expected: str) -> None:
    assert shown(replace(CALL, outcome=outcome), opt_out=True)["outcome"] == expected


def test_a_call_that_is_up() -> None:
    up = {"status": CallStatus.IN_PROGRESS, "outcome": None, "ended_at": None, "duration_seconds": None}
    whole = shown(replace(CALL, **up))  # type: ignore[arg-type]
    assert (whole["status"], whole["call_status"]) == ("in_progress", "in_progress")
    assert (whole["outcome"], whole["end_timestamp"], whole["duration"]) == (None, None, 0)


def test_nobody_has_talked_where_nobody_picked_up() -> None:
    assert shown(replace(CALL, outcome=Outcome.NO_ANSWER, answered_at=None))["duration"] == 0


def test_a_call_to_a_contact_of_no_campaign_that_is_not_in_the_book() -> None:
    whole = shown(replace(CALL, campaign_id=default_campaign_id("acme")))
    assert (whole["campaign_id"], whole["contact_id"], whole["contact"]) == (None, None, None)


def test_times_are_whole_seconds_in_utc() -> None:
    assert shown_time(datetime.fromisoformat("2026-01-15T12:30:00.999+02:00")) == "2026-01-15T10:30:00Z"


def test_a_contact_of_whom_nothing_is_known() -> None:
    nobody = Person(id="x", created_at=NOW, updated_at=NOW)
    empty = dict.fromkeys(("phone", "first_name", "last_name", "email", "company", "title", "last_called_at"))
    times = dict.fromkeys(("created_at", "updated_at"), "2026-01-15T10:30:00Z")
    assert contact_view(nobody, PersonsCalls(), {}).model_dump(mode="json") == {
        "id": "x", "status": "active", "tags": [], "metadata": {}, "calls_count": 0, **empty, **times,
    }  # fmt: skip
    history = PersonWithHistory(nobody, PersonsCalls(), (), ())
    calls = contact_with_history(history, [ListedCall(CALL, {"sentiment": "positive"})], {}).calls
    assert [each.model_dump(mode="json") for each in calls] == [{
        "id": "call-1", "direction": "outbound", "status": "completed", "duration": 61, "sentiment": "positive",
        "created_at": "2026-01-15T10:30:00Z",
    }]  # fmt: skip


def waiting(callback: Callback | None, status: ContactStatus = ContactStatus.PENDING, **fields: Any) -> Contact:
    unsaid = "external_id timezone scheduled_at expires_at agent_id agent_version agent_number agent_config"
    empty = dict.fromkeys([*unsaid.split(), "initial_context", "ended_because"])
    usual: dict[str, Any] = {"data": {"first_name": "Ada"}, "person_id": "ada", "campaign_id": "spring"}
    return Contact(
        id="c-1", phone_numbers=("+14155550123",), priority=0, status=status, attempts_made=1, standing=Standing(),
        attempts=(), created_at=NOW, updated_at=NOW, callback=callback, **{**empty, **usual, **fields},
    )  # fmt: skip


RETRY = Callback("c-1-1", CallbackType.RETRY, NOW, Outcome.BUSY, 2, 3, None, None)
ASKED = Callback("c-1-2", CallbackType.REQUESTED, NOW, None, None, None, "At home", NOW - timedelta(days=1))


def test_a_retry_and_a_callback_that_was_asked_for() -> None:
    retry = callback_view(waiting(RETRY), {}, NOW + timedelta(seconds=1)).model_dump(mode="json")
    assert retry == {
        "id": "c-1-1",
        "campaign_id": "spring",
        "campaign_name": None,
        "contact_id": "ada",
        "contact_name": "Ada",
        "phone": "+14155550123",
        "type": "retry",
        "outcome": "busy",
        "retry_number": 2,
        "max_retries": 3,
        "scheduled_at": "2026-01-15T10:30:00Z",
        "overdue": True,
        "status": "pending",
        "notes": None,
        "agent_id": None,
        "created_at": "2026-01-15T10:30:00Z",
    }
    asked = callback_view(waiting(ASKED, data=None, person_id=None), {}, NOW).model_dump(mode="json")
    expected = {
        **retry, "id": "c-1-2", "contact_id": None, "contact_name": None, "type": "customer_requested", "outcome": None,
        "retry_number": None, "max_retries": None, "overdue": False, "notes": "At home",
        "created_at": "2026-01-14T10:30:00Z",
    }  # fmt: skip
    assert asked == expected


@pytest.mark.parametrize(
    ("kind", "after", "status", "shown_id"),
    [
        (WishKind.AT, waiting(RETRY), "pending", "c-1-1"),
        (WishKind.NOW, waiting(RETRY), "pending", "c-1-1"),
        (WishKind.SKIP, waiting(ASKED), "pending", "c-1-2"),
        (WishKind.SKIP, waiting(None, ContactStatus.EXHAUSTED), "cancelled", "c-1-1"),
        (WishKind.SKIP, waiting(None), "cancelled", "c-1-1"),
        (WishKind.SKIP, waiting(None, ContactStatus.COMPLETED), "completed", "c-1-1"),
        (WishKind.GIVE_UP, waiting(None, ContactStatus.EXHAUSTED), "cancelled", "c-1-1"),
        (WishKind.GIVE_UP, waiting(None, ContactStatus.COMPLETED), "cancelled", "c-1-1"),
        (WishKind.DONE, waiting(None, ContactStatus.COMPLETED), "completed", "c-1-1"),
    ],
)
def test_a_callback_as_an_action_leaves_it(kind: WishKind, after: Contact, status: str, shown_id: str) -> None:
    view = changed_callback(waiting(RETRY), after, kind, {}, NOW)
    assert (view.status, view.id) == (status, shown_id)
