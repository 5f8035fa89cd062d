"""Campaigns in this dialect: made, read, changed, and moved as its lifecycle table says, row by row."""

from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.campaign import FIRST_GENERATION, RunState
from tests.eventually import eventually
from tests.integration.campaign_api.client import Customer
from tests.integration.campaign_api.conftest import Stack
from tests.integration.smartalex.client import ALWAYS, Alex, fields_of, phone, said

EVERY_DAY = {"enabled": True, "start": "09:00", "end": "17:00"}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
STATES = ("draft", "active", "paused", "completed", "cancelled")
# The lifecycle of the page: the state that an action leads to, or the code of its refusal.
LIFECYCLE: dict[str, dict[str, str]] = {
    "start": {
        "draft": "active",
        "active": "campaign_already_active",
        "paused": "active",
        "completed": "active",
        "cancelled": "campaign_not_active",
    },
    "pause": {
        "draft": "campaign_not_active",
        "active": "paused",
        "paused": "campaign_not_active",
        "completed": "campaign_not_active",
        "cancelled": "campaign_not_active",
    },
    "resume": {
        "draft": "campaign_not_active",
        "active": "campaign_already_active",
        "paused": "active",
        "completed": "campaign_not_active",
        "cancelled": "campaign_not_active",
    },
    "cancel": {
        "draft": "cancelled",
        "active": "cancelled",
        "paused": "cancelled",
        "completed": "campaign_not_active",
        "cancelled": "campaign_not_active",
    },
}


async def campaign_in(alex: Alex, stack: Stack, state: str) -> str:
    """A campaign in this state, with a contact that waits."""
    campaign = await alex.new_campaign(phone(1))
    moves = {"draft": (), "paused": ("start", "pause"), "cancelled": ("cancel",)}.get(state, ("start",))
    for move in moves:
        await alex.post(f"/campaigns/{campaign}/{move}")
    if state == "completed":
        run = {"generation": FIRST_GENERATION, "state": RunState.COMPLETED, "reason": None, "at": utc_now()}
        completed = dict.fromkeys(("completed_at", "last_completed_at"), utc_now())
        await stack.store["campaigns"].update_one({"_id": campaign}, {"$set": {"run": run, **completed}})
    assert (await alex.get(f"/campaigns/{campaign}"))["data"]["status"] == state
    return campaign


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("action", LIFECYCLE)
async def test_each_row_of_the_lifecycle(alex: Alex, stack: Stack, state: str, action: str) -> None:
    campaign = await campaign_in(alex, stack, state)
    expected = LIFECYCLE[action][state]
    answer = await alex.call("POST", f"/campaigns/{campaign}/{action}")
    if expected in STATES:
        assert (answer.status, answer.body["data"]["status"]) == (200, expected)
        assert answer.body["data"]["statistics"]["contacts_count"] == 1
    else:
        assert said(answer) == (409, expected)
        expected = state
    assert (await alex.get(f"/campaigns/{campaign}"))["data"]["status"] == expected


@pytest.mark.parametrize("state", STATES)
async def test_changes_and_contacts_are_taken_in_every_state_but_cancelled(
    alex: Alex, stack: Stack, state: str
) -> None:
    campaign = await campaign_in(alex, stack, state)
    path = f"/campaigns/{campaign}"
    edited = await alex.call("PATCH", path, {"name": "Mine", "settings": {"max_retries": 1}})
    added = await alex.call("POST", f"{path}/contacts", {"contacts": [{"phone": phone(2)}]})
    if state == "cancelled":
        assert said(edited) == said(added) == (409, "campaign_not_active")
        return
    assert (edited.body["data"]["name"], edited.body["data"]["status"]) == ("Mine", state)
    assert (added.body["data"]["added"], added.body["data"]["campaign_status"]) == (1, state)


async def test_an_action_ignores_whatever_body_comes(alex: Alex) -> None:
    campaign = await alex.new_campaign(phone(1))
    for action, kind, raw in (
        ("start", "application/json", b"{"),
        ("pause", "text/plain", b"\xff"),
        ("resume", "application/json", b'{"name": 7}'),
        ("cancel", "application/json", b""),
    ):
        answer = await alex.call("POST", f"/campaigns/{campaign}/{action}", raw=raw, headers={"Content-Type": kind})
        assert answer.status == 200, answer.raw


async def test_the_first_start_stays_the_time_at_which_it_was_started(alex: Alex) -> None:
    campaign = await alex.new_campaign(phone(1))
    path = f"/campaigns/{campaign}"
    first = (await alex.post(f"{path}/start"))["data"]["started_at"]
    assert first is not None
    await alex.post(f"{path}/pause")
    assert (await alex.post(f"{path}/resume"))["data"]["started_at"] == first


