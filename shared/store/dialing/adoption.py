"""ADOPT: facts that other services have written are numbered by their shard's owner."""

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.store.client import Store
from shared.store.dialing.facts import take_waiting
from shared.store.dialing.ledger import Ledger
from shared.store.dialing.shard_transaction import Ownership


async def adopt_facts(store: Store, owner: Ownership) -> int:
    """Number some of the facts that wait in the shard; how many. Safe to repeat.

    Raises `OwnershipLost` (stop owning the shard) or `Unavailable` (try again).
    """
    query = {"shard": owner.shard}
    if await store["facts_in"].find_one(query, {"_id": 1}) is None:
        return 0

    async def run(session: AsyncClientSession) -> int:
        ledger = Ledger(owner.shard, owner.epoch)
        ledger.adopted = await take_waiting(store, session, query)
        if ledger.adopted:
            await ledger.write(store, session)
        return ledger.facts_written

    return await store.in_transaction(run)
