"""Organizations: their shard, limits, numbers and hours, and `changed_at`, the scheduler's safety net.

Written by campaign-api alone. `changed_at` is set by the server's clock, so that it never runs backwards
between two gateways.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.ids import organization_budget, shard_of
from shared.domain.organization_hours import NO_ORGANIZATION_HOURS, OrganizationHours
from shared.domain.organization_names import slug_of
from shared.domain.page import Page
from shared.domain.phone import NumberType
from shared.errors import Kind, NotFound
from shared.store.client import Store, translates
from shared.store.documents.catalog import OrganizationDocument
from shared.store.documents.completing import complete
from shared.store.documents.dialing import BudgetDocument
from shared.store.paging import newest_first

DEFAULT_CONCURRENCY_LIMIT: Final = 10
# What the operator may change; the customer's own limits have their own functions.
EDITABLE: Final = frozenset(
    {
        "name",
        "default_agent_number",
        "exclusive_caller_numbers",
        "refused_number_types",
        "slug",
        "external_id",
        "request_limits",
    }
)
# What the customer may change: null or absent, there is no such limit.
LIMITS: Final = frozenset(
    {
        "max_attempts_per_number_per_day",
        "max_attempts_per_number_per_week",
        "min_minutes_between_calls",
        "calls_per_second",
    }
)
_CHANGED_NOW: Final = {"changed_at": True}


@dataclass(frozen=True, slots=True)
class Organization:
    """One customer. `shard` was fixed at creation; `concurrency_limit` None means the default of 10.

    `slug` and `external_id` are names that its own systems use; another organization may have the same.
    """

    id: str
    name: str
    shard: int
    concurrency_limit: int | None
    default_agent_number: str | None
    exclusive_caller_numbers: tuple[str, ...]
    created_at: datetime
    refused_number_types: tuple[NumberType, ...] = ()
    hours: OrganizationHours = NO_ORGANIZATION_HOURS
    max_attempts_per_number_per_day: int | None = None
    max_attempts_per_number_per_week: int | None = None
    min_minutes_between_calls: int | None = None
    calls_per_second: float | None = None
    slug: str = ""
    external_id: str | None = None
    request_limits: str | None = None

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "Organization":
        """The organization as it is stored."""
        document = complete(OrganizationDocument, stored)
        return cls(
            id=document["_id"],
            name=document["name"],
            shard=document["shard"],
            concurrency_limit=document["concurrency_limit"],
            default_agent_number=document["default_agent_number"],
            exclusive_caller_numbers=tuple(document["exclusive_caller_numbers"]),
            created_at=document["created_at"],
            refused_number_types=tuple(NumberType(name) for name in document["refused_number_types"]),
            request_limits=document["request_limits"],
            hours=OrganizationHours.from_document(document),
            **{name: document[name] for name in LIMITS},
            slug=document["slug"] if document["slug"] is not None else slug_of(document["name"]),
            external_id=document["external_id"],
        )

    @property
    def calls_at_once(self) -> int:
        """The calls at once that the organization may have."""
        return DEFAULT_CONCURRENCY_LIMIT if self.concurrency_limit is None else self.concurrency_limit


@translates
async def create_organization(
    store: Store,
    *,
    name: str,
    default_agent_number: str | None,
    exclusive_caller_numbers: tuple[str, ...] = (),
    refused_number_types: tuple[NumberType, ...] = (),
    slug: str | None = None,
    external_id: str | None = None,
    request_limits: str | None = None,
    now: datetime,
) -> Organization:
    """A new organization, with the shard that it keeps for ever. `slug` None: always that of its name."""
    organization_id = str(uuid.uuid4())
    document = {
        "_id": organization_id,
        "name": name,
        "shard": shard_of(organization_id),
        "concurrency_limit": None,
        "default_agent_number": default_agent_number,
        "exclusive_caller_numbers": list(exclusive_caller_numbers),
        "refused_number_types": list(refused_number_types),
        "slug": slug,
        "external_id": external_id,
        "request_limits": request_limits,
        "created_at": now,
        "changed_at": now,
    }
    await store["organizations"].insert_one(document)
    return Organization.from_document(document)


@translates
async def get_organization(store: Store, organization_id: str) -> Organization:
    """The organization. Raises `NotFound`."""
    document = await store["organizations"].find_one({"_id": organization_id})
    return _found(document, organization_id)


@translates
async def list_organizations(store: Store, *, cursor: str | None, limit: int) -> Page[Organization]:
    """All organizations, newest first. Raises `InvalidCursor`."""
    page = await newest_first(store["organizations"], {}, cursor=cursor, limit=limit)
    return Page([Organization.from_document(row) for row in page.rows], page.next_cursor)


@translates
async def missing_organizations(store: Store, organization_ids: tuple[str, ...]) -> list[str]:
    """The ids among these that no organization has, in the given order."""
    known = await store["organizations"].distinct("_id", {"_id": {"$in": list(organization_ids)}})
    return [organization_id for organization_id in organization_ids if organization_id not in known]


@translates
async def edit_organization(store: Store, organization_id: str, changes: Mapping[str, Any]) -> Organization:
    """Set the given fields of `EDITABLE`; the others stay. Raises `NotFound`."""
    if not changes.keys() <= EDITABLE:
        raise ValueError(f"not editable: {sorted(changes.keys() - EDITABLE)}")
    return await _change(store, organization_id, changes)


@translates
async def set_concurrency_limit(store: Store, organization_id: str, limit: int) -> Organization:
    """Set how many calls may be up at once. Ends no call. Raises `NotFound`."""
    return await _change(store, organization_id, {"concurrency_limit": limit})


@translates
async def edit_hours(store: Store, organization_id: str, changes: Mapping[str, Any]) -> Organization:
    """Set the given fields of `OrganizationHours`, as JSON values; the others stay. Raises `NotFound`."""
    if not changes.keys() <= OrganizationHours.model_fields.keys():
        raise ValueError(f"not editable: {sorted(changes.keys() - OrganizationHours.model_fields.keys())}")
    return await _change(store, organization_id, changes)


@translates
async def edit_limits(store: Store, organization_id: str, changes: Mapping[str, Any]) -> Organization:
    """Set the given ones of `LIMITS`; None takes a limit away. Ends no call. Raises `NotFound`."""
    if not changes.keys() <= LIMITS:
        raise ValueError(f"not editable: {sorted(changes.keys() - LIMITS)}")
    return await _change(store, organization_id, changes)


@translates
async def touch(store: Store, organization_id: str, session: AsyncClientSession | None = None) -> int:
    """Note that something that matters to dialing has changed; the organization's shard.

    Inside a transaction call it last: it is the document that the organization's writers share. Raises
    `NotFound`.
    """
    document = await store["organizations"].find_one_and_update(
        {"_id": organization_id}, {"$currentDate": _CHANGED_NOW}, projection={"shard": True}, session=session
    )
    if document is None:
        raise NotFound(Kind.ORGANIZATION, organization_id)
    shard: int = document["shard"]
    return shard


@translates
async def next_campaign_number(store: Store, organization_id: str, session: AsyncClientSession) -> tuple[int, int]:
    """The organization's shard, and the number of a campaign that this transaction makes. Raises `NotFound`.

    Says what `touch` says, in the same write: those who make campaigns wait for each other on this document anyway.
    """
    document = await store["organizations"].find_one_and_update(
        {"_id": organization_id},
        {"$inc": {"campaign_number": 1}, "$currentDate": _CHANGED_NOW},
        projection={"shard": True, "campaign_number": True},
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    if document is None:
        raise NotFound(Kind.ORGANIZATION, organization_id)
    return document["shard"], document["campaign_number"]


@translates
async def active_calls(store: Store, organization_id: str) -> int:
    """Slots the organization holds now: contacts that are locked or in progress."""
    budget = await store["budgets"].find_one({"_id": organization_budget(organization_id)})
    held: int = complete(BudgetDocument, budget or {})["held"]
    return held


async def _change(store: Store, organization_id: str, changes: Mapping[str, Any]) -> Organization:
    update: dict[str, Any] = {"$currentDate": _CHANGED_NOW}
    if changes:
        update["$set"] = {name: list(value) if isinstance(value, tuple) else value for name, value in changes.items()}
    document = await store["organizations"].find_one_and_update(
        {"_id": organization_id}, update, return_document=ReturnDocument.AFTER
    )
    return _found(document, organization_id)


def _found(document: Mapping[str, Any] | None, organization_id: str) -> Organization:
    if document is None:
        raise NotFound(Kind.ORGANIZATION, organization_id)
    return Organization.from_document(document)
