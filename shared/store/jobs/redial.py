"""Redial: the contacts of a campaign whose latest attempt ended so are called again, in a new campaign.

Whether a contact qualifies is read from its attempts, by their ids, so that calls need not write anything for it.
"""

import functools
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.campaign import CampaignState, CampaignUse, drafted
from shared.domain.campaign_log import ENGINE, Actor, LogEvent
from shared.domain.contact import ContactStatus
from shared.domain.contact_input import OPTIONAL_FIELDS, ContactRow
from shared.domain.ids import contact_id_of_person, redialed_id_of
from shared.domain.jobs import CHUNK_ROWS, Job, JobKind, Position, new_job
from shared.domain.outcome import Outcome
from shared.domain.phone import compared
from shared.domain.reasons import FOR_GOOD
from shared.errors import Clash, Conflict, Kind, NotFound, WrongState
from shared.store.catalog.campaign_log import NewEntry, log_document, tell_of_making, write_log
from shared.store.catalog.configurations import count_campaign
from shared.store.catalog.courses import NOT_DELETED, stored_course
from shared.store.catalog.do_not_call import stopped_numbers
from shared.store.catalog.organizations import next_campaign_number, touch
from shared.store.catalog.stored_campaign import Campaign
from shared.store.client import Document, Store, translates
from shared.store.contacts.counting_in import count_in, register_source, turn_of
from shared.store.contacts.duplicates import contacts_with_phones
from shared.store.contacts.enrolment import name_campaign
from shared.store.contacts.matching import ContactsOf, look_up
from shared.store.contacts.renames import file_aliases
from shared.store.contacts.rows import new_contact
from shared.store.documents.completing import complete
from shared.store.documents.contacts import AttemptDocument, contact_of
from shared.store.jobs.jobs import accept_in, find_job, move_job, require_open

REDIALED: Final = frozenset({CampaignState.COMPLETED, CampaignState.CANCELLED})
"""The states in which a campaign can be redialed."""
MAX_NAME: Final = 255
_NEVER_AGAIN: Final = frozenset({Outcome.ANSWERED, Outcome.DO_NOT_CALL})
_ORDER: Final = [("created_at", 1), ("seq", 1)]
_ATTEMPT: Final = ("contact_id", "contact_created_at", "outcome")
# What a campaign has that its redial does not take over.
_OWN: Final = (
    *("_id", "number", "external_id", "former_external_id", "started_at", "completed_at", "deleted_at", "sources"),
    *("imports", "run", "intent", "generation", "start_at", "end_at", "redialed_as", "fact_seq"),
)


@translates
async def somebody_qualifies(store: Store, campaign: Campaign, outcomes: Collection[str]) -> bool:
    """Whether any contact of the campaign would be called again; stops at the first."""
    position: Position | None = Position()
    while position is not None:
        contacts, position = await _next_contacts(store, campaign.id, position)
        if await _qualifying(store, campaign.organization_id, contacts, outcomes):
            return True
    return False


async def create_redial(
    store: Store, parent: Campaign, name: str | None, outcomes: Sequence[str], now: datetime, by: Actor = ENGINE
) -> tuple[Campaign, Job]:
    """A draft with the settings of a campaign, and the job that copies its contacts, in one transaction.

    A private configuration is copied. Raises `WrongState`, `NotFound`, and `Conflict` where the campaign was redialed
    already.
    """
    child_id, job_id = str(uuid.uuid4()), str(uuid.uuid4())

    async def work(session: AsyncClientSession) -> tuple[Campaign, Job]:
        mine = {"_id": parent.id, "organization_id": parent.organization_id, **NOT_DELETED}
        stored = await store["campaigns"].find_one(mine, session=session)
        if stored is None:
            raise NotFound(Kind.CAMPAIGN, parent.id)
        state = Campaign.from_document(stored).shown(now).state
        if state not in REDIALED:
            raise WrongState(Kind.CAMPAIGN, parent.id, state, CampaignUse.REDIAL)
        if stored.get("redialed_as") is not None:
            raise Conflict(Clash.REDIALED_ALREADY, stored["redialed_as"])
        marked = {"$set": {"redialed_as": child_id, "updated_at": now}}
        await store["campaigns"].update_one({"_id": parent.id}, marked, session=session)
        shard, number = await next_campaign_number(store, parent.organization_id, session)
        child = {
            **{field: value for field, value in stored.items() if field not in _OWN},
            "_id": child_id,
            "number": number,
            "name": name if name is not None else f"{stored['name']} (Redial)"[:MAX_NAME],
            "redial_of": parent.id,
            **stored_course(drafted()),
            "created_at": now,
            "updated_at": now,
        }
        child["configuration_id"] = await _configuration_for(store, session, child, now)
        await store["campaigns"].insert_one(child, session=session)
        job = new_job(
            JobKind.REDIAL,
            parent.organization_id,
            shard,
            child_id,
            now,
            job_id=job_id,
            source_id=parent.id,
            outcomes=tuple(outcomes),
        )
        await accept_in(store, session, job, now, by)
        redialed = NewEntry(LogEvent.REDIALED, None, by, {"campaign_id": child_id})
        await write_log(store, session, [log_document(parent.id, parent.organization_id, redialed, now)])
        await tell_of_making(store, session, child, drafted(), now, by)
        return Campaign.from_document({**child, "imports": 1}), job

    return await store.in_transaction(work)


