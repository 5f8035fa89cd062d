"""Configurations: calling windows, retry rules and the default agent that campaigns share.

Stored as the customer set them. `campaign_count` says how many campaigns refer to one; it moves in the
transaction that moves the campaign (shared/store/catalog/campaigns.py), so a configuration in use cannot vanish.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.configuration import OWN_FIELDS, Configuration
from shared.domain.page import Page
from shared.errors import Clash, Conflict, Kind, NotFound
from shared.store.catalog.organizations import touch
from shared.store.client import Store, translates
from shared.store.paging import newest_first

FIELDS: Final = ("name", *OWN_FIELDS)
# What the dialer takes where a document lacks the field.
_DEFAULTS: Final[Mapping[str, Any]] = Configuration().model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class StoredConfiguration:
    """A configuration with its fields as JSON values, and the shard of its organization's events."""

    id: str
    organization_id: str
    values: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime

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
        )


@translates
async def create_configuration(
    store: Store, *, organization_id: str, values: Mapping[str, Any], now: datetime
) -> StoredConfiguration:
    """A new configuration; `values` has every one of `FIELDS`. No campaign uses it yet, so no scheduler is told."""
    document = {
        "_id": str(uuid.uuid4()),
        "organization_id": organization_id,
        **{name: values[name] for name in FIELDS},
        "campaign_count": 0,
        "created_at": now,
        "updated_at": now,
    }
    await store["configurations"].insert_one(document)
    return StoredConfiguration.from_document(document)


@translates
async def get_configuration(store: Store, organization_id: str, configuration_id: str) -> StoredConfiguration:
    """The organization's configuration. Raises `NotFound`."""
    document = await store["configurations"].find_one({"_id": configuration_id, "organization_id": organization_id})
    if document is None:
        raise NotFound(Kind.CONFIGURATION, configuration_id)
    return StoredConfiguration.from_document(document)


@translates
async def list_configurations(
    store: Store, organization_id: str, *, cursor: str | None, limit: int
) -> Page[StoredConfiguration]:
    """The organization's configurations, newest first. Raises `InvalidCursor`."""
    mine = {"organization_id": organization_id}
    page = await newest_first(store["configurations"], mine, cursor=cursor, limit=limit, parts_of=_windows)
    return Page([StoredConfiguration.from_document(row) for row in page.rows], page.next_cursor)


async def edit_configuration(
    store: Store, organization_id: str, configuration_id: str, changes: Mapping[str, Any], now: datetime
) -> tuple[StoredConfiguration, int]:
    """Set the given ones of `FIELDS`; the configuration and its shard. Raises `NotFound`.

    Touches the organization in the same transaction.
    """
    if not changes.keys() <= set(FIELDS):
        raise ValueError(f"not editable: {sorted(changes.keys() - set(FIELDS))}")

    async def work(session: AsyncClientSession) -> tuple[StoredConfiguration, int]:
        document = await store["configurations"].find_one_and_update(
            {"_id": configuration_id, "organization_id": organization_id},
            {"$set": {**changes, "updated_at": now}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if document is None:
            raise NotFound(Kind.CONFIGURATION, configuration_id)
        return StoredConfiguration.from_document(document), await touch(store, organization_id, session)

    return await store.in_transaction(work)


@translates
async def delete_configuration(store: Store, organization_id: str, configuration_id: str) -> None:
    """Remove a configuration that no campaign refers to. Raises `NotFound`, or `Conflict` while one does."""
    mine = {"_id": configuration_id, "organization_id": organization_id}
    result = await store["configurations"].delete_one({**mine, "campaign_count": 0})
    if result.deleted_count:
        return
    if await store["configurations"].find_one(mine, {"_id": 1}) is None:
        raise NotFound(Kind.CONFIGURATION, configuration_id)
    raise Conflict(Clash.CONFIGURATION_IN_USE, configuration_id)


async def count_campaign(
    store: Store, organization_id: str, configuration_id: str, by: int, session: AsyncClientSession
) -> None:
    """Note that `by` more campaigns refer to the configuration. Raises `NotFound`."""
    result = await store["configurations"].update_one(
        {"_id": configuration_id, "organization_id": organization_id},
        {"$inc": {"campaign_count": by}},
        session=session,
    )
    if not result.matched_count:
        raise NotFound(Kind.CONFIGURATION, configuration_id)


def _windows(configuration: Mapping[str, Any]) -> int:
    own = (configuration.get("default_windows"), configuration.get("scheduled_windows"))
    overrides = (configuration.get("overrides"), configuration.get("scheduled_overrides"))
    of_zones = (override["windows"] for some in overrides for override in some or ())
    return sum(len(windows or ()) for windows in (*own, *of_zones))
