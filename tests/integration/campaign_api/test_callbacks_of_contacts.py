"""Callbacks over the API: asked for, listed, moved, skipped, given up; shown at once as they will be."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.contact import Tier
from shared.domain.queue_order import queue_of
from shared.events import ContactsAdded
from shared.store.client import Document
from shared.store.contacts import callback_list, wishes
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shards import take_over
from tests.factories import new_id
from tests.integration.campaign_api.client import Customer, lead, unique
from tests.integration.campaign_api.conftest import EventsOf, Stack

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def said(at: datetime) -> str:
    """A time as the API says it."""
    return at.isoformat().replace("+00:00", "Z")


def in_future(by: timedelta = DAY) -> datetime:
    """A whole second."""
    return (utc_now() + by).replace(microsecond=0)


class Scheduler:
    """The one that owns the customer's shard, as far as it carries out what is asked."""

    def __init__(self, stack: Stack, owner: Ownership) -> None:
        self._stack, self._owner = stack, owner

    async def carry_out(self) -> None:
        assert (await wishes.carry_out(self._stack.store, self._owner, utc_now())).moved


async def carried_out(stack: Stack, customer: Customer) -> None:
    """Have a scheduler carry out what the customer has asked for."""
    await (await scheduler_of(stack, customer)).carry_out()


async def scheduler_of(stack: Stack, customer: Customer) -> Scheduler:
    """A scheduler that owns the customer's shard."""
    organization = await stack.store["organizations"].find_one({"_id": customer.organization_id})
    assert organization is not None
    shard = organization["shard"]
    return Scheduler(stack, Ownership(shard, await take_over(stack.store, shard)))


@pytest.fixture
async def scheduler(acme: Customer, stack: Stack) -> Scheduler:
    return await scheduler_of(stack, acme)


async def a_campaign(acme: Customer, count: int = 1, **fields: Any) -> dict[str, Any]:
    """A campaign with so many contacts."""
    campaign = await acme.new_campaign(**fields)
    contacts = [lead(number) for number in range(count)]
    assert (await acme.post(f"/campaigns/{campaign['id']}/contacts", {"contacts": contacts})).status == 200
    return campaign


async def called(stack: Stack, campaign: dict[str, Any], external_id: str, **fields: Any) -> Document:
    """Have a contact called once, busy, as the scheduler does; it waits for its retry unless `fields` say otherwise."""
    contact = await stack.store["contacts"].find_one({"campaign_id": campaign["id"], "external_id": external_id})
    assert contact is not None
    attempt_id, now = new_id(), utc_now()
    attempt = {name: contact[name] for name in ("organization_id", "campaign_id")}
    attempt |= {"_id": attempt_id, "contact_id": contact["_id"], "contact_created_at": contact["created_at"]}
    await stack.store["attempts"].insert_one({**attempt, "attempt_number": 1, "outcome": "busy", "ended_at": now})
    waits = {"status": "pending", "tier": queue_of(0, Tier.RETRY), "due_at": in_future(HOUR), "waiting": 1}
    made = {"attempts_made": 1, "outcomes": {"busy": 1}, "last_attempt": attempt_id}
    changed = {**waits, **made, **fields}
    await stack.store["contacts"].update_one({"_id": contact["_id"]}, {"$set": changed})
    await stack.store["counters"].update_one(
        {"_id": campaign["id"]}, {"$inc": {"attempts": 1}, "$set": {"shard": contact["shard"]}}, upsert=True
    )
    return {**contact, **changed}


async def listed(acme: Customer, query: str = "", path: str = "/callbacks") -> list[dict[str, Any]]:
    answer = await acme.get(path + query)
    assert answer.status == 200, answer.raw
    assert answer.body["next_cursor"] is None
    rows: list[dict[str, Any]] = answer.body["callbacks"]
    return rows


