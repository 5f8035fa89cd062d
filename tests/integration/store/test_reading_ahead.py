"""Contacts that a transaction of the scheduler reads ahead: each is handed out once, and claimed as if read then."""

import itertools
from datetime import timedelta

import pytest

from shared.clock import utc_now
from shared.domain.contact import ContactStatus
from shared.store.client import Store
from shared.store.dialing import shard_transaction
from shared.store.dialing.claim import is_claimable, may_be_claimed
from shared.store.dialing.shard_transaction import Ownership, ShardTransaction
from shared.store.dialing.shards import ensure_shards
from shared.store.documents.contacts import contact_of
from tests.factories import add_campaign, add_contacts, add_organization, contact_document

NOW = utc_now()
NO_SUCH = "no such contact"


async def test_a_contact_is_claimable_as_read_exactly_when_the_query_finds_it(store: Store) -> None:
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    cases = itertools.product(
        ContactStatus,
        [-1, 0, 1],
        [{}, {"delete_requested": False}, {"delete_requested": True}],
        [{}, {"asked": {"kind": "again", "at": NOW}}],
    )
    contacts = [
        contact_document(
            organization, campaign, number, status=status, due_at=NOW + timedelta(seconds=due), **deleted, **asked
        )
        for number, (status, due, deleted, asked) in enumerate(cases)
    ]
    await store["contacts"].insert_many(contacts)
    found = {contact["_id"] async for contact in store["contacts"].find(may_be_claimed(NOW))}
    stored = [contact_of(contact) async for contact in store["contacts"].find()]
    assert {contact["_id"] for contact in stored if is_claimable(contact, NOW)} == found
    assert len(found) == 2 * 2, "of those that wait: due a second ago and now, with and without a deletion refused"


@pytest.mark.parametrize("few", [2, 64])
async def test_a_contact_read_ahead_is_handed_out_once(store: Store, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """To the first that asks; the next one sees what was written since. Of more than a few, nothing is read ahead."""
    monkeypatch.setattr(shard_transaction, "FEW", few)
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    await ensure_shards(store)
    contacts = await add_contacts(store, organization, campaign, 2, data={"first_name": "Ida", "plan": "gold"})
    ids = [contact["_id"] for contact in contacts]
    async with store.client.start_session() as session:
        transaction = ShardTransaction.begin(store, session, Ownership(organization["shard"], 0))
        await transaction.read_ahead([*ids, NO_SUCH])
        await store["contacts"].update_many({}, {"$set": {"attempts_made": 7}})
        first = await transaction.read_contacts([*ids, NO_SUCH], with_name=True)
        again = await transaction.read_contacts(ids)
    made = 7 if few == 2 else 0
    assert {key: contact["attempts_made"] for key, contact in first.items()} == dict.fromkeys(ids, made)
    assert first[ids[0]]["data"] == {"first_name": "Ida"}, "of what the agent is told, the name alone is read"
    assert {key: contact["attempts_made"] for key, contact in again.items()} == dict.fromkeys(ids, 7)


async def test_contacts_read_ahead_are_forgotten_when_others_than_those_handed_out_were_written(store: Store) -> None:
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    await ensure_shards(store)
    [contact] = await add_contacts(store, organization, campaign, 1)
    async with store.client.start_session() as session:
        transaction = ShardTransaction.begin(store, session, Ownership(organization["shard"], 0))
        await transaction.read_ahead([contact["_id"]])
        await store["contacts"].update_many({}, {"$set": {"stopped": "do_not_call"}})
        transaction.forget_ahead()
        [again] = (await transaction.read_contacts([contact["_id"]])).values()
    assert again["stopped"] == "do_not_call"
