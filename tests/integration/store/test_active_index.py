"""Claimed contacts and those on a call are led to by one index; the two of earlier releases go by the migration."""

from datetime import timedelta

from shared.clock import utc_now
from shared.domain.contact import ContactStatus
from shared.store.client import Store
from shared.store.contacts.queries import contacts_after, list_contacts
from shared.store.contacts.standing_list import StandingAs, contacts_standing
from shared.store.dialing import in_progress
from shared.store.migrations.active_index import ACTIVE_INDEX
from tests.factories import add_campaign, add_contacts, add_organization
from tests.reads import documents_read

NOW = utc_now()
OLD = {"locked": [("shard", 1), ("lock.expires_at", 1)], "in_progress": [("shard", 1), ("start.at", 1)]}


async def test_the_migration_makes_the_new_index_and_drops_the_old_ones_also_twice(store: Store) -> None:
    for name, keys in OLD.items():
        await store["contacts"].create_index(keys, name=name, partialFilterExpression={"status": name})
    await store["contacts"].drop_index("active")
    assert await ACTIVE_INDEX.count(store) == 0, "no document is changed"
    for _ in range(2):
        assert await ACTIVE_INDEX.change_some(store) == 0
        names = set(await store["contacts"].index_information())
        assert "active" in names
        assert not names & OLD.keys()


async def test_claims_and_calls_are_told_apart_in_it(store: Store) -> None:
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    shard = organization["shard"]
    lock = {"claim": "c", "attempt": "a", "phone": "+14152000001", "expires_at": NOW, "caller_number": "+14152000009"}
    start = {"at": NOW, "executor": "e", "mode": "in_process", "hold_until": NOW, "call_id": None, "nonce": "n"}
    await add_contacts(store, organization, campaign, 2, status="locked", lock=lock)
    await add_contacts(store, organization, campaign, 3, status="in_progress", lock=lock, start=start)
    await add_contacts(store, organization, campaign, 1)
    assert await in_progress.count_locked(store, shard) == 2
    assert await in_progress.count_running(store) == 3
    overdue = await in_progress.past_hold(store, [shard], NOW, timedelta(0), 10)
    assert len(overdue) == 3
    assert await in_progress.past_hold(store, [shard], NOW - timedelta(seconds=1), timedelta(0), 10) == []
    expired = {"shard": {"$in": [shard]}, "status": "locked", "lock.expires_at": {"$lt": NOW + timedelta(seconds=1)}}
    explained = await store["contacts"].find(expired).explain()
    assert "'indexName': 'active'" in str(explained["queryPlanner"]["winningPlan"])


async def test_whoever_asks_for_one_status_reads_no_contact_of_the_other_nor_of_another_shard(store: Store) -> None:
    lock = {"claim": "c", "attempt": "a", "phone": "+14152000001", "expires_at": NOW, "caller_number": "+14152000009"}
    start = {"at": NOW, "executor": "e", "mode": "in_process", "hold_until": NOW, "call_id": None, "nonce": "n"}
    ours, other = await add_organization(store), await add_organization(store)
    while other["shard"] == ours["shard"]:
        other = await add_organization(store)
    for organization in (ours, other):
        campaign = await add_campaign(store, organization)
        await add_contacts(store, organization, campaign, 2, status="locked", lock=lock)
        await add_contacts(store, organization, campaign, 3, status="in_progress", lock=lock, start=start)
    campaign = await add_campaign(store, ours)
    await add_contacts(store, ours, campaign, 1, status="locked", lock=lock)
    organization_id, campaign_id, locked = ours["_id"], campaign["_id"], ContactStatus.LOCKED

    async with documents_read(store, "contacts", "status") as read:
        page = await list_contacts(store, organization_id, campaign_id, status=locked, limit=9, offset=0, now=NOW)
        assert page.total == len(page.rows) == 1
        page = await list_contacts(store, organization_id, campaign_id, status=locked, limit=1, offset=0, now=NOW)
        assert page.total == 1
        first = await contacts_after(store, organization_id, campaign_id, status=locked, cursor=None, limit=9, now=NOW)
        assert len(first.rows) == 1
        standing = [StandingAs(locked)]
        assert await contacts_standing(store, organization_id, campaign_id, standing, offset=0, limit=9, now=NOW)
        assert await in_progress.count_running(store) == 6
    # The three claims in our shard, whatever campaign they are of; all calls are counted in the index alone.
    assert sorted(read) == [0, 3, 3, 3, 3, 3]
