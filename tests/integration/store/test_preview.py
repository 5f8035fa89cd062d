"""The preview of a campaign says what a claim would do, and does nothing."""

from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.contact import ContactStatus, Tier
from shared.domain.dialing_values import End, Wait
from shared.domain.ids import campaign_budget, default_campaign_id
from shared.domain.preview import Preview
from shared.domain.queue_order import queue_of
from shared.domain.reasons import EndReason, WaitReason
from shared.store.client import Document, Store
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from shared.store.dialing.shards import take_over
from shared.store.reports.preview import MAX_CALLS, MAX_OTHERS, preview
from tests.factories import (
    add_caller_number,
    add_campaign,
    add_configuration,
    add_contacts,
    add_organization,
    open_limits,
)

NOW = utc_now()
EVERY_COLLECTION = ("contacts", "campaigns", "counters", "budgets", "shards", "attempts", "organizations")


async def ask(store: Store, organization: Document, campaign: Document | None, limit: int = MAX_CALLS) -> Preview:
    campaign_id = campaign["_id"] if campaign is not None else default_campaign_id(organization["_id"])
    return await preview(store, organization["_id"], organization["shard"], campaign_id, limit, NOW)


async def everything(store: Store) -> dict[str, list[Document]]:
    return {name: await store[name].find().sort("_id").to_list() for name in EVERY_COLLECTION}


async def of_kind(store: Store, organization: Document, campaign: Document, first: int, **fields: Any) -> list[str]:
    """Two contacts with numbers from `first` on, due since an hour."""
    fields = {"due_at": NOW - timedelta(hours=1), "created_at": NOW - timedelta(hours=2), **fields}
    contacts = await add_contacts(store, organization, campaign, 2, **fields)
    for number, contact in enumerate(contacts, first):
        phone = {"phone_numbers": [f"+1415200{number:04d}"], "seq": number}
        await store["contacts"].update_one({"_id": contact["_id"]}, {"$set": phone})
    return [contact["_id"] for contact in contacts]


def waits(found: Preview) -> dict[str, WaitReason | EndReason]:
    return {
        other.contact.id: other.instead.reason if isinstance(other.instead, Wait) else other.instead.because
        for other in found.others
    }


async def test_the_preview_is_what_a_claim_then_does_in_its_order_and_from_its_numbers(store: Store) -> None:
    organization = await add_organization(store, concurrency_limit=5)
    for number in ("+12025550111", "+12025550112"):
        await add_caller_number(store, organization, number, max_calls=2, pools=["west"])
    campaign = await add_campaign(
        store, organization, agent_id="agent-7", caller_number_pool="west", caller_number_choice="rotate"
    )
    await open_limits(store, organization["shard"], 10)
    ordinary = await of_kind(store, organization, campaign, 0)
    retries = await of_kind(store, organization, campaign, 10, tier=int(Tier.RETRY), attempts_made=1)
    first = await of_kind(store, organization, campaign, 20, tier=queue_of(7, Tier.FRESH), priority=7)
    await store["counters_in"].update_one({}, {"$set": {"prioritized": True}})
    before = await everything(store)
    found = await ask(store, organization, campaign)
    assert await everything(store) == before, "a preview writes nothing"
    assert [call.contact.id for call in found.calls] == [*first, *ordinary]
    assert waits(found) == dict.fromkeys(retries, WaitReason.CALLER_NUMBER_LIMIT)
    assert {call.agent_id for call in found.calls} == {"agent-7"}
    owner = Ownership(organization["shard"], await take_over(store, organization["shard"]))
    order = ClaimOrder([*first, *ordinary, *retries])
    done = await do_shard_work(store, owner, ShardWork(claim=order), NOW)
    locks = {c["_id"]: c["lock"] async for c in store["contacts"].find({"status": ContactStatus.LOCKED})}
    assert [job.contact_id for job in done.jobs] == [call.contact.id for call in found.calls]
    for call in found.calls:
        lock = locks[call.contact.id]
        made = lock["number"], lock["caller_number"], lock["agent_id"], lock["attempt_number"]
        assert made == (call.phone_number, call.caller_number, call.agent_id, call.attempt_number)


@pytest.mark.parametrize("intent", ["draft", "scheduled", "paused", "running"])
async def test_a_campaign_that_does_not_run_is_looked_at_as_if_it_did(store: Store, intent: str) -> None:
    organization = await add_organization(store)
    fields: dict[str, Any] = {
        "intent": intent,
        "generation": 0 if intent == "draft" else 1,
        "start_at": NOW + timedelta(days=1),
    }
    campaign = await add_campaign(store, organization, **fields)
    await open_limits(store, organization["shard"], 10)
    contacts = await of_kind(store, organization, campaign, 0)
    found = await ask(store, organization, campaign)
    assert [call.contact.id for call in found.calls] == contacts
    assert (found.campaign_id, found.others) == (campaign["_id"], [])


