"""The registry of caller numbers: an organization's numbers, their limits and pools.

Every write is a transaction that touches the organization, as are those of its campaigns: a number or a pool that a
campaign names cannot vanish beside the request that names it.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from shared.domain.caller_numbers import MAX_REGISTERED, CallerNumber, NumberChoice
from shared.domain.campaign import OVER, CampaignState
from shared.domain.page import NumberedPage, Page
from shared.errors import BadSetting, Clash, Conflict, Flaw, Kind, NamedCampaign, NotFound
from shared.store.catalog.account_references import check_account
from shared.store.catalog.courses import NOT_DELETED, shown_as
from shared.store.catalog.named_campaigns import named_campaigns
from shared.store.catalog.organizations import touch
from shared.store.client import Document, Store, translates
from shared.store.paging import newest_first, numbered

EDITABLE: Final = frozenset(
    {"label", "weight", "max_calls", "daily_limit", "calls_per_second", "active", "pools", "telephony_account_id"}
)
# Fields of a campaign that say from which numbers it calls; at most one of the first three is set.
KINDS: Final = ("agent_number", "caller_numbers", "caller_number_pool")
CAMPAIGN_FIELDS: Final = (*KINDS, "caller_number_choice", "telephony_account_id")
# Campaigns in these states need no number: a completed one that is started again chooses from those that are left.
ENDED: Final = OVER | {CampaignState.COMPLETED}


@dataclass(frozen=True, slots=True)
class RegisteredNumber:
    """One entry of the registry as it is stored."""

    entry: CallerNumber
    label: str
    created_at: datetime
    updated_at: datetime
    external_id: str | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "RegisteredNumber":
        """The entry as it is stored."""
        as_stored = (document["label"], document["created_at"], document["updated_at"], document.get("external_id"))
        return cls(entry_of(document), *as_stored)


@dataclass(frozen=True, slots=True)
class NewNumber:
    """What a customer says about a number (E.164) that is to be registered."""

    number: str
    label: str
    weight: int
    max_calls: int | None
    daily_limit: int | None
    active: bool
    pools: Sequence[str]
    calls_per_second: float | None = None
    telephony_account_id: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool: how many numbers are in it, and how many of them are active."""

    name: str
    numbers: int
    active: int


def entry_of(document: Mapping[str, Any]) -> CallerNumber:
    """A stored entry as dialing sees it."""
    return CallerNumber(
        id=document["_id"],
        number=document["number"],
        weight=document["weight"],
        max_calls=document["max_calls"],
        daily_limit=document["daily_limit"],
        active=document["active"],
        pools=frozenset(document["pools"]),
        calls_per_second=document.get("calls_per_second"),
        account_id=document.get("telephony_account_id"),
        serial=document.get("serial"),
    )


async def register_number(
    store: Store, organization_id: str, new: NewNumber, now: datetime
) -> tuple[RegisteredNumber, int]:
    """A new entry, and the organization's shard.

    Raises `Conflict` when the number is registered already, its external_id is taken, or the registry is full, and
    `BadSetting` for an account that the organization has not.
    """
    document: Document = {
        "_id": str(uuid.uuid4()),
        "organization_id": organization_id,
        "number": new.number,
        "label": new.label,
        "weight": new.weight,
        "max_calls": new.max_calls,
        "daily_limit": new.daily_limit,
        "active": new.active,
        "pools": list(new.pools),
        "created_at": now,
        "updated_at": now,
    }

    for name in ("calls_per_second", "telephony_account_id", "external_id"):
        if (value := getattr(new, name)) is not None:
            document[name] = value

    async def work(session: AsyncClientSession) -> tuple[RegisteredNumber, int]:
        await check_account(store, organization_id, new.telephony_account_id, session)
        # Counting writes the organization: of two entries at once with one external_id the second one sees the first.
        shard, document["serial"] = await _count(store, organization_id, 1, session)
        named = {"organization_id": organization_id, "external_id": new.external_id}
        if new.external_id is not None and await store["caller_numbers"].find_one(named, {"_id": 1}, session=session):
            raise Conflict(Clash.CALLER_NUMBER_EXTERNAL_ID_TAKEN, new.external_id)
        await store["caller_numbers"].insert_one(document, session=session)
        return RegisteredNumber.from_document(document), shard

    try:
        return await store.in_transaction(work)
    except DuplicateKeyError as error:
        raise Conflict(Clash.CALLER_NUMBER_TAKEN, new.number) from error


