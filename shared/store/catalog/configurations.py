"""Configurations: calling windows, retry rules and the default agent that campaigns share, or that one has for itself.

Stored as the customer set them. `campaign_count` says how many campaigns refer to one; it moves in the
transaction that moves the campaign (shared/store/catalog/campaigns.py), so a configuration in use cannot vanish.
A private one has the `campaign_id` of its campaign: no other one may refer to it, and it is hidden with that one.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from shared.domain.configuration import OWN_FIELDS, Configuration
from shared.domain.page import NumberedPage, Page
from shared.errors import Clash, Conflict, Kind, NotFound
from shared.store.catalog.courses import NOT_DELETED
from shared.store.catalog.named_campaigns import named_campaigns
from shared.store.catalog.organizations import touch
from shared.store.client import Document, Store, translates
from shared.store.paging import newest_first, numbered

FIELDS: Final = ("name", *OWN_FIELDS)
# A filter for the configurations that campaigns may share.
SHARED: Final[Document] = {"campaign_id": None}
# What the dialer takes where a document lacks the field.
_DEFAULTS: Final[Mapping[str, Any]] = Configuration().model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class StoredConfiguration:
    """A configuration with its fields as JSON values; `campaign_id` is the campaign that it is private to, if any."""

    id: str
    organization_id: str
    values: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    campaign_id: str | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "StoredConfiguration":
        """The configuration as it is stored."""
        return cls(
            id=document["_id"],
            organization_id=document["organization_id"],
            values={
                "name": document["name"],
                **_DEFAULTS,
                **{name: document[name] for name in FIELDS if name in document},
            },
            created_at=document["created_at"],
            updated_at=document["updated_at"],
            campaign_id=document.get("campaign_id"),
        )


@translates
async def create_configuration(
    store: Store, *, organization_id: str, values: Mapping[str, Any], now: datetime, work_id: str | None = None
) -> StoredConfiguration:
    """A new configuration; `values` has every one of `FIELDS`. No campaign uses it yet, so no scheduler is told.

    With `work_id`, which becomes its id, the one that was made so before.
    """
    document = {
        "_id": work_id or str(uuid.uuid4()),
        "organization_id": organization_id,
        **{name: values[name] for name in FIELDS},
        "campaign_count": 0,
        "created_at": now,
        "updated_at": now,
    }
    try:
        await store["configurations"].insert_one(document)
    except DuplicateKeyError:
        return await get_configuration(store, organization_id, document["_id"])
    return StoredConfiguration.from_document(document)


@translates
async def get_configuration(
    store: Store, organization_id: str, configuration_id: str, *, deleted: bool = False
) -> StoredConfiguration:
    """The organization's configuration, with `deleted` also that of a deleted campaign. Raises `NotFound`."""
    mine: Document = {"_id": configuration_id, "organization_id": organization_id, **({} if deleted else NOT_DELETED)}
    document = await store["configurations"].find_one(mine)
    if document is None:
        raise NotFound(Kind.CONFIGURATION, configuration_id)
    return StoredConfiguration.from_document(document)


@translates
async def configurations_by_id(
    store: Store, organization_id: str, ids: Collection[str]
) -> dict[str, StoredConfiguration]:
    """The organization's configurations among these ids, those of deleted campaigns too."""
    query = {"_id": {"$in": list(ids)}, "organization_id": organization_id}
    found = await store["configurations"].find(query).to_list() if ids else []
    return {document["_id"]: StoredConfiguration.from_document(document) for document in found}


@translates
async def list_configurations(
    store: Store, organization_id: str, *, cursor: str | None, limit: int, private: bool = False
) -> Page[StoredConfiguration]:
    """The organization's configurations, newest first, with `private` also those of single campaigns.

    Raises `InvalidCursor`.
    """
    mine = _listed(organization_id, private)
    page = await newest_first(store["configurations"], mine, cursor=cursor, limit=limit, parts_of=_windows)
    return Page([StoredConfiguration.from_document(row) for row in page.rows], page.next_cursor)


