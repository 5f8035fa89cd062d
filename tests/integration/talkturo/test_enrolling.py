"""Who is enrolled in which order, how many an audience may be, and what a call under way forbids."""

from datetime import timedelta
from typing import Any

import pytest

from services.campaign_api.talkturo import enrolling, running
from shared.clock import utc_now
from tests.factories import new_id
from tests.integration.campaign_api.conftest import Stack
from tests.integration.talkturo.team import ANY_TIME, NUMBERS, Team, uuid_in


async def test_an_audience_has_a_bound_and_the_refusal_names_the_count(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, tag = await team.campaign(), f"t{next(NUMBERS)}"
    company = (await team.done("POST", "/crm/companies", {"name": "Another"}))["company"]
    for _ in range(3):
        await team.contact(
            companyId=company["id"], tags=[tag], phone=None, phoneSecondary=f"+1415563{next(NUMBERS):04}"
        )
    path = f"/crm/campaigns/{campaign['id']}/contacts"
    audience = {"mode": "all", "companyId": company["id"], "tags": [tag]}
    monkeypatch.setattr(enrolling, "MOST_BY_AUDIENCE", 2)
    refused = await team.post(path, {"audience": audience})
    assert (refused.status, list(refused.body["details"])) == (400, ["audience"])
    assert "3 contacts" in refused.body["error"]
    assert "import" in refused.body["error"]
    monkeypatch.setattr(enrolling, "MOST_BY_AUDIENCE", 3)
    monkeypatch.setattr(enrolling, "SHOWN_OF_AUDIENCE", 2)
    done = await team.done("POST", path, {"audience": audience})
    assert (done["added"], len(done["contacts"])) == (3, 2)


async def test_who_is_on_the_list_is_left_out_of_an_audience_and_the_same_phone_may_be_twice(team: Team) -> None:
    campaign = await team.campaign()
    mine: dict[str, Any] = {"companyId": team.company}
    ada = await team.contact(**mine)
    twin = await team.contact(**mine, phone=ada["phone"])
    listed = await team.contact(**mine)
    await team.customer.post("/do-not-call", {"phone_numbers": [listed["phone"]]})
    path = f"/crm/campaigns/{campaign['id']}/contacts"
    done = await team.done("POST", path, {"audience": "all"})
    assert [one["contact_id"] for one in done["contacts"]] == [ada["id"], twin["id"]]
    later = await team.done("POST", path, {"audience": {"mode": "all", "excludeDnc": False}})
    assert (later["added"], later["skipped"], later["already_enrolled"]) == (0, 1, 2)


async def test_of_very_many_who_cannot_be_called_the_first_are_named(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await team.campaign()
    mute = [await team.contact(phone=None) for _ in range(3)]
    path = f"/crm/campaigns/{campaign['id']}"
    await team.done("POST", f"{path}/contacts", {"contactIds": [one["id"] for one in mute]})
    monkeypatch.setattr(running, "MOST_LISTED", 2)
    dry = await team.done("POST", f"{path}/run", {"dryRun": True})
    named = [f"Contact {one['id']} has no phone number" for one in mute[:2]]
    assert (dry["failed"], dry["errors"]) == (3, [*named, "and 1 more"])


async def test_a_call_under_way_is_shown_and_keeps_its_contact(team: Team, stack: Stack) -> None:
    campaign = await team.campaign(**ANY_TIME)
    path = f"/crm/campaigns/{campaign['id']}"
    people = await team.enrolled(campaign, 3)
    there = {one["contact_id"]: one for one in (await team.done("GET", f"{path}/contacts"))["contacts"]}
    now = utc_now()
    for minutes, person in ((2, people[0]), (1, people[2])):
        at = now - timedelta(minutes=minutes)
        lock = {"attempt": new_id(), "claim": new_id(), "phone": person["phone"], "number": person["phone"]}
        lock |= {"attempt_number": 1, "expires_at": now, "caller_number": "+14155550100"}
        start = {"nonce": "n", "executor": "e", "mode": "callback", "at": at, "hold_until": now + timedelta(hours=1)}
        change = {"$set": {"status": "in_progress", "lock": lock, "start": start}}
        contact_id = uuid_in("cc", there[person["id"]]["id"])
        assert (await stack.store["contacts"].update_one({"_id": contact_id}, change)).modified_count == 1
    board = await team.done("GET", f"{path}/dashboard")
    newest_first = [people[2]["id"], people[0]["id"]]
    assert [one["contact_id"] for one in board["calling"]] == newest_first
    assert [one["status"] for one in board["calling"]] == ["calling", "calling"]
    assert (board["stats"]["in_progress"], board["stats"]["calling"]) == (2, 2)
    assert [one["contact_id"] for one in board["recent_calls"]] == newest_first
    assert {(one["status"], one["outcome"], one["ended_at"]) for one in board["recent_calls"]} == {
        ("in_progress", None, None)
    }
    for reference in (there[people[0]["id"]]["id"], people[0]["id"]):
        refused = await team.delete(f"{path}/contacts/{reference}")
        assert (refused.status, refused.body["error"]) == (409, "Contact is being called")
    await team.done("DELETE", f"{path}/contacts/{people[1]['id']}")
    history = (await team.done("GET", f"/crm/contacts/{people[0]['id']}"))["contact"]["campaign_history"]
    assert [(one["status"], one["attempts"]) for one in history] == [("calling", 1)]