async def test_why_not_the_others_is_said_of_each_with_its_own_reason(store: Store) -> None:
    organization = await add_organization(store)
    windows = [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"}]
    closed = [{"timezones": ["Asia/Tokyo"], "windows": []}]
    configuration = await add_configuration(store, organization, default_windows=windows, overrides=closed)
    campaign = await add_campaign(store, organization, configuration)
    await open_limits(store, organization["shard"], 10)
    called = await of_kind(store, organization, campaign, 0)
    later = NOW + timedelta(hours=3)
    retries = await of_kind(
        store, organization, campaign, 10, tier=int(Tier.RETRY), due_at=later, attempts_made=1, outcomes={"busy": 1}
    )
    asleep = await of_kind(store, organization, campaign, 20, timezone="Asia/Tokyo")
    listed = await of_kind(store, organization, campaign, 30)
    numbers = ["+14152000030", "+14152000031"]
    await store["do_not_call"].insert_many(
        {
            "_id": f"{organization['_id']}:{n}",
            "organization_id": organization["_id"],
            "phone_number": n,
            "created_at": NOW,
        }
        for n in numbers
    )
    found = await ask(store, organization, campaign)
    assert [call.contact.id for call in found.calls] == called
    assert waits(found) == {
        **dict.fromkeys(retries, WaitReason.RETRY),
        **dict.fromkeys(asleep, WaitReason.NO_WINDOWS),
        **dict.fromkeys(listed, EndReason.DO_NOT_CALL),
    }
    untils = {o.contact.id: o.instead.until for o in found.others if isinstance(o.instead, Wait)}
    assert (untils[retries[0]], untils[asleep[0]]) == (later, None)


async def test_limits_hold_back_all_behind_those_that_fit_and_a_hundred_are_told(store: Store) -> None:
    organization = await add_organization(store, concurrency_limit=300)
    campaign = await add_campaign(store, organization, concurrency_limit=30)
    await open_limits(store, organization["shard"], 100)
    await add_contacts(store, organization, campaign, 250, due_at=NOW - timedelta(hours=1))
    found = await ask(store, organization, campaign, 3)
    assert [call.phone_number for call in found.calls] == ["+14152000000", "+14152000001", "+14152000002"]
    assert len(found.others) == MAX_OTHERS
    assert set(waits(found).values()) == {WaitReason.CAMPAIGN_LIMIT}
    await store["campaigns"].update_one({"_id": campaign["_id"]}, {"$set": {"concurrency_limit": None}})
    assert len((await ask(store, organization, campaign)).calls) == MAX_CALLS
    await store["organizations"].update_one({"_id": organization["_id"]}, {"$set": {"concurrency_limit": 40}})
    wide = await ask(store, organization, campaign)
    assert len(wide.calls) == 40
    assert set(waits(wide).values()) == {WaitReason.ORGANIZATION_LIMIT}


async def test_without_executors_everybody_waits_for_one(store: Store) -> None:
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    contacts = await of_kind(store, organization, campaign, 0)
    found = await ask(store, organization, campaign)
    assert (found.calls, waits(found)) == ([], dict.fromkeys(contacts, WaitReason.NO_EXECUTOR))


async def test_a_whole_campaign_without_a_number_to_call_from_says_so_but_own_numbers_call(store: Store) -> None:
    organization = await add_organization(store, default_agent_number=None)
    campaign = await add_campaign(store, organization)
    await open_limits(store, organization["shard"], 10)
    without = await of_kind(store, organization, campaign, 0)
    own = await of_kind(store, organization, campaign, 10, agent_number="+12025550177")
    found = await ask(store, organization, campaign)
    assert [(call.contact.id, call.caller_number) for call in found.calls] == [(c, "+12025550177") for c in own]
    assert waits(found) == dict.fromkeys(without, WaitReason.NO_CALLER_NUMBER)


async def test_without_an_agent_contacts_would_end_and_a_cancelled_campaign_ends_them_all(store: Store) -> None:
    organization = await add_organization(store)
    configuration = await add_configuration(store, organization, agent_id=None)
    campaign = await add_campaign(store, organization, configuration)
    await open_limits(store, organization["shard"], 10)
    contacts = await of_kind(store, organization, campaign, 0)
    found = await ask(store, organization, campaign)
    assert [other.instead for other in found.others] == [End(ContactStatus.ERROR, EndReason.NO_AGENT)] * 2
    await store["campaigns"].update_one({"_id": campaign["_id"]}, {"$set": {"intent": "cancelled"}})
    cancelled = await ask(store, organization, campaign)
    assert (cancelled.calls, waits(cancelled)) == ([], dict.fromkeys(contacts, EndReason.CANCELLED))


async def test_contacts_of_no_campaign_and_a_campaign_without_contacts(store: Store) -> None:
    organization = await add_organization(store)
    await open_limits(store, organization["shard"], 10)
    nothing = await ask(store, organization, None)
    assert (nothing.campaign_id, nothing.calls, nothing.others) == (None, [], [])
    [contact] = await add_contacts(store, organization, None, 1, due_at=NOW - timedelta(minutes=1))
    assert [call.contact.id for call in (await ask(store, organization, None)).calls] == [contact["_id"]]
    empty = await ask(store, organization, await add_campaign(store, organization))
    assert (empty.calls, empty.others) == ([], [])


async def test_the_calls_that_a_run_has_made_are_counted(store: Store) -> None:
    organization = await add_organization(store, concurrency_limit=50, default_agent_number="+12025550111")
    await open_limits(store, organization["shard"], 50)
    campaign = await add_campaign(store, organization, agent_id="agent", max_calls=10)
    first = await of_kind(store, organization, campaign, 0)
    await of_kind(store, organization, campaign, 2)
    counted = {"_id": campaign_budget(campaign["_id"]), "held": 1, "run": 1, "calls": 9, "claims": 1}
    await store["budgets"].insert_one(counted)
    assert [call.contact.id for call in (await ask(store, organization, campaign)).calls] == first[:1]