async def test_a_campaign_of_the_seed_is_made_with_its_defaults(alex: Alex) -> None:
    agent = await alex.new_agent()
    made = await alex.post("/campaigns", {"name": "Spring", "agent_id": agent}, 201)
    campaign = made["data"]
    assert campaign == (await alex.get(f"/campaigns/{campaign['id']}"))["data"]
    times = {name: campaign.pop(name) for name in ("created_at", "updated_at")}
    assert all(len(at) == len("2026-01-15T10:30:00Z") and at.endswith("Z") for at in times.values())
    statistics = campaign.pop("statistics")
    assert set(statistics.values()) == {0}
    assert campaign == {
        "id": campaign["id"],
        "name": "Spring",
        "description": None,
        "objective": None,
        "agent_id": agent,
        "phone_number_id": None,
        "campaign_mode": "outbound",
        "status": "draft",
        "timezone": "UTC",
        "business_hours": dict.fromkeys(WEEKDAYS, EVERY_DAY),
        "settings": {
            "calling_hours_start": "09:00",
            "calling_hours_end": "17:00",
            "timezone": "UTC",
            "concurrent_calls": 1,
            "max_retries": 3,
        },
        "started_at": None,
        "completed_at": None,
    }
    [listed] = (await alex.get("/campaigns"))["data"]
    assert listed == {**campaign, **times}


async def test_the_newer_form_says_the_same_and_a_campaign_read_can_be_sent_back(alex: Alex) -> None:
    agent = await alex.new_agent(phone_numbers=[phone(100)])
    body = {
        "name": "Spring",
        "agent_id": agent,
        "objective": "Book a viewing",
        "campaign_mode": "outbound",
        "timezone": "Europe/Berlin",
        "business_hours": {"monday": {"enabled": True, "start": "10:00", "end": "12:00"}, "friday": {"enabled": False}},
        "settings": {"calling_hours_start": None, "max_retries": 0, "concurent_calls": 7},
    }
    made = await alex.post("/campaigns", body, 201)
    assert made["warnings"] == ["settings.concurent_calls: not known here, ignored"]
    campaign = made["data"]
    assert campaign["business_hours"] == {
        "monday": {"enabled": True, "start": "10:00", "end": "12:00"},
        **{day: {"enabled": False} for day in WEEKDAYS[1:]},
    }
    assert campaign["settings"] == {
        "calling_hours_start": None,
        "calling_hours_end": None,
        "timezone": "Europe/Berlin",
        "concurrent_calls": 1,
        "max_retries": 0,
    }
    again = await alex.call("PUT", f"/campaigns/{campaign['id']}", campaign)
    assert again.status == 200
    assert "warnings" not in again.body
    assert {**again.body["data"], "updated_at": None} == {**campaign, "updated_at": None}


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": " "}, ["name"]),
        ({"name": 7, "agent_id": None}, ["name", "agent_id"]),
        ({"description": "x" * 5001}, ["description"]),
        ({"campaign_mode": "inbound"}, ["campaign_mode"]),
        ({"phone_number_id": "555"}, ["phone_number_id"]),
        (
            {"settings": {"concurrent_calls": "5", "max_retries": True}},
            ["settings.concurrent_calls", "settings.max_retries"],
        ),
        ({"settings": {"max_retries": 50}}, ["settings.max_retries"]),
        ({"settings": {"calling_hours_start": "9:00"}}, ["settings.calling_hours_start"]),
        ({"settings": {"calling_hours_start": "17:00"}}, ["settings.calling_hours_end"]),
        ({"settings": {"timezone": "Mars/Olympus"}}, ["settings.timezone"]),
        ({"settings": {"timezone": "UTC"}, "timezone": "Europe/Berlin"}, ["timezone"]),
        ({"business_hours": {"funday": {"enabled": False}}}, ["business_hours.funday"]),
        ({"business_hours": {"monday": {"enabled": True, "start": "09:00"}}}, ["business_hours.monday"]),
        (
            {"business_hours": {"monday": EVERY_DAY}, "settings": {"calling_hours_start": "09:00"}},
            ["settings.calling_hours_start"],
        ),
        (
            {"business_hours": {"monday": {"enabled": True, "start": "09:00", "end": "09:00"}}},
            ["business_hours.monday.end"],
        ),
    ],
)
async def test_what_is_wrong_is_named_all_at_once(alex: Alex, wrong: dict[str, Any], fields: list[str]) -> None:
    body = {"name": "Spring", "agent_id": await alex.new_agent(), **wrong}
    answer = await alex.call("POST", "/campaigns", body)
    assert (said(answer), fields_of(answer)) == ((400, "invalid_request"), fields)
    assert (await alex.get("/campaigns"))["meta"]["total"] == 0


