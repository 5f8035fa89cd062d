"""The contact book: people as they are made, found and listed.

What a person's contacts follow, so edits and deletions, is in shared/store/contacts/following.py.
"""

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError

from shared.domain.facts import FactType
from shared.domain.page import NumberedPage, Page
from shared.domain.person import EDITABLE, Person, PersonStatus, folded, keys, numbers_of, oldest_by_phone, searched
from shared.domain.person_facts import fact_of_person, facts_of_making
from shared.domain.phone import compared
from shared.errors import Clash, Conflict, Kind, NotFound, TemporaryError
from shared.store.catalog.companies import require_companies
from shared.store.catalog.do_not_call import stopped_numbers
from shared.store.catalog.facts import read_fact_types, tell
from shared.store.catalog.references import all_referred_to, referred_to
from shared.store.client import Document, Store, translates
from shared.store.documents.completing import complete
from shared.store.documents.people import PersonDocument
from shared.store.paging import newest_first, numbered

# Entries of a do-not-call list that a filter by status reads: a question holds no more than 16 MB.
MAX_LISTED: Final = 400_000
_DUPLICATE_KEY: Final = 11000


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """The people that a list has; a filter that is None or empty leaves out none.

    `search` is a part of names, e-mail or number in any case, taken literally; where it is somebody's whole number or
    whole e-mail address, it finds those who have that. `tags`: having all of them.
    """

    search: str | None = None
    status: PersonStatus | None = None
    tags: Sequence[str] = ()
    company_id: str | None = None
    campaign_id: str | None = None
    has_phone: bool | None = None
    lead_status: str | None = None
    do_not_call: bool | None = None


EVERYBODY: Final = PeopleFilter()


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person that is to be made: the given ones of the fields that can be edited."""

    values: Mapping[str, Any]
    external_id: str | None = None


def person_of(stored: Mapping[str, Any], *, listed: bool = False) -> Person:
    """The person of a stored document."""
    document = complete(PersonDocument, stored)
    fields = {name: document[name] for name in (*EDITABLE, "external_id", "created_at", "updated_at")}
    tuples = {"tags": tuple(document["tags"]), "campaigns": tuple(document["campaigns"])}
    return Person(**{**fields, **tuples, "id": document["_id"], "listed": listed})


def stored_values(values: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Document:
    """The fields of a document that these values set: cleared ones as in a new one, and what is searched.

    `before`: the complete document that is changed. Raises `ValueError` for a field that cannot be edited.
    """
    if not values.keys() <= EDITABLE.keys():
        raise ValueError(f"not editable: {sorted(values.keys() - EDITABLE.keys())}")
    given = {name: EDITABLE[name] if value is None else value for name, value in values.items()}
    whole = {**(before or EDITABLE), **given}
    return {
        **given,
        **{name: list(given[name]) for name in ("tags",) if name in given},
        "search": searched(whole),
        "keys": keys(whole),
    }


async def create_people(
    store: Store, organization_id: str, new: Sequence[NewPerson], now: datetime, session: AsyncClientSession
) -> list[Person]:
    """New people in a transaction, at most 1,000, in the given order.

    Raises `BadSetting` (no such company) and `Conflict` (external_id taken). As shown, nobody is `listed`.
    """
    documents = [_document(organization_id, each, now) for each in new]
    companies = {document["company_id"] for document in documents if document.get("company_id") is not None}
    await require_companies(store, organization_id, companies, session)
    names = [each.external_id for each in new if each.external_id is not None]
    taken = {"organization_id": organization_id, "external_id": {"$in": names}}
    if names and (holder := await store["people"].find_one(taken, {"external_id": 1}, session=session)):
        raise Conflict(Clash.PERSON_EXTERNAL_ID_TAKEN, holder["external_id"])
    if documents:
        try:
            await store["people"].insert_many(documents, session=session)
        except BulkWriteError as error:
            failed = error.details["writeErrors"][0]
            if failed["code"] != _DUPLICATE_KEY:
                raise
            # Twice in this request.
            raise Conflict(Clash.PERSON_EXTERNAL_ID_TAKEN, failed["keyValue"]["external_id"]) from error
    people = [person_of(document) for document in documents]
    await tell(store, session, organization_id, [fact for person in people for fact in facts_of_making(person, now)])
    return people


@translates
async def get_person(store: Store, organization_id: str, reference: str) -> Person:
    """The organization's person of this id, else this external_id. Raises `NotFound`."""
    [person] = await with_listed(
        store, organization_id, [await referred_to(store, organization_id, Kind.PERSON, reference)]
    )
    return person


