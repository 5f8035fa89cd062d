"""Callbacks in this dialect: shown, moved, skipped, given up, asked for, and refused."""

from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.campaign import FIRST_GENERATION, RunState
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shards import take_over
from tests.factories import new_id
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.test_callbacks_of_contacts import DAY, HOUR, Scheduler, called, in_future
from tests.integration.smartalex.client import Alex, fields_of, phone, said


def written(at: Any) -> str:
    """A time as this dialect says it."""
    return str(at.isoformat(timespec="seconds")).replace("+00:00", "Z")


async def scheduler_of(alex: Alex, stack: Stack) -> Scheduler:
    organization = await stack.store["organizations"].find_one({"_id": alex.native.organization_id})
    assert organization is not None
    shard = organization["shard"]
    return Scheduler(stack, Ownership(shard, await take_over(stack.store, shard)))


async def waiting(alex: Alex, stack: Stack, **fields: Any) -> tuple[str, str, dict[str, Any]]:
    """A campaign, its contact of the book, and the callback that it waits for after a first call, which was busy."""
    campaign = await alex.new_campaign(phone(1), **fields)
    [contact] = (await alex.get(f"/campaigns/{campaign}/contacts"))["data"]
    await called(stack, {"id": campaign}, contact["id"])
    [row] = (await alex.get(f"/campaigns/{campaign}/callbacks"))["data"]
    assert (await alex.get(f"/callbacks?campaign_id={campaign}"))["data"] == [row]
    return campaign, contact["id"], row


@pytest.mark.parametrize(
    ("method", "action", "status"),
    [
        ("POST", "/reschedule", "pending"),
        ("PATCH", "", "pending"),
        ("PUT", "", "pending"),
        ("POST", "/call-now", "pending"),
        ("POST", "/skip", "pending"),
        ("POST", "/cancel", "cancelled"),
        ("DELETE", "", "cancelled"),
        ("POST", "/complete", "completed"),
    ],
)
async def test_each_action_answers_with_the_callback_as_it_then_is(
    alex: Alex, stack: Stack, method: str, action: str, status: str
) -> None:
    scheduler = await scheduler_of(alex, stack)
    campaign, contact, row = await waiting(alex, stack)
    assert (row["type"], row["outcome"], row["retry_number"], row["max_retries"]) == ("retry", "busy", 1, 3)
    path, later = f"/callbacks/{row['id']}", in_future(2 * DAY)
    moves = method in {"PATCH", "PUT"} or action == "/reschedule"
    if moves:
        body = {**row, "scheduled_at": written(later), "notes": "At home"}
        answer = await alex.call(method, path + action, body)
    else:
        # Whatever body comes is ignored.
        answer = await alex.call(method, path + action, raw=b"{", headers={"Content-Type": "text/plain"})
    assert answer.status == 200, answer.raw
    assert list(answer.body) == ["data"]
    after = answer.body["data"]
    assert (after["status"], after["contact_id"]) == (status, contact)
    if moves:
        assert (after["id"], after["scheduled_at"], after["notes"]) == (row["id"], written(later), "At home")
    elif action == "/call-now":
        assert after["id"] == row["id"]
        assert after["scheduled_at"] <= written(utc_now())
    elif action == "/skip":
        assert (after["id"] != row["id"], after["retry_number"]) == (True, 2)
        assert after["scheduled_at"] > row["scheduled_at"]
    await scheduler.carry_out()
    left = (await alex.get(f"/campaigns/{campaign}/callbacks"))["data"]
    assert left == ([{**after, "overdue": action == "/call-now"}] if status == "pending" else [])
    if status != "pending" or action == "/skip":
        for over in ("/reschedule", "/call-now", "/skip", "/cancel", "/complete"):
            sent = {"scheduled_at": written(later)} if over == "/reschedule" else None
            assert await alex.refused("POST", path + over, sent) == (404, "not_found"), over


async def test_the_last_retry_skipped_ends_the_contact(alex: Alex, stack: Stack) -> None:
    _, _, row = await waiting(alex, stack, settings={"max_retries": 1})
    assert (row["retry_number"], row["max_retries"]) == (1, 1)
    assert (await alex.post(f"/callbacks/{row['id']}/skip"))["data"]["status"] == "cancelled"


