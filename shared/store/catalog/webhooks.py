"""Subscriptions to webhooks. Every write is one transaction with the organization's `fact_types`.

`fact_types` are what its active subscriptions want, all together: facts of other types are not even written.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.page import NumberedPage, Page
from shared.domain.webhooks import MAX_WEBHOOKS, Dialect, OffReason
from shared.errors import Clash, Conflict, Kind, NotFound
from shared.store.client import Document, Store, translates
from shared.store.documents.completing import complete
from shared.store.documents.webhooks import WebhookDocument
from shared.store.paging import newest_first, numbered

EDITABLE: Final = frozenset({"url", "events", "fact_types", "description", "active", "secret"})


@dataclass(frozen=True, slots=True)
class Webhook:
    """One subscription. `campaign_id` None: to all campaigns; `encrypted` is its signing secret, encrypted.

    `old_encrypted` is the secret of before, which signs too until `old_until` (UTC).
    """

    id: str
    organization_id: str
    campaign_id: str | None
    url: str
    dialect: Dialect
    events: tuple[str, ...]
    fact_types: frozenset[str]
    description: str | None
    active: bool
    off_because: OffReason | None
    encrypted: str
    old_encrypted: str | None
    old_until: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "Webhook":
        """The subscription as it is stored."""
        document = complete(WebhookDocument, stored)
        off = document["off_because"]
        return cls(
            id=document["_id"],
            organization_id=document["organization_id"],
            campaign_id=document["campaign_id"],
            url=document["url"],
            dialect=Dialect(document["dialect"]),
            events=tuple(document["events"]),
            fact_types=frozenset(document["fact_types"]),
            description=document["description"],
            active=document["active"],
            off_because=None if off is None else OffReason(off),
            encrypted=document["secret"],
            old_encrypted=document["old_secret"],
            old_until=document["old_secret_until"],
            created_at=document["created_at"],
            updated_at=document["updated_at"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """What a customer says about a subscription. `events` are the dialect's names, `fact_types` the facts behind them.

    `secret` None: one is made.
    """

    url: str
    events: Sequence[str]
    fact_types: Collection[str]
    dialect: Dialect = Dialect.NATIVE
    campaign_id: str | None = None
    description: str | None = None
    secret: str | None = None
    active: bool = True


@translates
async def webhooks_of(
    store: Store, organization_id: str, campaign_ids: Collection[str], dialect: Dialect
) -> list[Webhook]:
    """The subscriptions to these campaigns that are told in a dialect."""
    query = {"organization_id": organization_id, "campaign_id": {"$in": list(campaign_ids)}, "dialect": dialect.value}
    return [Webhook.from_document(document) async for document in store["webhooks"].find(query)]


async def create_webhook(
    store: Store, organization_id: str, new: NewWebhook, encrypted: str, now: datetime
) -> tuple[Webhook, int]:
    """A new subscription, and the organization's shard.

    Raises `Conflict` where the organization, or the campaign, has as many as it may.
    """
    document: Document = {
        "_id": str(uuid.uuid4()),
        "organization_id": organization_id,
        "campaign_id": new.campaign_id,
        "url": new.url,
        "dialect": new.dialect.value,
        "events": list(new.events),
        "fact_types": sorted(new.fact_types),
        "description": new.description,
        "secret": encrypted,
        "active": new.active,
        "off_because": None if new.active else OffReason.CUSTOMER.value,
        "created_at": now,
        "updated_at": now,
    }

    async def work(session: AsyncClientSession) -> tuple[Webhook, int]:
        await store["webhooks"].insert_one(document, session=session)
        beside = {"organization_id": organization_id, "campaign_id": new.campaign_id}
        if await store["webhooks"].count_documents(beside, session=session) > MAX_WEBHOOKS:
            raise Conflict(Clash.WEBHOOKS_FULL, new.campaign_id or organization_id)
        return Webhook.from_document(document), await _sum_up(store, organization_id, session)

    return await store.in_transaction(work)


@translates
async def get_webhook(store: Store, organization_id: str, webhook_id: str) -> Webhook:
    """The organization's subscription. Raises `NotFound`."""
    return _found(await store["webhooks"].find_one(_mine(organization_id, webhook_id)), webhook_id)


@translates
async def list_webhooks(
    store: Store, organization_id: str, *, campaign_id: str | None, cursor: str | None, limit: int
) -> Page[Webhook]:
    """Subscriptions, newest first; those of a campaign, or (None) all. Raises `InvalidCursor`."""
    page = await newest_first(store["webhooks"], _matching(organization_id, campaign_id), cursor=cursor, limit=limit)
    return Page([Webhook.from_document(row) for row in page.rows], page.next_cursor)


@translates
async def numbered_webhooks(
    store: Store, organization_id: str, *, campaign_id: str | None, offset: int, limit: int
) -> NumberedPage[Webhook]:
    """Subscriptions as `list_webhooks` has them, from the `offset`-th on, and how many there are."""
    page = await numbered(store["webhooks"], _matching(organization_id, campaign_id), offset=offset, limit=limit)
    return NumberedPage([Webhook.from_document(row) for row in page.rows], page.total)


