"""Configurations of single campaigns: made with one, or copied from a shared one before it is changed for one alone."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.campaign import CampaignUse, shown_state
from shared.errors import Kind, NotFound, WrongState
from shared.store.catalog.configurations import FIELDS, StoredConfiguration, count_campaign, write_fields
from shared.store.catalog.courses import NOT_DELETED, course_of
from shared.store.catalog.organizations import touch
from shared.store.client import Document, Store
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete


async def configuration_for(
    store: Store,
    organization_id: str,
    campaign_id: str,
    shared_id: str,
    own: Mapping[str, Any] | None,
    now: datetime,
    session: AsyncClientSession,
) -> str:
    """The id of the configuration of a campaign that is made in this transaction: a new one with these values of its
    own, else the shared one, which counts the campaign from then on.

    Raises `NotFound`, and `Conflict` for one that is private to another campaign.
    """
    if own is None:
        await count_campaign(store, organization_id, shared_id, campaign_id, 1, session)
        return shared_id
    document: Document = {
        "_id": str(uuid.uuid4()),
        "organization_id": organization_id,
        **{name: own[name] for name in FIELDS},
        "campaign_id": campaign_id,
        "campaign_count": 1,
        "created_at": now,
        "updated_at": now,
    }
    await store["configurations"].insert_one(document, session=session)
    own_id: str = document["_id"]
    return own_id


async def change_configuration_of(
    store: Store, organization_id: str, campaign_id: str, changes: Mapping[str, Any], now: datetime
) -> tuple[StoredConfiguration, int]:
    """Set the given ones of `FIELDS` for this campaign alone; its private configuration, and its shard.

    A copy is named like the campaign. Of two changes at once one copies, and the other changes the copy. Raises
    `NotFound` (campaign) or `WrongState` (it is over).
    """
    if not changes.keys() <= set(FIELDS):
        raise ValueError(f"not editable: {sorted(changes.keys() - set(FIELDS))}")

    async def work(session: AsyncClientSession) -> tuple[StoredConfiguration, int]:
        campaign = await _open_campaign(store, organization_id, campaign_id, now, session)
        configuration_id = campaign["configuration_id"]
        mine = {"_id": configuration_id, "organization_id": organization_id}
        document = await store["configurations"].find_one(mine, session=session)
        if document is None:
            raise NotFound(Kind.CONFIGURATION, configuration_id)
        if document.get("campaign_id") is None:
            document = await _copied(store, document, campaign, now, session)
        changed = await write_fields(store, organization_id, document["_id"], changes, now, session)
        return changed, await touch(store, organization_id, session)

    return await store.in_transaction(work)


async def _open_campaign(
    store: Store, organization_id: str, campaign_id: str, now: datetime, session: AsyncClientSession
) -> Document:
    mine = {"_id": campaign_id, "organization_id": organization_id, **NOT_DELETED}
    stored = await store["campaigns"].find_one(mine, session=session)
    if stored is None:
        raise NotFound(Kind.CAMPAIGN, campaign_id)
    campaign = complete(CampaignDocument, stored)
    course = course_of(campaign)
    if course.is_over:
        raise WrongState(Kind.CAMPAIGN, campaign_id, shown_state(course, now).state, CampaignUse.CHANGE)
    return campaign


async def _copied(
    store: Store, shared: Document, campaign: Document, now: datetime, session: AsyncClientSession
) -> Document:
    """The private copy of a shared configuration, which the campaign refers to from now on."""
    copy: Document = {
        **shared,
        "_id": str(uuid.uuid4()),
        "name": campaign["name"],
        "campaign_id": campaign["_id"],
        "campaign_count": 1,
        "created_at": now,
        "updated_at": now,
    }
    await store["configurations"].insert_one(copy, session=session)
    await count_campaign(store, campaign["organization_id"], shared["_id"], campaign["_id"], -1, session)
    await store["campaigns"].update_one(
        {"_id": campaign["_id"]}, {"$set": {"configuration_id": copy["_id"], "updated_at": now}}, session=session
    )
    return copy