async def test_a_callback_that_is_asked_for_is_shown_at_once_as_it_will_be(
    acme: Customer, stack: Stack, scheduler: Scheduler, events: EventsOf
) -> None:
    campaign, at = await a_campaign(acme), in_future()
    path = f"/campaigns/{campaign['id']}/contacts/lead-0"
    answer = await acme.post(f"{path}/callback", {"at": said(at), "notes": "Ask for Ada"})
    assert answer.status == 200, answer.raw
    shown = answer.body
    assert (shown["status"], shown["next_attempt_at"]) == ("pending", said(at))
    assert shown["waiting_for"] == {"reason": "callback", "until": said(at)}
    requested_at = shown["callback"].pop("requested_at")
    assert abs(datetime.fromisoformat(requested_at) - utc_now()) < timedelta(minutes=1)
    assert shown["callback"] == {
        "id": f"{shown['id']}-1",
        "type": "requested",
        "at": said(at),
        "outcome": None,
        "retry_number": None,
        "max_retries": None,
        "notes": "Ask for Ada",
    }
    [hint] = [event for event in await events(acme.organization_id, ContactsAdded, 2) if event.asked]
    assert hint.campaign_id == campaign["id"]
    before = (await acme.get(path)).body
    await scheduler.carry_out()
    after = (await acme.get(path)).body
    assert after == before
    [row] = await listed(acme)
    of_the_contact = {
        "campaign_id": campaign["id"],
        "contact_id": shown["id"],
        "external_id": "lead-0",
        "phone_numbers": shown["phone_numbers"],
        "timezone": None,
        "next_attempt_at": said(at),
        "waiting_for": {"reason": "callback", "until": said(at)},
    }
    assert row == {**after["callback"], **of_the_contact}
    assert (await acme.get(f"/callbacks/{row['id']}")).body == row
    assert await listed(acme, path=f"/campaigns/{campaign['id']}/callbacks") == [row]


async def test_a_retry_is_a_callback_one_of_so_many(acme: Customer, stack: Stack) -> None:
    campaign = await a_campaign(acme)
    contact = await called(stack, campaign, "lead-0")
    [row] = await listed(acme)
    assert (row["type"], row["outcome"], row["retry_number"], row["max_retries"]) == ("retry", "busy", 1, 4)
    assert (row["id"], row["at"]) == (f"{contact['_id']}-1", said(contact["due_at"]))


@pytest.mark.parametrize("action", ["now", "skip", "cancel", "done", "reschedule"])
async def test_what_is_asked_of_a_callback_is_answered_as_it_will_be(
    acme: Customer, stack: Stack, scheduler: Scheduler, action: str
) -> None:
    campaign = await a_campaign(acme)
    contact = await called(stack, campaign, "lead-0")
    at, path = in_future(2 * HOUR), f"/campaigns/{campaign['id']}/contacts/lead-0"
    body = {"at": said(at), "notes": "later"} if action == "reschedule" else None
    answer = await acme.post(f"/callbacks/{contact['_id']}-1/{action}", body)
    assert answer.status == 200, answer.raw
    shown = answer.body
    expected = {
        "now": ("pending", None, f"{contact['_id']}-1", 1),
        "reschedule": ("pending", None, f"{contact['_id']}-1", 1),
        "skip": ("pending", None, f"{contact['_id']}-2", 2),
        "cancel": ("exhausted", "given_up", None, None),
        "done": ("completed", "done", None, None),
    }[action]
    callback = shown["callback"] or {"id": None, "retry_number": None}
    assert (shown["status"], shown["ended_because"], callback["id"], callback["retry_number"]) == expected
    if action == "reschedule":
        assert (callback["at"], callback["notes"]) == (said(at), "later")
    if action == "skip":
        assert callback["at"] == said(contact["due_at"] + HOUR)
    await scheduler.carry_out()
    after = (await acme.get(path)).body
    assert (after["status"], after["ended_because"]) == expected[:2]
    assert after["callback"] == shown["callback"]
    gone = (await acme.get(f"/callbacks/{contact['_id']}-1")).status
    assert gone == (200 if expected[2] == f"{contact['_id']}-1" else 404)