@translates
async def people_of(store: Store, organization_id: str, references: Collection[str]) -> dict[str, Person]:
    """The people by those of the ids and external_ids that mean one."""
    found = await all_referred_to(store, organization_id, Kind.PERSON, references)
    unique = {document["_id"]: document for document in found.values()}
    people = {person.id: person for person in await with_listed(store, organization_id, list(unique.values()))}
    return {reference: people[document["_id"]] for reference, document in found.items()}


@translates
async def find_by_keys(
    store: Store, organization_id: str, wanted: Collection[str], session: AsyncClientSession | None = None
) -> list[Person]:
    """People with one of these whole numbers (E.164, any spelling) or e-mail addresses, in no order."""
    forms = [compared(key) if key.startswith("+") else folded(key) for key in wanted]
    query = {"organization_id": organization_id, "keys": {"$in": forms}}
    found = await store["people"].find(query, session=session).to_list() if forms else []
    return [person_of(document) for document in found]


@translates
async def list_people(
    store: Store, organization_id: str, which: PeopleFilter, *, cursor: str | None, limit: int
) -> Page[Person]:
    """The people that the filter leaves, newest first. Raises `InvalidCursor`, `TemporaryError` (as `matching`)."""
    where = await matching(store, organization_id, which)
    page = await newest_first(store["people"], where, cursor=cursor, limit=limit)
    return Page(await with_listed(store, organization_id, page.rows), page.next_cursor)


@translates
async def numbered_people(
    store: Store, organization_id: str, which: PeopleFilter, *, offset: int, limit: int
) -> NumberedPage[Person]:
    """The people as `list_people` has them, from the `offset`-th on, and how many there are."""
    where = await matching(store, organization_id, which)
    page = await numbered(store["people"], where, offset=offset, limit=limit)
    return NumberedPage(await with_listed(store, organization_id, page.rows), page.total)


@translates
async def external_ids_of(store: Store, organization_id: str, ids: Collection[str]) -> dict[str, str | None]:
    """The external_ids (None: none) of the organization's people among these, by id."""
    where = {"_id": {"$in": list(ids)}, "organization_id": organization_id}
    found = store["people"].find(where, {"external_id": 1})
    return {person["_id"]: person.get("external_id") async for person in found} if ids else {}


@translates
async def people_ids(store: Store, organization_id: str, which: PeopleFilter, most: int) -> list[str]:
    """The ids of the people that the filter leaves, oldest first; one more than `most` where there are more."""
    where = await matching(store, organization_id, which)
    found = store["people"].find(where, {"_id": 1}).sort([("created_at", 1), ("_id", 1)]).limit(most + 1)
    return [person["_id"] async for person in found]


@translates
async def count_people(store: Store, organization_id: str, which: PeopleFilter) -> int:
    """The number of people that the filter leaves."""
    return await store["people"].count_documents(await matching(store, organization_id, which))


