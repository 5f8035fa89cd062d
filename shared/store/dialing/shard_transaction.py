"""One scheduler transaction: its session, what it may look at, and the sums it changes."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
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
# So many contacts are read ahead at most. Of few, a request costs more than what it reads; of many, each contact with
# the name in its data costs the server more than without.
FEW: Final = 64
_WITH_NAME: Final = dict.fromkeys((*sorted(_READ), *(f"data.{name}" for names in NAME_FIELDS for name in names)), 1)
# In one answer, where the server's default brings a hundred first: more than any step reads.
AT_ONCE: Final = 2000


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
    _ahead: dict[str, Document | None] = field(default_factory=dict)

    @classmethod
    def begin(cls, store: Store, session: AsyncClientSession, owner: Ownership) -> "ShardTransaction":
        """Begin a run with empty sums and nothing read."""
        context = DialingContext(store, Root("shards", owner.shard, ("grant", "held", "last_call")), session)
        # Runs are counted where they were read, so that each count is told once.
        return cls(store, session, Ledger(owner.shard, owner.epoch, runs=RunSums(context.runs)), context)

    async def read_ahead(self, contact_ids: Collection[str]) -> None:
        """Read contacts that several steps of this transaction will ask for, in one request; not more than `FEW`.

        Each is handed out once, to the step that asks for it first. Who asks later sees what was written since.
        """
        if len(contact_ids) <= FEW:
            found = await self.read_contacts(contact_ids, with_name=True)
            self._ahead.update({contact_id: found.get(contact_id) for contact_id in contact_ids})

    def take_ahead(self, contact_ids: Iterable[str]) -> tuple[dict[str, Document], list[str]]:
        """Those of these contacts that were read ahead and are in the shard, by id; and the ids of which none was."""
        wanted = set(contact_ids)
        known = wanted & self._ahead.keys()
        taken = {contact_id: self._ahead.pop(contact_id) for contact_id in known}
        return {key: contact for key, contact in taken.items() if contact is not None}, list(wanted - known)

    def forget_ahead(self) -> None:
        """Have contacts that were read ahead read again: a step has written some that it was not given."""
        self._ahead.clear()

    async def read_contacts(self, contact_ids: Collection[str], *, with_name: bool = False) -> dict[str, Document]:
        """These contacts of the shard as the transaction sees them, with the context of each loaded."""
        contacts, others = self.take_ahead(contact_ids)
        if others:
            query = {"_id": {"$in": others}, "shard": self.ledger.shard}
            contacts |= await self.find_contacts(query, limit=0, with_name=with_name)
        return contacts

    async def find_contacts(self, query: Document, limit: int, *, with_name: bool = False) -> dict[str, Document]:
        """Contacts that match, at most `limit` (0: all), by id, with the context of each loaded.

        All of each, but what its agent is told in the call: that may be large, and no move looks at it. `with_name`:
        of the data what a name is made of.

        Raises `OwnershipLost` when the shard's own document is gone: who takes the shard over makes it anew.
        """
        projection, fields = (_WITH_NAME, _READ_WITH_NAME) if with_name else (_FOR_THE_CALL_ALONE, _READ)
        cursor = self.store["contacts"].find(query, projection, session=self.session).limit(limit).batch_size(AT_ONCE)
        contacts = {document["_id"]: contact_of(document, fields) for document in await cursor.to_list()}
        await self.context.load(contacts.values())
        if contacts and self.context.root_document is None:
            raise OwnershipLost(f"shard {self.ledger.shard} is not in the database")
        return contacts
