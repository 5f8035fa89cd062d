import uuid
from typing import Any

import pytest

from services.campaign_api.talkturo.running import why_not_now
from shared.domain.campaign import CampaignState
from shared.domain.counts import CampaignCounts
from shared.domain.dialing_values import Wait
from shared.domain.outcome import Outcome
from shared.domain.reasons import WaitReason
from shared.rendering.talkturo.ids import Prefix, is_own_id, meant_by, run_id, shown_id
from shared.rendering.talkturo.words import (
    STATUS_OF,
    CallOutcome,
    ContactState,
    contact_states,
    outcome_counts,
    outcome_of,
    outcomes_behind,
)

EXAMPLE = "7b1c9f2e-52a5-4f0d-8c4b-0c6f3b8f6d11"
TYPED = "3v3jfjwmn59w6rrjrcdwxryv8h"


def test_ids_are_the_uuid_in_base_32_both_ways() -> None:
    assert shown_id(Prefix.CAMPAIGN, EXAMPLE) == f"camp_{TYPED}"
    assert meant_by(Prefix.CAMPAIGN, f"camp_{TYPED}") == (EXAMPLE, f"camp_{TYPED}")
    for text in (EXAMPLE, f"comp_{TYPED}", f"camp_{TYPED.upper()}", "camp_8" + TYPED[1:], "camp_", "spring"):
        assert meant_by(Prefix.CAMPAIGN, text) == (text,)


@pytest.mark.parametrize(
    ("external_id", "is_shown"),
    [("camp_01J", True), ("camp_a.b-c_d", True), ("camp_", False), ("comp_01J", False), ("camp_" + "x" * 65, False)],
)
def test_external_ids_of_talkturos_form_are_shown_as_ids(external_id: str, is_shown: bool) -> None:
    assert is_own_id(Prefix.CAMPAIGN, external_id) is is_shown
    assert (shown_id(Prefix.CAMPAIGN, EXAMPLE, external_id) == external_id) is is_shown


def test_an_assistant_whose_id_is_no_uuid_is_shown_by_that() -> None:
    assert shown_id(Prefix.ASSISTANT, "outreach") == "outreach"


def test_each_run_has_an_id_of_its_own() -> None:
    assert run_id(EXAMPLE, 1) != run_id(EXAMPLE, 2) != run_id(str(uuid.uuid4()), 2)
    assert run_id(EXAMPLE, 1).startswith("run_")


def test_every_state_and_every_outcome_has_a_word() -> None:
    assert set(STATUS_OF) == set(CampaignState)
    words = {outcome: outcome_of(outcome) for outcome in Outcome}
    assert {outcome for outcome, word in words.items() if word is CallOutcome.ERROR} == {
        Outcome.FAILED,
        Outcome.INTERRUPTED,
        Outcome.UNKNOWN,
    }
    assert outcome_of(Outcome.ANSWERED, opted_out=True) is CallOutcome.DO_NOT_CALL
    assert outcome_of(None) is None
    assert outcomes_behind([CallOutcome.ERROR, CallOutcome.BUSY]) == {
        Outcome.FAILED,
        Outcome.INTERRUPTED,
        Outcome.UNKNOWN,
        Outcome.BUSY,
    }


COUNTS: dict[str, Any] = {
    "pending": 10,
    "active": 3,
    "completed": 4,
    "exhausted": 5,
    "error": 1,
    "skipped": 2,
    "attempts": 20,
    "retrying": 4,
    "ended": {"answered": 3, "opted_out": 1, "voicemail": 2, "no_answer": 3, "no_agent": 1, "do_not_call": 2},
}


@pytest.mark.parametrize(("running", "pending", "queued"), [(True, 4, 7), (False, 10, 1)])
def test_contacts_are_counted_by_where_they_stand(running: bool, pending: int, queued: int) -> None:
    seen = contact_states(CampaignCounts(**COUNTS), 2, running=running)
    assert seen == {
        ContactState.PENDING: pending,
        ContactState.QUEUED: queued,
        ContactState.CALLING: 2,
        ContactState.COMPLETED: 6,
        ContactState.SKIPPED: 2,
        ContactState.FAILED: 4,
    }
    assert sum(seen.values()) == CampaignCounts(**COUNTS).total


def test_calls_are_counted_by_outcome_with_opt_outs_apart() -> None:
    counted = outcome_counts({"answered": 5, "failed": 2, "unknown": 1, "do_not_call": 1}, opted_out=3)
    assert {name: count for name, count in counted.items() if count} == {"answered": 3, "do_not_call": 3, "error": 3}
    assert set(counted) == {word.value for word in CallOutcome}


@pytest.mark.parametrize(
    ("reason", "full", "word"),
    [
        (WaitReason.OUTSIDE_HOURS, True, "outside_window"),
        (WaitReason.CLOSED_DAY, False, "outside_window"),
        (WaitReason.RETRY, True, "retry_later"),
        (WaitReason.IN_LINE, True, "max_calls"),
        (WaitReason.CAMPAIGN_LIMIT, False, "no_free_line"),
    ],
)
def test_a_dry_run_says_why_not_now(reason: WaitReason, full: bool, word: str) -> None:
    assert why_not_now(Wait(reason), full=full) == word
