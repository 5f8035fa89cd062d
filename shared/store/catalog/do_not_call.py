"""An organization's own do-not-call list: numbers that are never called, whatever campaign they stand in.

The gate right before each call reads this list; everything earlier only saves work. An entry stops calls to its phone
in every spelling: its `_id` has the form that all of them share, `phone_number` the one the customer wrote. An older
entry may have another spelling in its `_id`, so look-ups ask for all of them.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.ids import listing_id
from shared.domain.page import NumberedPage, Page
from shared.domain.phone import compared, spellings
from shared.errors import Kind, NotFound
from shared.store.catalog.organizations import touch
from shared.store.client import Store, translates
from shared.store.documents.catalog import FROM_CALL, NATIVE, DoNotCallDocument
from shared.store.documents.completing import complete
from shared.store.paging import newest_first, numbered

# Where an entry of the native API says it comes from; until their migration has ended, older ones are stored as `api`.
_RENAMED_SOURCES: Final = {"api": NATIVE}

TellOf = Callable[[Store, AsyncClientSession, str, Sequence[str], datetime], Awaitable[None]]
"""Tells in a transaction of numbers (E.164) of an organization that get listed then."""


@dataclass(frozen=True, slots=True)
class DoNotCallEntry:
    """One number, in E.164, and where the wish came from."""

    phone_number: str
    reason: str | None
    source: str
    created_at: datetime

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "DoNotCallEntry":
        """The entry as it is stored."""
        document = complete(DoNotCallDocument, stored)
        return cls(
            document["phone_number"],
            document["reason"],
            _RENAMED_SOURCES.get(document["source"], document["source"]),
            document["created_at"],
        )


def entry_id(organization_id: str, phone_number: str) -> str:
    """The `_id` under which a phone is listed, whatever spelling of its number is given."""
    return listing_id(organization_id, compared(phone_number))


def listing_ids(organization_id: str, phones: Iterable[str]) -> list[str]:
    """The `_id`s, each once, of all entries that would stop calls to these numbers."""
    return list(dict.fromkeys(listing_id(organization_id, number) for phone in phones for number in spellings(phone)))


def stopped_by(entries: Iterable[Mapping[str, Any]], organization_id: str, phones: Iterable[str]) -> set[str]:
    """The numbers, as they are given, that one of these entries stops.

    Of an entry only `organization_id` and `phone_number` are read; another organization's stops nothing.
    """
    listed = {compared(entry["phone_number"]) for entry in entries if entry["organization_id"] == organization_id}
    return {phone for phone in phones if compared(phone) in listed}


async def stopped_numbers(
    store: Store, organization_id: str, phones: Collection[str], session: AsyncClientSession | None = None
) -> set[str]:
    """The numbers among these that are on the organization's list in any spelling."""
    if not phones:
        return set()
    ids = listing_ids(organization_id, phones)
    fields = {"organization_id": 1, "phone_number": 1}
    entries = await store["do_not_call"].find({"_id": {"$in": ids}}, fields, session=session).to_list()
    return stopped_by(entries, organization_id, phones)


async def add_numbers(
    store: Store,
    organization_id: str,
    phone_numbers: Sequence[str],
    reason: str | None,
    now: datetime,
    source: str = NATIVE,
    tell_of: TellOf | None = None,
) -> tuple[list[DoNotCallEntry], int]:
    """List the numbers (E.164); their entries in the given order, each once, and the organization's shard.

    `tell_of` tells, in the same transaction, of the numbers that were not listed yet.

    A phone that is listed already, in whatever spelling, keeps its number, its time and its source, and its reason
    unless a new one is given. Safe to repeat.
    """
    numbers: dict[str, str] = {}
    for number in phone_numbers:
        numbers.setdefault(entry_id(organization_id, number), number)

    async def work(session: AsyncClientSession) -> tuple[list[DoNotCallEntry], int]:
        entries = store["do_not_call"]
        ids = listing_ids(organization_id, numbers.values())
        stored = await entries.find({"_id": {"$in": ids}}, session=session).to_list()
        if reason is not None and stored:
            listed = [row["_id"] for row in stored]
            await entries.update_many({"_id": {"$in": listed}}, {"$set": {"reason": reason}}, session=session)
            stored = [{**row, "reason": reason} for row in stored]
        found = {entry_id(organization_id, row["phone_number"]): row for row in stored}
        fresh = [
            _document(key, organization_id, number, reason, now, source)
            for key, number in numbers.items()
            if key not in found
        ]
        if fresh:
            await entries.insert_many(fresh, session=session)
            if tell_of is not None:
                await tell_of(store, session, organization_id, [row["phone_number"] for row in fresh], now)
        found |= {row["_id"]: row for row in fresh}
        shard = await touch(store, organization_id, session)
        return [DoNotCallEntry.from_document(found[key]) for key in numbers], shard

    return await store.in_transaction(work)