@translates
async def numbered_configurations(
    store: Store, organization_id: str, *, offset: int, limit: int, private: bool = False
) -> NumberedPage[StoredConfiguration]:
    """The configurations as `list_configurations` has them, from the `offset`-th on, and how many there are."""
    page = await numbered(store["configurations"], _listed(organization_id, private), offset=offset, limit=limit)
    return NumberedPage([StoredConfiguration.from_document(row) for row in page.rows], page.total)


def _listed(organization_id: str, private: bool) -> Document:
    return {"organization_id": organization_id, **NOT_DELETED, **({} if private else SHARED)}


async def edit_configuration(
    store: Store, organization_id: str, configuration_id: str, changes: Mapping[str, Any], now: datetime
) -> tuple[StoredConfiguration, int]:
    """Set the given ones of `FIELDS`; the configuration and its shard. Raises `NotFound`.

    Touches the organization in the same transaction.
    """
    if not changes.keys() <= set(FIELDS):
        raise ValueError(f"not editable: {sorted(changes.keys() - set(FIELDS))}")

    async def work(session: AsyncClientSession) -> tuple[StoredConfiguration, int]:
        configuration = await write_fields(store, organization_id, configuration_id, changes, now, session)
        return configuration, await touch(store, organization_id, session)

    return await store.in_transaction(work)


async def write_fields(
    store: Store,
    organization_id: str,
    configuration_id: str,
    changes: Mapping[str, Any],
    now: datetime,
    session: AsyncClientSession,
) -> StoredConfiguration:
    """The configuration with these of `FIELDS` set, in a transaction that touches the organization.

    Raises `NotFound`.
    """
    document = await store["configurations"].find_one_and_update(
        {"_id": configuration_id, "organization_id": organization_id, **NOT_DELETED},
        {"$set": {**changes, "updated_at": now}},
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    if document is None:
        raise NotFound(Kind.CONFIGURATION, configuration_id)
    return StoredConfiguration.from_document(document)


async def delete_configuration(store: Store, organization_id: str, configuration_id: str) -> None:
    """Remove a configuration that no campaign refers to, a deleted one neither.

    Raises `NotFound`, or `Conflict` with the campaigns that do.
    """

    async def work(session: AsyncClientSession) -> None:
        mine = {"_id": configuration_id, "organization_id": organization_id, **NOT_DELETED}
        document = await store["configurations"].find_one(mine, {"campaign_count": 1}, session=session)
        if document is None:
            raise NotFound(Kind.CONFIGURATION, configuration_id)
        if document["campaign_count"]:
            using = {"organization_id": organization_id, "configuration_id": configuration_id}
            campaigns = await named_campaigns(store, using, session)
            raise Conflict(Clash.CONFIGURATION_IN_USE, configuration_id, campaigns)
        await store["configurations"].delete_one(mine, session=session)

    await store.in_transaction(work)


async def count_campaign(
    store: Store, organization_id: str, configuration_id: str, campaign_id: str, by: int, session: AsyncClientSession
) -> None:
    """Note that this campaign refers to the configuration (`by` 1), or does no more (-1).

    Raises `NotFound`, and `Conflict` for one that is private to another campaign.
    """
    document = await store["configurations"].find_one_and_update(
        {"_id": configuration_id, "organization_id": organization_id, **NOT_DELETED},
        {"$inc": {"campaign_count": by}},
        projection={"campaign_id": 1},
        session=session,
    )
    if document is None:
        raise NotFound(Kind.CONFIGURATION, configuration_id)
    if document.get("campaign_id") not in (None, campaign_id):
        raise Conflict(Clash.CONFIGURATION_OF_ANOTHER, configuration_id)


async def hide_private(
    store: Store, organization_id: str, campaign_id: str, now: datetime, session: AsyncClientSession
) -> None:
    """Hide what is private to a campaign that is deleted in this transaction."""
    private = {"organization_id": organization_id, "campaign_id": campaign_id}
    await store["configurations"].update_many(private, {"$set": {"deleted_at": now}}, session=session)


def _windows(configuration: Mapping[str, Any]) -> int:
    own = (configuration.get("default_windows"), configuration.get("scheduled_windows"))
    overrides = (configuration.get("overrides"), configuration.get("scheduled_overrides"))
    of_zones = (override["windows"] for some in overrides for override in some or ())
    return sum(len(windows or ()) for windows in (*own, *of_zones))
