"""A first day: from an empty organization to the report, with a scripted carrier and a receiver of webhooks."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from tests.engine import Engine
from tests.eventually import eventually
from tests.integration.talkturo.team import ANY_TIME, Team, campaign_once
from tests.integration.webhook_sender.receiver import Got, Receiver, receiving

SECRET = "a-secret-of-the-team"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver of webhooks."""
    async with receiving() as up:
        yield up


async def test_a_first_day(team: Team, dialing: Engine, receiver: Receiver) -> None:
    people = [await team.contact(phone=f"+1415559100{digit}") for digit in range(1, 5)]
    mute, never = await team.contact(phone=None), await team.contact(doNotCall=True)
    second = (await team.done("POST", "/phone-numbers", {"phoneNumber": "+14155550101"}))["phoneNumber"]
    campaign = await team.campaign(
        **ANY_TIME,
        fromNumberIds=[team.number, {"id": second["id"], "weight": 3}],
        maxConcurrentCalls=10,
        maxAttemptsPerContact=1,
        voicemail_action="leave_message",
        voicemail_drop_message="This is Acme. Please call us back.",
        webhookUrl=f"{receiver.url}/ok",
        webhookSecret=SECRET,
    )
    assert (campaign["webhook_enabled"], campaign["webhook_url"]) == (True, f"{receiver.url}/ok")
    assert "webhook_secret" not in campaign
    path = f"/crm/campaigns/{campaign['id']}"
    ids = [one["id"] for one in (*people, mute, never)]
    await team.done("POST", f"{path}/contacts", {"contactIds": ids})

    dry = await team.done("POST", f"{path}/run", {"dryRun": True})
    assert (dry["started"], dry["failed"], dry["dryRun"], dry["status"]) == (4, 2, True, "draft")
    assert dry["message"] == "Dry run: 4 calls would start"
    assert [(call["id"], call["status"], call["contact_id"]) for call in dry["calls"]] == [
        (None, "planned", one["id"]) for one in people
    ]
    assert (await team.done("GET", path))["campaign"]["status"] == "draft"

    ran = await team.done("POST", f"{path}/run", {"accountSlug": "acme", "maxCalls": 20})
    assert (ran["started"], ran["failed"], ran["dryRun"]) == (4, 2, False)
    assert ran["message"].startswith("Started 4 calls")
    assert ran["errors"] == [
        f"Contact {mute['id']} has no phone number",
        f"Contact {never['id']} is marked do-not-call",
    ]
    assert {call["run_id"] for call in ran["calls"]} == {ran["run_id"]}
    numbers = [{call["contact_id"]: call["from_number"] for call in run["calls"]} for run in (ran, dry)]
    assert numbers[0] == numbers[1], "a dry run names the number that the call has"

    done = await campaign_once(team, path, "completed")
    assert (done["total_contacts"], done["contacts_called"], done["contacts_completed"]) == (6, 4, 4)
    assert done["contacts_answered"] == 1
    board = await team.done("GET", f"{path}/dashboard")
    assert board["stats"] == {
        "total_calls": 4,
        "answered": 1,
        "failed": 1,
        "in_progress": 0,
        "total": 6,
        "pending": 0,
        "queued": 0,
        "calling": 0,
        "completed": 2,
        "skipped": 2,
        "contacts_failed": 2,
    }
    outcomes = {name: count for name, count in board["outcomes"].items() if count}
    assert outcomes == {"answered": 1, "busy": 1, "voicemail": 1, "invalid_number": 1}
    assert (len(board["outcomes"]), len(board["recent_calls"]), board["queue"]) == (8, 4, [])
    busy = await team.done("GET", f"/crm/calls?campaignId={campaign['id']}&outcome=busy")
    [call] = busy["calls"]
    assert (call["to_number"], call["contact_id"], call["attempt"]) == ("+14155591002", people[1]["id"], 1)
    assert (await team.done("GET", f"/crm/calls/{call['id']}"))["call"] == call
    assert (await team.get(f"/calls/{call['id']}/recording-url")).status == 404
    told = (await team.done("GET", f"/crm/contacts/{people[0]['id']}"))["contact"]
    assert [one["outcome"] for one in told["activities"]] == ["answered"]
    assert told["campaign_history"][0]["status"] == "completed"
    for status, count in (("completed", 2), ("failed", 2), ("skipped", 2)):
        assert (await team.done("GET", f"{path}/contacts?status={status}"))["total"] == count

    async def all_told() -> list[Got]:
        return receiver.got if "campaign.completed" in {one.body["event"] for one in receiver.got} else []

    got = await eventually(all_told, timeout=20, saying="campaign.completed")
    check_webhooks(got, team, campaign)


