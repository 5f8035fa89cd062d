"""Telephony accounts of organizations. Credentials are stored encrypted, and nothing here gives them out but
`credentials_of`, which executors, schedulers and the carrier's callbacks ask.

Every write is a transaction that touches the organization, as are those of its campaigns and caller numbers: an account
that one of them names cannot vanish beside the request that names it.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from shared.domain.campaign import OVER
from shared.domain.known_words import known
from shared.domain.telephony_accounts import MAX_ACCOUNTS, AccountInForce, AccountProvider
from shared.errors import Clash, Conflict, Kind, NotFound
from shared.store.catalog.caller_numbers import campaigns_calling_from, forget_numbers
from shared.store.catalog.courses import NOT_DELETED, shown_as
from shared.store.catalog.named_campaigns import named_campaigns
from shared.store.catalog.organizations import touch
from shared.store.client import Document, Store, translates
from shared.store.documents.catalog import TelephonyAccountDocument
from shared.store.documents.completing import complete

EDITABLE: Final = frozenset({"name", "active", "account_sid", "base_url", "credentials"})


@dataclass(frozen=True, slots=True)
class TelephonyAccount:
    """One account as it may be shown. `number` is unique within the organization, and higher than those made before.

    `numbers` are the caller numbers that belong to it, `active_numbers` those of them that are switched on.
    """

    id: str
    number: int
    name: str
    provider: AccountProvider
    active: bool
    is_default: bool
    account_sid: str | None
    base_url: str | None
    numbers: int
    active_numbers: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is to be stored of a new account; `credentials` are encrypted already."""

    name: str
    provider: AccountProvider
    active: bool = True
    account_sid: str | None = None
    base_url: str | None = None
    credentials: str | None = None
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """One account as those who speak with its carrier need it; `credentials` are encrypted.

    `provider` None: one that this version does not know.
    """

    id: str
    organization_id: str
    provider: AccountProvider | None
    account_sid: str | None
    base_url: str | None
    credentials: str | None


