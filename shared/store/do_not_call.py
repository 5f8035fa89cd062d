"""An organization's own do-not-call list: numbers that are never called, whatever campaign they stand in.

The gate right before each call reads this list; everything earlier only saves work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.errors import NotFound
from shared.store.client import Store, translates
from shared.store.organizations import touch
from shared.store.paging import Page, newest_first

_OUR_API: Final = "api"


@dataclass(frozen=True, slots=True)
class DoNotCallEntry:
    """One number, in E.164, and where the wish came from."""

    phone_number: str
    reason: str | None
    source: str
    created_at: datetime

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "DoNotCallEntry":
        """The entry as it is stored."""
        source = document.get("source", _OUR_API)
        return cls(document["phone_number"], document.get("reason"), source, document["created_at"])


def entry_id(organization_id: str, phone_number: str) -> str:
    """The `_id` under which a number is listed."""
    return f"{organization_id}:{phone_number}"


async def add_numbers(
    store: Store, organization_id: str, phone_numbers: Sequence[str], reason: str | None, now: datetime
) -> tuple[list[DoNotCallEntry], int]:
    """List the numbers (E.164, each once); the entries in the given order, and the organization's shard.

    One that is listed already keeps its time, and its reason unless a new one is given. Safe to repeat.
    """
    ids = {entry_id(organization_id, number): number for number in phone_numbers}

    async def work(session: AsyncClientSession) -> tuple[list[DoNotCallEntry], int]:
        entries = store["do_not_call"]
        found = {row["_id"]: row async for row in entries.find({"_id": {"$in": list(ids)}}, session=session)}
        fresh = [
            _document(key, organization_id, number, reason, now) for key, number in ids.items() if key not in found
        ]
        if fresh:
            await entries.insert_many(fresh, session=session)
        if reason is not None and found:
            await entries.update_many({"_id": {"$in": list(found)}}, {"$set": {"reason": reason}}, session=session)
            found = {key: {**row, "reason": reason} for key, row in found.items()}
        found |= {row["_id"]: row for row in fresh}
        shard = await touch(store, organization_id, session)
        return [DoNotCallEntry.from_document(found[key]) for key in ids], shard

    return await store.in_transaction(work)


async def remove_number(store: Store, organization_id: str, phone_number: str) -> int:
    """Take a number off the list; the organization's shard. Raises `NotFound`."""

    async def work(session: AsyncClientSession) -> int:
        result = await store["do_not_call"].delete_one(
            {"_id": entry_id(organization_id, phone_number)}, session=session
        )
        if not result.deleted_count:
            raise NotFound("This number is not on your do-not-call list; write it in E.164, such as +14155550123.")
        return await touch(store, organization_id, session)

    return await store.in_transaction(work)


@translates
async def list_numbers(store: Store, organization_id: str, *, cursor: str | None, limit: int) -> Page[DoNotCallEntry]:
    """The organization's list, newest first. Raises `InvalidCursor`."""
    page = await newest_first(store["do_not_call"], {"organization_id": organization_id}, cursor=cursor, limit=limit)
    return Page([DoNotCallEntry.from_document(row) for row in page.rows], page.next_cursor)


def _document(key: str, organization_id: str, phone_number: str, reason: str | None, now: datetime) -> dict[str, Any]:
    return {
        "_id": key,
        "organization_id": organization_id,
        "phone_number": phone_number,
        "reason": reason,
        "source": _OUR_API,
        "created_at": now,
    }