async def list_from_call(
    store: Store, session: AsyncClientSession, organization_id: str, phones: Collection[str], now: datetime
) -> None:
    """List the numbers (E.164) of a person who asked in a call not to be called again, in the caller's transaction.

    Inserts alone: a phone that is listed already, in whatever spelling, keeps its entry. Who calls this tells the
    schedulers: by `touch`, or as the scheduler itself.
    """
    stopped = await stopped_numbers(store, organization_id, phones, session)
    fresh = {entry_id(organization_id, phone): phone for phone in phones if phone not in stopped}
    if fresh:
        documents = [
            _document(key, organization_id, phone, None, now, FROM_CALL) for key, phone in sorted(fresh.items())
        ]
        await store["do_not_call"].insert_many(documents, session=session)


async def remove_number(store: Store, organization_id: str, phone_number: str) -> int:
    """Take a phone off the list, in whatever spelling it was listed; the organization's shard. Raises `NotFound`."""

    async def work(session: AsyncClientSession) -> int:
        listed = {"_id": {"$in": listing_ids(organization_id, [phone_number])}}
        result = await store["do_not_call"].delete_many(listed, session=session)
        if not result.deleted_count:
            raise NotFound(Kind.DO_NOT_CALL_NUMBER, phone_number)
        return await touch(store, organization_id, session)

    return await store.in_transaction(work)


async def remove_numbers_of(
    store: Store, organization_id: str, phone_numbers: Collection[str], source: str
) -> tuple[set[str], int | None]:
    """Take those of these phones off the list that this source has listed.

    The numbers among them that stay listed, by another source, and the organization's shard (None: nothing was taken).
    """

    async def work(session: AsyncClientSession) -> tuple[set[str], int | None]:
        ids = {"_id": {"$in": listing_ids(organization_id, phone_numbers)}}
        removed = await store["do_not_call"].delete_many({**ids, "source": source}, session=session)
        left = await stopped_numbers(store, organization_id, phone_numbers, session)
        return left, await touch(store, organization_id, session) if removed.deleted_count else None

    return await store.in_transaction(work)


@translates
async def list_numbers(store: Store, organization_id: str, *, cursor: str | None, limit: int) -> Page[DoNotCallEntry]:
    """The organization's list, newest first. Raises `InvalidCursor`."""
    page = await newest_first(store["do_not_call"], {"organization_id": organization_id}, cursor=cursor, limit=limit)
    return Page([DoNotCallEntry.from_document(row) for row in page.rows], page.next_cursor)


@translates
async def entries_of(store: Store, organization_id: str, phone_number: str) -> list[DoNotCallEntry]:
    """What stops calls to this phone (E.164), in whatever spelling it was listed: mostly one entry, or none."""
    listed = {"_id": {"$in": listing_ids(organization_id, [phone_number])}}
    return [DoNotCallEntry.from_document(row) async for row in store["do_not_call"].find(listed)]


@translates
async def numbered_entries(
    store: Store, organization_id: str, *, offset: int, limit: int
) -> NumberedPage[DoNotCallEntry]:
    """The organization's list from the `offset`-th entry on, newest first, and how many entries there are."""
    page = await numbered(store["do_not_call"], {"organization_id": organization_id}, offset=offset, limit=limit)
    return NumberedPage([DoNotCallEntry.from_document(row) for row in page.rows], page.total)


def _document(
    key: str, organization_id: str, phone_number: str, reason: str | None, now: datetime, source: str = NATIVE
) -> dict[str, Any]:
    return {
        "_id": key,
        "organization_id": organization_id,
        "phone_number": phone_number,
        "reason": reason,
        "source": source,
        "created_at": now,
    }
