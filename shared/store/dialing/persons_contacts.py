"""The contacts that a person is in campaigns, and the person's wish not to be called, which holds for all of them.

They are found by the campaigns that the person's document names: their ids derive from both. Whoever changes a contact
so has the scheduler look at it, by a row in `asks`, where it waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact import ContactStatus
from shared.domain.facts import Fact
from shared.domain.ids import contact_id_of_person
from shared.domain.person import Person
from shared.domain.person_facts import facts_of_change
from shared.domain.reasons import EndReason
from shared.store.catalog.people import person_of
from shared.store.client import Document, Store

# What of a contact decides whether it may have to end, and where it is counted.
_READ: Final = {"campaign_id": 1, "shard": 1, "status": 1}
_LIVING: Final = {"delete_requested": {"$ne": True}}


@dataclass(frozen=True, slots=True)
class Flagged:
    """What the flag of a person has changed: its contacts (ids, campaigns and shards), and what there is to tell."""

    contacts: Sequence[Document] = ()
    facts: Sequence[Fact] = ()


async def contacts_of_person(store: Store, session: AsyncClientSession, person: Person) -> list[Document]:
    """The person's contacts that are not being deleted: their ids, campaigns, shards and statuses."""
    ids = [contact_id_of_person(campaign_id, person.id) for campaign_id in person.campaigns]
    query = {"_id": {"$in": ids}, "person_id": person.id, **_LIVING}
    return await store["contacts"].find(query, _READ, session=session).to_list() if ids else []


async def write_contacts(
    store: Store, session: AsyncClientSession, contacts: Sequence[Document], fields: Document, now: datetime
) -> None:
    """Set fields of these contacts."""
    if contacts:
        these = {"_id": {"$in": [contact["_id"] for contact in contacts]}}
        await store["contacts"].update_many(these, {"$set": {**fields, "updated_at": now}}, session=session)


async def have_looked_at(store: Store, session: AsyncClientSession, contacts: Sequence[Document]) -> None:
    """Have the scheduler look whether waiting contacts may still wait; those on a call are looked at when it ends."""
    rows = [
        ReplaceOne(
            {"_id": contact["_id"]}, {name: contact[name] for name in ("_id", "shard", "campaign_id")}, upsert=True
        )
        for contact in contacts
        if contact["status"] == ContactStatus.PENDING
    ]
    if rows:
        await store["asks"].bulk_write(rows, session=session)


async def flag_opted_out(
    store: Store, session: AsyncClientSession, organization_id: str, person_id: str, now: datetime
) -> Flagged:
    """Flag a person that has asked not to be called, in the caller's transaction; nothing for one that is gone.

    All its contacts are called no more; those that wait end within a second, whatever their campaign.
    """
    mine = {"_id": person_id, "organization_id": organization_id}
    stored = await store["people"].find_one(mine, session=session)
    if stored is None:
        return Flagged()
    before = person_of(stored)
    facts: Sequence[Fact] = ()
    if not before.do_not_call:
        changes = {"do_not_call": True, "updated_at": now}
        await store["people"].update_one(mine, {"$set": changes}, session=session)
        facts = facts_of_change(before, person_of({**stored, **changes}), now)
    contacts = await contacts_of_person(store, session, before)
    await write_contacts(store, session, contacts, {"stopped": EndReason.DO_NOT_CALL.value}, now)
    await have_looked_at(store, session, contacts)
    return Flagged(contacts, facts)
