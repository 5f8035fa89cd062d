"""The companies that people of the contact book are at.

Whoever names a company on a person writes the company in that transaction, so it cannot vanish beside the person.
"""

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from shared.domain.page import NumberedPage, Page
from shared.domain.person import folded
from shared.errors import BadSetting, Clash, Conflict, Flaw, Kind, NotFound
from shared.store.catalog.courses import NOT_DELETED
from shared.store.catalog.named_campaigns import named_campaigns
from shared.store.catalog.references import referred_to
from shared.store.client import Document, Store, translates
from shared.store.documents.completing import complete
from shared.store.documents.people import CompanyDocument
from shared.store.paging import newest_first, numbered

TEXTS: Final = (
    "website",
    "industry",
    "company_size",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "postal_code",
    "country",
    "phone",
    "notes",
)
EDITABLE: Final = frozenset({"name", "custom_fields", *TEXTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company; `contact_count` are the people who are at it."""

    id: str
    external_id: str | None
    name: str
    website: str | None
    industry: str | None
    company_size: str | None
    address_line1: str | None
    address_line2: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None
    phone: str | None
    notes: str | None
    custom_fields: Mapping[str, Any]
    contact_count: int
    created_at: datetime
    updated_at: datetime


async def create_company(
    store: Store, organization_id: str, values: Mapping[str, Any], external_id: str | None, now: datetime
) -> Company:
    """A new company with the given ones of `EDITABLE`, its name among them.

    Raises `Conflict`: the external_id is taken.
    """
    _require_editable(values)
    document: Document = {
        "_id": str(uuid.uuid4()),
        "organization_id": organization_id,
        **_stored(values),
        **({} if external_id is None else {"external_id": external_id}),
        "created_at": now,
        "updated_at": now,
    }

    async def work(session: AsyncClientSession) -> None:
        await store["companies"].insert_one(document, session=session)

    try:
        await store.in_transaction(work)
    except DuplicateKeyError as error:
        raise Conflict(Clash.COMPANY_EXTERNAL_ID_TAKEN, external_id or "") from error
    return _company(document, 0)


@translates
async def get_company(store: Store, organization_id: str, reference: str) -> Company:
    """The organization's company of this id, else this external_id. Raises `NotFound`."""
    [company] = await _counted(store, [await referred_to(store, organization_id, Kind.COMPANY, reference)])
    return company


@translates
async def company_external_ids(store: Store, organization_id: str, ids: Collection[str]) -> dict[str, str | None]:
    """The external_ids (None: none) of the organization's companies among these, by id."""
    where = {"_id": {"$in": list(set(ids))}, "organization_id": organization_id}
    found = store["companies"].find(where, {"external_id": 1}) if ids else None
    return {company["_id"]: company.get("external_id") async for company in found} if found is not None else {}


@translates
async def list_companies(
    store: Store, organization_id: str, *, search: str | None, industry: str | None, cursor: str | None, limit: int
) -> Page[Company]:
    """The companies whose names contain the text in any case, and of this industry, newest first; None: all.

    Raises `InvalidCursor`.
    """
    where = _matching(organization_id, search, industry)
    page = await newest_first(store["companies"], where, cursor=cursor, limit=limit)
    return Page(await _counted(store, page.rows), page.next_cursor)


@translates
async def numbered_companies(
    store: Store, organization_id: str, *, search: str | None, industry: str | None, offset: int, limit: int
) -> NumberedPage[Company]:
    """The companies as `list_companies` has them, from the `offset`-th on, and how many there are."""
    where = _matching(organization_id, search, industry)
    page = await numbered(store["companies"], where, offset=offset, limit=limit)
    return NumberedPage(await _counted(store, page.rows), page.total)


@translates
async def companies_named(store: Store, organization_id: str, names: Collection[str]) -> dict[str, str]:
    """The ids of companies by their names, folded: of several with one name that of the oldest."""
    query = {"organization_id": organization_id, "search": {"$in": sorted(map(folded, names))}}
    found = await store["companies"].find(query, {"search": 1}).sort([("created_at", -1), ("_id", -1)]).to_list()
    return {company["search"]: company["_id"] for company in found}


@translates
async def edit_company(
    store: Store, organization_id: str, reference: str, changes: Mapping[str, Any], now: datetime
) -> Company:
    """Set the given ones of `EDITABLE`; the others stay. Raises `NotFound`.

    Contacts that wait keep the name that they were given, until their person is changed.
    """
    _require_editable(changes)
    found = await referred_to(store, organization_id, Kind.COMPANY, reference)
    after = await store["companies"].find_one_and_update(
        {"_id": found["_id"]},
        {"$set": {**_stored(changes), "updated_at": now}},
        return_document=ReturnDocument.AFTER,
    )
    if after is None:
        raise NotFound(Kind.COMPANY, reference)
    [company] = await _counted(store, [after])
    return company


async def delete_company(store: Store, organization_id: str, reference: str) -> str:
    """Remove a company; its id. Raises `NotFound`, or `Conflict` while people or campaigns (not deleted) name it."""

    async def work(session: AsyncClientSession) -> str:
        found = await referred_to(store, organization_id, Kind.COMPANY, reference, session)
        company_id: str = found["_id"]
        at_it = {"organization_id": organization_id, "company_id": company_id}
        campaigns = await named_campaigns(store, {**at_it, **NOT_DELETED}, session)
        if campaigns or await store["people"].find_one(at_it, {"_id": 1}, session=session) is not None:
            raise Conflict(Clash.COMPANY_IN_USE, company_id, campaigns)
        await store["companies"].delete_one({"_id": company_id}, session=session)
        return company_id

    return await store.in_transaction(work)


async def require_companies(
    store: Store, organization_id: str, company_ids: Collection[str], session: AsyncClientSession
) -> None:
    """Name companies in a transaction that writes people who are at them. Raises `BadSetting`: there is no such one."""
    wanted = sorted(set(company_ids))
    if not wanted:
        return
    these = {"_id": {"$in": wanted}, "organization_id": organization_id}
    known = {company["_id"] async for company in store["companies"].find(these, {"_id": 1}, session=session)}
    if missing := [company_id for company_id in wanted if company_id not in known]:
        raise BadSetting(Flaw.UNKNOWN_COMPANY, ("company_id",), missing[0])
    await store["companies"].update_many(these, {"$currentDate": {"named_at": True}}, session=session)


async def company_names(
    store: Store, company_ids: Collection[str], session: AsyncClientSession | None = None
) -> dict[str, str]:
    """The names of companies by their ids."""
    if not company_ids:
        return {}
    found = store["companies"].find({"_id": {"$in": sorted(set(company_ids))}}, {"name": 1}, session=session)
    return {company["_id"]: company["name"] async for company in found}


@translates
async def names_by_id(store: Store, company_ids: Collection[str]) -> dict[str, str]:
    """The same, outside of a transaction."""
    return await company_names(store, company_ids)


def _require_editable(values: Mapping[str, Any]) -> None:
    if not values.keys() <= EDITABLE:
        raise ValueError(f"not editable: {sorted(values.keys() - EDITABLE)}")


def _stored(values: Mapping[str, Any]) -> Document:
    found = {"search": folded(values["name"])} if "name" in values else {}
    return {**values, **found}


def _matching(organization_id: str, search: str | None, industry: str | None) -> Document:
    where: Document = {"organization_id": organization_id}
    if search is not None:
        where["search"] = {"$regex": re.escape(folded(search))}
    if industry is not None:
        where["industry"] = industry
    return where


async def _counted(store: Store, documents: Sequence[Document]) -> list[Company]:
    """These companies with the number of people at each, in this order."""
    ids = [document["_id"] for document in documents]
    counts: dict[str, int] = {}
    if ids:
        at_them = {"organization_id": documents[0]["organization_id"], "company_id": {"$in": ids}}
        grouped = await store["people"].aggregate(
            [{"$match": at_them}, {"$group": {"_id": "$company_id", "people": {"$sum": 1}}}], hint="company"
        )
        counts = {group["_id"]: group["people"] async for group in grouped}
    return [_company(document, counts.get(document["_id"], 0)) for document in documents]


def _company(stored: Mapping[str, Any], contact_count: int) -> Company:
    document = complete(CompanyDocument, stored)
    fields = EDITABLE | {"external_id", "created_at", "updated_at"}
    return Company(id=document["_id"], contact_count=contact_count, **{name: document[name] for name in fields})