async def copy_contacts(store: Store, job: Job, source: str, worker: str, now: datetime) -> Job:
    """Copy the next contacts that qualify, each number once; the job as it stands then.

    Raises `JobMoved`, `NotFound` or `WrongState` (the campaign is gone or over), `Unavailable`.
    """
    assert job.source_id is not None
    scope = ContactsOf(job.organization_id, job.shard, job.campaign_id)
    await register_source(store, scope, source)
    contacts, to = await _next_contacts(store, job.source_id, job.position)
    qualifying = await _qualifying(store, job.organization_id, contacts, job.outcomes)
    fresh = await _each_number_once(store, scope, qualifying)
    work = functools.partial(_copy, store, scope, job, fresh, to, source, worker, now)
    await store.in_transaction(work, in_turn=turn_of(scope, source))
    return await find_job(store, job.id)


async def _copy(
    store: Store,
    scope: ContactsOf,
    job: Job,
    contacts: Sequence[Document],
    to: Position | None,
    source: str,
    worker: str,
    now: datetime,
    session: AsyncClientSession,
) -> None:
    contacts = await _with_people(store, session, contacts)
    external_ids = [contact["external_id"] for contact in contacts if contact["external_id"] is not None]
    ids = {contact["_id"]: _copy_id(scope, contact) for contact in contacts}
    known = await look_up(store, scope, ids=ids.values(), external_ids=external_ids, session=session)
    documents, aliases = [], dict[str, str]()
    for contact in contacts:
        contact_id, external_id = ids[contact["_id"]], contact["external_id"]
        if contact_id in known.contacts:
            continue
        if external_id is not None and scope.derived_id(external_id) != contact_id:
            if known.by_external_id(external_id) is None:
                aliases[scope.derived_id(external_id)] = contact_id
            else:
                external_id = None
        documents.append(_copied(scope, contact, contact_id, external_id, now))
    await move_job(
        store,
        session,
        job,
        job.position if to is None else to,
        [("inserted", len(documents))],
        worker,
        now,
        last=to is None,
    )
    await require_open(store, session, job, now)
    if documents:
        await store["contacts"].insert_many(documents, session=session)
        await file_aliases(store, known, aliases, session)
        people = [document["person_id"] for document in documents if document["person_id"] is not None]
        await name_campaign(store, session, scope.campaign_id, people)
        await count_in(store, scope, source, documents=documents, session=session)
    if to is None:
        await touch(store, job.organization_id, session)


async def _with_people(store: Store, session: AsyncClientSession, contacts: Sequence[Document]) -> list[Document]:
    """The contacts, those of people as this transaction sees them: without those that are called or enrolled no more.

    Contacts follow their people, so what is read here is what the people are; a change at the same moment collides.
    """
    of_people = [contact["_id"] for contact in contacts if contact["person_id"] is not None]
    if not of_people:
        return list(contacts)
    found = store["contacts"].find({"_id": {"$in": of_people}}, session=session)
    as_seen = {each["_id"]: contact_of(each) async for each in found}
    people = {contact["person_id"] for contact in as_seen.values()}
    active = store["people"].find(
        {"_id": {"$in": sorted(people)}, "inactive": {"$ne": True}}, {"_id": 1}, session=session
    )
    enrolled = {person["_id"] async for person in active}
    now_are = (as_seen.get(contact["_id"]) if contact["person_id"] is not None else contact for contact in contacts)
    return [
        contact
        for contact in now_are
        if contact is not None
        and (contact["person_id"] is None or (contact["person_id"] in enrolled and contact["stopped"] is None))
    ]


def _copy_id(scope: ContactsOf, contact: Mapping[str, Any]) -> str:
    if contact["person_id"] is not None:
        return contact_id_of_person(scope.campaign_id, contact["person_id"])
    external_id = contact["external_id"]
    return redialed_id_of(scope.campaign_id, contact["_id"]) if external_id is None else scope.derived_id(external_id)


