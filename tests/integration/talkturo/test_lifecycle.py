"""Every cell of the lifecycle table: the state that follows, or 409."""

from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.campaign import RunState
from tests.integration.campaign_api.conftest import Stack
from tests.integration.talkturo.team import Team

LATER = "2099-01-01T09:00:00Z"
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "run": ("POST", "/run", {}),
    "running": ("PATCH", "", {"status": "running"}),
    "paused": ("PUT", "", {"status": "paused"}),
    "stop": ("POST", "/run", {"action": "stop"}),
    "cancelled": ("PATCH", "", {"status": "cancelled"}),
    "draft": ("PATCH", "", {"status": "draft"}),
    "start time": ("PATCH", "", {"scheduledStartAt": LATER}),
    "scheduled": ("PATCH", "", {"status": "scheduled", "scheduledStartAt": LATER}),
    "enrol": ("POST", "/contacts", None),
    "core": ("PATCH", "", {"maxAttemptsPerContact": 5}),
    "name": ("PATCH", "", {"name": "Another"}),
    "evergreen": ("PATCH", "", {"noAutoComplete": True}),
    "delete": ("DELETE", "", None),
}
# Run and running, paused and stop, cancelled, draft, start time and scheduled, enrol, core, name, evergreen, delete.
YES, NO = "as before", 409
TABLE: dict[str, tuple[Any, ...]] = {
    "draft": ("running", NO, "cancelled", "draft", "scheduled", YES, YES, YES, YES, "deleted"),
    "scheduled": ("running", "paused", "cancelled", "draft", "scheduled", YES, YES, YES, YES, NO),
    "running": ("running", "paused", "cancelled", NO, NO, YES, NO, YES, YES, NO),
    "paused": ("running", "paused", "cancelled", NO, NO, YES, YES, YES, YES, NO),
    "completed": (NO, NO, NO, NO, NO, NO, NO, YES, NO, NO),
    "cancelled": (NO, NO, "cancelled", NO, NO, NO, NO, YES, NO, "deleted"),
}
COLUMN = {
    "run": 0,
    "running": 0,
    "paused": 1,
    "stop": 1,
    "cancelled": 2,
    "draft": 3,
    "start time": 4,
    "scheduled": 4,
    "enrol": 5,
    "core": 6,
    "name": 7,
    "evergreen": 8,
    "delete": 9,
}


async def in_state(team: Team, stack: Stack, state: str) -> str:
    """The id of a campaign in this state."""
    made = await team.campaign(**({"scheduledStartAt": LATER} if state == "scheduled" else {}))
    path = f"/crm/campaigns/{made['id']}"
    if state in {"running", "paused", "completed"}:
        await team.done("PATCH", path, {"status": "running"})
    if state in {"paused", "cancelled"}:
        await team.done("PATCH", path, {"status": state})
    if state == "completed":
        stored = await stack.store["campaigns"].find_one({"name": made["name"]}, sort=[("created_at", -1)])
        assert stored is not None
        run = {**stored["run"], "state": RunState.COMPLETED.value}
        await stack.store["campaigns"].update_one({"_id": stored["_id"]}, {"$set": {"run": run}})
    assert (await team.done("GET", path))["campaign"]["status"] == state
    return path


@pytest.mark.parametrize("state", TABLE)
async def test_each_state_allows_what_the_table_says(team: Team, stack: Stack, state: str) -> None:
    contact = await team.contact()
    seen: dict[str, str | int] = {}
    for name, (method, path, body) in REQUESTS.items():
        campaign = await in_state(team, stack, state)
        sent = {"contactIds": [contact["id"]]} if name == "enrol" else body
        answer = await team.call(method, campaign + path, sent)
        after = await team.get(campaign)
        if answer.status == 409:
            assert set(answer.body) == {"success", "error"}
            assert after.body["campaign"]["status"] == state
            seen[name] = 409
        elif name == "delete":
            seen[name] = "deleted" if after.status == 404 else "there"
        else:
            assert answer.status == 200, (name, answer.raw)
            seen[name] = after.body["campaign"]["status"]
    wanted = {name: state if TABLE[state][COLUMN[name]] == YES else TABLE[state][COLUMN[name]] for name in REQUESTS}
    assert seen == wanted