async def matching(store: Store, organization_id: str, which: PeopleFilter) -> Document:
    """The query for the people that a filter leaves.

    Raises `TemporaryError` where a status is asked for and the do-not-call list has more than `MAX_LISTED` entries.
    """
    conditions: list[Document] = [{"organization_id": organization_id}]
    if which.search is not None:
        conditions.append(await _searched_for(store, organization_id, which.search))
    if which.tags:
        conditions.append({"tags": {"$all": list(which.tags)}})
    if which.has_phone is not None:
        numbers = [{"phone": {"$type": "string"}}, {"phone_secondary": {"$type": "string"}}]
        conditions.append({"$or" if which.has_phone else "$nor": numbers})
    if which.campaign_id is not None:
        conditions.append({"campaigns": which.campaign_id})
    exact = {"company_id": which.company_id, "lead_status": which.lead_status, "do_not_call": which.do_not_call}
    conditions += [{name: value} for name, value in exact.items() if value is not None]
    if which.status is not None:
        conditions += await _of_status(store, organization_id, which.status)
    return {"$and": conditions}


async def _searched_for(store: Store, organization_id: str, text: str) -> Document:
    whole = compared(text) if text.startswith("+") else folded(text)
    found = {"organization_id": organization_id, "keys": whole}
    if await store["people"].find_one(found, {"_id": 1}) is not None:
        return {"keys": whole}
    return {"search": {"$regex": re.escape(folded(text))}}


async def _of_status(store: Store, organization_id: str, status: PersonStatus) -> list[Document]:
    entries = store["do_not_call"].find({"organization_id": organization_id}, {"phone_number": 1})
    listed = sorted({compared(entry["phone_number"]) async for entry in entries.limit(MAX_LISTED + 1)})
    if len(listed) > MAX_LISTED:
        raise TemporaryError(f"The do-not-call list is longer than {MAX_LISTED} numbers: people have no status filter")
    stopped: Document = {"$or": [{"do_not_call": True}, {"keys": {"$in": listed}}]}
    if status is PersonStatus.DNC:
        return [stopped]
    return [{"inactive": status is PersonStatus.INACTIVE, "do_not_call": False, "keys": {"$nin": listed}}]


async def with_listed(store: Store, organization_id: str, documents: Sequence[Mapping[str, Any]]) -> list[Person]:
    """These stored people, in this order, with whether their numbers are on the do-not-call list."""
    whole = [complete(PersonDocument, document) for document in documents]
    stopped = await stopped_numbers(
        store, organization_id, {number for person in whole for number in numbers_of(person)}
    )
    return [person_of(person, listed=not stopped.isdisjoint(numbers_of(person))) for person in whole]


async def find_by_phones(
    store: Store, organization_id: str, phones: Collection[str], session: AsyncClientSession | None = None
) -> dict[str, Person]:
    """The oldest person with each of these phones (E.164, any spelling; not second numbers), by compared form."""
    wanted = {compared(phone) for phone in phones}
    found = oldest_by_phone(await find_by_keys(store, organization_id, list(wanted), session))
    return {phone: person for phone, person in found.items() if phone in wanted}


async def tell_of_listed(
    store: Store, session: AsyncClientSession, organization_id: str, phones: Sequence[str], now: datetime
) -> None:
    """Tell that people are not to be called any more, whose numbers (E.164) get onto the do-not-call list.

    In the transaction that lists them; nothing is read where nobody wants to be told.
    """
    if FactType.PERSON_DO_NOT_CALL not in await read_fact_types(store, session, organization_id):
        return
    found = await find_by_keys(store, organization_id, phones, session)
    told = [fact_of_person(FactType.PERSON_DO_NOT_CALL, each, now) for each in found if not each.do_not_call]
    await tell(store, session, organization_id, told)


async def take_phones(store: Store, organization_id: str, session: AsyncClientSession) -> None:
    """Collide with all others who look in this moment whether anybody has a phone before they write that."""
    taken = await store["organizations"].update_one(
        {"_id": organization_id}, {"$inc": {"phones_taken": 1}}, session=session
    )
    if not taken.matched_count:
        raise NotFound(Kind.ORGANIZATION, organization_id)


def _document(organization_id: str, new: NewPerson, now: datetime) -> Document:
    values = stored_values({**EDITABLE, **new.values})
    document: Document = {
        "_id": str(uuid.uuid4()),
        "organization_id": organization_id,
        **values,
        "created_at": now,
        "updated_at": now,
    }
    return document if new.external_id is None else {**document, "external_id": new.external_id}
