"""Calls as agents report them and as lists find them, runs one after another, and who is not to be called."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from shared.clock import utc_now
from shared.domain.ids import conversation_id_of
from tests.engine import Engine
from tests.eventually import eventually
from tests.integration.talkturo.team import ANY_TIME, NUMBERS, Team, campaign_once, uuid_in
from tests.integration.talkturo.test_answers import CALL, check_fields

REPORT: dict[str, Any] = {
    "summary": "Wants the smaller flat",
    "transcript": [{"speaker": "agent", "text": "Hello"}],
    "recording_url": "https://recordings.example.com/1.mp3",
    "extracted": {"viewing": "Friday"},
}


async def test_what_the_agent_has_reported_is_shown_and_decides_what_lists_find(team: Team, dialing: Engine) -> None:
    ada, bob = await team.contact(phone="+14155592001"), await team.contact(phone="+14155592011", firstName="Bob")
    cyd = await team.contact(phone="+14155592002", firstName="Cyd", lastName="Ü. (x)")
    campaign = await team.campaign(**ANY_TIME, maxConcurrentCalls=10, maxAttemptsPerContact=1)
    path = f"/crm/campaigns/{campaign['id']}"
    await team.done("POST", f"{path}/contacts", {"contactIds": [ada["id"], bob["id"], cyd["id"]]})
    before = utc_now()
    ran = await team.done("POST", f"{path}/run")
    assert ran["message"].startswith("Started 3 calls")
    await campaign_once(team, path, "completed")
    listed = f"/crm/calls?campaignId={campaign['id']}"
    calls = {call["contact_id"]: call for call in (await team.done("GET", listed))["calls"]}
    assert {one["contact_name"] for one in calls.values()} == {"Ada Lovelace", "Bob Lovelace", "Cyd Ü. (x)"}
    call = calls[ada["id"]]
    check_fields(call, CALL)
    assert (call["status"], call["outcome"], call["recording_available"], call["transcript"]) == (
        "ended",
        "answered",
        False,
        None,
    )
    conversation = conversation_id_of(uuid_in("call", call["id"]))
    reported = await team.customer.post(f"/attempts/{conversation}/result", {**REPORT, "opt_out": True})
    assert reported.status == 200, reported.raw

    shown = (await team.done("GET", f"/crm/calls/{uuid_in('call', call['id']).upper()}"))["call"]
    assert (shown["outcome"], shown["recording_available"], shown["summary"]) == (
        "do_not_call",
        True,
        REPORT["summary"],
    )
    assert (shown["transcript"][0]["text"], shown["extracted_data"]) == ("Hello", REPORT["extracted"])
    assert (await team.done("GET", f"/calls/{call['id']}/recording-url"))["url"] == REPORT["recording_url"]
    with_words, without = [await team.done("GET", f"{listed}&limit={limit}") for limit in (100, 101)]
    said = {one["id"]: one["transcript"] for one in with_words["calls"]}
    assert said[call["id"]] == shown["transcript"]
    assert {one["transcript"] for one in without["calls"]} == {None}
    reader = Team(await team.customer.api.customer_of(team.customer.organization_id, ["campaigns:read"]), team.team)
    hidden = (await reader.done("GET", f"/crm/calls/{call['id']}"))["call"]
    assert (hidden["transcript"], hidden["summary"], hidden["recording_available"]) == (None, None, False)
    assert (await reader.get(f"/calls/{call['id']}/recording-url")).status == 404

    there = (await team.done("GET", f"{path}/contacts?status=completed"))["contacts"]
    assert {one["contact_id"]: one["outcome"] for one in there} == {ada["id"]: "do_not_call", bob["id"]: "answered"}
    assert (await team.done("GET", f"/crm/contacts/{ada['id']}"))["contact"]["do_not_call"] is True
    assert ada["phone"] in (await team.customer.get("/do-not-call")).raw.decode()

    [cc] = [one["id"] for one in there if one["contact_id"] == bob["id"]]
    earlier, later = (quote((before + timedelta(hours=hours)).isoformat()) for hours in (-1, 1))
    begun = calls[cyd["id"]]["started_at"]
    for query, found in (
        ("outcome=do_not_call", [ada]),
        ("outcome=busy", [cyd]),
        ("outcome=busy&outcome=do_not_call", [ada, cyd]),
        ("outcome=answered&outcome=do_not_call", [ada, bob]),
        ("outcome=declined", []),
        (f"contactId={bob['id']}", [bob]),
        (f"contactId={cc}", [bob]),
        ("contactId=nobody", []),
        (f"assistantId={team.assistant}", [ada, bob, cyd]),
        ("search=BOB", [bob]),
        ("search=592002", [cyd]),
        (f"search={quote('ü. (X')}", [cyd]),
        ("search=.", [cyd]),
        (f"toNumber={quote(bob['phone'])}", [bob]),
        ("toNumber=%2B14155592009", []),
        (f"fromNumber={quote('+14155550100')}", [ada, bob, cyd]),
        (f"startDate={earlier}&endDate={later}", [ada, bob, cyd]),
        (f"startDate={later}", []),
        (f"contactId={cyd['id']}&startDate={begun}", [cyd]),
        (f"contactId={cyd['id']}&endDate={begun}", []),
    ):
        answer = await team.done("GET", f"{listed}&{query}")
        assert {one["contact_id"] for one in answer["calls"]} == {one["id"] for one in found}, query
        assert answer["count"] == len(found), query
    for bad in ("outcome=lost", "startDate=2026-01-01", "endDate=yesterday"):
        assert (await team.get(f"{listed}&{bad}")).status == 400, bad


async def test_contacts_are_called_by_priority_then_oldest_enrolment_first(team: Team, dialing: Engine) -> None:
    campaign = await team.campaign(**ANY_TIME, maxConcurrentCalls=3)
    path = f"/crm/campaigns/{campaign['id']}"
    low, usual, last = [await team.contact() for _ in range(3)]
    high = await team.contact(phone=None, phoneSecondary=f"+1415564{next(NUMBERS):04}", lastName="King")
    rows = [
        {"id": low["id"]},
        {"contactId": usual["id"], "priority": 5},
        {"id": high["id"], "priority": 999_999},
        {"id": last["id"]},
    ]
    done = await team.done("POST", f"{path}/contacts", {"contacts": rows})
    assert [one["priority"] for one in done["contacts"]] == [0, 5, 999_999, 0]
    dry = await team.done("POST", f"{path}/run", {"dryRun": True})
    assert [call["contact_id"] for call in dry["calls"]] == [high["id"], usual["id"], low["id"]]
    planned = dry["calls"][0]
    check_fields(planned, CALL)
    assert (planned["contact_name"], planned["to_number"]) == ("Ada King", high["phone_secondary"])
    assert [(one["contact_id"], one["reason"]) for one in dry["not_now"]] == [(last["id"], "no_free_line")]
    assert (dry["next_call_at"], dry["waiting"], dry["run_id"]) == (None, 4, None)
    capped = await team.done("POST", f"{path}/run", {"dryRun": True, "maxCalls": 2})
    assert [one["reason"] for one in capped["not_now"]] == ["max_calls", "max_calls"]
    queue = (await team.done("GET", f"{path}/dashboard"))["queue"]
    assert [one["contact_id"] for one in queue] == [high["id"], usual["id"], low["id"], last["id"]]


async def test_the_newest_runs_cap_holds_and_without_one_there_is_none(team: Team, dialing: Engine) -> None:
    campaign = await team.campaign(**ANY_TIME, maxAttemptsPerContact=1, noAutoComplete=True)
    path = f"/crm/campaigns/{campaign['id']}"
    first = await team.done("POST", f"{path}/run")
    assert (first["started"], first["status"], first["waiting"], first["message"]) == (
        0,
        "running",
        0,
        "Started 0 calls",
    )
    capped = await team.done("POST", f"{path}/run", {"maxCalls": 1})
    assert capped["run_id"] != first["run_id"]
    await team.enrolled(campaign, 3)
    halted = await campaign_once(team, path, "paused")
    assert (halted["pause_reason"], halted["contacts_called"]) == ("max_calls", 1)
    one = await team.done("POST", f"{path}/run", {"maxCalls": 1})
    assert one["message"].startswith("Started 1 call")
    await campaign_once(team, path, "paused")
    await team.done("POST", f"{path}/run")

    async def all_called() -> bool:
        shown = (await team.done("GET", path))["campaign"]
        return bool(shown["contacts_completed"] == 3)

    await eventually(all_called, timeout=20, saying="three calls")
    assert (await team.done("GET", path))["campaign"]["status"] == "running", "it goes on without contacts"


async def test_who_is_not_to_be_called_is_skipped_and_comes_back_only_when_enrolled_again(
    team: Team, dialing: Engine
) -> None:
    campaign = await team.campaign()
    flagged, listed, gone = await team.enrolled(campaign, 3)
    path = f"/crm/campaigns/{campaign['id']}"
    await team.done("PATCH", f"/crm/contacts/{flagged['id']}", {"doNotCall": True})
    await team.customer.post("/do-not-call", {"phone_numbers": [listed["phone"]]})
    await team.done("DELETE", f"/crm/contacts/{gone['id']}")

    async def skipped() -> list[dict[str, Any]]:
        found = (await team.done("GET", f"{path}/contacts?status=skipped"))["contacts"]
        return found if len(found) == 3 else []

    reasons = {one["phone"]: one["skip_reason"] for one in await eventually(skipped, timeout=20, saying="all skipped")}
    assert reasons == {flagged["phone"]: "do_not_call", listed["phone"]: "do_not_call", gone["phone"]: "cancelled"}
    dry = await team.done("POST", f"{path}/run", {"dryRun": True})
    assert dry["errors"] == [f"Contact {one['id']} is marked do-not-call" for one in (flagged, listed)]
    await team.done("PATCH", f"/crm/contacts/{flagged['id']}", {"doNotCall": False})
    assert len(await skipped()) == 3, "clearing the flag brings nobody back"
    ids = {"contactIds": [flagged["id"], listed["id"]]}
    again = await team.done("POST", f"{path}/contacts", ids)
    assert (again["added"], again["skipped"], again["already_enrolled"]) == (1, 0, 1)
    assert [one["status"] for one in again["contacts"]] == ["pending", "skipped"]


async def test_a_scheduled_campaign_runs_at_its_time(team: Team, dialing: Engine) -> None:
    at = utc_now() + timedelta(seconds=1.5)
    campaign = await team.campaign(**ANY_TIME, scheduledStartAt=at.isoformat(), maxAttemptsPerContact=1)
    await team.enrolled(campaign)
    assert campaign["status"] == "scheduled"
    done = await campaign_once(team, f"/crm/campaigns/{campaign['id']}", "completed")
    assert (done["contacts_called"], done["pause_reason"], done["completed_at"] is None) == (1, None, False)
