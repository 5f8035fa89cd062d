"""Deep pages of contacts are those of a walk over all of them, whatever shares a place or is to be removed."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.clock import utc_now
from shared.store.client import Document, Store
from shared.store.contacts import queries
from shared.store.contacts.queries import list_contacts
from shared.store.contacts.standing_list import contacts_standing
from tests.factories import add_campaign, add_contacts, add_organization

NOW = utc_now()


async def many(store: Store, places: Sequence[tuple[int, int]], to_remove: Sequence[int]) -> tuple[Document, list[str]]:
    """A campaign of contacts at these places (milliseconds, place in the request), and the list of those that stay."""
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    contacts = await add_contacts(store, organization, campaign, len(places))
    for number, (contact, (milliseconds, seq)) in enumerate(zip(contacts, places, strict=True)):
        marked = {"delete_requested": True} if number in to_remove else {}
        at = {"created_at": NOW + timedelta(milliseconds=milliseconds), "seq": seq, **marked}
        await store["contacts"].update_one({"_id": contact["_id"]}, {"$set": at})
        if marked:
            row = {"_id": contact["_id"], "campaign_id": campaign["_id"], "shard": campaign["shard"]}
            await store["deletions"].insert_one(row)
    await add_contacts(store, organization, await add_campaign(store, organization), 5)
    listed = store["contacts"].find({"campaign_id": campaign["_id"], "delete_requested": {"$ne": True}}, hint="listing")
    return campaign, [contact["_id"] async for contact in listed.sort([("created_at", 1), ("seq", 1)])]


async def check_pages(store: Store, campaign: Document, stay: Sequence[str]) -> None:
    organization_id = campaign["organization_id"]
    for offset in range(len(stay) + 3):
        page = await list_contacts(
            store, organization_id, campaign["_id"], status=None, limit=4, offset=offset, now=NOW
        )
        assert [contact.id for contact in page.rows] == list(stay[offset : offset + 4]), offset
        rows = await contacts_standing(store, organization_id, campaign["_id"], [], offset=offset, limit=4, now=NOW)
        assert [contact.id for contact in rows] == list(stay[offset : offset + 4]), offset


@pytest.mark.parametrize("ties", [1, 3, 50])
@pytest.mark.parametrize("removed", [(), (3, 4, 5), (11, 2, 7), tuple(range(0, 24, 2))])
async def test_a_page_begins_where_a_walk_would_be(
    store: Store, monkeypatch: pytest.MonkeyPatch, ties: int, removed: tuple[int, ...]
) -> None:
    monkeypatch.setattr(queries, "DEEP", 4)
    monkeypatch.setattr(queries, "TIES", 3)
    monkeypatch.setattr(queries, "TO_REMOVE", 5)
    campaign, stay = await many(store, [(number // (3 * ties), number % 3) for number in range(24)], removed)
    await check_pages(store, campaign, stay)


async def test_the_way_to_a_deep_page_is_made_in_the_index(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "DEEP", 100)
    campaign, stay = await many(store, [(number, 0) for number in range(400)], (3,))
    await store.db.command("profile", 2)
    try:
        page = await list_contacts(
            store, campaign["organization_id"], campaign["_id"], status=None, limit=5, offset=390, now=NOW
        )
        looks = [look async for look in store["system.profile"].find({"ns": store["contacts"].full_name})]
    finally:
        await store.db.command("profile", 0)
        await store["system.profile"].drop()
    assert [contact.id for contact in page.rows] == stay[390:395]
    assert sum(look.get("docsExamined", 0) for look in looks) < 20
