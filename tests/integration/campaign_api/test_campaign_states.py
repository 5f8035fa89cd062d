"""Drafts and campaigns that start by themselves, over the API: what may be asked of which, and what lists show."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from tests.integration.campaign_api.client import Customer
from tests.integration.campaign_api.conftest import Stack

LATER = "2126-07-01T14:30:00Z"
STATES = ("status", "state", "start_at")


async def made(acme: Customer, **fields: Any) -> tuple[str, dict[str, Any]]:
    """The path of a new campaign, and how it is shown."""
    campaign = await acme.new_campaign(**fields)
    return f"/campaigns/{campaign['id']}", campaign


def shown(campaign: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(campaign[name] for name in STATES)


async def test_a_draft_is_paused_for_those_who_know_three_words_until_it_is_started(acme: Customer) -> None:
    path, draft = await made(acme, state="draft")
    assert shown(draft) == ("paused", "draft", None)
    assert draft["started_at"] is None
    refused = await acme.post(f"{path}/pause")
    assert (refused.status, refused.body["detail"][: len("Campaign")]) == (400, "Campaign")
    assert "is draft: only an active campaign can be paused" in refused.body["detail"]
    started = (await acme.post(f"{path}/start")).body
    assert shown(started) == ("active", "running", None)
    assert started["started_at"] == started["updated_at"]


async def test_a_campaign_is_scheduled_taken_back_and_scheduled_again(acme: Customer) -> None:
    path, campaign = await made(acme, start_at=LATER)
    assert shown(campaign) == ("paused", "scheduled", LATER)
    assert shown((await acme.patch(path, {"start_at": None})).body) == ("paused", "draft", None)
    assert shown((await acme.patch(path, {"start_at": None})).body) == ("paused", "draft", None), "it is so already"
    again = (await acme.patch(path, {"start_at": "2126-07-02T16:30:00+02:00", "name": "Autumn"})).body
    assert shown(again) == ("paused", "scheduled", "2126-07-02T14:30:00Z")
    assert again["name"] == "Autumn"
    assert shown((await acme.patch(path, {"priority": 7})).body) == shown(again), "what is left out stays"
    assert shown((await acme.post(f"{path}/pause")).body)[1] == "paused"
    assert shown((await acme.post(f"{path}/start")).body)[1] == "running"


async def test_a_scheduled_campaign_whose_time_has_come_is_active_in_every_answer(acme: Customer) -> None:
    path, campaign = await made(acme, start_at=(utc_now() - timedelta(seconds=1)).isoformat())
    assert shown(campaign)[:2] == ("active", "running")
    assert (await acme.get(path)).body["state"] == "running"
    assert (await acme.get(f"{path}/stats")).body["status"] == "active"
    listed = (await acme.get("/campaigns?status=active")).body["campaigns"]
    assert [found["id"] for found in listed] == [campaign["id"]]
    assert (await acme.get("/campaigns?status=paused")).body["campaigns"] == []
    refused = await acme.patch(path, {"start_at": LATER, "name": "Autumn"})
    assert refused.status == 400
    assert "is running: start_at can be set for a draft or a scheduled campaign only" in refused.body["detail"]
    assert (await acme.get(path)).body["name"] == campaign["name"], "nothing was changed"
    paused = (await acme.post(f"{path}/pause")).body
    assert (paused["state"], paused["started_at"]) == ("paused", paused["updated_at"])


async def test_lists_find_a_campaign_by_the_status_that_it_shows(acme: Customer) -> None:
    names = {}
    configuration_id = await acme.new_configuration()
    for name, fields in {
        "draft": {"state": "draft"},
        "scheduled": {"start_at": LATER},
        "due": {"start_at": "2026-01-01T00:00:00Z"},
        "running": {"state": "running"},
        "paused": {},
        "closed": {},
    }.items():
        campaign = await acme.new_campaign(name=name, configuration_id=configuration_id, **fields)
        names[campaign["id"]] = name
        if name in ("paused", "closed"):
            await acme.post(f"/campaigns/{campaign['id']}/{name.removesuffix('d').removesuffix('e')}e")

    async def found(status: str) -> set[str]:
        page = (await acme.get(f"/campaigns?status={status}")).body["campaigns"]
        assert {campaign["status"] for campaign in page} <= {status}
        return {names[campaign["id"]] for campaign in page}

    assert await found("active") == {"due", "running"}
    assert await found("paused") == {"draft", "scheduled", "paused"}
    assert await found("closed") == {"closed"}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"state": "draft", "start_at": LATER}, "must be left out where state is given, and state is 'draft'"),
        ({"state": "running", "start_at": LATER}, "must be left out where state is given, and state is 'running'"),
        ({"start_at": "2026-07-01T14:30:00"}, "Add an offset to the time"),
        ({"start_at": "tomorrow"}, "Write an ISO 8601 time"),
        ({"state": "paused"}, "'draft' or 'running'"),
    ],
)
async def test_a_contradiction_is_named_with_field_rule_and_value(
    acme: Customer, fields: dict[str, Any], why: str
) -> None:
    body = {"name": "Spring", "configuration_id": await acme.new_configuration(), **fields}
    answer = await acme.post("/campaigns", body)
    assert answer.status == 422
    [problem] = answer.body["errors"] if "errors" in answer.body else answer.body["detail"]
    assert problem["loc"][-1] in fields
    assert why in problem["msg"]


async def test_of_two_moves_at_once_none_is_lost_and_none_is_made_from_a_wrong_state(acme: Customer) -> None:
    for _ in range(5):
        path, _ = await made(acme, start_at=LATER)
        answers = await asyncio.gather(
            acme.patch(path, {"start_at": None}), acme.post(f"{path}/pause"), acme.post(f"{path}/close")
        )
        taken_back, paused, closed = (answer.status for answer in answers)
        assert closed == 200
        assert {taken_back, paused} <= {200, 400}
        assert (await acme.get(path)).body["state"] == "cancelled"
        # Whoever came second was refused: a draft cannot be paused, a paused campaign not taken back.
        assert (taken_back, paused) != (200, 200)


async def test_contacts_of_a_draft_and_of_a_scheduled_campaign_say_what_they_wait_for(acme: Customer) -> None:
    callable_now = {"contacts": [{"external_id": "a", "phone_numbers": ["+14155550123"]}]}
    for fields, reason, until in (
        ({"state": "draft"}, "campaign_draft", None),
        ({"start_at": LATER}, "campaign_scheduled", LATER),
    ):
        path, _ = await made(acme, **fields, **callable_now)
        contact = (await acme.get(f"{path}/contacts/a")).body
        assert contact["waiting_for"] == {"reason": reason, "until": until}
        [found] = (await acme.get(f"{path}/diagnosis")).body["reasons"]
        assert (found["reason"], found["until"], found["contacts"], found["estimated"]) == (reason, until, 1, False)


ENDS = ("auto_complete", "end_at", "completed_at")


async def test_completion_and_end_date_are_set_changed_and_cleared(acme: Customer) -> None:
    path, campaign = await made(acme)
    assert [campaign[name] for name in ENDS] == [False, None, None]
    changed = (await acme.patch(path, {"auto_complete": True, "end_at": "2126-07-02T16:30:00+02:00"})).body
    assert [changed[name] for name in ENDS] == [True, "2126-07-02T14:30:00Z", None]
    assert [(await acme.patch(path, {"priority": 7})).body[name] for name in ENDS[:2]] == [True, "2126-07-02T14:30:00Z"]
    cleared = (await acme.patch(path, {"auto_complete": False, "end_at": None})).body
    assert [cleared[name] for name in ENDS] == [False, None, None]
    _, made_so = await made(acme, auto_complete=True, end_at=LATER)
    assert [made_so[name] for name in ENDS] == [True, LATER, None]
    [listed] = [each for each in (await acme.get("/campaigns")).body["campaigns"] if each["id"] == made_so["id"]]
    assert listed == made_so


EARLIER = "2126-07-01T14:29:59Z"


async def test_an_end_before_the_start_is_named_with_field_rule_and_value(acme: Customer) -> None:
    configuration_id = await acme.new_configuration()
    body = {"name": "Spring", "configuration_id": configuration_id}
    for end_at in (EARLIER, LATER):
        answer = await acme.post("/campaigns", {**body, "start_at": LATER, "end_at": end_at})
        assert answer.status == 422
        assert answer.body["errors"] == [
            {
                "loc": ["body", "end_at"],
                "msg": f"The campaign must end after it starts, and it starts at {LATER}; {end_at} is not after that",
                "type": "end_before_start",
            }
        ]
    assert (await acme.get("/campaigns")).body["campaigns"] == []
    path, _ = await made(acme, start_at=LATER, configuration_id=configuration_id)
    refused = await acme.patch(path, {"end_at": EARLIER, "name": "Autumn"})
    assert (refused.status, refused.body["errors"][0]["loc"]) == (422, ["body", "end_at"])
    assert (await acme.get(path)).body["name"] == "Spring", "nothing was changed"
    assert (await acme.patch(path, {"start_at": "2126-06-30T00:00:00Z", "end_at": EARLIER})).status == 200
    refused = await acme.patch(path, {"start_at": LATER})
    assert (refused.status, refused.body["errors"]) == (
        422,
        [
            {
                "loc": ["body", "start_at"],
                "msg": f"The campaign must start before it ends, and it ends at {EARLIER}; {LATER} is not before that",
                "type": "start_after_end",
            }
        ],
    )


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"auto_complete": None}, "auto_complete"),
        ({"auto_complete": "sometimes"}, "auto_complete"),
        ({"end_at": "2026-07-01T14:30:00"}, "end_at"),
        ({"end_at": 0}, "end_at"),
    ],
)
async def test_bad_values_of_both_are_refused_at_their_place(
    acme: Customer, fields: dict[str, Any], place: str
) -> None:
    path, campaign = await made(acme)
    body = {"name": "Autumn", "configuration_id": campaign["configuration_id"], **fields}
    for answer in (await acme.post("/campaigns", body), await acme.patch(path, fields)):
        assert answer.status == 422
        assert [problem["loc"] for problem in answer.body["errors"]] == [["body", place]]


async def test_a_campaign_past_its_end_date_says_so_where_somebody_would_be_called(acme: Customer) -> None:
    path, _ = await made(acme)
    past = (utc_now() - timedelta(seconds=1)).isoformat()
    changed = (await acme.patch(path, {"end_at": past})).body
    assert [warning["code"] for warning in changed["warnings"]] == ["campaign_ended"]
    contacts = {"contacts": [{"external_id": "a", "phone_numbers": ["+14155550123"]}]}
    uploaded = (await acme.post(f"{path}/contacts", contacts)).body
    assert uploaded["inserted"] == 1
    assert ["end_at has passed" in warning["message"] for warning in uploaded["warnings"]] == [True]
    contact = (await acme.get(f"{path}/contacts/a")).body
    assert contact["next_attempt_at"] is None
    assert (await acme.get(f"{path}/diagnosis")).body["settings"][0]["code"] == "campaign_ended"
    assert "warnings" not in (await acme.patch(path, {"end_at": None})).body


async def test_a_completed_campaign_is_closed_for_those_who_know_three_words_and_can_be_started(
    acme: Customer, stack: Stack
) -> None:
    """A scheduler completes it; here its word stands for it."""
    path, campaign = await made(acme, auto_complete=True)
    now = utc_now()
    run = {"generation": 1, "state": "completed", "reason": None, "at": now}
    await stack.store["campaigns"].update_one({"_id": campaign["id"]}, {"$set": {"run": run, "completed_at": now}})
    done = (await acme.get(path)).body
    assert shown(done) == ("closed", "completed", None)
    assert done["completed_at"].startswith(now.isoformat()[:19])
    assert [each["id"] for each in (await acme.get("/campaigns?status=closed")).body["campaigns"]] == [campaign["id"]]
    contact = {"external_id": "a", "phone_numbers": ["+14155550123"]}
    assert (await acme.post(f"{path}/contacts", {"contacts": [contact]})).body["inserted"] == 1
    waits = (await acme.get(f"{path}/contacts/a")).body["waiting_for"]
    assert waits == {"reason": "campaign_completed", "until": None}
    assert (await acme.patch(path, {"end_at": LATER})).status == 200
    for refused in ("pause", "close"):
        assert (await acme.post(f"{path}/{refused}")).status == 400
    again = (await acme.post(f"{path}/start")).body
    assert (shown(again), again["completed_at"]) == (("active", "running", None), None)


A_STATE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "draft": ({"state": "draft"}, {}),
    "scheduled": ({"start_at": LATER}, {}),
    "running": ({}, {}),
    "syncing": ({}, {"imports": 1}),
    "paused": ({}, {"intent": "paused"}),
    "completed": ({}, {"run": {"generation": 1, "state": "completed", "reason": None, "at": utc_now()}}),
    "cancelled": ({}, {"intent": "cancelled"}),
    "failed": ({}, {"run": {"generation": 1, "state": "failed", "reason": "job", "at": utc_now()}}),
}
# What docs/campaigns.md says of moves: from which states, and where they lead.
MOVES: dict[str, tuple[dict[str, Any] | None, dict[str, str]]] = {
    "set start_at": ({"start_at": "2127-01-01T00:00:00Z"}, dict.fromkeys(["draft", "scheduled"], "scheduled")),
    "clear start_at": ({"start_at": None}, {"scheduled": "draft"}),
    "start": (
        None,
        {**dict.fromkeys(["draft", "scheduled", "running", "paused", "completed"], "running"), "syncing": "syncing"},
    ),
    "pause": (None, dict.fromkeys(["scheduled", "running", "syncing"], "paused")),
    "close": (None, dict.fromkeys(["draft", "scheduled", "running", "syncing", "paused"], "cancelled")),
    "delete": (None, {"draft": "draft", "cancelled": "cancelled"}),
}


@pytest.mark.parametrize("move", MOVES)
async def test_every_move_from_every_state_is_made_or_refused_as_the_table_says(
    acme: Customer, stack: Stack, move: str
) -> None:
    body, leads_to = MOVES[move]
    configuration_id = await acme.new_configuration()
    for state, (fields, stored) in A_STATE.items():
        path, campaign = await made(acme, configuration_id=configuration_id, **fields)
        if stored:
            await stack.store["campaigns"].update_one({"_id": campaign["id"]}, {"$set": stored})
        before = (await acme.get(path)).body
        assert before["state"] == state
        if move == "delete":
            answer = await acme.delete(path)
        else:
            answer = await (acme.patch(path, body) if body is not None else acme.post(f"{path}/{move}"))
        after = (await acme.get(f"{path}?deleted=true")).body
        # Clearing what is not set asks for nothing.
        if move == "clear start_at" and state not in ("scheduled", "cancelled", "failed"):
            assert (answer.status, after["state"]) == (200, state)
            continue
        assert answer.status == (200 if state in leads_to else 400), (state, move, answer.raw)
        assert after["state"] == leads_to.get(state, state)
        if state not in leads_to:
            assert after == before, "a refusal changes nothing"