async def test_a_body_that_is_none_has_an_empty_field(alex: Alex) -> None:
    for raw in (b"", b"[]", b"{"):
        answer = await alex.call("POST", "/campaigns", raw=raw)
        assert (said(answer), fields_of(answer)) == ((400, "invalid_request"), [""]), raw
    wrong_type = await alex.call("POST", "/campaigns", raw=b"{}", headers={"Content-Type": "text/plain"})
    assert said(wrong_type) == (415, "invalid_request")


async def test_an_agent_must_be_there_and_active(alex: Alex) -> None:
    agent, gone = await alex.new_agent(), await alex.new_agent(is_active=False)
    for agent_id in ("nobody", gone):
        assert await alex.refused("POST", "/campaigns", {"name": "Spring", "agent_id": agent_id}) == (
            404,
            "agent_not_found",
        )
    campaign = await alex.new_campaign(phone(1), agent_id=agent)
    path = f"/campaigns/{campaign}"
    assert await alex.refused("PATCH", path, {"agent_id": gone}) == (404, "agent_not_found")
    await alex.patch(f"/agents/{agent}", {"is_active": False})
    assert await alex.refused("POST", f"{path}/start") == (404, "agent_not_found")
    await alex.patch(f"/agents/{agent}", {"is_active": True})
    await alex.post(f"{path}/start")


async def test_nobody_to_call_and_a_completed_campaign_runs_again_with_new_contacts(alex: Alex, stack: Stack) -> None:
    empty = await alex.new_campaign()
    assert await alex.refused("POST", f"/campaigns/{empty}/start") == (409, "no_contacts")
    listed = phone(2)
    await alex.post("/contacts", {"phone": listed, "status": "dnc"}, 201)
    await alex.post(f"/campaigns/{empty}/contacts", {"contacts": [{"phone": listed}]})
    assert await alex.refused("POST", f"/campaigns/{empty}/start") == (409, "no_contacts")
    completed = await campaign_in(alex, stack, "completed")
    added = await alex.post(f"/campaigns/{completed}/contacts", {"contacts": [{"phone": phone(3)}]})
    assert (added["data"]["campaign_status"], added["data"]["added"]) == ("completed", 1)
    completed_at = (await alex.get(f"/campaigns/{completed}"))["data"]["completed_at"]
    again = (await alex.post(f"/campaigns/{completed}/start"))["data"]
    assert (again["status"], again["completed_at"]) == ("active", completed_at)
    assert completed_at is not None


async def test_changes_merge_and_hold_in_an_active_campaign(alex: Alex, stack: Stack) -> None:
    campaign = await campaign_in(alex, stack, "active")
    path = f"/campaigns/{campaign}"
    changed = (await alex.patch(path, {"settings": {"calling_hours_start": "08:00", "calling_hours_end": "16:00"}}))[
        "data"
    ]
    assert changed["business_hours"]["sunday"] == {"enabled": True, "start": "08:00", "end": "16:00"}
    changed = (
        await alex.patch(path, {"settings": {"calling_hours_end": "15:30", "max_retries": 5}, "objective": "x"})
    )["data"]
    assert (changed["settings"]["calling_hours_start"], changed["settings"]["calling_hours_end"]) == ("08:00", "15:30")
    assert (changed["settings"]["max_retries"], changed["objective"]) == (5, "x")
    week = {"business_hours": {"tuesday": EVERY_DAY}, "phone_number_id": phone(9), "settings": {"concurrent_calls": 4}}
    changed = (await alex.patch(path, week))["data"]
    assert changed["business_hours"] == {day: EVERY_DAY if day == "tuesday" else {"enabled": False} for day in WEEKDAYS}
    assert (changed["settings"]["calling_hours_start"], changed["settings"]["concurrent_calls"]) == (None, 4)
    nulls = {"settings": {"calling_hours_end": None, "concurrent_calls": None, "timezone": None}}
    assert (await alex.patch(path, nulls))["data"]["settings"] == changed["settings"]
    cleared = (await alex.patch(path, {"objective": None, "phone_number_id": None}))["data"]
    assert (cleared["objective"], cleared["phone_number_id"], cleared["status"]) == (None, None, "active")
    for name in ("name", "agent_id", "settings", "business_hours", "timezone", "campaign_mode"):
        answer = await alex.call("PATCH", path, {name: None})
        assert (said(answer), fields_of(answer)) == ((400, "invalid_request"), [name])
    await alex.post(f"{path}/cancel")
    assert await alex.refused("PATCH", path, {"name": "Mine"}) == (409, "campaign_not_active")
    assert await alex.refused("POST", f"{path}/contacts", {"contacts": [{"phone": phone(5)}]}) == (
        409,
        "campaign_not_active",
    )


