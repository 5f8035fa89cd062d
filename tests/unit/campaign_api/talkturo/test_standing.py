from datetime import UTC, datetime
from typing import Any

import pytest

from services.campaign_api.talkturo.running import earliest
from services.campaign_api.talkturo.standing import standing_as
from shared.domain.contact import ContactStatus
from shared.domain.contact_record import Contact, Standing
from shared.domain.dialing_values import Wait
from shared.domain.facts import FactType
from shared.domain.preview import Preview, PreviewedContact, PreviewedRest
from shared.domain.reasons import EndReason, WaitReason
from shared.events import OrgFact
from shared.rendering.talkturo.objects import ALL_EVENTS
from shared.rendering.talkturo.renderer import events_of, fact_types_of
from shared.rendering.talkturo.words import ContactState, contact_state, skip_reason

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
PENDING, LOCKED, IN_PROGRESS = ContactStatus.PENDING, ContactStatus.LOCKED, ContactStatus.IN_PROGRESS
COMPLETED, EXHAUSTED = ContactStatus.COMPLETED, ContactStatus.EXHAUSTED
ERROR, SKIPPED = ContactStatus.ERROR, ContactStatus.SKIPPED


def contact(status: ContactStatus, made: int = 0, because: EndReason | None = None) -> Contact:
    """A contact of a campaign that stands so."""
    nothing: dict[str, Any] = dict.fromkeys(
        (
            "external_id", "campaign_id", "data", "timezone", "scheduled_at", "expires_at", "agent_id",
            "agent_version", "agent_number", "agent_config", "initial_context",
        )
    )  # fmt: skip
    return Contact(
        id="c", phone_numbers=(), priority=0, status=status, attempts_made=made, standing=Standing(),
        ended_because=because, attempts=(), created_at=NOW, updated_at=NOW, **nothing,
    )  # fmt: skip


CONTACTS = [
    (contact(PENDING), ContactState.QUEUED, ContactState.PENDING),
    (contact(PENDING, 1), ContactState.PENDING, ContactState.PENDING),
    (contact(LOCKED), ContactState.QUEUED, ContactState.QUEUED),
    (contact(LOCKED, 2), ContactState.QUEUED, ContactState.QUEUED),
    (contact(IN_PROGRESS, 1), ContactState.CALLING, ContactState.CALLING),
    (contact(COMPLETED, 1, EndReason.ANSWERED), ContactState.COMPLETED, ContactState.COMPLETED),
    (contact(EXHAUSTED, 1, EndReason.VOICEMAIL), ContactState.COMPLETED, ContactState.COMPLETED),
    (contact(EXHAUSTED, 1, EndReason.DECLINED), ContactState.COMPLETED, ContactState.COMPLETED),
    (contact(EXHAUSTED, 1, EndReason.OPTED_OUT), ContactState.COMPLETED, ContactState.COMPLETED),
    (contact(EXHAUSTED, 3, EndReason.NO_ANSWER), ContactState.FAILED, ContactState.FAILED),
    (contact(EXHAUSTED, 1, EndReason.INVALID_NUMBER), ContactState.FAILED, ContactState.FAILED),
    (contact(EXHAUSTED, 3, EndReason.BUSY), ContactState.FAILED, ContactState.FAILED),
    (contact(ERROR, 1, EndReason.LOST), ContactState.FAILED, ContactState.FAILED),
    (contact(SKIPPED, 0, EndReason.NO_PHONE), ContactState.SKIPPED, ContactState.SKIPPED),
]


def is_among(one: Contact, state: ContactState, *, running: bool) -> bool:
    """Whether a list of contacts in this state has the contact."""
    return any(
        one.status is way.status
        and (way.because is None or one.ended_because in way.because)
        and one.ended_because not in way.not_because
        and (way.called is None or way.called is (one.attempts_made > 0))
        for way in standing_as([state], running=running)
    )