async def test_what_is_over_or_under_way_is_409(acme: Customer, stack: Stack, scheduler: Scheduler) -> None:
    campaign = await a_campaign(acme)
    contact = await called(stack, campaign, "lead-0")
    first = f"/callbacks/{contact['_id']}-1"
    assert (await acme.post(f"{first}/cancel")).status == 200
    for path in (first, f"/callbacks/{contact['_id']}-0", f"/callbacks/{contact['_id']}-9"):
        answer = await acme.post(f"{path}/now")
        assert (answer.status, "is over" in answer.body["detail"]) == (409, True)
    await scheduler.carry_out()
    assert (await acme.post(f"{first}/now")).status == 409
    lock = {"attempt": new_id(), "claim": new_id(), "phone": "+14155550000", "caller_number": "+14155550100"}
    on_a_call = {"status": "locked", "lock": lock, "ended_because": None}
    await stack.store["contacts"].update_one({"_id": contact["_id"]}, {"$set": on_a_call})
    for path, body in (
        (f"{first}/now", None),
        (f"/campaigns/{campaign['id']}/contacts/lead-0/callback", {"at": said(in_future())}),
    ):
        answer = await acme.post(path, body)
        assert (answer.status, "being called" in answer.body["detail"]) == (409, True)


async def test_a_callback_is_changed_right_after_it_was_asked_for(
    acme: Customer, stack: Stack, scheduler: Scheduler
) -> None:
    campaign = await a_campaign(acme)
    asked = await acme.post(f"/campaigns/{campaign['id']}/contacts/lead-0/callback", {"at": said(in_future())})
    path = f"/callbacks/{asked.body['callback']['id']}"
    unheard = await acme.post(f"{path}/done")
    assert (unheard.status, "Retry-After" in unheard.headers) == (503, True), "no scheduler has carried it out"
    await scheduler.carry_out()
    assert (await acme.post(f"{path}/done")).body["status"] == "completed"


async def test_who_may_not_be_called_is_not_called_back(acme: Customer, stack: Stack) -> None:
    campaign = await a_campaign(acme, 4)
    path = f"/campaigns/{campaign['id']}/contacts"
    await called(stack, campaign, "lead-0", status="exhausted", ended_because="opted_out")
    await acme.post("/do-not-call", {"phone_numbers": lead(1)["phone_numbers"]})
    soon = said(in_future(HOUR))
    await acme.post(path, {"contacts": [lead(2, expires_at=soon)]})
    for external_id, why in (
        ("lead-0", "not called again"),
        ("lead-1", "do-not-call"),
        ("lead-2", "expires before"),
    ):
        answer = await acme.post(f"{path}/{external_id}/callback", {"at": said(in_future())})
        assert (answer.status, why in answer.body["detail"]) == (409, True), answer.raw
    await acme.post(f"/campaigns/{campaign['id']}/close")
    answer = await acme.post(f"{path}/lead-3/callback", {"at": said(in_future())})
    assert (answer.status, "is closed" in answer.body["detail"]) == (400, True)
    assert await stack.store["asks"].count_documents({"_id": {"$in": [campaign["id"]]}}) == 0


async def test_a_callback_that_would_be_due_past_the_end_of_its_campaign_is_409(acme: Customer, stack: Stack) -> None:
    end_at = in_future(2 * HOUR)
    campaign = await a_campaign(acme, 2, end_at=said(end_at))
    retry = await called(stack, campaign, "lead-0")
    for path in (f"/campaigns/{campaign['id']}/contacts/lead-1/callback", f"/callbacks/{retry['_id']}-1/reschedule"):
        for at in (end_at, end_at + DAY):
            answer = await acme.post(path, {"at": said(at)})
            assert answer.status == 409, (path, answer.raw)
            assert "ends before that time" in answer.body["detail"]
        assert await stack.store["asks"].count_documents({"campaign_id": campaign["id"]}) == 0
        in_time = end_at - timedelta(seconds=1)
        assert (await acme.post(path, {"at": said(in_time)})).body["callback"]["at"] == said(in_time)
        await stack.store["asks"].delete_many({"campaign_id": campaign["id"]})


