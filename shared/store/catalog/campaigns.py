"""Campaigns. Every change is one transaction with the configuration's count and the organization's
`changed_at`; a move between states is a conditional update that is refused in the wrong state.
"""

import re
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from shared.domain.campaign import CAMPAIGN_MOVES, CampaignMove, CampaignStatus, CampaignUse
from shared.domain.contact_input import is_uuid
from shared.domain.page import Page
from shared.errors import Clash, Conflict, Kind, NotFound, WrongState
from shared.store.catalog.configurations import count_campaign
from shared.store.catalog.organizations import touch
from shared.store.client import Document, Store, translates
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete
from shared.store.paging import newest_first

EDITABLE: Final = frozenset(
    {"name", "external_id", "priority", "configuration_id", "agent_id", "agent_version", "agent_number"}
)


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign as it is stored; the overrides are None where the configuration's value holds."""

    id: str
    organization_id: str
    shard: int
    external_id: str | None
    name: str
    status: CampaignStatus
    priority: int
    configuration_id: str
    agent_id: str | None
    agent_version: str | None
    agent_number: str | None
    concurrency_limit: int | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "Campaign":
        """The campaign as it is stored."""
        document = complete(CampaignDocument, stored)
        return cls(
            id=document["_id"],
            organization_id=document["organization_id"],
            shard=document["shard"],
            external_id=document["external_id"],
            name=document["name"],
            status=CampaignStatus(document["status"]),
            priority=document["priority"],
            configuration_id=document["configuration_id"],
            agent_id=document["agent_id"],
            agent_version=document["agent_version"],
            agent_number=document["agent_number"],
            concurrency_limit=document["concurrency_limit"],
            created_at=document["created_at"],
            updated_at=document["updated_at"],
        )


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """What a customer says about a campaign that is to be made."""

    name: str
    configuration_id: str
    external_id: str | None
    priority: int
    agent_id: str | None
    agent_version: str | None
    agent_number: str | None


async def create_campaign(store: Store, organization_id: str, new: NewCampaign, now: datetime) -> Campaign:
    """A new active campaign. Raises `NotFound` (configuration) or `Conflict` (external_id)."""
    campaign_id = str(uuid.uuid4())

    async def work(session: AsyncClientSession) -> Campaign:
        await count_campaign(store, organization_id, new.configuration_id, 1, session)
        shard = await touch(store, organization_id, session)
        document = _new_document(campaign_id, organization_id, shard, new, now)
        await store["campaigns"].insert_one(document, session=session)
        return Campaign.from_document(document)

    try:
        return await store.in_transaction(work)
    except DuplicateKeyError as error:
        raise Conflict(Clash.EXTERNAL_ID_TAKEN, new.external_id or "") from error


@translates
async def get_campaign(store: Store, organization_id: str, reference: str) -> Campaign:
    """The organization's campaign by its id or external_id. Raises `NotFound`."""
    return Campaign.from_document(await _found(store, organization_id, reference))


@translates
async def list_campaigns(
    store: Store,
    organization_id: str,
    *,
    name_contains: str,
    statuses: Collection[CampaignStatus],
    cursor: str | None,
    limit: int,
) -> Page[Campaign]:
    """The organization's campaigns, newest first. Empty filters match all. Raises `InvalidCursor`.

    `name_contains` is taken literally, upper and lower case alike; it must not contain NUL.
    """
    matching: dict[str, Any] = {"organization_id": organization_id}
    if name_contains:
        matching["name"] = {"$regex": re.escape(name_contains), "$options": "i"}
    if statuses:
        matching["status"] = {"$in": [status.value for status in statuses]}
    page = await newest_first(store["campaigns"], matching, cursor=cursor, limit=limit)
    return Page([Campaign.from_document(row) for row in page.rows], page.next_cursor)