@pytest.mark.parametrize(("one", "while_running", "else_"), CONTACTS)
def test_where_a_contact_stands_is_what_lists_find_it_by(
    one: Contact, while_running: ContactState, else_: ContactState
) -> None:
    for running, state in ((True, while_running), (False, else_)):
        assert contact_state(one, running=running) is state
        assert [word for word in ContactState if is_among(one, word, running=running)] == [state]


@pytest.mark.parametrize(
    ("because", "word"),
    [
        (EndReason.DO_NOT_CALL, "do_not_call"),
        (EndReason.NO_PHONE, "no_phone"),
        (EndReason.INVALID_NUMBER, "invalid_number"),
        (EndReason.CANCELLED, "cancelled"),
        (EndReason.PERSON_DELETED, "cancelled"),
        (None, "cancelled"),
    ],
)
def test_a_skipped_contact_says_why(because: EndReason | None, word: str) -> None:
    assert skip_reason(contact(SKIPPED, 0, because)) == word
    assert skip_reason(contact(EXHAUSTED, 1, because)) is None


@pytest.mark.parametrize(
    ("waits", "at"),
    [
        ([], None),
        ([Wait(WaitReason.RETRY, NOW.replace(hour=14)), Wait(WaitReason.OUTSIDE_HOURS, NOW.replace(hour=13))], 13),
        ([Wait(WaitReason.RETRY, NOW.replace(hour=14)), Wait(WaitReason.CAMPAIGN_LIMIT)], None),
        ([Wait(WaitReason.RETRY, NOW.replace(hour=11))], None),
        ([Wait(WaitReason.NEVER_OPEN), Wait(WaitReason.RETRY, NOW.replace(hour=14))], 14),
    ],
)
def test_the_next_call_is_at_the_earliest_opening_or_due_time_unless_that_is_now(
    waits: list[Wait], at: int | None
) -> None:
    rest = [PreviewedRest(PreviewedContact("c", None, None, 0), wait) for wait in waits]
    found = earliest(Preview("campaign", NOW, [], rest), NOW)
    assert (None if found is None else found.hour) == at


@pytest.mark.parametrize(
    ("kind", "facts", "events"),
    [
        (FactType.CALL_PLACED, {}, ["call.initiated"]),
        (FactType.CALL_ANSWERED, {}, ["call.answered"]),
        (FactType.CALL_ENDED, {"outcome": "answered"}, ["call.completed", "call.hangup"]),
        (FactType.CALL_ENDED, {"outcome": "voicemail"}, ["call.completed", "call.machine_detection.ended"]),
        (FactType.CALL_ENDED, {"outcome": "busy"}, ["call.completed"]),
        (FactType.CONTACT_COMPLETED, {"called_again": False}, ["contact.completed"]),
        (FactType.CONTACT_COMPLETED, {"called_again": True}, []),
        (FactType.CONTACT_SKIPPED, {}, ["contact.completed"]),
        (FactType.CAMPAIGN_STARTED, {}, ["campaign.started"]),
        (FactType.CAMPAIGN_RESUMED, {}, ["campaign.started"]),
        (FactType.CAMPAIGN_PAUSED, {}, ["campaign.paused"]),
        (FactType.CAMPAIGN_HALTED, {}, ["campaign.paused"]),
        (FactType.CAMPAIGN_COMPLETED, {}, ["campaign.completed"]),
        (FactType.CAMPAIGN_CANCELLED, {}, ["campaign.cancelled"]),
        (FactType.PERSON_CREATED, {}, []),
    ],
)
def test_a_fact_is_told_by_the_events_that_it_is(kind: FactType, facts: dict[str, Any], events: list[str]) -> None:
    fact = OrgFact(shard=1, n=1, organization_id="acme", type=kind, at=NOW, facts=facts)
    assert list(events_of(fact)) == events
    assert set(events) <= set(ALL_EVENTS)
    assert all(kind in fact_types_of([event]) for event in events)


def test_unknown_events_stand_for_no_fact() -> None:
    assert fact_types_of(["call.dreamt"]) == frozenset()