async def test_a_retry_that_would_end_before_its_new_time_is_not_moved(acme: Customer, stack: Stack) -> None:
    campaign, expires_at = await a_campaign(acme, 2), in_future(2 * HOUR)
    expiring = await called(stack, campaign, "lead-0", expires_at=expires_at)
    listed_one = await called(stack, campaign, "lead-1")
    await acme.post("/do-not-call", {"phone_numbers": listed_one["phone_numbers"]})
    in_time, later = ({"at": said(expires_at + by)} for by in (-HOUR, HOUR))
    for path, body, why in (
        (f"/callbacks/{expiring['_id']}-1/reschedule", later, "expires before"),
        (f"/callbacks/{listed_one['_id']}-1/reschedule", in_time, "do-not-call"),
        (f"/callbacks/{listed_one['_id']}-1/now", None, "do-not-call"),
    ):
        answer = await acme.post(path, body)
        assert answer.status == 409, (path, answer.raw)
        assert why in answer.body["detail"]
    assert await stack.store["asks"].count_documents({"campaign_id": campaign["id"]}) == 0
    assert (await acme.post(f"/callbacks/{expiring['_id']}-1/reschedule", in_time)).status == 200


@pytest.mark.parametrize(
    ("stored", "state", "word"),
    [
        ({"run": {"generation": 1, "state": "failed", "reason": "job", "at": utc_now()}}, "failed", "failed"),
        ({"intent": "cancelled"}, "cancelled", "closed"),
    ],
)
async def test_nothing_is_asked_of_the_contacts_of_a_campaign_that_is_over(
    acme: Customer, stack: Stack, stored: dict[str, Any], state: str, word: str
) -> None:
    campaign = await a_campaign(acme, 2)
    retry = await called(stack, campaign, "lead-0")
    await called(stack, campaign, "lead-1", status="exhausted", ended_because="busy")
    await stack.store["campaigns"].update_one({"_id": campaign["id"]}, {"$set": stored})
    assert (await acme.get(f"/campaigns/{campaign['id']}")).body["state"] == state
    contacts, of_retry = f"/campaigns/{campaign['id']}/contacts", f"/callbacks/{retry['_id']}-1"
    at = {"at": said(in_future())}
    asked: dict[str, Any] = {
        f"{contacts}/lead-0/callback": at,
        f"{contacts}/lead-1/callback": at,
        f"{of_retry}/reschedule": at,
        **dict.fromkeys(f"{of_retry}/{action}" for action in ("now", "skip", "cancel", "done")),
        f"{contacts}/reset": {"status": "exhausted"},
        contacts: {"contacts": [lead(1)]},
    }
    for path, body in asked.items():
        answer = await acme.post(path, body)
        assert answer.status == 400, (path, answer.raw)
        assert f"is {word}" in answer.body["detail"]
    assert await stack.store["asks"].count_documents({"campaign_id": campaign["id"]}) == 0


@pytest.mark.parametrize("outcome", ["answered", "busy"])
async def test_an_ended_contact_is_called_back(
    acme: Customer, stack: Stack, scheduler: Scheduler, outcome: str
) -> None:
    campaign = await a_campaign(acme)
    status = "completed" if outcome == "answered" else "exhausted"
    contact = await called(stack, campaign, "lead-0", status=status, ended_because=outcome)
    path = f"/campaigns/{campaign['id']}/contacts/lead-0"
    shown = (await acme.post(f"{path}/callback", {"at": said(in_future())})).body
    assert (shown["status"], shown["ended_because"], shown["callback"]["id"]) == (
        "pending",
        None,
        f"{contact['_id']}-2",
    )
    await scheduler.carry_out()
    dropped = (await acme.post(f"/callbacks/{contact['_id']}-2/cancel")).body
    expected = ("completed", "answered") if outcome == "answered" else ("exhausted", "given_up")
    assert (dropped["status"], dropped["ended_because"]) == expected


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"at": None},
        {"at": "tomorrow"},
        {"at": "2031-05-01T10:00"},
        {"at": said(utc_now() - HOUR)},
        {"at": said(utc_now() + 367 * DAY)},
        {"at": said(utc_now() + DAY), "notes": "x" * 2001},
        {"at": said(utc_now() + DAY), "notes": "a\0b"},
        {"at": said(utc_now() + DAY), "note": "misspelt"},
    ],
)
async def test_what_cannot_be_asked_for_is_422(acme: Customer, body: dict[str, Any]) -> None:
    campaign = await a_campaign(acme)
    for path in (f"/campaigns/{campaign['id']}/contacts/lead-0/callback", f"/callbacks/{new_id()}-1/reschedule"):
        assert (await acme.post(path, body)).status == 422