async def test_a_start_time_in_the_last_five_minutes_runs_at_once_and_an_older_one_is_refused(team: Team) -> None:
    now = utc_now()
    at_once = await team.campaign(scheduledStartAt=(now - timedelta(minutes=4)).isoformat())
    assert at_once["status"] == "running"
    late = await team.post("/crm/campaigns", team.wish(scheduledStartAt=(now - timedelta(minutes=6)).isoformat()))
    assert (late.status, list(late.body["details"])) == (400, ["scheduledStartAt"])
    unclear = await team.post("/crm/campaigns", team.wish(scheduledStartAt="2099-01-01T09:00:00"))
    assert (unclear.status, list(unclear.body["details"])) == (400, ["scheduledStartAt"])


async def test_clearing_the_start_time_makes_a_draft_and_scheduled_needs_one(team: Team) -> None:
    made = await team.campaign(schedule={"start_at": LATER, "timezone": "Europe/Berlin"})
    path = f"/crm/campaigns/{made['id']}"
    assert (made["status"], made["scheduled_start_at"], made["call_window_timezone"]) == (
        "scheduled",
        LATER,
        "Europe/Berlin",
    )
    cleared = (await team.done("PATCH", path, {"scheduledStartAt": None}))["campaign"]
    assert (cleared["status"], cleared["scheduled_start_at"]) == ("draft", None)
    needs = await team.patch(path, {"status": "scheduled"})
    assert (needs.status, list(needs.body["details"])) == (400, ["status"])
    unknown = await team.patch(path, {"status": "completed"})
    assert (unknown.status, list(unknown.body["details"])) == (400, ["status"])


async def test_leaving_scheduled_for_paused_clears_the_time(team: Team) -> None:
    made = await team.campaign(scheduledStartAt=LATER)
    paused = (await team.done("PATCH", f"/crm/campaigns/{made['id']}", {"status": "paused"}))["campaign"]
    assert (paused["status"], paused["pause_reason"], paused["scheduled_start_at"]) == ("paused", "user", None)


async def test_a_request_that_pauses_or_starts_is_judged_by_the_state_that_allows_it(team: Team) -> None:
    path = f"/crm/campaigns/{(await team.campaign())['id']}"
    await team.done("PATCH", path, {"status": "running", "maxConcurrentCalls": 7})
    assert (await team.patch(path, {"maxConcurrentCalls": 8})).status == 409
    paused = (await team.done("PATCH", path, {"status": "paused", "maxConcurrentCalls": 8}))["campaign"]
    assert (paused["status"], paused["max_concurrent_calls"]) == ("paused", 8)


async def test_deleted_campaigns_are_shown_only_where_that_is_asked(team: Team) -> None:
    kept, gone = await team.campaign(), await team.campaign(externalId="camp_01Jgone")
    path = f"/crm/campaigns/{gone['id']}"
    [ada] = await team.enrolled(gone)
    assert (await team.done("DELETE", path))["message"] == "Campaign deleted"
    for method, more in (("GET", ""), ("DELETE", ""), ("GET", "/dashboard"), ("GET", "/contacts"), ("POST", "/run")):
        assert (await team.call(method, path + more)).status == 404
    shown = (await team.done("GET", f"{path}?deleted=include"))["campaign"]
    assert (shown["id"], shown["deleted_at"] is None, shown["total_contacts"]) == ("camp_01Jgone", False, 1)
    assert [one["contact_id"] for one in shown["contacts"]] == [ada["id"]]
    listed = f"/crm/campaigns?teamId={team.team}"
    for query, ids in (("", [kept]), ("&deleted=include", [gone, kept]), ("&deleted=only", [gone])):
        found = (await team.done("GET", listed + query))["campaigns"]
        assert [one["id"] for one in found] == [one["id"] for one in ids]
    assert (await team.customer.get("/campaigns")).body["campaigns"][0]["name"] == kept["name"]