async def create_account(
    store: Store, organization_id: str, new: NewAccount, now: datetime
) -> tuple[TelephonyAccount, int]:
    """A new account, and the organization's shard. The first one is the default, whatever `new` says.

    Raises `Conflict` when another account has the name, or there are too many.
    """
    account_id = str(uuid.uuid4())

    async def work(session: AsyncClientSession) -> tuple[TelephonyAccount, int]:
        organization = await store["organizations"].find_one_and_update(
            {"_id": organization_id},
            {"$inc": {"account_number": 1, "account_count": 1}, "$currentDate": {"changed_at": True}},
            projection={"shard": 1, "account_number": 1, "account_count": 1},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if organization is None:
            raise NotFound(Kind.ORGANIZATION, organization_id)
        if organization["account_count"] > MAX_ACCOUNTS:
            raise Conflict(Clash.ACCOUNTS_FULL, organization_id)
        document: Document = {
            "_id": account_id,
            "organization_id": organization_id,
            "number": organization["account_number"],
            "name": new.name,
            "provider": new.provider,
            "active": new.active,
            "account_sid": new.account_sid,
            "base_url": new.base_url,
            "credentials": new.credentials,
            "created_at": now,
            "updated_at": now,
        }
        await store["telephony_accounts"].insert_one(document, session=session)
        is_default = new.is_default or organization["account_count"] == 1
        if is_default:
            await _choose(store, organization_id, account_id, session)
        return _account(document, account_id if is_default else None, {}), organization["shard"]

    try:
        return await store.in_transaction(work)
    except DuplicateKeyError as error:
        raise Conflict(Clash.ACCOUNT_NAME_TAKEN, new.name) from error


@translates
async def get_account(store: Store, organization_id: str, account_id: str) -> TelephonyAccount:
    """The organization's account by its id. Raises `NotFound`."""
    return await _shown(store, await _found(store, organization_id, account_id))


@translates
async def numbered_account(store: Store, organization_id: str, number: int) -> TelephonyAccount:
    """The organization's account by its number. Raises `NotFound`."""
    document = await store["telephony_accounts"].find_one({"organization_id": organization_id, "number": number})
    if document is None:
        raise NotFound(Kind.TELEPHONY_ACCOUNT, str(number))
    return await _shown(store, document)


@translates
async def list_accounts(store: Store, organization_id: str) -> list[TelephonyAccount]:
    """All accounts of the organization, in order of creation."""
    found = store["telephony_accounts"].find({"organization_id": organization_id}).sort("number", 1)
    documents = [document async for document in found]
    chosen, counts = await _chosen(store, organization_id), await _number_counts(store, organization_id)
    return [_account(document, chosen, counts) for document in documents]


async def edit_account(
    store: Store, organization_id: str, account_id: str, changes: Mapping[str, Any], now: datetime
) -> tuple[TelephonyAccount, int]:
    """Set the given ones of `EDITABLE`; the account, and the organization's shard.

    Raises `NotFound`, or `Conflict` when another account has the name.
    """
    if not changes.keys() <= EDITABLE:
        raise ValueError(f"not editable: {sorted(changes.keys() - EDITABLE)}")

    async def work(session: AsyncClientSession) -> tuple[Document, int]:
        after = await store["telephony_accounts"].find_one_and_update(
            {"_id": account_id, "organization_id": organization_id},
            {"$set": {**changes, "updated_at": now}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if after is None:
            raise NotFound(Kind.TELEPHONY_ACCOUNT, account_id)
        return after, await touch(store, organization_id, session)

    try:
        document, shard = await store.in_transaction(work)
    except DuplicateKeyError as error:
        raise Conflict(Clash.ACCOUNT_NAME_TAKEN, changes.get("name", "")) from error
    return await get_account(store, organization_id, document["_id"]), shard


async def choose_default(store: Store, organization_id: str, account_id: str) -> tuple[TelephonyAccount, int]:
    """Have calls placed through this account where nothing names another; the account, and the organization's shard.

    Raises `NotFound`.
    """

    async def work(session: AsyncClientSession) -> int:
        await _found(store, organization_id, account_id, session)
        await _choose(store, organization_id, account_id, session)
        return await touch(store, organization_id, session)

    shard = await store.in_transaction(work)
    return await get_account(store, organization_id, account_id), shard


async def delete_account(store: Store, organization_id: str, account_id: str, now: datetime) -> int:
    """Remove an account and the caller numbers that belong to it; the organization's shard.

    The oldest of those left becomes the default where this one was. Raises `NotFound`, or `Conflict` while a campaign
    that is not over names it, one that has not ended calls from a number of it, or a call through it is up.
    """

    async def work(session: AsyncClientSession) -> int:
        await _found(store, organization_id, account_id, session)
        naming = {
            "organization_id": organization_id,
            **NOT_DELETED,
            "$nor": [shown_as(OVER, now)],
            "telephony_account_id": account_id,
        }
        numbers = [
            entry
            async for entry in store["caller_numbers"].find(
                {"organization_id": organization_id, "telephony_account_id": account_id}, session=session
            )
        ]
        using = await named_campaigns(store, naming, session)
        using = using or await campaigns_calling_from(store, organization_id, numbers, now, session)
        if using:
            raise Conflict(Clash.ACCOUNT_IN_USE, account_id, using)
        on_call = {"organization_id": organization_id, "lock.phone": {"$exists": True}, "lock.account": account_id}
        if await store["contacts"].find_one(on_call, {"_id": 1}, session=session, hint="live_phone"):
            raise Conflict(Clash.ACCOUNT_ON_CALL, account_id)
        await store["telephony_accounts"].delete_one({"_id": account_id}, session=session)
        await forget_numbers(store, organization_id, numbers, session)
        organization = await store["organizations"].find_one_and_update(
            {"_id": organization_id}, {"$inc": {"account_count": -1}}, session=session
        )
        if (organization or {}).get("default_account_id") == account_id:
            mine = {"organization_id": organization_id}
            oldest = await store["telephony_accounts"].find_one(mine, {"_id": 1}, sort=[("number", 1)], session=session)
            await _choose(store, organization_id, oldest["_id"] if oldest else None, session)
        return await touch(store, organization_id, session)

    return await store.in_transaction(work)


@translates
async def accounts_of(
    store: Store, organization_ids: Collection[str], session: AsyncClientSession | None = None
) -> dict[str, list[AccountInForce]]:
    """The accounts of these organizations as dialing sees them, by organization id.

    One of a carrier that this version does not know counts as switched off.
    """
    accounts: dict[str, list[AccountInForce]] = {organization_id: [] for organization_id in organization_ids}
    if organization_ids:
        fields = {"organization_id": 1, "number": 1, "name": 1, "provider": 1, "active": 1}
        query = {"organization_id": {"$in": sorted(organization_ids)}}
        async for document in store["telephony_accounts"].find(query, fields, session=session):
            provider = known(AccountProvider, document["provider"])
            accounts[document["organization_id"]].append(
                AccountInForce(
                    document["_id"],
                    document["number"],
                    document["name"],
                    provider or AccountProvider.DIALSTREAM,
                    document["active"] and provider is not None,
                )
            )
    return accounts


@translates
async def credentials_of(store: Store, account_ids: Collection[str]) -> list[StoredAccount]:
    """These accounts with their encrypted credentials, also those that are switched off; unknown ids are left out."""
    found = store["telephony_accounts"].find({"_id": {"$in": sorted(account_ids)}})
    return [_stored(complete(TelephonyAccountDocument, document)) async for document in found]


def _stored(document: Document) -> StoredAccount:
    return StoredAccount(
        document["_id"],
        document["organization_id"],
        known(AccountProvider, document["provider"]),
        document["account_sid"],
        document["base_url"],
        document["credentials"],
    )


async def _shown(store: Store, document: Document) -> TelephonyAccount:
    organization_id = document["organization_id"]
    chosen, counts = await _chosen(store, organization_id), await _number_counts(store, organization_id)
    return _account(document, chosen, counts)


def _account(stored: Document, chosen: str | None, counts: Mapping[str, tuple[int, int]]) -> TelephonyAccount:
    document = complete(TelephonyAccountDocument, stored)
    numbers, active_numbers = counts.get(document["_id"], (0, 0))
    return TelephonyAccount(
        id=document["_id"],
        number=document["number"],
        name=document["name"],
        provider=AccountProvider(document["provider"]),
        active=document["active"],
        is_default=document["_id"] == chosen,
        account_sid=document["account_sid"],
        base_url=document["base_url"],
        numbers=numbers,
        active_numbers=active_numbers,
        created_at=document["created_at"],
        updated_at=document["updated_at"],
    )


async def _number_counts(store: Store, organization_id: str) -> dict[str, tuple[int, int]]:
    """How many caller numbers belong to each account, and how many of these are active."""
    found = await store["caller_numbers"].aggregate(
        [
            {"$match": {"organization_id": organization_id, "telephony_account_id": {"$type": "string"}}},
            {
                "$group": {
                    "_id": "$telephony_account_id",
                    "numbers": {"$sum": 1},
                    "active": {"$sum": {"$toInt": "$active"}},
                }
            },
        ]
    )
    return {group["_id"]: (group["numbers"], group["active"]) async for group in found}


async def _chosen(store: Store, organization_id: str) -> str | None:
    organization = await store["organizations"].find_one({"_id": organization_id}, {"default_account_id": 1})
    chosen: str | None = (organization or {}).get("default_account_id")
    return chosen


async def _choose(store: Store, organization_id: str, account_id: str | None, session: AsyncClientSession) -> None:
    await store["organizations"].update_one(
        {"_id": organization_id}, {"$set": {"default_account_id": account_id}}, session=session
    )


async def _found(
    store: Store, organization_id: str, account_id: str, session: AsyncClientSession | None = None
) -> Document:
    mine = {"_id": account_id, "organization_id": organization_id}
    document = await store["telephony_accounts"].find_one(mine, session=session)
    if document is None:
        raise NotFound(Kind.TELEPHONY_ACCOUNT, account_id)
    return document
