"""POST …/contacts/reset: what is refused, and how one reset goes on over several requests."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.clock import utc_now
from shared.store.contacts import wishes
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shards import take_over
from shared.store.paging import encode_cursor
from tests.integration.campaign_api.client import Customer, lead
from tests.integration.campaign_api.conftest import Stack

EXHAUSTED = {"status": "exhausted", "ended_because": "busy", "attempts_made": 3}
SOME_TIME = datetime(2026, 1, 5, tzinfo=UTC)


async def campaign_with_ended(acme: Customer, stack: Stack, count: int) -> str:
    """The path of the contacts of a campaign in which so many have ended."""
    path = f"/campaigns/{(await acme.new_campaign())['id']}/contacts"
    await add_ended(acme, stack, path, count)
    return path


async def add_ended(acme: Customer, stack: Stack, path: str, count: int) -> None:
    fields: dict[str, Any] = {"agent_id": "agent-1", "timezone": "Europe/Berlin"}
    added = await acme.post(path, {"contacts": [lead(number, **fields) for number in range(count)]})
    ids = added.body["contact_ids"]
    await stack.store["contacts"].update_many({"_id": {"$in": ids}}, {"$set": EXHAUSTED})


async def test_a_reset_goes_on_where_its_cursor_says_until_there_is_none(
    acme: Customer, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wishes, "MAX_RESET", 3)
    path = await campaign_with_ended(acme, stack, 7)
    organization = await stack.store["organizations"].find_one({"_id": acme.organization_id})
    assert organization is not None
    owner = Ownership(organization["shard"], await take_over(stack.store, organization["shard"]))
    of_acme = {"organization_id": acme.organization_id}
    body: dict[str, Any] = {"status": "exhausted", "reason": "busy"}
    counts = []
    for _ in range(3):
        page = (await acme.post(f"{path}/reset", body)).body
        counts.append(page["reset"])
        body["cursor"] = page["next_cursor"]
        # The scheduler calls them, and they are busy once more.
        await wishes.carry_out(stack.store, owner, utc_now())
        await stack.store["contacts"].update_many(of_acme, {"$set": EXHAUSTED})
    assert counts == [3, 3, 1]
    assert body["cursor"] is None


async def test_contacts_of_no_campaign_are_reset_too(acme: Customer, stack: Stack) -> None:
    path = "/campaigns/default/contacts"
    await add_ended(acme, stack, path, 2)
    for count in (2, 0):
        answer = await acme.post(f"{path}/reset", {"status": "exhausted"})
        assert answer.body == {"reset": count, "next_cursor": None}, "who is asked already is not asked again"
    assert (await acme.post(f"{path}/reset", {"status": "error"})).body == {"reset": 0, "next_cursor": None}


async def test_a_closed_campaign_is_400(acme: Customer, stack: Stack) -> None:
    path = await campaign_with_ended(acme, stack, 1)
    await acme.post(f"{path.removesuffix('/contacts')}/close")
    answer = await acme.post(f"{path}/reset", {"status": "exhausted"})
    assert answer.status == 400
    assert "is closed" in answer.body["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {"status": "exhausted", "reason": "answered"},
        {"status": "exhausted", "reason": "opted_out"},
        {"status": "exhausted", "reason": "tired"},
        {"status": "completed"},
        {"status": "pending", "reason": "busy"},
        {"status": "in_progress"},
        {"status": "gone"},
        {"reason": "busy"},
        {"status": "exhausted", "cursor": 5},
        {"status": "exhausted", "cursor": "x" * 1001},
        {"status": "exhausted", "all": True},
    ],
)
async def test_what_cannot_be_asked_for_is_422(acme: Customer, body: dict[str, Any]) -> None:
    answer = await acme.post("/campaigns/default/contacts/reset", body)
    assert answer.status == 422


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "bm90IG9uZQ",
        pytest.param(encode_cursor(SOME_TIME, "$last_attempt"), id="a field's name"),
        pytest.param(encode_cursor(SOME_TIME, "$."), id="no field's name"),
        pytest.param(encode_cursor(SOME_TIME, "not an id"), id="another list's"),
    ],
)
async def test_a_cursor_that_was_not_given_out_is_400(acme: Customer, stack: Stack, cursor: str) -> None:
    path = await campaign_with_ended(acme, stack, 1)
    answer = await acme.post(f"{path}/reset", {"status": "exhausted", "cursor": cursor})
    assert answer.status == 400
    assert "cursor" in answer.body["detail"]