@pytest.mark.parametrize("reference", [f"{new_id()}-1", new_id(), "x", "lead-0"])
async def test_an_unknown_callback_is_404(acme: Customer, reference: str) -> None:
    await a_campaign(acme)
    assert (await acme.get(f"/callbacks/{reference}")).status == 404
    assert (await acme.post(f"/callbacks/{reference}/now")).status == 404


async def test_callbacks_are_listed_soonest_first_by_pages_and_filters(
    acme: Customer, stack: Stack, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback_list, "_AT_ONCE", 3)
    name = unique("spring")
    spring, summer = await a_campaign(acme, 8, external_id=name), await a_campaign(acme, 3)
    now, expected = in_future(HOUR), []
    for number, (campaign, minutes) in enumerate([*[(spring, 7 - i // 2) for i in range(7)], *[(summer, 5)] * 3]):
        external_id = f"lead-{number if campaign is spring else number - 7}"
        contact = await called(stack, campaign, external_id, due_at=now + timedelta(minutes=minutes))
        expected.append((contact["due_at"], contact["seq"], contact["_id"]))
    at = now + timedelta(minutes=6)
    asked = await acme.post(f"/campaigns/{name}/contacts/lead-7/callback", {"at": said(at)})
    await scheduler.carry_out()
    # A contact that was reset waits for no retry.
    reset = {"uncounted": 1, "outcomes": {}}
    await stack.store["contacts"].update_one({"_id": expected[0][2]}, {"$set": reset})
    del expected[0]
    in_order = [contact_id for _, _, contact_id in sorted([*expected, (at, 7, asked.body["id"])])]
    for limit in (1, 2, 4, 50):
        found, cursor = [], ""
        while True:
            answer = (await acme.get(f"/callbacks?limit={limit}{cursor}")).body
            assert len(answer["callbacks"]) <= limit
            found += [row["contact_id"] for row in answer["callbacks"]]
            if answer["next_cursor"] is None:
                break
            cursor = f"&cursor={answer['next_cursor']}"
        assert found == in_order, limit
    of_spring = [row["contact_id"] for row in await listed(acme, f"?campaign={name}")]
    assert len(of_spring) == 7
    assert [row["contact_id"] for row in await listed(acme, path=f"/campaigns/{name}/callbacks")] == of_spring
    assert [row["contact_id"] for row in await listed(acme, "?type=requested")] == [asked.body["id"]]
    assert len(await listed(acme, "?type=retry")) == len(in_order) - 1
    between = await listed(acme, f"?due_after={said(at)}&due_before={said(at + timedelta(minutes=1))}")
    assert {row["at"] for row in between} == {said(at)}
    assert len(between) == sum(due_at == at for due_at, _, _ in expected) + 1


@pytest.mark.parametrize("query", ["?cursor=x", "?cursor=MTcwMDAwMDAwMDAwMC94"])
async def test_a_cursor_that_was_not_given_out_is_400(acme: Customer, query: str) -> None:
    assert (await acme.get(f"/callbacks{query}")).status == 400


@pytest.mark.parametrize("query", ["?type=maybe", "?due_after=today", "?due_before=2026-01-01T00:00", "?limit=0"])
async def test_a_filter_that_means_nothing_is_422(acme: Customer, query: str) -> None:
    assert (await acme.get(f"/callbacks{query}")).status == 422


async def test_contacts_of_no_campaign_are_called_back_too(acme: Customer, stack: Stack, scheduler: Scheduler) -> None:
    path = "/campaigns/default/contacts"
    await acme.post(path, {"contacts": [lead(0, agent_id="agent-1", timezone="Europe/Berlin")]})
    at = said(in_future())
    asked = (await acme.post(f"{path}/lead-0/callback", {"at": at})).body
    await scheduler.carry_out()
    for found in (await listed(acme), await listed(acme, "?campaign=default")):
        assert [(row["contact_id"], row["campaign_id"], row["at"]) for row in found] == [(asked["id"], None, at)]
