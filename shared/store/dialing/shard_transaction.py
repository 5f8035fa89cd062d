"""One scheduler transaction: its session, what it may look at, and the sums it changes."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact_name import NAME_FIELDS
from shared.errors import OwnershipLost
from shared.store.client import Document, Store
from shared.store.dialing.context import DialingContext, Root
from shared.store.dialing.ledger import Ledger
from shared.store.dialing.run_sums import RunSums
from shared.store.documents.completing import stored_fields
from shared.store.documents.contacts import ContactDocument, contact_of

_FOR_THE_CALL_ALONE: Final = {"data": 0, "initial_context": 0}
_READ: Final = stored_fields(ContactDocument) - _FOR_THE_CALL_ALONE.keys()
# What a call's record keeps of the data: the name.
_READ_WITH_NAME: Final = _READ | {"data"}
_WITH_NAME: Final = dict.fromkeys((*sorted(_READ), *(f"data.{name}" for names in NAME_FIELDS for name in names)), 1)


@dataclass(frozen=True, slots=True)
class Ownership:
    """A shard and the epoch under which this process owns it."""

    shard: int
    epoch: int


@dataclass(frozen=True, slots=True)
class ShardTransaction:
    """One run of a scheduler transaction; made anew for every run, and never outlives it."""

    store: Store
    session: AsyncClientSession
    ledger: Ledger
    context: DialingContext

    @classmethod
    def begin(cls, store: Store, session: AsyncClientSession, owner: Ownership) -> "ShardTransaction":
        """Begin a run with empty sums and nothing read."""
        context = DialingContext(store, Root("shards", owner.shard, ("grant", "held", "last_call")), session)
        # Runs are counted where they were read, so that each count is told once.
        return cls(store, session, Ledger(owner.shard, owner.epoch, runs=RunSums(context.runs)), context)

    async def read_contacts(self, contact_ids: Collection[str], *, with_name: bool = False) -> dict[str, Document]:
        """These contacts of the shard as the transaction sees them, with the context of each loaded."""
        query = {"_id": {"$in": list(set(contact_ids))}, "shard": self.ledger.shard}
        return await self.find_contacts(query, limit=0, with_name=with_name)

    async def find_contacts(self, query: Document, limit: int, *, with_name: bool = False) -> dict[str, Document]:
        """Contacts that match, at most `limit` (0: all), by id, with the context of each loaded.

        All of each, but what its agent is told in the call: that may be large, and no move looks at it. `with_name`:
        of the data what a name is made of.

        Raises `OwnershipLost` when the shard's own document is gone: who takes the shard over makes it anew.
        """
        projection, fields = (_WITH_NAME, _READ_WITH_NAME) if with_name else (_FOR_THE_CALL_ALONE, _READ)
        cursor = self.store["contacts"].find(query, projection, session=self.session).limit(limit)
        contacts = {document["_id"]: contact_of(document, fields) async for document in cursor}
        await self.context.load(contacts.values())
        if contacts and self.context.root_document is None:
            raise OwnershipLost(f"shard {self.ledger.shard} is not in the database")
        return contacts
