"""What a person's contacts have come to: calls counted and listed, and the campaigns that the person was in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from shared.domain.campaign import CampaignState, shown_state
from shared.domain.contact import ContactStatus
from shared.domain.contact_record import Attempt, Contact
from shared.domain.ids import contact_id_of_person
from shared.domain.person import Person
from shared.store.catalog.courses import COURSE_FIELDS, course_of
from shared.store.client import Store, translates
from shared.store.contacts.queries import with_attempts
from shared.store.contacts.rows import NOT_DELETED
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete
from shared.store.documents.contacts import AttemptDocument, contact_of

# Of a person's campaigns those that its history shows, the newest.
MAX_HISTORY: Final = 100
_TO_COME: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PersonsCalls:
    """How many calls were made to a person, and when (UTC) the last one began; None: none, or it is not known."""

    count: int = 0
    last_at: datetime | None = None


NO_CALLS: Final = PersonsCalls()


@dataclass(frozen=True, slots=True)
class Participation:
    """A campaign that a person is or was in, not deleted, and its contact there, with attempts."""

    campaign_id: str
    campaign_name: str
    state: CampaignState
    contact: Contact


@dataclass(frozen=True, slots=True)
class PersonsCall:
    """One call to a person, and the campaign and the contact that it was for."""

    campaign_id: str
    contact_id: str
    attempt: Attempt


@translates
async def calls_of(store: Store, people: Sequence[Person]) -> dict[str, PersonsCalls]:
    """The calls of these people (at most some hundreds) by id, summed over their contacts; two questions."""
    owners = {contact_id_of_person(campaign_id, p.id): p.id for p in people for campaign_id in p.campaigns}
    if not owners:
        return {}
    counts: dict[str, int] = {}
    last: dict[str, datetime] = {}
    attempts: dict[str, str] = {}
    fields = {"attempts_made": 1, "last_attempt": 1, "status": 1, "start": 1}
    async for stored in store["contacts"].find({"_id": {"$in": list(owners)}, **NOT_DELETED}, fields):
        contact, owner = contact_of(stored, frozenset(fields)), owners[stored["_id"]]
        counts[owner] = counts.get(owner, 0) + contact["attempts_made"]
        if contact["last_attempt"] is not None:
            attempts[contact["last_attempt"]] = owner
        if contact["status"] == ContactStatus.IN_PROGRESS and contact["start"] is not None:
            counts[owner] += 1
            last[owner] = max(last.get(owner, contact["start"]["at"]), contact["start"]["at"])
    read = {"started_at", "ended_at"}
    async for stored in store["attempts"].find({"_id": {"$in": list(attempts)}}, dict.fromkeys(read, 1)):
        attempt, owner = complete(AttemptDocument, stored, read), attempts[stored["_id"]]
        at = attempt["started_at"] or attempt["ended_at"]
        last[owner] = max(last.get(owner, at), at)
    return {owner: PersonsCalls(count, last.get(owner)) for owner, count in counts.items()}


@translates
async def history_of(store: Store, organization_id: str, person: Person, now: datetime) -> list[Participation]:
    """The person's newest campaigns (at most 100) that are not deleted, the one enrolled in last first."""
    newest = person.campaigns[-MAX_HISTORY:]
    ids = [contact_id_of_person(campaign_id, person.id) for campaign_id in newest]
    found = await store["contacts"].find({"_id": {"$in": ids}, **NOT_DELETED}).to_list() if ids else []
    contacts = await with_attempts(store, organization_id, [contact_of(contact) for contact in found], now)
    by_campaign = {contact.campaign_id: contact for contact in contacts}
    fields = ("name", *COURSE_FIELDS)
    query = {"_id": {"$in": list(newest)}, "organization_id": organization_id, "deleted_at": None}
    named = await store["campaigns"].find(query, dict.fromkeys(fields, 1)).to_list() if newest else []
    campaigns = {campaign["_id"]: complete(CampaignDocument, campaign, fields) for campaign in named}
    return [
        Participation(campaign_id, campaign["name"], shown_state(course_of(campaign), now).state, contact)
        for campaign_id in reversed(newest)
        if (campaign := campaigns.get(campaign_id)) and (contact := by_campaign.get(campaign_id))
    ]


def newest_calls(history: Sequence[Participation], most: int) -> list[PersonsCall]:
    """The newest calls of a history, the one that began last first."""
    calls = [
        PersonsCall(each.campaign_id, each.contact.id, attempt) for each in history for attempt in each.contact.attempts
    ]
    # One that is about to be placed has no time yet, and comes first.
    calls.sort(key=lambda call: call.attempt.started_at or call.attempt.ended_at or _TO_COME, reverse=True)
    return calls[:most]