@translates
async def get_number(store: Store, organization_id: str, number_id: str) -> RegisteredNumber:
    """The organization's entry. Raises `NotFound`."""
    return RegisteredNumber.from_document(await _found(store, organization_id, number_id))


@translates
async def get_number_by_serial(store: Store, organization_id: str, serial: int) -> RegisteredNumber:
    """The organization's entry by its serial. Raises `NotFound`."""
    document = await store["caller_numbers"].find_one({"organization_id": organization_id, "serial": serial})
    if document is None:
        raise NotFound(Kind.CALLER_NUMBER, str(serial))
    return RegisteredNumber.from_document(document)


@translates
async def list_numbers(
    store: Store,
    organization_id: str,
    *,
    pool: str | None,
    cursor: str | None,
    limit: int,
    account_id: str | None = None,
) -> Page[RegisteredNumber]:
    """The organization's entries, newest first; those of a pool, of an account, or (None) all.

    Raises `InvalidCursor`.
    """
    matching = _matching(organization_id, pool, account_id)
    page = await newest_first(store["caller_numbers"], matching, cursor=cursor, limit=limit)
    return Page([RegisteredNumber.from_document(row) for row in page.rows], page.next_cursor)


@translates
async def numbered_numbers(
    store: Store, organization_id: str, *, pool: str | None, offset: int, limit: int, account_id: str | None = None
) -> NumberedPage[RegisteredNumber]:
    """The organization's entries as `list_numbers` has them, from the `offset`-th on, and how many there are."""
    matching = _matching(organization_id, pool, account_id)
    page = await numbered(store["caller_numbers"], matching, offset=offset, limit=limit)
    return NumberedPage([RegisteredNumber.from_document(row) for row in page.rows], page.total)


def _matching(organization_id: str, pool: str | None, account_id: str | None) -> Document:
    wanted = {"pools": pool, "telephony_account_id": account_id}
    given = {name: value for name, value in wanted.items() if value is not None}
    return {"organization_id": organization_id, **given}


