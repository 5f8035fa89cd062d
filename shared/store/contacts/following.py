"""People as they are changed and deleted, and their contacts, which follow in the same transaction.

A person's contacts are found by the campaigns that the person's document names: their ids derive from both. Whoever
enrols a person writes that document, so a change never misses a contact that is made beside it. Numbers, timezone and
data are fields that campaign-api sets anyway; why a contact is not called any more is its `stopped`, which claim, gate
and every move read on the contact itself. Contacts that may end by the change get a row in `asks`, where the scheduler
looks at them within a second.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.campaign import CampaignState, shown_state
from shared.domain.facts import FactType
from shared.domain.person import FOLLOWED, Person, PersonsContact, contact_of
from shared.domain.person_facts import fact_of_person, facts_of_change
from shared.domain.phone import compared
from shared.domain.reasons import EndReason
from shared.errors import Clash, Conflict, Kind
from shared.store.catalog.companies import company_names, require_companies
from shared.store.catalog.courses import COURSE_FIELDS, NOT_DELETED, course_of
from shared.store.catalog.facts import tell
from shared.store.catalog.people import find_by_phones, person_of, stored_values, take_phones
from shared.store.catalog.references import referred_to
from shared.store.client import Document, Store
from shared.store.contacts.counting_in import count_in, register_source
from shared.store.contacts.matching import ContactsOf
from shared.store.dialing.persons_contacts import contacts_of_person, have_looked_at, write_contacts
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete
from shared.store.documents.people import PersonDocument


@dataclass(frozen=True, slots=True)
class Changed:
    """A person that was changed or deleted, and the contacts that followed: the campaigns (by id) of each shard."""

    person: Person
    campaigns: tuple[tuple[str, int], ...] = ()


async def edit_person(
    store: Store,
    organization_id: str,
    reference: str,
    values: Mapping[str, Any],
    *,
    source: str,
    now: datetime,
    phone_is_unique: bool = False,
) -> Changed:
    """Set the given fields of a person; None clears one. Its contacts follow, one on a call only after that.

    With `phone_is_unique` the phone may not be another person's. `source` names the counters document of this process.
    Raises `NotFound`, `BadSetting` (no such company), `Conflict` (another person's phone), `TemporaryError`.
    """
    found = person_of(await referred_to(store, organization_id, Kind.PERSON, reference))
    await ready_to_edit(store, organization_id, [found], values, source)

    async def work(session: AsyncClientSession) -> Changed:
        return await edit_in(
            store, session, organization_id, found.id, values, source=source, now=now, phone_is_unique=phone_is_unique
        )

    return await store.in_transaction(work)


async def ready_to_edit(
    store: Store, organization_id: str, people: Sequence[Person], values: Collection[str], source: str
) -> None:
    """Before the transaction of `edit_in`: register this process with the campaigns that these values matter to."""
    if "timezone" in values:
        campaign_ids = {campaign_id for person in people for campaign_id in person.campaigns}
        for campaign_id, shard in await _shards(store, organization_id, campaign_ids):
            await register_source(store, ContactsOf(organization_id, shard, campaign_id), source)


async def edit_in(
    store: Store,
    session: AsyncClientSession,
    organization_id: str,
    person_id: str,
    values: Mapping[str, Any],
    *,
    source: str,
    now: datetime,
    phone_is_unique: bool = False,
) -> Changed:
    """`edit_person` in the caller's transaction, for which `ready_to_edit` has made ready."""
    stored = await referred_to(store, organization_id, Kind.PERSON, person_id, session)
    before = complete(PersonDocument, stored)
    if phone_is_unique and values.get("phone") is not None:
        await _require_free(store, organization_id, person_id, values["phone"], session)
    await require_companies(store, organization_id, [c for c in [values.get("company_id")] if c], session)
    changes = {**stored_values(values, before), "updated_at": now}
    await store["people"].update_one({"_id": person_id}, {"$set": changes}, session=session)
    was, person = person_of(before), person_of({**before, **changes})
    await tell(store, session, organization_id, facts_of_change(was, person, now))
    return Changed(person, await _follow(store, session, organization_id, was, person, source, now))


async def delete_person(
    store: Store,
    organization_id: str,
    reference: str,
    *,
    now: datetime,
    unless_in: Collection[CampaignState] = (),
) -> Changed:
    """Take a person out of the contact book; contacts that wait end as skipped, a call under way is the last.

    Attempts stay. Raises `NotFound`, and `Conflict` where the person is in a campaign in one of the states `unless_in`.
    """

    async def work(session: AsyncClientSession) -> Changed:
        stored = await referred_to(store, organization_id, Kind.PERSON, reference, session)
        person = person_of(stored)
        if unless_in:
            await _require_in_none(store, organization_id, person, unless_in, now, session)
        await store["people"].delete_one({"_id": person.id}, session=session)
        contacts = await contacts_of_person(store, session, person)
        await write_contacts(store, session, contacts, {"stopped": EndReason.PERSON_DELETED.value}, now)
        await have_looked_at(store, session, contacts)
        gone = fact_of_person(FactType.PERSON_DELETED, person, now)
        await tell(store, session, organization_id, [gone])
        return Changed(person, _campaigns(contacts))

    return await store.in_transaction(work)


async def _follow(
    store: Store,
    session: AsyncClientSession,
    organization_id: str,
    before: Person,
    after: Person,
    source: str,
    now: datetime,
) -> tuple[tuple[str, int], ...]:
    """Bring the person's change to its contacts; their campaigns, and the shard of each."""
    names = await company_names(store, [c for c in (before.company_id, after.company_id) if c is not None], session)
    was, now_is = (contact_of(person, names.get(person.company_id or "")) for person in (before, after))
    if was == now_is or not after.campaigns:
        return ()
    contacts = await contacts_of_person(store, session, after)
    await write_contacts(store, session, contacts, contact_fields(now_is), now)
    if was.timezone != now_is.timezone:
        for contact in contacts:
            scope = ContactsOf(organization_id, contact["shard"], contact["campaign_id"])
            await count_in(store, scope, source, changed=[{"timezone": now_is.timezone}], session=session)
    if any(getattr(before, name) != getattr(after, name) for name in FOLLOWED):
        await have_looked_at(store, session, contacts)
    return _campaigns(contacts)


def contact_fields(contact: PersonsContact) -> Document:
    """The fields of a stored contact that are its person's."""
    return {
        "phone_numbers": list(contact.phone_numbers),
        "timezone": contact.timezone,
        "data": dict(contact.data),
        "stopped": None if contact.stopped is None else contact.stopped.value,
    }


def _campaigns(contacts: Sequence[Document]) -> tuple[tuple[str, int], ...]:
    return tuple((contact["campaign_id"], contact["shard"]) for contact in contacts)


async def _shards(store: Store, organization_id: str, campaign_ids: Collection[str]) -> list[tuple[str, int]]:
    query = {"_id": {"$in": list(campaign_ids)}, "organization_id": organization_id}
    found = await store["campaigns"].find(query, {"shard": 1}).to_list() if campaign_ids else []
    return [(campaign["_id"], campaign["shard"]) for campaign in found]


async def _require_free(
    store: Store, organization_id: str, person_id: str, phone: str, session: AsyncClientSession
) -> None:
    await take_phones(store, organization_id, session)
    holder = (await find_by_phones(store, organization_id, [phone], session)).get(compared(phone))
    if holder is not None and holder.id != person_id:
        raise Conflict(Clash.PERSON_PHONE_TAKEN, holder.id)


async def _require_in_none(
    store: Store,
    organization_id: str,
    person: Person,
    states: Collection[CampaignState],
    now: datetime,
    session: AsyncClientSession,
) -> None:
    contacts = await contacts_of_person(store, session, person)
    ids = [contact["campaign_id"] for contact in contacts]
    query = {"_id": {"$in": ids}, "organization_id": organization_id, **NOT_DELETED}
    async for stored in store["campaigns"].find(query, dict.fromkeys(COURSE_FIELDS, 1), session=session):
        course = course_of(complete(CampaignDocument, stored, COURSE_FIELDS))
        if shown_state(course, now).state in states:
            raise Conflict(Clash.PERSON_ENROLLED, person.id)
