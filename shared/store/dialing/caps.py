"""The attempts that caps count, read for those whom a cap may hold back, and the marks by which attempts are counted.

Attempts at phones have an index of their own, which holds those alone that ended while their organization had a cap:
without one nothing is written and nothing is asked. Attempts at one contact are few, and found by its id.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.caps import Called, NumberCaps, counts_from, day_counts_from
from shared.domain.dialing import timezone_of
from shared.domain.dialing_values import DialedContact, Rules
from shared.domain.phone import compared
from shared.store.client import Document, Store
from shared.store.dialing.context import DialingContext, number_caps


@dataclass(frozen=True, slots=True)
class PastAttempts:
    """Attempts that caps count: at phones, by organization and compared form, and at contacts, by id."""

    phones: Mapping[str, Mapping[str, Called]] = field(default_factory=dict)
    contacts: Mapping[str, Called] = field(default_factory=dict)

    def rules(self, rules: Rules, organization_id: str) -> Rules:
        """The rules of one of the organization's contacts, with what its caps count."""
        return replace(rules, called=self.phones[organization_id]) if organization_id in self.phones else rules

    def contact(self, dialed: DialedContact, contact_id: str) -> DialedContact:
        """The contact with what its caps count."""
        return replace(dialed, called=self.contacts[contact_id]) if contact_id in self.contacts else dialed


NO_ATTEMPTS = PastAttempts()


async def past_attempts(
    store: Store,
    context: DialingContext,
    contacts: Collection[Document],
    now: datetime,
    session: AsyncClientSession | None = None,
) -> PastAttempts:
    """What caps count of these loaded contacts and their phones.

    One question for each organization with caps, and one for all contacts with a cap. In a transaction's `session` its
    own attempts count, too.
    """
    of_organization: defaultdict[str, list[Document]] = defaultdict(list)
    for contact in contacts:
        of_organization[contact["organization_id"]].append(contact)
    phones = {}
    for organization_id, its in of_organization.items():
        caps = number_caps(context.organizations.get(organization_id))
        if caps.any:
            begin = counts_from(caps, sorted({_timezone(context, contact) for contact in its}), now)
            numbers = {compared(number) for contact in its for number in contact["phone_numbers"]}
            phones[organization_id] = await attempts_at_phones(store, organization_id, numbers, caps, begin, session)
    capped = [contact for contact in contacts if _contact_cap(context, contact) is not None]
    if not phones and not capped:
        return NO_ATTEMPTS
    return PastAttempts(phones, await _at_contacts(store, context, capped, now, session) if capped else {})


async def attempts_at_phones(
    store: Store,
    organization_id: str,
    numbers: Collection[str],
    caps: NumberCaps,
    begin: datetime,
    session: AsyncClientSession | None = None,
) -> dict[str, Called]:
    """The attempts from `begin` on at phones of an organization, given and answered by their compared form.

    Answered from the index alone; of each phone the latest attempts come back, as many as these caps can count.
    """
    query = {
        "organization_id": organization_id,
        "phone": {"$in": sorted(numbers)},
        "capped": True,
        "counted_at": {"$gte": begin},
    }
    latest = {"$maxN": {"input": "$counted_at", "n": caps.most}}
    group = {"_id": "$phone", "started_at": latest, "ended_at": {"$max": "$ended_at"}}
    found = await store["attempts"].aggregate(
        [{"$match": query}, {"$group": group}], session=session, hint="capped", batchSize=len(numbers) + 1
    )
    return {phone["_id"]: Called(phone["started_at"], phone["ended_at"]) async for phone in found}


async def _at_contacts(
    store: Store,
    context: DialingContext,
    contacts: Collection[Document],
    now: datetime,
    session: AsyncClientSession | None,
) -> dict[str, Called]:
    begin = min(day_counts_from(_timezone(context, contact), now) for contact in contacts)
    most = max(_contact_cap(context, contact) or 1 for contact in contacts)
    query = {"contact_id": {"$in": [contact["_id"] for contact in contacts]}, "ended_at": {"$gte": begin}}
    latest = {"$maxN": {"input": {"$ifNull": ["$started_at", "$ended_at"]}, "n": most}}
    found = await store["attempts"].aggregate(
        [{"$match": query}, {"$group": {"_id": "$contact_id", "started_at": latest}}],
        session=session,
        batchSize=len(contacts) + 1,
    )
    return {contact["_id"]: Called(contact["started_at"]) async for contact in found}


def counted(context: DialingContext, attempt: Document) -> Document:
    """What makes a new attempt count for the caps of its organization; nothing where it has none."""
    number = attempt["phone_number"]
    if number is None or not number_caps(context.organizations.get(attempt["organization_id"])).any:
        return {}
    return {"capped": True, "phone": compared(number), "counted_at": attempt["started_at"] or attempt["ended_at"]}


def _contact_cap(context: DialingContext, contact: Document) -> int | None:
    configuration = context.configuration(contact)
    return configuration.max_attempts_per_day if configuration else None


def _timezone(context: DialingContext, contact: Document) -> str:
    return timezone_of(contact.get("timezone"), context.rules_of(contact))