async def test_lists_have_pages_totals_and_filters(alex: Alex) -> None:
    agent = await alex.new_agent()
    ids = [await alex.new_campaign(phone(1), agent_id=agent) for _ in range(3)] + [await alex.new_campaign(phone(1))]
    await alex.post(f"/campaigns/{ids[0]}/start")
    page = await alex.get("/campaigns?page=2&per_page=3")
    assert page["meta"] == {"total": 4, "page": 2, "per_page": 3}
    assert [row["id"] for row in page["data"]] == [ids[0]]
    assert "statistics" not in page["data"][0]
    behind = await alex.get("/campaigns?page=9&status=&agent_id=&unknown=7")
    assert (behind["data"], behind["meta"]) == ([], {"total": 4, "page": 9, "per_page": 20})
    assert (await alex.get(f"/campaigns?agent_id={agent}&status=draft"))["meta"]["total"] == 2
    assert (await alex.get("/campaigns?status=active"))["meta"]["total"] == 1
    assert (await alex.get("/campaigns?agent_id=nobody"))["data"] == []
    for query in ("page=0", "page=1000001", "per_page=0", "per_page=101", "page=x", "status=running"):
        answer = await alex.call("GET", f"/campaigns?{query}")
        assert (said(answer), fields_of(answer)) == ((400, "invalid_request"), [query.split("=")[0]])


async def test_what_the_engine_says_joins_what_is_not_known_here(alex: Alex) -> None:
    body = {"name": "Never", "agent_id": await alex.new_agent(), "business_hours": {}, "colour": 1}
    made = await alex.post("/campaigns", body, 201)
    assert made["warnings"] == [
        "colour: not known here, ignored",
        "business_hours: no day is enabled, so nobody is called.",
    ]


async def test_every_answer_says_what_is_left_and_unknown_addresses_are_refused_in_form(alex: Alex) -> None:
    for path, status in (("/campaigns", 200), ("/campaigns/nothing", 404), ("/campaigns?page=0", 400)):
        answer = await alex.call("GET", path)
        assert answer.status == status
        assert (answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"]) == ("1000000", "1000000")
        assert int(answer.headers["X-RateLimit-Reset"]) > 0
    for path in ("/nothing", "/campaigns/", "/campaigns/x/y/z"):
        assert await alex.refused("GET", path) == (404, "not_found")
    wrong = await alex.call("DELETE", "/campaigns")
    assert (said(wrong), wrong.headers["Allow"]) == ((405, "invalid_request"), "GET, POST")
    assert said(await alex.call("POST", "/calls")) == (405, "invalid_request")
    assert said(await alex.call("DELETE", f"/agents/{await alex.new_agent()}")) == (405, "invalid_request")


async def test_settings_hold_for_the_dialer_within_a_second(alex: Alex, stack: Stack) -> None:
    campaign = await campaign_in(alex, stack, "active")
    before = (await stack.store["organizations"].find_one({"_id": alex.native.organization_id}) or {})["changed_at"]
    await alex.patch(f"/campaigns/{campaign}", {"settings": ALWAYS, "name": "Mine"})

    async def touched() -> bool:
        found = await stack.store["organizations"].find_one({"_id": alex.native.organization_id})
        return bool(found and found["changed_at"] > before)

    await eventually(touched, saying="the change told")


async def test_a_key_with_a_limit_is_told_what_is_left_and_when_to_try_again(alex: Alex) -> None:
    api = alex.native.api
    wish = {"organization_id": alex.native.organization_id, "name": "limited", "request_limits": "2/minute"}
    key = (await api.admin("POST", "/organization-pats", wish)).body["key"]
    limited = Alex(Customer(api, alex.native.organization_id, key))
    # The bucket is the credential's, in all APIs together.
    answers = [await limited.native.get("/campaigns"), *[await limited.call("GET", "/campaigns") for _ in range(2)]]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"2"}
    assert said(answers[2]) == (429, "rate_limited")
    assert int(answers[2].headers["Retry-After"]) > 0