async def edit_campaign(
    store: Store, organization_id: str, campaign_id: str, changes: Mapping[str, Any], now: datetime
) -> Campaign:
    """Set the given ones of `EDITABLE`; None clears.

    Raises `NotFound` (campaign or configuration), `WrongState` (closed), `Conflict` (external_id).
    """
    if not changes.keys() <= EDITABLE:
        raise ValueError(f"not editable: {sorted(changes.keys() - EDITABLE)}")

    async def work(session: AsyncClientSession) -> Campaign:
        before = await _found(store, organization_id, campaign_id, session)
        if before["status"] == CampaignStatus.CLOSED:
            raise WrongState(Kind.CAMPAIGN, campaign_id, CampaignStatus.CLOSED, CampaignUse.CHANGE)
        configuration_id = changes.get("configuration_id", before["configuration_id"])
        if configuration_id != before["configuration_id"]:
            await count_campaign(store, organization_id, configuration_id, 1, session)
            await count_campaign(store, organization_id, before["configuration_id"], -1, session)
        after = await _write(store, campaign_id, changes, now, session)
        await touch(store, organization_id, session)
        return Campaign.from_document(after)

    try:
        return await store.in_transaction(work)
    except DuplicateKeyError as error:
        raise Conflict(Clash.EXTERNAL_ID_TAKEN, changes.get("external_id") or "") from error


async def move_campaign(
    store: Store, organization_id: str, campaign_id: str, move: CampaignMove, now: datetime
) -> Campaign:
    """Start, pause or close, if the campaign's state allows it. Raises `NotFound` or `WrongState`."""
    allowed_from, leads_to = CAMPAIGN_MOVES[move]

    async def work(session: AsyncClientSession) -> Campaign:
        document = await store["campaigns"].find_one_and_update(
            {
                "_id": campaign_id,
                "organization_id": organization_id,
                "status": {"$in": sorted(status.value for status in allowed_from)},
            },
            {"$set": {"status": leads_to.value, "updated_at": now}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if document is None:
            current = await _found(store, organization_id, campaign_id, session)
            raise WrongState(Kind.CAMPAIGN, campaign_id, CampaignStatus(current["status"]), move)
        await touch(store, organization_id, session)
        return Campaign.from_document(document)

    return await store.in_transaction(work)


async def _found(
    store: Store, organization_id: str, reference: str, session: AsyncClientSession | None = None
) -> Document:
    """By id where the reference looks like one: no external_id has that form."""
    key = {"_id": reference.lower()} if is_uuid(reference) else {"external_id": reference}
    document = await store["campaigns"].find_one({"organization_id": organization_id, **key}, session=session)
    if document is None:
        raise NotFound(Kind.CAMPAIGN, reference)
    return document


async def _write(
    store: Store, campaign_id: str, changes: Mapping[str, Any], now: datetime, session: AsyncClientSession
) -> Document:
    update: dict[str, Any] = {"$set": {**changes, "updated_at": now}}
    if "external_id" in changes and changes["external_id"] is None:
        # Absent, not null: the unique index holds only campaigns that have one.
        del update["$set"]["external_id"]
        update["$unset"] = {"external_id": ""}
    after = await store["campaigns"].find_one_and_update(
        {"_id": campaign_id}, update, return_document=ReturnDocument.AFTER, session=session
    )
    if after is None:
        raise NotFound(Kind.CAMPAIGN, campaign_id)
    return after


def _new_document(campaign_id: str, organization_id: str, shard: int, new: NewCampaign, now: datetime) -> Document:
    document: Document = {
        "_id": campaign_id,
        "organization_id": organization_id,
        "shard": shard,
        "name": new.name,
        "status": CampaignStatus.ACTIVE.value,
        "priority": new.priority,
        "configuration_id": new.configuration_id,
        "agent_id": new.agent_id,
        "agent_version": new.agent_version,
        "agent_number": new.agent_number,
        "concurrency_limit": None,
        "created_at": now,
        "updated_at": now,
    }
    return document if new.external_id is None else {**document, "external_id": new.external_id}
