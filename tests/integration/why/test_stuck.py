"""Campaigns in which nobody is called: the diagnosis and each contact name the cause, and what they advise helps."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.campaign_api.native.sentences import LACKS, RESET_CALLS_AGAIN, WHAT_TO_DO
from shared.clock import utc_now
from shared.domain import refusal
from shared.domain.reasons import EndReason, WaitReason
from shared.domain.refusal import Refusal, RefusalSubject
from shared.domain.setting_faults import SettingFault
from shared.telephony.scripts import Placement, ScriptedCall
from tests.eventually import eventually
from tests.factories import ALWAYS_OPEN
from tests.integration.why.conftest import ANSWERED, CALLER_NUMBER, Office, codes

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def told(reason: WaitReason, contacts: int, until: str | None = None) -> dict[str, Any]:
    """One reason of a diagnosis."""
    what_to_do = WHAT_TO_DO[reason]
    return {"reason": reason, "contacts": contacts, "estimated": False, "until": until, "what_to_do": what_to_do}


def waits_for(contacts: list[dict[str, Any]]) -> list[tuple[str, str | None, str | None]]:
    """What contacts wait for, until when, and when they can be called."""
    return [
        (contact["waiting_for"]["reason"], contact["waiting_for"]["until"], contact["next_attempt_at"])
        for contact in contacts
    ]


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def remark(fault: SettingFault, rows: int) -> str:
    """What an upload says of such rows."""
    return f"{LACKS[fault]} ({rows - 1} more row{'s' if rows > 2 else ''} like this)"


async def test_without_windows_which_is_the_default_nobody_is_called_and_everything_says_so(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    made = await acme.its.post("/configurations", {"name": "Hours unset", "agent_id": "agent-1"})
    assert made.body["default_windows"] == []
    assert codes(made) == ["no_windows"]
    campaign = await acme.its.post("/campaigns", {"name": "Spring", "configuration_id": made.body["id"]})
    assert codes(campaign) == ["no_windows"]
    campaign_id = campaign.body["id"]
    uploaded = await acme.upload(campaign_id, range(3))
    assert uploaded["warnings"] == [
        {"index": 0, "external_id": "lead-0", "message": remark(SettingFault.NO_WINDOWS, 3)}
    ]
    found = await acme.diagnosis(campaign_id)
    assert found["reasons"] == [told(WaitReason.NO_WINDOWS, 3)]
    assert [warning["code"] for warning in found["settings"]] == ["no_windows"]
    assert (found["waiting"], found["active_calls"], found["ended"]) == (3, 0, [])
    assert waits_for(await acme.contacts(campaign_id)) == [("no_windows", None, None)] * 3
    assert await acme.change(f"/configurations/{made.body['id']}", default_windows=ALWAYS_OPEN) == []
    await acme.called(campaign_id, 3)
    assert (await acme.diagnosis(campaign_id))["settings"] == []


async def test_outside_hours_the_next_opening_is_named_and_wider_hours_call_at_once(office: Office) -> None:
    opens = datetime.combine(utc_now().date() + timedelta(days=2), datetime.min.time(), UTC)
    windows = [{"days": [DAYS[opens.weekday()]], "start": "00:00", "end": "24:00"}]
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    campaign = await acme.campaign(windows=windows)
    assert codes(campaign) == []
    campaign_id = campaign.body["id"]
    assert (await acme.upload(campaign_id, range(2)))["warnings"] == []
    found = await acme.diagnosis(campaign_id)
    assert found["reasons"] == [told(WaitReason.OUTSIDE_HOURS, 2, iso(opens))]
    assert waits_for(await acme.contacts(campaign_id)) == [("outside_hours", iso(opens), iso(opens))] * 2
    configuration = f"/configurations/{campaign.body['configuration_id']}"
    assert await acme.change(configuration, default_windows=ALWAYS_OPEN) == []
    await acme.called(campaign_id, 2)


async def test_a_paused_campaign_says_so_and_start_has_it_called(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    campaign_id = (await acme.campaign()).body["id"]
    await acme.its.post(f"/campaigns/{campaign_id}/pause")
    assert (await acme.upload(campaign_id, range(2)))["warnings"] == []
    found = await acme.diagnosis(campaign_id)
    assert found["reasons"] == [told(WaitReason.CAMPAIGN_PAUSED, 2)]
    assert found["settings"] == []
    assert waits_for(await acme.contacts(campaign_id)) == [("campaign_paused", None, None)] * 2
    await acme.its.post(f"/campaigns/{campaign_id}/start")
    await acme.called(campaign_id, 2)


async def test_without_an_agent_contacts_end_and_after_one_is_set_a_reset_has_them_called(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    campaign = await acme.campaign(agent_id=None)
    assert codes(campaign) == ["no_agent"]
    campaign_id = campaign.body["id"]
    warnings = (await acme.upload(campaign_id, range(3)))["warnings"]
    assert [warning["message"] for warning in warnings] == [remark(SettingFault.NO_AGENT, 3)]
    ended = await acme.stand(campaign_id, *["error"] * 3)
    assert [(c["ended_because"], c["waiting_for"], c["next_attempt_at"]) for c in ended] == [
        ("no_agent", None, None)
    ] * 3
    found = await acme.diagnosis(campaign_id)
    what_to_do = RESET_CALLS_AGAIN[EndReason.NO_AGENT]
    assert found["ended"] == [{"because": "no_agent", "contacts": 3, "what_to_do": what_to_do}]
    assert (found["reasons"], [warning["code"] for warning in found["settings"]]) == ([], ["no_agent"])
    set_agent = await acme.its.patch(f"/campaigns/{campaign_id}", {"agent_id": "agent-2"})
    assert codes(set_agent) == ["ended_no_agent"]
    assert set_agent.body["warnings"][0]["message"].startswith("3 contacts have ended as error (no_agent)")
    reset = await acme.its.post(f"/campaigns/{campaign_id}/contacts/reset", {"status": "error", "reason": "no_agent"})
    assert reset.body == {"reset": 3, "next_cursor": None}
    called = await acme.called(campaign_id, 3)
    assert [contact["attempts"][0]["agent_id"] for contact in called] == ["agent-2"] * 3
    assert office.carrier.orders_of(acme.id)[0].agent_id == "agent-2"


@pytest.mark.parametrize("where", ["campaign", "configuration", "organization"])
async def test_without_a_number_to_call_from_all_wait_until_one_is_set(office: Office, where: str) -> None:
    acme = await office.customer()
    campaign = await acme.campaign()
    assert codes(campaign) == ["no_caller_number"]
    campaign_id, configuration_id = campaign.body["id"], campaign.body["configuration_id"]
    warnings = (await acme.upload(campaign_id, range(2)))["warnings"]
    assert [warning["message"] for warning in warnings] == [remark(SettingFault.NO_CALLER_NUMBER, 2)]
    found = await acme.diagnosis(campaign_id)
    assert found["reasons"] == [told(WaitReason.NO_CALLER_NUMBER, 2)]
    assert [warning["code"] for warning in found["settings"]] == ["no_caller_number"]
    assert waits_for(await acme.contacts(campaign_id)) == [("no_caller_number", None, None)] * 2
    match where:
        case "campaign":
            assert await acme.change(f"/campaigns/{campaign_id}", agent_number=CALLER_NUMBER) == []
        case "configuration":
            assert await acme.change(f"/configurations/{configuration_id}", agent_number=CALLER_NUMBER) == []
        case _:
            number = {"default_agent_number": CALLER_NUMBER}
            assert (await office.api.admin("PATCH", f"/organizations/{acme.id}", number)).status == 200
    await acme.called(campaign_id, 2)
    assert {call.caller_number for call in office.carrier.orders_of(acme.id)} == {CALLER_NUMBER}


async def test_a_refused_account_rests_is_asked_again_by_one_call_and_costs_nobody_an_attempt(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusal, "REST_STEPS", (timedelta(seconds=4),))
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    refused = Refusal(subject=RefusalSubject.ACCOUNT, code=20003, message="Authenticate")
    acme.plans(ScriptedCall(placement=Placement.DENIED, refusal=refused))
    campaign_id = (await acme.campaign()).body["id"]
    await acme.upload(campaign_id, range(4))

    async def rests(refusals: int) -> dict[str, Any] | None:
        found = await acme.diagnosis(campaign_id)
        [rest] = found["resting"] or [None]
        resting = rest is not None and rest["refusals"] >= refusals and found["active_calls"] == 0
        return found if resting and found["reasons"][0]["reason"] == "account_refused" else None

    found = await eventually(lambda: rests(1), timeout=20, saying="the account rests")
    first_round = len(office.carrier.orders_of(acme.id))
    assert 1 <= first_round <= 4
    [rest] = found["resting"]
    assert (rest["what"], rest["code"], rest["said"], rest["refusals"]) == ("account", 20003, "Authenticate", 1)
    assert found["reasons"] == [told(WaitReason.ACCOUNT_REFUSED, 4, rest["until"])]
    assert [(said["what"], said["code"], said["said"]) for said in found["refusals"]] == [
        ("account", 20003, "Authenticate")
    ]
    assert waits_for(await acme.contacts(campaign_id)) == [("account_refused", rest["until"], rest["until"])] * 4

    await eventually(lambda: rests(2), timeout=20, saying="the account was asked again")
    assert len(office.carrier.orders_of(acme.id)) == first_round + 1, "a single call asks again"

    latency = 0.5
    acme.plans(ScriptedCall(latency_seconds=latency))
    called = await acme.called(campaign_id, 4)
    probe, *others = office.carrier.times_of(acme.id)[first_round + 1 :]
    assert len(others) == 3
    assert min(others) - probe >= latency, "the others wait for the answer"
    assert [(contact["attempts_made"], len(contact["attempts"])) for contact in called] == [(1, 1)] * 4
    stats = await acme.its.get(f"/campaigns/{campaign_id}/stats")
    assert stats.body["attempts"] == {"total": 4, "average_per_contact": 1.0}
    assert (await acme.diagnosis(campaign_id))["resting"] == []


async def test_a_refused_caller_number_rests_alone_and_another_one_is_used_at_once(office: Office) -> None:
    acme = await office.customer()
    refused = Refusal(subject=RefusalSubject.CALLER_NUMBER, code=21210, message="Not verified")
    acme.plans(ScriptedCall(placement=Placement.DENIED, refusal=refused))
    campaign_id = (await acme.campaign(agent_number=CALLER_NUMBER)).body["id"]
    await acme.upload(campaign_id, range(2))

    async def rests() -> dict[str, Any] | None:
        found = await acme.diagnosis(campaign_id)
        return found if found["resting"] and found["active_calls"] == 0 else None

    found = await eventually(rests, timeout=20, saying="the number rests")
    [rest] = found["resting"]
    assert rest["what"] == f"caller_number:{CALLER_NUMBER}"
    assert found["reasons"] == [told(WaitReason.CALLER_NUMBER_REFUSED, 2, rest["until"])]
    assert waits_for(await acme.contacts(campaign_id)) == [("caller_number_refused", rest["until"], rest["until"])] * 2
    acme.plans(ANSWERED)
    assert await acme.change(f"/campaigns/{campaign_id}", agent_number="+14155550177") == []
    await acme.called(campaign_id, 2)
    assert utc_now() < datetime.fromisoformat(rest["until"]), "nobody waited for the rest"
    assert [contact["attempts_made"] for contact in await acme.contacts(campaign_id)] == [1, 1]


async def test_a_full_limit_is_named_with_its_use_and_a_higher_one_goes_on_at_once(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    await acme.its.put("/concurrency-settings", {"concurrency_limit": 1})
    acme.plans(ScriptedCall(talk_seconds=600))
    campaign_id = (await acme.campaign()).body["id"]
    try:
        await acme.upload(campaign_id, range(3))
        before = utc_now()
        contacts = await acme.stand(campaign_id, "in_progress", "pending", "pending")
        waiting = [contact for contact in contacts if contact["status"] == "pending"]
        after = utc_now()
        assert [(reason, until) for reason, until, _ in waits_for(waiting)] == [("organization_limit", None)] * 2
        for _, _, next_call in waits_for(waiting):
            assert before <= datetime.fromisoformat(str(next_call)) <= after, "nothing but the limit holds it"
        found = await acme.diagnosis(campaign_id)
        assert found["reasons"] == [told(WaitReason.ORGANIZATION_LIMIT, 2)]
        assert {"name": "organization", "limit": 1, "held": 1} in found["limits"]
        assert found["active_calls"] == 1
        await acme.its.put("/concurrency-settings", {"concurrency_limit": 3})
        await acme.stand(campaign_id, *["in_progress"] * 3)
    finally:
        acme.plans(ANSWERED)
        await office.hang_up(acme.id)
    await acme.called(campaign_id, 3)


async def test_a_number_that_carries_one_call_at_a_time_is_named_while_its_call_is_up(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER, exclusive_caller_numbers=[CALLER_NUMBER])
    acme.plans(ScriptedCall(talk_seconds=600))
    campaign_id = (await acme.campaign()).body["id"]
    try:
        await acme.upload(campaign_id, range(2))
        contacts = await acme.stand(campaign_id, "in_progress", "pending")
        [waiting] = [contact for contact in contacts if contact["status"] == "pending"]
        assert waiting["waiting_for"] == {"reason": "caller_number_limit", "until": None}
        assert (await acme.diagnosis(campaign_id))["reasons"] == [told(WaitReason.CALLER_NUMBER_LIMIT, 1)]
    finally:
        acme.plans(ANSWERED)
        await office.hang_up(acme.id)
    await acme.called(campaign_id, 2)


async def test_a_capped_contact_says_which_cap_and_until_when_and_the_diagnosis_counts_it(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    assert (await acme.its.patch("/limits", {"min_minutes_between_calls": 60})).status == 200
    first, second = (await acme.campaign()).body["id"], (await acme.campaign()).body["id"]
    await acme.upload(first, [1])
    await acme.called(first, 1)
    await acme.upload(second, [1])

    async def held_back() -> dict[str, Any] | None:
        [contact] = await acme.contacts(second)
        return contact if (contact["waiting_for"] or {}).get("reason") == "number_gap" else None

    contact = await eventually(held_back, timeout=20, saying="the cap holds it back")
    until = contact["waiting_for"]["until"]
    assert timedelta(minutes=59) < datetime.fromisoformat(until) - utc_now() <= timedelta(minutes=60, seconds=5)
    assert contact["next_attempt_at"] == until
    assert (await acme.diagnosis(second))["reasons"] == [told(WaitReason.NUMBER_GAP, 1, until)]


async def test_contacts_that_a_rate_holds_back_say_so_and_the_diagnosis_has_the_rates(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    campaign_id = (await acme.campaign(calls_per_second=0.2)).body["id"]
    await acme.upload(campaign_id, range(4))
    contacts = await acme.stand(campaign_id, "completed", "pending", "pending", "pending")
    waiting = [contact for contact in contacts if contact["status"] == "pending"]
    assert {reason for reason, _, _ in waits_for(waiting)} == {"calls_per_second"}
    found = await acme.diagnosis(campaign_id)
    assert found["rates"] == [{"name": "campaign", "calls_per_second": 0.2}]
    assert [reason["reason"] for reason in found["reasons"]] == ["calls_per_second"]
    assert await acme.change(f"/campaigns/{campaign_id}", calls_per_second=None) == []
    await acme.called(campaign_id, 4)


async def test_contacts_of_no_campaign_have_a_diagnosis_too(office: Office) -> None:
    acme = await office.customer()
    [warning] = (await acme.upload("default", [1], agent_id="agent-1", timezone="America/New_York"))["warnings"]
    assert warning["message"] == LACKS[SettingFault.NO_CALLER_NUMBER]
    found = await acme.diagnosis("default")
    assert (found["campaign_id"], found["reasons"]) == (None, [told(WaitReason.NO_CALLER_NUMBER, 1)])
    number = {"default_agent_number": CALLER_NUMBER}
    assert (await office.api.admin("PATCH", f"/organizations/{acme.id}", number)).status == 200
    await acme.called("default", 1)
