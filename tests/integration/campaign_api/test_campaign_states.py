"""Drafts and campaigns that start by themselves, over the API: what may be asked of which, and what lists show."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from tests.integration.campaign_api.client import Customer

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