def check_webhooks(got: list[Got], team: Team, campaign: dict[str, Any]) -> None:
    """The events of the day, their bodies and their signatures."""
    events = [one.body["event"] for one in got]
    for event, count in (("call.completed", 4), ("call.machine_detection.ended", 1), ("call.hangup", 1)):
        assert events.count(event) == count, events
    assert {"campaign.started", "call.initiated", "contact.completed", "campaign.completed"} <= set(events)
    for one in got:
        body = one.body
        assert set(body) == {"id", "event", "created_at", "team_id", "campaign_id", "data"}
        assert body["id"].startswith("evt_")
        assert body["id"] == one.headers["webhook-id"]
        assert (body["team_id"], body["campaign_id"]) == (team.team, campaign["id"])
        digest = hmac.new(SECRET.encode(), one.raw, hashlib.sha256).digest()
        assert one.headers["X-Talkturo-Secret"] == digest.hex()
        assert one.headers["X-Signature"] == base64.b64encode(digest).decode()
        kind = body["event"].partition(".")[0]
        assert kind in body["data"], body


async def test_a_capped_run_pauses_and_a_stop_says_so(team: Team, dialing: Engine) -> None:
    campaign = await team.campaign(**ANY_TIME, maxAttemptsPerContact=1)
    path = f"/crm/campaigns/{campaign['id']}"
    await team.enrolled(campaign, 3)
    ran = await team.done("POST", f"{path}/run", {"maxCalls": 2})
    assert (ran["started"], ran["message"].startswith("Started 2 calls")) == (2, True)
    paused = await campaign_once(team, path, "paused")
    assert paused["pause_reason"] == "max_calls"
    capped = await team.done("POST", f"{path}/run", {"dryRun": True, "maxCalls": 1})
    assert (capped["started"], capped["not_now"]) == (1, [])
    stopped = await team.done("POST", f"{path}/run", {"action": "stop"})
    assert (stopped["message"], stopped["started"], stopped["status"]) == ("Campaign paused", 0, "paused")
    again = await team.done("POST", f"{path}/run")
    assert again["started"] == 1
    assert again["run_id"] != ran["run_id"]
    await campaign_once(team, path, "completed")


async def test_outside_its_window_a_run_starts_nothing_and_says_when(team: Team, dialing: Engine) -> None:
    opens = utc_now() + timedelta(hours=3)
    closes = opens + timedelta(hours=1)
    campaign = await team.campaign(
        callWindowStart=f"{opens:%H:%M}",
        callWindowEnd=f"{closes:%H:%M}",
        callWindowTimezone="UTC",
        useContactTimezoneForCallWindow=False,
    )
    path = f"/crm/campaigns/{campaign['id']}"
    [ada] = await team.enrolled(campaign)
    dry = await team.done("POST", f"{path}/run", {"dryRun": True})
    [waits] = dry["not_now"]
    at = f"{opens:%Y-%m-%dT%H:%M:00Z}"
    assert (waits["contact_id"], waits["reason"], waits["next_call_at"]) == (ada["id"], "outside_window", at)
    ran = await team.done("POST", f"{path}/run")
    assert (ran["started"], ran["calls"], ran["waiting"], ran["next_call_at"]) == (0, [], 1, at)
    assert ran["message"] == f"Started 0 calls; 1 contact waits, the next call can be made at {at}"
    board = await team.done("GET", f"{path}/dashboard")
    assert (board["stats"]["queued"], [one["contact_id"] for one in board["queue"]]) == (1, [ada["id"]])
    assert (await team.done("PATCH", path, {"status": "cancelled"}))["campaign"]["status"] == "cancelled"

    async def skipped() -> bool:
        return bool((await team.done("GET", f"{path}/contacts?status=skipped"))["total"] == 1)

    await eventually(skipped, timeout=10, saying="a skipped contact")
    [contact] = (await team.done("GET", f"{path}/contacts?status=skipped"))["contacts"]
    assert contact["skip_reason"] == "cancelled"


async def test_webhooks_are_changed_with_their_campaign(team: Team) -> None:
    campaign = (await team.done("POST", "/crm/campaigns", team.wish(webhookUrl="http://127.0.0.1:9/hook")))["campaign"]
    assert len(campaign["webhook_secret"]) >= 16
    path = f"/crm/campaigns/{campaign['id']}"
    events = ["call.completed", "call.dreamt"]
    changed = await team.done("PATCH", path, {"webhookEvents": events, "webhookEnabled": False})
    assert changed["warnings"] == ["call.dreamt is no event here and is never sent"]
    shown = changed["campaign"]
    assert (shown["webhook_events"], shown["webhook_enabled"]) == (events, False)
    assert "webhook_secret" not in shown
    gone = (await team.done("PATCH", path, {"webhookUrl": None}))["campaign"]
    assert (gone["webhook_url"], gone["webhook_enabled"]) == (None, False)
    idle = await team.done("PATCH", path, {"webhookSecret": "x" * 20})
    assert len(idle["warnings"]) == 1
