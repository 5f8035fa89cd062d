"""The judge is judged: a good record passes, and each planted bug is convicted of the promise it breaks."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.store.client import Document, Store
from shared.store.dialing.shards import ensure_shards
from tests.chaos.audit import audit, secrets_in_logs
from tests.chaos.customers import Batch
from tests.chaos.judge import judge, never_called, recovery_seconds
from tests.chaos.record import CarrierCall, calls_of
from tests.chaos.truth import CampaignRules, Caps, NumberRules, Rule, Truth
from tests.factories import add_campaign, add_contacts, add_organization

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
LONG_AGO = START - timedelta(days=1)
REACTION = timedelta(seconds=1)
ORGANIZATION, CAMPAIGN = "organization", "campaign"
LIMIT = 3
CONTACTS = 12


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def number_of(contact: int) -> str:
    return f"+4915200000{contact:03}"


def good_truth() -> Truth:
    truth = Truth(Rule(10, LONG_AGO))
    truth.limits[ORGANIZATION] = Rule(LIMIT, LONG_AGO)
    truth.campaigns[CAMPAIGN] = CampaignRules(ORGANIZATION, active=Rule(True, LONG_AGO), open=Rule(True, LONG_AGO))
    for contact in range(CONTACTS):
        rules = NumberRules(CAMPAIGN, f"lead-{contact}", wanted=Rule(True, LONG_AGO), listed=Rule(False, LONG_AGO))
        truth.numbers[ORGANIZATION, number_of(contact)] = rules
        truth.accepted.add((ORGANIZATION, f"lead-{contact}"))
    return truth


def call(contact: int, placed: float, ended: float, outcome: str = "busy", attempt: str = "") -> CarrierCall:
    return CarrierCall(
        call_id=f"CA-{contact}-{placed}",
        attempt_id=attempt or f"attempt-{contact}-{placed}",
        organization_id=ORGANIZATION,
        contact_id=f"contact-{contact}",
        to=number_of(contact),
        caller="+14155550100",
        ordered_at=at(placed - 0.05),
        placed_at=at(placed),
        answered_at=at(placed) if outcome == "answered" else None,
        ended_at=at(ended),
        outcome=outcome,
    )


def good_calls() -> list[CarrierCall]:
    """Three lines: at each, one contact after the other is busy and then answers; one call begins as another ends."""
    calls = []
    for contact in range(CONTACTS):
        begin = 6 * (contact // LIMIT)
        calls += [call(contact, begin, begin + 2), call(contact, begin + 4, begin + 6, "answered")]
    return in_order(calls)


def in_order(calls: Iterable[CarrierCall]) -> list[CarrierCall]:
    return sorted(calls, key=lambda call: call.placed_at)


def convicted(calls: Iterable[CarrierCall], truth: Truth | None = None) -> set[str]:
    return {violation.promise for violation in judge(in_order(calls), truth or good_truth(), REACTION).violations}


def test_a_record_without_fault_passes() -> None:
    judgement = judge(good_calls(), good_truth(), REACTION)
    assert judgement.violations == []
    assert judgement.peaks == {"all calls": LIMIT, f"organization {ORGANIZATION}": LIMIT}
    assert never_called(good_calls(), good_truth()) == []


def test_an_attempt_dialed_twice_is_convicted() -> None:
    once = call(0, 30, 32, attempt="same")
    again = replace(once, call_id="again", ordered_at=at(39), placed_at=at(40), ended_at=at(41))
    assert convicted([once, again]) == {"I2"}


def test_one_call_over_the_limit_is_convicted() -> None:
    assert convicted([call(contact, 0.1 * contact, 5) for contact in range(LIMIT)]) == set()
    assert convicted([call(contact, 0.1 * contact, 5) for contact in range(LIMIT + 1)]) == {"I1"}


def test_a_lowered_limit_binds_new_calls_after_the_reaction_and_lets_old_ones_end() -> None:
    truth = good_truth()
    truth.limits[ORGANIZATION].ask(1, at(10)).acknowledged_at = at(10.1)
    before = [call(contact, 9, 20) for contact in range(2)]
    assert convicted([*before, call(2, 10.9, 20)], truth) == set()
    assert convicted([*before, call(2, 11.5, 20)], truth) == {"I1"}


def test_a_limit_whose_change_was_never_acknowledged_may_be_either() -> None:
    truth = good_truth()
    truth.limits[ORGANIZATION].ask(4, at(10))
    assert convicted([call(contact, 20, 25) for contact in range(4)], truth) == set()
    assert convicted([call(contact, 20, 25) for contact in range(5)], truth) == {"I1"}


def test_a_call_over_its_campaigns_own_limit_is_convicted() -> None:
    truth = good_truth()
    truth.campaign_limits[CAMPAIGN] = Rule(2, LONG_AGO)
    assert convicted([call(contact, 0, 5) for contact in range(2)], truth) == set()
    assert convicted([call(contact, 0, 5) for contact in range(3)], truth) == {"I1"}


def test_a_second_call_from_an_exclusive_caller_number_is_convicted() -> None:
    truth = good_truth()
    truth.exclusive.add((ORGANIZATION, call(0, 0, 5).caller))
    assert convicted([call(0, 0, 5), call(1, 5, 6)], truth) == set()
    assert convicted([call(0, 0, 5), call(1, 4, 6)], truth) == {"I1"}
    other_number = replace(call(1, 4, 6), caller="+14155550199")
    assert convicted([call(0, 0, 5), other_number], truth) == set()


@pytest.mark.parametrize(
    ("rate", "calls", "promises"),
    [
        pytest.param(1, 12, set(), id="twelve seconds' worth"),
        pytest.param(1, 13, {"Pace"}, id="one more"),
        pytest.param(0.1, 2, set(), id="one call more where two seconds are less than one"),
        pytest.param(0.1, 3, {"Pace"}, id="two more"),
        pytest.param(None, 60, set(), id="no rate"),
    ],
)
@pytest.mark.parametrize("scope", [f"organization {ORGANIZATION}", f"campaign {CAMPAIGN}"])
def test_more_calls_in_ten_seconds_than_the_rate_allows_are_convicted(
    scope: str, rate: float | None, calls: int, promises: set[str]
) -> None:
    truth = good_truth()
    truth.rates[scope] = Rule[float | None](rate, LONG_AGO)
    # Each ends before the next begins.
    placed = [call(n % CONTACTS, 100 + n * 10 / (calls - 1), 100 + n * 10 / (calls - 1) + 0.01) for n in range(calls)]
    assert convicted(placed, truth) == promises


def test_a_rate_binds_from_its_acknowledgement_and_the_reaction_on_until_it_is_lifted() -> None:
    truth = good_truth()
    rule = truth.rates[f"campaign {CAMPAIGN}"] = Rule[float | None](None, LONG_AGO)
    rule.ask(0.1, at(100)).acknowledged_at = at(100)
    rule.ask(None, at(200)).acknowledged_at = at(200)
    for begin, promises in ((99, set()), (102, {"Pace"}), (195, set()), (300, set())):
        fast = [call(n, begin + n, begin + n + 0.5) for n in range(5)]
        assert convicted(fast, truth) == promises, begin


NOON_IN_NEW_YORK = 4 * 3600  # seconds after START


@pytest.mark.parametrize(
    ("caps", "begins", "promises"),
    [
        pytest.param(Caps(day=2), (0, 60), set(), id="two on a day"),
        pytest.param(Caps(day=2), (0, 60, 120), {"Cap"}, id="a third"),
        pytest.param(Caps(day=1), (NOON_IN_NEW_YORK, 16 * 3600 + 1), set(), id="the day ends where the zone says"),
        pytest.param(Caps(day=1), (NOON_IN_NEW_YORK, 16 * 3600 - 1), {"Cap"}, id="a second before it ends"),
        pytest.param(Caps(contact_day=1), (0, 60), {"Cap"}, id="a contact twice"),
        pytest.param(Caps(week=2), (0, 60, 168 * 3600), set(), id="a week later"),
        pytest.param(Caps(week=2), (0, 60, 168 * 3600 - 1), {"Cap"}, id="a second before that"),
        pytest.param(Caps(gap_minutes=1), (0, 65, 130), set(), id="a minute from the end"),
        pytest.param(Caps(gap_minutes=1), (0, 60), {"Cap"}, id="a minute from the start"),
        pytest.param(Caps(), (0, 3, 6, 9), set(), id="no caps"),
    ],
)
def test_calls_over_a_cap_are_convicted(caps: Caps, begins: tuple[float, ...], promises: set[str]) -> None:
    truth = good_truth()
    truth.caps[ORGANIZATION] = caps
    assert convicted([call(0, begin, begin + 2) for begin in begins], truth) == promises
    others = [call(n, begin, begin + 2) for n, begin in enumerate(begins)]
    assert convicted(others, truth) == set(), "each contact and phone by itself"


def test_two_contacts_with_one_phone_share_its_caps_and_not_their_own() -> None:
    truth = good_truth()
    calls = [call(0, 0, 2), replace(call(0, 60, 62), contact_id="another contact with the same number")]
    for caps, promises in ((Caps(day=1), {"Cap"}), (Caps(contact_day=1), set())):
        truth.caps[ORGANIZATION] = caps
        assert convicted(calls, truth) == promises


def test_two_calls_at_once_to_one_person_are_convicted() -> None:
    assert convicted([call(0, 0, 5), call(0, 4.9, 6)]) == {"I3"}
    assert convicted([replace(call(0, 0, 5), ended_at=None, outcome=None), call(0, 9, 10)]) == {"I3"}
    other_contact = replace(call(0, 4, 6), contact_id="another contact with the same number")
    assert convicted([call(0, 0, 5), other_contact]) == {"I3"}


def test_a_call_after_an_answer_is_convicted() -> None:
    assert convicted([call(0, 0, 2, "answered"), call(0, 4, 6)]) == {"I4"}


@pytest.mark.parametrize("seconds", [0.9, 1.2])
def test_a_call_after_a_pause_is_convicted_once_the_reaction_is_over(seconds: float) -> None:
    truth = good_truth()
    pause = truth.campaigns[CAMPAIGN].active.ask(False, at(10))
    pause.acknowledged_at = at(10)
    assert convicted([call(0, 10.05 + seconds, 15)], truth) == ({"I5"} if seconds > 1 else set())
    truth.campaigns[CAMPAIGN].active.ask(True, at(20))
    assert convicted([call(0, 21, 25)], truth) == set()


def test_a_call_after_the_campaigns_end_date_is_convicted_once_no_clock_can_explain_it() -> None:
    truth = good_truth()
    end_at = truth.campaigns[CAMPAIGN].end_at
    end_at.ask(at(10), at(5)).acknowledged_at = at(5.2)
    for placed, promises in ((9, set()), (10.5, set()), (15.9, set()), (16.5, {"I5"}), (400, {"I5"})):
        assert convicted([call(0, placed, placed + 1)], truth) == promises, placed
    end_at.ask(at(50), at(40)).acknowledged_at = at(41)
    assert convicted([call(0, 40.5, 41)], truth) == set(), "a later end may be in force"
    assert convicted([call(0, 49, 51)], truth) == set()
    assert convicted([call(0, 57, 58)], truth) == {"I5"}
    end_at.ask(None, at(60)).acknowledged_at = at(61)
    assert convicted([call(0, 70, 71)], truth) == set()


def test_calls_against_a_rule_are_convicted() -> None:
    closed, listed, unwanted = good_truth(), good_truth(), good_truth()
    closed.campaigns[CAMPAIGN].open.switch(False, at(5))
    listed.numbers[ORGANIZATION, number_of(0)].listed.ask(True, at(5)).acknowledged_at = at(5)
    unwanted.numbers[ORGANIZATION, number_of(0)].wanted.ask(False, at(5)).acknowledged_at = at(5)
    for truth in (closed, listed, unwanted):
        assert convicted([call(0, 5.5, 7)], truth) == set()
        assert convicted([call(0, 8, 9)], truth) == {"I5"}
    stranger = replace(call(0, 0, 1), to="+14155550199")
    assert convicted([stranger]) == {"I5"}


def test_a_call_on_a_closed_day_is_convicted() -> None:
    truth = good_truth()
    truth.shut[ORGANIZATION] = Rule(False, LONG_AGO)
    truth.shut[ORGANIZATION].ask(True, at(5)).acknowledged_at = at(5.2)
    assert convicted([call(0, 5.5, 7)], truth) == set(), "within the reaction"
    assert convicted([call(0, 8, 9)], truth) == {"I5"}
    truth.shut[ORGANIZATION].ask(False, at(20))
    assert convicted([call(0, 21, 25)], truth) == set()


@pytest.mark.parametrize(
    ("number", "is_legal"),
    [
        pytest.param("+33639980123", True, id="two in the afternoon in Paris"),
        pytest.param("+14155550123", False, id="five in the morning in San Francisco"),
        pytest.param("+4915200000001", True, id="Germany has no row"),
    ],
)
def test_a_call_outside_legal_hours_is_convicted_where_they_are_kept(number: str, is_legal: bool) -> None:
    truth = good_truth()
    truth.numbers[ORGANIZATION, number] = truth.numbers[ORGANIZATION, number_of(0)]
    once = replace(call(0, 8, 9), to=number)
    truth.lawful[ORGANIZATION] = Rule(False, LONG_AGO)
    assert convicted([once], truth) == set()
    truth.lawful[ORGANIZATION].ask(True, at(5)).acknowledged_at = at(5)
    assert convicted([once], truth) == (set() if is_legal else {"I5"})


def test_a_contact_that_was_lost_is_missed() -> None:
    [missed] = never_called([one for one in good_calls() if one.contact_id != "contact-7"], good_truth())
    assert missed.promise == "I9"
    assert "lead-7" in missed.what


def test_a_contact_of_whom_the_system_says_that_it_cannot_know_is_not_missed() -> None:
    calls = [one for one in good_calls() if one.contact_id not in {"contact-6", "contact-7"}]
    [missed] = never_called(calls, good_truth(), given_up={(ORGANIZATION, "lead-6")})
    assert "lead-7" in missed.what


def test_nobody_is_missed_who_was_deleted_listed_or_in_a_closed_campaign() -> None:
    truth = good_truth()
    truth.deleted.add((ORGANIZATION, "lead-0"))
    truth.numbers[ORGANIZATION, number_of(1)].listed.ask(True, START)
    assert {number for numbers in truth.due_at_end().values() for number in numbers}.isdisjoint(
        {number_of(0), number_of(1)}
    )
    truth.closed.add(CAMPAIGN)
    assert truth.due_at_end() == {}


def test_recovery_is_from_the_moment_to_the_next_call() -> None:
    assert recovery_seconds([call(0, 3, 4), call(1, 8, 9)], [at(1), at(3), at(9)]) == [2, 0, None]


def test_a_record_is_read_with_its_live_calls() -> None:
    placed: dict[str, Any] = {
        "event": "placed",
        "call_id": "CA1",
        "attempt_id": "a",
        "organization_id": "o",
        "contact_id": "c",
        "to": "+1",
        "from": "+2",
        "ordered_at": at(0).isoformat(),
        "placed_at": at(1).isoformat(),
        "answered_at": None,
        "ended_at": None,
        "outcome": None,
        "messages": [],
    }
    [live] = calls_of([placed])
    assert (live.placed_at, live.ended_at) == (at(1), None)
    [ended] = calls_of([placed, {**placed, "event": "ended", "ended_at": at(2).isoformat(), "outcome": "busy"}])
    assert (ended.ended_at, ended.outcome) == (at(2), "busy")


async def found_in(
    store: Store, calls: list[CarrierCall] | None = None, truth: Truth | None = None, batches: list[Batch] | None = None
) -> set[str]:
    found = await audit(store, batches or [], truth or Truth(Rule(10, START)), calls or [])
    return {violation.promise for violation in found}


async def three_contacts(store: Store) -> list[Document]:
    await ensure_shards(store)
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    return await add_contacts(store, organization, campaign, 3, external_id="lead-0")


async def test_documents_that_agree_pass_and_a_wrong_counter_is_convicted(store: Store) -> None:
    [contact, *_] = await three_contacts(store)
    assert await found_in(store) == set()
    await store["counters_in"].update_one({"campaign_id": contact["campaign_id"]}, {"$inc": {"added": 1}})
    assert await found_in(store) == {"I6"}


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: 1} for name in ("called", "answered", "opted_out", "retrying", "called_back", "talk_milliseconds")),
        {"outcomes.busy": 1},
        {"run": {"generation": 1, "calls": 1}},
    ],
    ids=str,
)
async def test_every_counter_that_says_more_than_there_is_is_convicted(store: Store, wrong: Document) -> None:
    [contact, *_] = await three_contacts(store)
    await store["counters"].update_one({"_id": contact["campaign_id"]}, {"$set": {}}, upsert=True)
    assert await found_in(store) == set()
    more = {"$set": wrong} if "run" in wrong else {"$inc": wrong}
    await store["counters"].update_one({"_id": contact["campaign_id"]}, more)
    assert await found_in(store) in ({"I6"}, {"S3"})


async def test_a_slot_that_is_held_by_nobody_is_convicted(store: Store) -> None:
    [contact, *_] = await three_contacts(store)
    await store["budgets"].insert_one({"_id": f"organization:{contact['organization_id']}", "held": 1})
    assert await found_in(store) == {"I6"}


async def test_a_call_without_an_attempt_or_with_a_wrong_outcome_is_convicted(store: Store) -> None:
    [contact, *_] = await three_contacts(store)
    assert await found_in(store, [call(0, 0, 2)]) == {"I10"}
    attempt = {"_id": "attempt-0-0", "contact_id": "somebody who was deleted", "campaign_id": contact["campaign_id"]}
    called = {"organization_id": contact["organization_id"], "call_number": 1, "outcome": "busy"}
    await store["attempts"].insert_one({**attempt, **called})
    counted = {"attempts": 1, "attempts_removed": 1, "outcomes.busy": 1}
    await store["counters"].update_one({"_id": contact["campaign_id"]}, {"$inc": counted}, upsert=True)
    assert await found_in(store, [call(0, 0, 2)]) == set()
    assert await found_in(store, [call(0, 0, 2, "answered")]) == {"I10"}
    assert await found_in(store, [call(0, 0, 2, "declined")]) == set(), "all that a look-up can tell of a declined call"


async def test_an_accepted_row_that_is_nowhere_is_convicted(store: Store) -> None:
    [contact, *_] = await three_contacts(store)
    truth = Truth(Rule(10, START))
    truth.accepted = {(contact["organization_id"], "lead-0"), (contact["organization_id"], "lead-lost")}
    assert await found_in(store, truth=truth) == {"I11"}
    truth.deleted = {(contact["organization_id"], "lead-lost")}
    assert await found_in(store, truth=truth) == set()


async def test_a_batch_without_a_result_or_with_a_swallowed_row_is_convicted(store: Store) -> None:
    batch = Batch(ORGANIZATION, "monday", good=["lead-0"], bad=1)
    assert await found_in(store, batches=[batch]) == {"I11"}
    result = {"batch_id": "monday", "status": "done", "received": 2, "failed": []}
    await store["ingest_batches"].insert_one(result)
    assert await found_in(store, batches=[batch]) == {"I11"}
    await store["ingest_batches"].update_one({}, {"$set": {"failed": [{"index": 1}]}})
    assert await found_in(store, batches=[batch]) == set()


def test_secrets_and_phone_numbers_in_logs_are_found(tmp_path: Path) -> None:
    log = tmp_path / "executor-0.log"
    log.write_text("placed a call to +4915200****89 with key ak_1\n")
    assert secrets_in_logs(tmp_path, ["ak_1.secret"]) == []
    log.write_text("to +4915212345678\nkey ak_1.secret\n")
    assert len(secrets_in_logs(tmp_path, ["ak_1.secret"])) == 2
