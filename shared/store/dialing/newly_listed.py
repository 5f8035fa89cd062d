"""Waiting contacts whose numbers have come onto a do-not-call list: found by the index, part by part.

A part costs the same however many wait: one page of the newest entries of all organizations, oldest first, or one
batch of an organization's contacts with the page's numbers. Whatever interrupts a part, it alone is looked at again;
a new owner of the shard begins at the last page that was done.
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.errors import CursorNotFound, PyMongoError

from shared.domain.contact import ContactStatus
from shared.domain.phone import spellings
from shared.errors import Unavailable
from shared.store.client import Document, Store, translates
from shared.store.dialing.safety_look import OVERLAP
from shared.store.dialing.shard_catalog import server_now
from shared.store.documents.completing import complete
from shared.store.documents.dialing import ShardDocument

NUMBERS: Final = 500
CONTACTS: Final = 500
# Entries of the last seconds that are remembered, so that they are not swept twice.
REMEMBERED: Final = 20_000
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)

# An entry's time and id: where it stands in the order of the index.
Place = tuple[datetime, str]


@dataclass(slots=True)
class _Pass:
    """One way through the entries: where it stands, and the server's time when it began."""

    began: datetime
    after: Place


class NewlyListed:
    """The newly listed numbers of one shard's organizations, gone through for one owner of the shard."""

    def __init__(self, store: Store, shard: int) -> None:
        self._store, self._shard = store, shard
        self._again = False
        self._pass: _Pass | None = None
        self._page_end: Place | None = None
        self._page: list[Place] = []  # those of our organizations
        self._numbers: dict[str, set[str]] = {}  # what is left of them to look up, by organization
        self._swept: set[Place] = set()
        self._contacts: AsyncCursor[Document] | None = None  # those of the first organization
        self._part: list[str] | None = None

    def look_again(self) -> None:
        """Have a pass under way followed by another: entries may have come behind the place where it is."""
        self._again = True

    @translates
    async def next_part(self, organization_ids: Container[str]) -> list[str] | None:
        """Waiting contacts that may have to be skipped, at most 500 and often none; None: there is no more to look at.

        The same part again until `part_is_done`. Entries of other organizations than these are passed over.
        """
        if self._part is None:
            self._part = await self._read_part(organization_ids)
        return self._part

    @translates
    async def part_is_done(self) -> None:
        """Note that the contacts of the part that was given out have been skipped, or need not be."""
        if self._pass and self._page_end and not self._numbers:
            await self._remember(self._page_end[0])
            recent = self._pass.began - OVERLAP
            self._swept.update([place for place in self._page if place[0] >= recent][: REMEMBERED - len(self._swept)])
            self._pass.after, self._page_end = self._page_end, None
        self._part = None

    async def _read_part(self, organization_ids: Container[str]) -> list[str] | None:
        """Read the next entries, unless there are numbers left of the last ones, then contacts with these numbers."""
        if self._page_end is None and not await self._read_page(organization_ids):
            return await self._end_pass()
        organization_id = next(iter(self._numbers), None)
        return [] if organization_id is None else await self._read_contacts(organization_id)

    async def _read_page(self, organization_ids: Container[str]) -> bool:
        """Read the next entries; whether there are any."""
        if self._pass is None:
            self._pass = await self._new_pass(await self._done_until())
        created_at, entry_id = self._pass.after
        later: Document = {"$or": [{"created_at": {"$gt": created_at}}, {"_id": {"$gt": entry_id}}]}
        found = self._store["do_not_call"].find(
            {"created_at": {"$gte": created_at}, **later},
            {"organization_id": 1, "phone_number": 1, "created_at": 1},
            hint="sweep",
        )
        entries = await found.sort([("created_at", 1), ("_id", 1)]).limit(NUMBERS).to_list()
        ours = [entry for entry in entries if entry["organization_id"] in organization_ids]
        for entry in ours:
            if _place(entry) not in self._swept:
                self._numbers.setdefault(entry["organization_id"], set()).update(spellings(entry["phone_number"]))
        self._page = [_place(entry) for entry in ours]
        self._page_end = _place(entries[-1]) if entries else None
        return bool(entries)

    async def _read_contacts(self, organization_id: str) -> list[str]:
        """Read a batch of the organization's contacts with the numbers; after the last one its numbers are done."""
        if self._contacts is None:
            numbers = sorted(self._numbers[organization_id])
            query: dict[str, Any] = {"organization_id": organization_id, "phone_numbers": {"$in": numbers}}
            # Whoever has been called is read too, and left out here: a query for those who wait could read very many
            # to find few.
            self._contacts = self._store["contacts"].find(query, {"status": 1}, hint="phones", batch_size=CONTACTS)
        cursor = self._contacts
        try:
            contacts = await cursor.to_list(CONTACTS)
        except PyMongoError as error:
            # The server has let it go, or will: these numbers are looked up anew.
            self._contacts = None
            if isinstance(error, CursorNotFound):
                raise Unavailable("MongoDB", "a cursor was lost") from error
            raise
        if len(contacts) < CONTACTS:
            await cursor.close()
            self._contacts = None
            del self._numbers[organization_id]
        return [contact["_id"] for contact in contacts if contact["status"] == ContactStatus.PENDING]

    async def _new_pass(self, since: datetime) -> _Pass:
        """A pass over everything listed since then; stamps are gateways' own, so it begins a little before."""
        began = await server_now(self._store)
        self._again = False
        since -= OVERLAP
        self._swept = {place for place in self._swept if place[0] >= since}
        return _Pass(began, (since, ""))

    async def _end_pass(self) -> list[str] | None:
        """End a pass that has gone through every entry; whether another pass follows."""
        if self._pass is not None:
            began = self._pass.began
            await self._remember(began)
            self._pass = await self._new_pass(began) if self._again else None
        return None if self._pass is None else []

    async def _done_until(self) -> datetime:
        document = await self._store["shards"].find_one({"_id": self._shard}, {"listed_until": 1}) or {}
        until: datetime = complete(ShardDocument, document, {"listed_until"})["listed_until"]
        return until

    async def _remember(self, until: datetime) -> None:
        """Keep up to when entries have been swept. Going backwards is harmless: the next pass looks again."""
        await self._store["shards"].update_one({"_id": self._shard}, {"$set": {"listed_until": until}})


def _place(entry: Document) -> Place:
    return entry["created_at"], entry["_id"]