async def test_one_that_is_asked_for_takes_the_place_of_a_retry(alex: Alex, stack: Stack) -> None:
    scheduler = await scheduler_of(alex, stack)
    campaign, contact, row = await waiting(alex, stack)
    at = in_future(3 * DAY)
    asked = {"contact_id": contact, "scheduled_at": at.isoformat(), "notes": "After work", "campaign_name": "x", "x": 1}
    made = await alex.post(f"/campaigns/{campaign}/callbacks", asked, 201)
    assert made["warnings"] == ["x: not known here, ignored"]
    shown = made["data"]
    assert (shown["type"], shown["scheduled_at"], shown["notes"]) == ("customer_requested", written(at), "After work")
    assert (shown["retry_number"], shown["max_retries"], shown["id"] != row["id"]) == (None, None, True)
    await scheduler.carry_out()
    assert (await alex.get("/callbacks"))["data"] == [shown]
    assert (await alex.get("/callbacks?view=overdue"))["data"] == []
    assert await alex.refused("POST", f"/callbacks/{row['id']}/call-now") == (404, "not_found")


async def test_who_cannot_be_called_back_is_named(alex: Alex, stack: Stack) -> None:
    campaign = await alex.new_campaign(phone(1), phone(2))
    path, at = f"/campaigns/{campaign}/callbacks", written(in_future())
    two, one = [row["id"] for row in (await alex.get(f"/campaigns/{campaign}/contacts"))["data"]]
    outside = (await alex.post("/contacts", {"phone": phone(3)}, 201))["data"]["id"]
    for nobody in (outside, new_id(), "x"):
        assert await alex.refused("POST", path, {"contact_id": nobody, "scheduled_at": at}) == (404, "not_found")
    await alex.patch(f"/contacts/{one}", {"status": "dnc"})
    lock = {"attempt": new_id(), "claim": new_id(), "phone": phone(2), "caller_number": phone(100)}
    on_a_call = {"status": "locked", "lock": lock}
    await stack.store["contacts"].update_one({"campaign_id": campaign, "external_id": two}, {"$set": on_a_call})
    for contact in (one, two):
        answer = await alex.call("POST", path, {"contact_id": contact, "scheduled_at": at})
        assert (said(answer), fields_of(answer)) == ((400, "invalid_request"), ["contact_id"])
    past = {"contact_id": 7, "scheduled_at": written(utc_now() - HOUR), "notes": "x" * 2001}
    answer = await alex.call("POST", path, past)
    assert (said(answer), fields_of(answer)) == ((400, "invalid_request"), ["contact_id", "scheduled_at", "notes"])


@pytest.mark.parametrize("state", ["completed", "cancelled"])
async def test_a_campaign_that_is_over_calls_nobody_back(alex: Alex, stack: Stack, state: str) -> None:
    campaign, contact, _ = await waiting(alex, stack)
    await alex.post(f"/campaigns/{campaign}/{'start' if state == 'completed' else 'cancel'}")
    if state == "completed":
        run = {"generation": FIRST_GENERATION, "state": RunState.COMPLETED, "reason": None, "at": utc_now()}
        await stack.store["campaigns"].update_one({"_id": campaign}, {"$set": {"run": run}})
    asked = {"contact_id": contact, "scheduled_at": written(in_future())}
    refused = await alex.refused("POST", f"/campaigns/{campaign}/callbacks", asked)
    assert refused == (409, "campaign_not_active")


async def test_who_is_being_called_has_no_callback_that_waits(alex: Alex, stack: Stack) -> None:
    campaign, contact, row = await waiting(alex, stack)
    lock = {"attempt": new_id(), "claim": new_id(), "phone": phone(1), "caller_number": phone(100)}
    mine = {"campaign_id": campaign, "external_id": contact}
    await stack.store["contacts"].update_one(mine, {"$set": {"status": "locked", "lock": lock}})
    for action in ("call-now", "skip", "cancel", "complete"):
        assert await alex.refused("POST", f"/callbacks/{row['id']}/{action}") == (404, "not_found"), action
    body = {"scheduled_at": written(in_future())}
    assert await alex.refused("PATCH", f"/callbacks/{row['id']}", body) == (404, "not_found")


async def test_a_time_after_the_end_of_its_campaign_is_a_bad_value(alex: Alex, stack: Stack) -> None:
    campaign, _, row = await waiting(alex, stack)
    end_at = in_future(2 * DAY)
    assert (await alex.native.patch(f"/campaigns/{campaign}", {"end_at": end_at.isoformat()})).status == 200
    late = await alex.call("PATCH", f"/callbacks/{row['id']}", {"scheduled_at": written(end_at + HOUR)})
    assert (said(late), fields_of(late)) == ((400, "invalid_request"), ["scheduled_at"])
    in_time = {"scheduled_at": written(end_at - timedelta(minutes=5))}
    assert (await alex.patch(f"/callbacks/{row['id']}", in_time))["data"]["status"] == "pending"
