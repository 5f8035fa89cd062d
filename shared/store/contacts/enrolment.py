"""Enrolling people in a campaign: each is one contact there, whose id derives from both, whoever enrols it.

The transaction that inserts the contacts also names the campaign on their people: a change or a deletion of one at the
same moment collides with it, and finds the contact when it is tried again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.domain.campaign import CampaignUse, shown_state
from shared.domain.contact import ContactStatus
from shared.domain.contact_input import ContactRow
from shared.domain.enrolment import USUAL, Enrolled, Enrolment, Terms, why_skipped
from shared.domain.ids import contact_id_of_person
from shared.domain.person import Person, contact_of
from shared.domain.phone import compared
from shared.domain.reasons import EndReason
from shared.errors import Kind, NotFound, TemporaryError, WrongState
from shared.store.catalog.companies import company_names
from shared.store.catalog.courses import COURSE_FIELDS, NOT_DELETED, course_of
from shared.store.catalog.do_not_call import stopped_numbers
from shared.store.catalog.people import person_of
from shared.store.catalog.references import all_referred_to
from shared.store.client import Document, Store
from shared.store.contacts.counting_in import count_in, register_source, turn_of
from shared.store.contacts.duplicates import held_phones
from shared.store.contacts.following import contact_fields
from shared.store.contacts.matching import ContactsOf, Known, look_up
from shared.store.contacts.renames import file_aliases
from shared.store.contacts.rows import new_contact
from shared.store.contacts.told_skipped import tell_of_skipped
from shared.store.contacts.upload_remarks import callable_again
from shared.store.contacts.wishes import ask_again
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete
from shared.store.documents.contacts import contact_of as read_contact

AT_ONCE: Final = 1000
_TRIES: Final = 20
_DUPLICATE_KEY: Final = 11000


class BeingRemoved(TemporaryError):
    """A contact of one of the people was deleted from the campaign a moment ago, and is not gone yet: try again."""


@dataclass(frozen=True, slots=True)
class ToEnrol:
    """A person that is to be enrolled, by id or external_id.

    `external_id` is that of the new contact; one that is there keeps its own. `priority` None: the usual one.
    """

    reference: str
    external_id: str | None = None
    priority: int | None = None


@dataclass(slots=True)
class _Plan:
    """What becomes of each person, in one try: new contacts, and those skipped that may be called again."""

    results: list[Enrolled] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    ended: list[Document] = field(default_factory=list)


async def enrol(
    store: Store,
    scope: ContactsOf,
    people: Sequence[ToEnrol],
    *,
    source: str,
    now: datetime,
    terms: Terms = USUAL,
) -> list[Enrolled]:
    """What became of each person, in the given order; each 1,000 are enrolled in one transaction, all or none.

    Enrolling twice finds the same contact. Raises `NotFound` and `WrongState` (campaign), `TemporaryError`: send the
    same request again.
    """
    await register_source(store, scope, source)
    results: list[Enrolled] = []
    for start in range(0, len(people), AT_ONCE):
        part = people[start : start + AT_ONCE]
        plan = await _insert(store, scope, part, source, now, terms)
        results += await _called_again(store, scope, plan, now) if terms.call_again else plan.results
    first: dict[str, int] = {}
    for place, each in enumerate(results):
        if each.contact_id is not None:
            first.setdefault(each.contact_id, place)
    return [
        Enrolled(each.person_id, each.contact_id, Enrolment.DUPLICATE)
        if each.contact_id is not None and first[each.contact_id] != place
        else each
        for place, each in enumerate(results)
    ]


async def enrol_in(
    store: Store,
    session: AsyncClientSession,
    scope: ContactsOf,
    people: Sequence[ToEnrol],
    *,
    source: str,
    now: datetime,
) -> list[Enrolled]:
    """`enrol` of at most 1,000 people in the caller's transaction, with which this process has registered its source.

    Nobody is called again by it: a contact that is there stays as it is. Raises `DuplicateKeyError` and
    `BulkWriteError` too, when another transaction enrols the same people: try again.
    """
    return (await _insert_in(store, session, scope, people, source, now, USUAL)).results


async def _insert_in(
    store: Store,
    session: AsyncClientSession,
    scope: ContactsOf,
    people: Sequence[ToEnrol],
    source: str,
    now: datetime,
    terms: Terms,
) -> _Plan:
    await _require_open(store, scope, now, session)
    plan, known = await _planned(store, scope, people, now, terms, session)
    if plan.documents:
        await store["contacts"].insert_many(plan.documents, session=session)
        await tell_of_skipped(store, session, scope.organization_id, plan.documents, now)
        named = [(document["external_id"], document["_id"]) for document in plan.documents]
        aliases = {scope.derived_id(name): contact_id for name, contact_id in named if name is not None}
        await file_aliases(store, known, aliases, session)
        ids = [document["person_id"] for document in plan.documents]
        await name_campaign(store, session, scope.campaign_id, ids)
        # Last, because it is the document that requests of one process share.
        await count_in(store, scope, source, documents=plan.documents, session=session)
    return plan


async def _insert(
    store: Store, scope: ContactsOf, people: Sequence[ToEnrol], source: str, now: datetime, terms: Terms
) -> _Plan:
    async def work(session: AsyncClientSession) -> _Plan:
        return await _insert_in(store, session, scope, people, source, now, terms)

    for _ in range(_TRIES):
        try:
            return await store.in_transaction(work, in_turn=turn_of(scope, source))
        except DuplicateKeyError:
            continue
        except BulkWriteError as error:
            if any(detail["code"] != _DUPLICATE_KEY for detail in error.details["writeErrors"]):
                raise
    raise TemporaryError("Other requests keep enrolling the same people")


async def name_campaign(store: Store, session: AsyncClientSession, campaign_id: str, person_ids: Sequence[str]) -> None:
    """Name a campaign on people who become its contacts in this transaction, so that these follow them."""
    if person_ids:
        named = {"$addToSet": {"campaigns": campaign_id}}
        await store["people"].update_many({"_id": {"$in": list(person_ids)}}, named, session=session)


async def _require_open(store: Store, scope: ContactsOf, now: datetime, session: AsyncClientSession) -> None:
    mine = {"_id": scope.campaign_id, "organization_id": scope.organization_id, **NOT_DELETED}
    campaign = await store["campaigns"].find_one(mine, dict.fromkeys(COURSE_FIELDS, 1), session=session)
    if campaign is None:
        raise NotFound(Kind.CAMPAIGN, scope.campaign_id)
    course = course_of(complete(CampaignDocument, campaign, COURSE_FIELDS))
    if course.is_over:
        state = shown_state(course, now).state
        raise WrongState(Kind.CAMPAIGN, scope.campaign_id, state, CampaignUse.ADD_CONTACTS)


async def _planned(
    store: Store,
    scope: ContactsOf,
    people: Sequence[ToEnrol],
    now: datetime,
    terms: Terms,
    session: AsyncClientSession,
) -> tuple[_Plan, Known]:
    organization_id = scope.organization_id
    stored = await all_referred_to(store, organization_id, Kind.PERSON, [p.reference for p in people], session)
    found = {reference: person_of(document) for reference, document in stored.items()}
    companies = {person.company_id for person in found.values() if person.company_id is not None}
    names = await company_names(store, companies, session)
    contacts = {ref: contact_of(person, names.get(person.company_id or "")) for ref, person in found.items()}
    numbers = {number for contact in contacts.values() for number in contact.phone_numbers}
    stopped = await stopped_numbers(store, organization_id, numbers, session)
    ids = [contact_id_of_person(scope.campaign_id, person.id) for person in found.values()]
    there = store["contacts"].find({"_id": {"$in": ids}}, {"data": 0, "initial_context": 0}, session=session)
    existing = {document["_id"]: read_contact(document) async for document in there}
    wanted = [each.external_id for each in people if each.external_id is not None]
    known = await look_up(store, scope, ids=(), external_ids=wanted, session=session)
    held = await held_phones(store, scope, numbers, session) if terms.one_per_phone else {}

    plan, taken, seen = _Plan(), set[str](), set[str]()
    for place, each in enumerate(people):
        person = found.get(each.reference)
        if person is None:
            plan.results.append(Enrolled(each.reference, None, Enrolment.UNKNOWN))
            continue
        contact_id = contact_id_of_person(scope.campaign_id, person.id)
        contact = existing.get(contact_id)
        if contact is not None or contact_id in seen:
            if contact is not None and contact["delete_requested"]:
                raise BeingRemoved(f"contact {contact_id} is being removed; try again")
            if contact is not None and contact["status"] == ContactStatus.SKIPPED and not contact["attempts_made"]:
                plan.ended.append(contact)
            plan.results.append(Enrolled(person.id, contact_id, Enrolment.DUPLICATE))
            continue
        shape = contacts[each.reference]
        because = why_skipped(shape, listed=not stopped.isdisjoint(shape.phone_numbers))
        if (refused := _refused(person, because, terms)) is not None:
            plan.results.append(Enrolled(person.id, None, refused))
            continue
        if terms.one_per_phone and shape.phone_numbers:
            holder = held.setdefault(compared(shape.phone_numbers[0]), contact_id)
            if holder != contact_id:
                plan.results.append(Enrolled(person.id, holder, Enrolment.DUPLICATE))
                continue
        seen.add(contact_id)
        external_id = each.external_id
        if external_id in taken or known.by_external_id(external_id) is not None:
            # Another contact has it: this one goes without.
            external_id = None
        if external_id is not None:
            taken.add(external_id)
        row = ContactRow((place,), None, external_id, True, shape.phone_numbers, {"priority": each.priority})
        plan.documents.append(_document(scope, row, contact_id, person, contact_fields(shape), because, now))
        enrolment = Enrolment.ADDED if because is None else Enrolment.SKIPPED
        plan.results.append(Enrolled(person.id, contact_id, enrolment, because))
    return plan, known


def _refused(person: Person, because: EndReason | None, terms: Terms) -> Enrolment | None:
    if person.inactive:
        return Enrolment.INACTIVE
    return Enrolment.NO_PHONE if because is EndReason.NO_PHONE and not terms.without_phone else None


def _document(
    scope: ContactsOf,
    row: ContactRow,
    contact_id: str,
    person: Person,
    fields: Mapping[str, object],
    because: EndReason | None,
    now: datetime,
) -> Document:
    status = ContactStatus.PENDING if because is None else ContactStatus.SKIPPED
    document = new_contact(scope, row, contact_id, status=status, now=now)
    return {**document, **fields, "person_id": person.id, "ended_because": None if because is None else because.value}


async def _called_again(store: Store, scope: ContactsOf, plan: _Plan, now: datetime) -> list[Enrolled]:
    """The results, with those skipped without a call asked to be called that can be called now."""
    again = await callable_again(store, scope.organization_id, plan.ended, now) if plan.ended else []
    if again:
        await ask_again(store, again, now)
    ids = {contact["_id"] for contact in again}
    return [
        Enrolled(each.person_id, each.contact_id, Enrolment.AGAIN) if each.contact_id in ids else each
        for each in plan.results
    ]