async def edit_number(
    store: Store, organization_id: str, number_id: str, changes: Mapping[str, Any], now: datetime
) -> tuple[RegisteredNumber, int]:
    """Set the given ones of `EDITABLE`; the entry, and the organization's shard.

    Raises `NotFound`, `Conflict` when a pool that a campaign names would lose its last number, or `BadSetting` for an
    account that the organization has not.
    """
    if not changes.keys() <= EDITABLE:
        raise ValueError(f"not editable: {sorted(changes.keys() - EDITABLE)}")

    async def work(session: AsyncClientSession) -> tuple[RegisteredNumber, int]:
        before = await _found(store, organization_id, number_id, session)
        await check_account(store, organization_id, changes.get("telephony_account_id"), session)
        left = set(before["pools"]) - set(changes.get("pools", before["pools"]))
        await _keep_used_pools(store, organization_id, left, number_id, now, session)
        after = await store["caller_numbers"].find_one_and_update(
            {"_id": number_id},
            {"$set": {**changes, "updated_at": now}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        shard = await touch(store, organization_id, session)
        if after is None:
            raise NotFound(Kind.CALLER_NUMBER, number_id)
        return RegisteredNumber.from_document(after), shard

    return await store.in_transaction(work)


async def delete_number(store: Store, organization_id: str, number_id: str, now: datetime) -> int:
    """Remove an entry; the organization's shard.

    Raises `NotFound`, or `Conflict` while a campaign that has not ended uses the number, or a call from it is up.
    """

    async def work(session: AsyncClientSession) -> int:
        entry = await _found(store, organization_id, number_id, session)
        using = await campaigns_calling_from(store, organization_id, [entry], now, session)
        if using:
            raise Conflict(Clash.CALLER_NUMBER_IN_USE, number_id, using)
        on_call = {"organization_id": organization_id, "lock.phone": {"$exists": True}}
        calling = {**on_call, "lock.caller_number": entry["number"]}
        if await store["contacts"].find_one(calling, {"_id": 1}, session=session, hint="live_phone"):
            raise Conflict(Clash.CALLER_NUMBER_ON_CALL, number_id)
        return await forget_numbers(store, organization_id, [entry], session)

    return await store.in_transaction(work)


@translates
async def list_pools(store: Store, organization_id: str) -> list[Pool]:
    """The organization's pools by name."""
    found = await store["caller_numbers"].aggregate(
        [
            {"$match": {"organization_id": organization_id}},
            {"$unwind": "$pools"},
            {"$group": {"_id": "$pools", "numbers": {"$sum": 1}, "active": {"$sum": {"$toInt": "$active"}}}},
            {"$sort": {"_id": 1}},
        ]
    )
    return [Pool(group["_id"], group["numbers"], group["active"]) async for group in found]


async def delete_pool(store: Store, organization_id: str, name: str, now: datetime) -> int:
    """Take all numbers out of a pool, which ends it; the organization's shard.

    Raises `NotFound` when no number is in it, or `Conflict` while a campaign that has not ended names it.
    """

    async def work(session: AsyncClientSession) -> int:
        using = await _campaigns(store, organization_id, [{"caller_number_pool": name}], now, session)
        if using:
            raise Conflict(Clash.POOL_IN_USE, name, using)
        taken = await store["caller_numbers"].update_many(
            {"organization_id": organization_id, "pools": name},
            {"$pull": {"pools": name}, "$set": {"updated_at": now}},
            session=session,
        )
        if not taken.matched_count:
            raise NotFound(Kind.CALLER_NUMBER_POOL, name)
        return await touch(store, organization_id, session)

    return await store.in_transaction(work)


async def check_numbers_of(
    store: Store, organization_id: str, campaign: Mapping[str, Any], session: AsyncClientSession
) -> None:
    """Check a campaign's fields about caller numbers and their account, in the transaction that writes them.

    Raises `BadSetting`: several kinds of numbers at once, a choice without numbers to choose from, an entry or account
    that the organization has not, a pool without numbers.
    """
    await check_account(store, organization_id, campaign.get("telephony_account_id"), session)
    given = [name for name in KINDS if campaign.get(name)]
    if len(given) > 1:
        raise BadSetting(Flaw.SEVERAL_KINDS_OF_NUMBERS, (given[1],), given[0])
    choice = campaign.get("caller_number_choice")
    if choice not in (None, NumberChoice.FIXED) and given not in (["caller_numbers"], ["caller_number_pool"]):
        raise BadSetting(Flaw.CHOICE_WITHOUT_NUMBERS, ("caller_number_choice",), choice)
    listed = [each["id"] for each in campaign.get("caller_numbers") or ()]
    if listed:
        mine = {"_id": {"$in": listed}, "organization_id": organization_id}
        known = {entry["_id"] async for entry in store["caller_numbers"].find(mine, {"_id": 1}, session=session)}
        for place, number_id in enumerate(listed):
            if number_id not in known:
                raise BadSetting(Flaw.UNKNOWN_CALLER_NUMBER, ("caller_numbers", place, "id"), number_id)
    name = campaign.get("caller_number_pool")
    if name and await _member(store, organization_id, name, "", session) is None:
        raise BadSetting(Flaw.EMPTY_POOL, ("caller_number_pool",), name)


async def _keep_used_pools(
    store: Store, organization_id: str, left: Iterable[str], number_id: str, now: datetime, session: AsyncClientSession
) -> None:
    for name in sorted(left):
        if await _member(store, organization_id, name, number_id, session) is None:
            using = await _campaigns(store, organization_id, [{"caller_number_pool": name}], now, session)
            if using:
                raise Conflict(Clash.POOL_IN_USE, name, using)


async def _member(
    store: Store, organization_id: str, name: str, but: str, session: AsyncClientSession
) -> Document | None:
    """Any number of a pool but this one; None: there is no other."""
    members = {"organization_id": organization_id, "pools": name, "_id": {"$ne": but}}
    return await store["caller_numbers"].find_one(members, {"_id": 1}, session=session)


async def campaigns_calling_from(
    store: Store, organization_id: str, entries: Sequence[Document], now: datetime, session: AsyncClientSession
) -> list[NamedCampaign]:
    """Campaigns, not ended at `now`, that name any of these numbers by some way; the first few."""
    if not entries:
        return []
    numbers = [entry["number"] for entry in entries]
    uses: list[Document] = [
        {"caller_numbers.id": {"$in": [entry["_id"] for entry in entries]}},
        {"agent_number": {"$in": numbers}},
    ]
    pools = sorted({pool for entry in entries for pool in entry["pools"]})
    if pools:
        uses.append({"caller_number_pool": {"$in": pools}})
    mine = {"organization_id": organization_id, "agent_number": {"$in": numbers}}
    by_configuration = [c["_id"] async for c in store["configurations"].find(mine, {"_id": 1}, session=session)]
    if by_configuration:
        # The configuration's number is a campaign's that has none of its own.
        uses.append({"configuration_id": {"$in": by_configuration}, **dict.fromkeys(KINDS)})
    return await _campaigns(store, organization_id, uses, now, session)


async def forget_numbers(
    store: Store, organization_id: str, entries: Sequence[Document], session: AsyncClientSession
) -> int:
    """Remove these entries, which no campaign uses and no call is made from; the organization's shard."""
    await store["caller_numbers"].delete_many({"_id": {"$in": [entry["_id"] for entry in entries]}}, session=session)
    shard, _ = await _count(store, organization_id, -len(entries), session)
    return shard


async def _campaigns(
    store: Store, organization_id: str, uses: Sequence[Document], now: datetime, session: AsyncClientSession
) -> list[NamedCampaign]:
    """Campaigns, not ended at `now`, that match any of these filters; the first few."""
    query = {"organization_id": organization_id, **NOT_DELETED, "$nor": [shown_as(ENDED, now)], "$or": list(uses)}
    return await named_campaigns(store, query, session)


async def _count(store: Store, organization_id: str, by: int, session: AsyncClientSession) -> tuple[int, int]:
    """Note that the registry has `by` more entries; the organization's shard, and the serial of a new entry."""
    after = await store["organizations"].find_one_and_update(
        {"_id": organization_id},
        {
            "$inc": {"caller_number_count": by, "caller_number_serial": max(by, 0)},
            "$currentDate": {"changed_at": True},
        },
        projection={"shard": 1, "caller_number_count": 1, "caller_number_serial": 1},
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    if after is None:
        raise NotFound(Kind.ORGANIZATION, organization_id)
    if after["caller_number_count"] > MAX_REGISTERED:
        raise Conflict(Clash.REGISTRY_FULL, organization_id)
    return after["shard"], after["caller_number_serial"]


async def _found(
    store: Store, organization_id: str, number_id: str, session: AsyncClientSession | None = None
) -> Document:
    mine = {"_id": number_id, "organization_id": organization_id}
    document = await store["caller_numbers"].find_one(mine, session=session)
    if document is None:
        raise NotFound(Kind.CALLER_NUMBER, number_id)
    return document