async def edit_webhook(
    store: Store, organization_id: str, webhook_id: str, changes: Mapping[str, Any], now: datetime
) -> tuple[Webhook, int]:
    """Set the given ones of `EDITABLE`; the subscription, and the organization's shard. Raises `NotFound`.

    `secret` is encrypted already, and replaces all secrets that there were.
    """
    if not changes.keys() <= EDITABLE:
        raise ValueError(f"not editable: {sorted(changes.keys() - EDITABLE)}")
    update = {**changes, "updated_at": now}
    for name in ("events", "fact_types"):
        if name in changes:
            update[name] = sorted(changes[name])
    if "active" in changes:
        update["off_because"] = None if changes["active"] else OffReason.CUSTOMER.value
    if "secret" in changes:
        update |= {"old_secret": None, "old_secret_until": None}
    return await _change(store, organization_id, webhook_id, {"$set": update})


async def rotate_secret(
    store: Store, organization_id: str, webhook_id: str, encrypted: str, until: datetime, now: datetime
) -> tuple[Webhook, int]:
    """Replace the signing secret; the one of before signs beside it until `until`, and older ones no more.

    The subscription, and the organization's shard. Raises `NotFound`.
    """
    kept: Document = {"old_secret": None, "old_secret_until": None}
    if until > now:
        kept = {"old_secret": "$secret", "old_secret_until": until}
    change = {"$set": {**kept, "secret": {"$literal": encrypted}, "updated_at": now}}
    return await _change(store, organization_id, webhook_id, [change])


async def switch_off(store: Store, organization_id: str, webhook_id: str, now: datetime) -> bool:
    """Switch a subscription off because its receiver is gone; whether it was on."""

    async def work(session: AsyncClientSession) -> bool:
        done = await store["webhooks"].update_one(
            {**_mine(organization_id, webhook_id), "active": True},
            {"$set": {"active": False, "off_because": OffReason.GONE.value, "updated_at": now}},
            session=session,
        )
        if done.matched_count:
            await _sum_up(store, organization_id, session)
        return bool(done.matched_count)

    return await store.in_transaction(work)


async def delete_webhook(store: Store, organization_id: str, webhook_id: str) -> int:
    """Remove a subscription; the organization's shard. Raises `NotFound`."""

    async def work(session: AsyncClientSession) -> int:
        done = await store["webhooks"].delete_one(_mine(organization_id, webhook_id), session=session)
        if not done.deleted_count:
            raise NotFound(Kind.WEBHOOK, webhook_id)
        return await _sum_up(store, organization_id, session)

    return await store.in_transaction(work)


@translates
async def active_webhooks(
    store: Store, organizations: Collection[str], campaigns: Collection[str]
) -> Sequence[Webhook]:
    """The subscriptions of these organizations that are on: those to all campaigns, and those to one of these."""
    query = {
        "organization_id": {"$in": list(organizations)},
        "campaign_id": {"$in": [None, *campaigns]},
        "active": True,
    }
    return [Webhook.from_document(row) async for row in store["webhooks"].find(query)]


@translates
async def webhooks_by_id(store: Store, webhook_ids: Collection[str]) -> Mapping[str, Webhook]:
    """Those of these subscriptions that there are, of any organization."""
    found = store["webhooks"].find({"_id": {"$in": list(webhook_ids)}})
    return {row["_id"]: Webhook.from_document(row) async for row in found}


async def _change(store: Store, organization_id: str, webhook_id: str, update: Any) -> tuple[Webhook, int]:
    async def work(session: AsyncClientSession) -> tuple[Webhook, int]:
        after = await store["webhooks"].find_one_and_update(
            _mine(organization_id, webhook_id), update, return_document=ReturnDocument.AFTER, session=session
        )
        return _found(after, webhook_id), await _sum_up(store, organization_id, session)

    return await store.in_transaction(work)


async def _sum_up(store: Store, organization_id: str, session: AsyncClientSession) -> int:
    """Write what the organization's subscriptions want, last in their transaction; the organization's shard.

    Writers of one organization's subscriptions collide here, so none overlooks what another one adds.
    """
    wanted = await store["webhooks"].distinct(
        "fact_types", {"organization_id": organization_id, "active": True}, session=session
    )
    document = await store["organizations"].find_one_and_update(
        {"_id": organization_id},
        {"$set": {"fact_types": sorted(wanted)}, "$currentDate": {"changed_at": True}},
        projection={"shard": True},
        session=session,
    )
    if document is None:
        raise NotFound(Kind.ORGANIZATION, organization_id)
    shard: int = document["shard"]
    return shard


def _mine(organization_id: str, webhook_id: str) -> Document:
    return {"_id": webhook_id, "organization_id": organization_id}


def _matching(organization_id: str, campaign_id: str | None) -> Document:
    return {"organization_id": organization_id, **({} if campaign_id is None else {"campaign_id": campaign_id})}


def _found(document: Mapping[str, Any] | None, webhook_id: str) -> Webhook:
    if document is None:
        raise NotFound(Kind.WEBHOOK, webhook_id)
    return Webhook.from_document(document)