def _copied(
    scope: ContactsOf, contact: Mapping[str, Any], contact_id: str, external_id: str | None, now: datetime
) -> Document:
    """The contact as its customer sent it, due at once, and of the same person."""
    fields = {name: contact[name] for name in OPTIONAL_FIELDS if contact.get(name) is not None}
    fields.pop("scheduled_at", None)
    row = ContactRow((contact["seq"],), None, external_id, True, tuple(contact["phone_numbers"]), fields)
    copied = new_contact(scope, row, contact_id, status=ContactStatus.PENDING, now=now)
    return {**copied, "person_id": contact["person_id"]}


async def _next_contacts(store: Store, campaign_id: str, after: Position) -> tuple[list[Document], Position | None]:
    """The campaign's next contacts in the order of their making, and where those behind them begin (None: nowhere).

    Contacts of one moment and place in their requests come together. `row` of the position is that place, `after` the
    moment.
    """
    contacts = store["contacts"]
    found: list[Document] = []
    of_campaign: Document = {"campaign_id": campaign_id}
    if after.after is not None:
        at = datetime.fromisoformat(after.after)
        same = {**of_campaign, "created_at": at, "seq": {"$gt": after.row}}
        found = await contacts.find(same, hint="listing").sort(_ORDER).limit(CHUNK_ROWS).to_list()
        of_campaign = {**of_campaign, "created_at": {"$gt": at}}
    if len(found) < CHUNK_ROWS:
        found += await contacts.find(of_campaign, hint="listing").sort(_ORDER).limit(CHUNK_ROWS - len(found)).to_list()
    if len(found) < CHUNK_ROWS:
        return [contact_of(each) for each in found], None
    last = found[-1]
    ties = {"campaign_id": campaign_id, "created_at": last["created_at"], "seq": last["seq"]}
    have = {each["_id"] for each in found}
    found += [each async for each in contacts.find(ties, hint="listing") if each["_id"] not in have]
    return [contact_of(each) for each in found], Position(0, last["seq"], last["created_at"].isoformat())


async def _qualifying(
    store: Store, organization_id: str, contacts: Sequence[Document], outcomes: Collection[str]
) -> list[Document]:
    """The contacts whose latest attempt ended so, that were answered in none, and that may be called."""
    candidates = {
        contact["_id"]: contact
        for contact in contacts
        if contact["last_attempt"] is not None
        and contact["ended_because"] not in FOR_GOOD
        and contact["for_good"] is None
        and not contact["opted_out"]
        and contact["stopped"] is None
        and not contact["delete_requested"]
    }
    if not candidates:
        return []
    latest: dict[str, str] = {}
    spoiled: set[str] = set()
    found = store["attempts"].find({"contact_id": {"$in": list(candidates)}}, dict.fromkeys(_ATTEMPT, 1))
    async for stored in found:
        attempt = complete(AttemptDocument, stored, frozenset(_ATTEMPT))
        contact = candidates[attempt["contact_id"]]
        if attempt["contact_created_at"] != contact["created_at"]:
            continue
        if attempt["outcome"] in _NEVER_AGAIN:
            spoiled.add(contact["_id"])
        if attempt["_id"] == contact["last_attempt"]:
            latest[contact["_id"]] = attempt["outcome"]
    wanted = [each for key, each in candidates.items() if key not in spoiled and latest.get(key) in outcomes]
    numbers = {number for contact in wanted for number in contact["phone_numbers"]}
    stopped = await stopped_numbers(store, organization_id, numbers)
    return [contact for contact in wanted if not stopped.issuperset(contact["phone_numbers"])]


async def _each_number_once(store: Store, scope: ContactsOf, contacts: Sequence[Document]) -> list[Document]:
    """The contacts whose first number no earlier one, nor one that is in the new campaign already, has."""
    numbers = {contact["phone_numbers"][0] for contact in contacts}
    holders = await contacts_with_phones(store, scope, numbers)
    seen = {number for holder in holders for number in holder.phones}
    fresh = []
    for contact in contacts:
        number = compared(contact["phone_numbers"][0])
        if number not in seen:
            seen.add(number)
            fresh.append(contact)
    return fresh


async def _configuration_for(store: Store, session: AsyncClientSession, child: Document, now: datetime) -> str:
    """The configuration of the new campaign: the shared one of the old, or a copy of its private one."""
    mine = {"_id": child["configuration_id"], "organization_id": child["organization_id"]}
    stored = await store["configurations"].find_one(mine, session=session)
    if stored is None:
        raise NotFound(Kind.CONFIGURATION, child["configuration_id"])
    if stored.get("campaign_id") is None:
        await count_campaign(store, child["organization_id"], stored["_id"], child["_id"], 1, session)
        return str(stored["_id"])
    copy = {**stored, "_id": str(uuid.uuid4()), "name": child["name"], "campaign_id": child["_id"]}
    copy |= {"campaign_count": 1, "created_at": now, "updated_at": now}
    copy.pop("deleted_at", None)
    await store["configurations"].insert_one(copy, session=session)
    return str(copy["_id"])
