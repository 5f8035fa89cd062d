"""The telephony account of a call from the claim to the look-up: frozen, looked at by the gate, rested."""

from datetime import timedelta
from typing import Any

from services.scheduler.shards.memory import ShardMemory
from shared.clock import utc_now
from shared.domain.call_limits import CallLimits
from shared.domain.refusal import Refusal, RefusalSubject
from shared.domain.telephony_accounts import AccountProvider
from shared.events import JobReleased
from shared.store.catalog.telephony_accounts import NewAccount, create_account, edit_account
from shared.store.client import Document, Store
from shared.store.dialing import gate, in_progress, starts
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from shared.store.migrations.caller_number_serials import CALLER_NUMBER_SERIALS
from tests.factories import add_caller_number, add_campaign, add_contacts, add_organization, open_limits
from tests.integration.test_shard_memory import offered

NOW = utc_now()
NUMBER = "+14155550181"
TWILIO = NewAccount("Sales", AccountProvider.TWILIO, account_sid="AC1", credentials="encrypted")


async def claim(store: Store, organization: Document, *contacts: Document, **work: Any) -> Any:
    owner = Ownership(organization["shard"], 0)
    order = ClaimOrder([contact["_id"] for contact in contacts])
    return await do_shard_work(store, owner, ShardWork(claim=order, **work), utc_now())


async def stored(store: Store, contact: Document) -> Document:
    found = await store["contacts"].find_one({"_id": contact["_id"]})
    assert found is not None
    return found


async def test_a_claim_freezes_the_account_and_the_gate_looks_whether_it_is_on(store: Store) -> None:
    organization = await add_organization(store, default_agent_number=None)
    account, _ = await create_account(store, organization["_id"], TWILIO, NOW)
    await add_caller_number(store, organization, NUMBER, telephony_account_id=account.id, max_calls=1)
    campaign = await add_campaign(store, organization, telephony_account_id=account.id)
    one, two = await add_contacts(store, organization, campaign, 2, due_at=NOW - timedelta(minutes=1))
    await open_limits(store, organization["shard"], 10)
    done = await claim(store, organization, one, two)
    assert (len(done.jobs), len(done.left)) == (1, 1), "the account has one number, which carries one call"
    [job] = done.jobs
    claimed = one if job.contact_id == one["_id"] else two
    lock = (await stored(store, claimed))["lock"]
    assert (lock["account"], lock["provider"], lock["caller_number"]) == (account.id, "twilio", NUMBER)
    await starts.start(store, starts.StartOrder([job], "nonce", "executor", "in_process", CallLimits(30, 1800, 70)))
    [started] = await starts.started_by(store, [job.contact_id], "nonce")
    assert started["start"]["mode"] == starts.MODE_OF_ACCOUNTS, "its carrier holds the call, whoever the operator's is"
    assert await gate.look(store, {job.contact_id: "nonce"}, utc_now()) == {job.contact_id: None}
    await edit_account(store, organization["_id"], account.id, {"active": False}, utc_now())
    assert await gate.look(store, {job.contact_id: "nonce"}, utc_now()) == {job.contact_id: "caller number withdrawn"}
    later = utc_now() + timedelta(seconds=5)
    [running] = await in_progress.started_between(
        store, [organization["shard"]], [(NOW - timedelta(minutes=1), later)], 10
    )
    assert running.account_id == account.id


async def test_an_account_that_is_refused_rests_and_one_that_is_off_is_slept_over(store: Store) -> None:
    organization = await add_organization(store)
    first, _ = await create_account(store, organization["_id"], TWILIO, NOW)
    second, _ = await create_account(store, organization["_id"], NewAccount("B", AccountProvider.DIALSTREAM), NOW)
    due_at, of = NOW - timedelta(minutes=1), {}
    for account in (first, second):
        campaign = await add_campaign(store, organization, telephony_account_id=account.id)
        of[account.id] = await add_contacts(store, organization, campaign, 2, due_at=due_at)
        due_at -= timedelta(seconds=1)
    await open_limits(store, organization["shard"], 10)
    [job] = (await claim(store, organization, of[first.id][0])).jobs
    refused = JobReleased(
        organization_id=organization["_id"],
        shard=organization["shard"],
        attempt_id=job.attempt_id,
        contact_id=job.contact_id,
        nonce=None,
        reason="refused",
        refusal=Refusal(subject=RefusalSubject.ACCOUNT, code=20003),
    )
    done = await claim(store, organization, *of[first.id], *of[second.id], released=[refused])
    assert set(done.rests) == {(organization["_id"], f"account:{first.id}")}
    assert {job.contact_id for job in done.jobs} == {contact["_id"] for contact in of[second.id]}
    memory = ShardMemory(store, organization["shard"])
    await memory.load(utc_now())
    assert await offered(memory, utc_now()) == []
    assert memory.next_alarm is not None, "it wakes when the rest is over"
    await store["budgets"].update_one({"_id": f"org:{organization['_id']}"}, {"$unset": {"rests": ""}})
    await edit_account(store, organization["_id"], first.id, {"active": False}, utc_now())
    away = ShardMemory(store, organization["shard"])
    await away.load(utc_now())
    assert await offered(away, utc_now()) == []
    await edit_account(store, organization["_id"], first.id, {"active": True}, utc_now())
    await away.renew([organization["_id"]], utc_now())
    assert of[first.id][1]["_id"] in await offered(away, utc_now())


async def test_caller_numbers_of_earlier_releases_get_their_serials_in_order(store: Store) -> None:
    organization = await add_organization(store)
    for place in range(3):
        created_at = NOW - timedelta(days=place)
        await add_caller_number(store, organization, f"+1415555018{place}", created_at=created_at)
    await store["caller_numbers"].update_many({}, {"$unset": {"serial": ""}})
    assert await CALLER_NUMBER_SERIALS.count(store) == 3
    while await CALLER_NUMBER_SERIALS.change_some(store):
        pass
    found = store["caller_numbers"].find({"organization_id": organization["_id"]}).sort("serial", 1)
    assert [(d["serial"], d["number"][-1]) async for d in found] == [(1, "2"), (2, "1"), (3, "0")]
    after = await store["organizations"].find_one({"_id": organization["_id"]})
    assert after is not None
    assert after["caller_number_serial"] == 3
