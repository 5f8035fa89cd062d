"""The owners of shards, and the global limit that shards share by grants.

`shards/{s} {epoch, held, grant, want, resting}` and `global_budget {limit, moves}`: grants never add up to more than
the limit, or than they did before it was lowered (I7). What they leave of it is free; nobody stores how much, so who
gives back meets nobody. Only schedulers write them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo import ReturnDocument, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure

from shared.domain.ids import SHARDS
from shared.store.client import Document, Store, translated, translates
from shared.store.dialing.shard_transaction import Ownership
from shared.store.documents.completing import complete
from shared.store.documents.dialing import ShardDocument

GLOBAL: Final = "global"
# The server's error for a transaction that writes what another has written meanwhile.
WRITE_CONFLICT: Final = 112


@dataclass(frozen=True, slots=True)
class ShardState:
    """One shard as stored. `want` maps organizations with work due to what they could use; `resting` of what is
    held belongs to the others."""

    shard: int
    epoch: int
    held: int
    grant: int
    want: Mapping[str, Mapping[str, Any]]
    resting: int


@dataclass(frozen=True, slots=True)
class ShardDemand:
    """The demand of a shard's organizations, and what rests there, as this owner says it."""

    owner: Ownership
    want: Mapping[str, Mapping[str, Any]]
    resting: int


@dataclass(frozen=True, slots=True)
class GrantMove:
    """A change of one shard's grant by this owner: positive takes, negative gives back."""

    owner: Ownership
    delta: int


@translates
async def ensure_shards(store: Store) -> None:
    """Create the shards and the global limit where they are missing. Safe to call again, by any process."""
    for shard in range(SHARDS):
        await store["shards"].update_one(
            {"_id": shard}, {"$setOnInsert": {"epoch": 0, "held": 0, "grant": 0, "want": {}}}, upsert=True
        )
    await store["global_budget"].update_one({"_id": GLOBAL}, {"$setOnInsert": {"limit": 0, "moves": 0}}, upsert=True)


@translates
async def take_over(store: Store, shard: int) -> int:
    """Become the shard's owner; the new epoch. Every write of an older owner fails from now on."""
    document = await store["shards"].find_one_and_update(
        {"_id": shard},
        {"$inc": {"epoch": 1}, "$setOnInsert": {"held": 0, "grant": 0, "want": {}}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    return int(document["epoch"]) if document else 0


@translates
async def read_global(store: Store) -> tuple[int, int]:
    """The global limit and what of it no shard has been granted; `free` is negative while a lowered limit settles."""
    return await _read_global(store, None)


async def _read_global(store: Store, session: AsyncClientSession | None) -> tuple[int, int]:
    pipeline: list[Document] = [{"$match": {"_id": GLOBAL}}, {"$project": {"limit": 1}}, sum_over_shards("grant")]
    async for document in await store["global_budget"].aggregate(pipeline, session=session):
        limit = int(document["limit"])
        return limit, limit - summed(document)
    return 0, 0


def sum_over_shards(name: str) -> Document:
    """A stage that adds to the documents of any collection the sum of this field over all shards; `summed` reads it."""
    total: list[Document] = [{"$group": {"_id": None, "sum": {"$sum": f"${name}"}}}]
    return {"$lookup": {"from": "shards", "pipeline": total, "as": "shards"}}


def summed(document: Document) -> int:
    """The sum that `sum_over_shards` has added."""
    return sum(int(total["sum"]) for total in document["shards"])


@translates
async def read_shards_and_global(store: Store) -> tuple[list[ShardState], int, int]:
    """All shards by number, and what `read_global` tells, in one request, not at one moment."""
    pipeline: list[Document] = [{"$unionWith": "global_budget"}]
    documents = {document["_id"]: document async for document in await store["shards"].aggregate(pipeline)}
    limit = int(documents.pop(GLOBAL, {"limit": 0})["limit"])
    states = [_state(documents[shard]) for shard in sorted(documents)]
    return states, limit, limit - sum(state.grant for state in states)


def _state(stored: Document) -> ShardState:
    document = complete(ShardDocument, stored)
    held = document["held"]
    # What rests was said a while ago; calls have ended since.
    resting = min(document["resting"], held)
    return ShardState(document["_id"], document["epoch"], held, document["grant"], document["want"], resting)


@translates
async def publish_wants(store: Store, demands: Sequence[ShardDemand]) -> None:
    """Publish what the organizations of these shards could use; nothing of a shard that has a newer owner."""
    await store["shards"].bulk_write(
        [
            UpdateOne(_owned(demand.owner), {"$set": {"want": dict(demand.want), "resting": demand.resting}})
            for demand in demands
        ],
        ordered=False,
    )


@translates
async def set_global_limit(store: Store, limit: int) -> bool:
    """Make the global limit `limit`; grants stay, so less than nothing may be free until owners give back.

    False when there is none yet.
    """
    result = await store["global_budget"].update_one({"_id": GLOBAL}, {"$set": {"limit": limit}})
    return result.matched_count == 1


async def move_grants(store: Store, moves: Sequence[GrantMove]) -> bool:
    """Take slots that are free, and give back, for different shards: where any takes, all of it or nothing.

    False when there is not that much free, when a shard would keep less than it holds, when one has a newer owner, or
    when somebody else takes just now: then read again what is free. If all give back there is nothing to guard
    together: after False those who could have done so.
    """
    moves = [move for move in moves if move.delta]

    async def work(session: AsyncClientSession) -> bool:
        try:
            moved = await _move(store, moves, session)
        except OperationFailure as error:
            if error.code != WRITE_CONFLICT:
                raise
            moved = False
        if not moved:
            await session.abort_transaction()
        return moved

    if any(move.delta > 0 for move in moves):
        return await store.in_transaction(work)
    async with translated():
        return not moves or await _move_all(store, moves)


async def _move(store: Store, moves: Sequence[GrantMove], session: AsyncClientSession) -> bool:
    more = sum(move.delta for move in moves)
    if more > 0:
        # Written, so that those who take collide, and first, so that whoever loses knows it at once. Who gives back
        # meanwhile only leaves more free than is seen here.
        await store["global_budget"].update_one({"_id": GLOBAL}, {"$inc": {"moves": 1}}, session=session)
        _, free = await _read_global(store, session)
        if free < more:
            return False
    return await _move_all(store, moves, session)


async def _move_all(store: Store, moves: Sequence[GrantMove], session: AsyncClientSession | None = None) -> bool:
    moved = await store["shards"].bulk_write([_guarded(move) for move in moves], ordered=False, session=session)
    return moved.matched_count == len(moves)


def _guarded(move: GrantMove) -> UpdateOne:
    guard = _owned(move.owner)
    if move.delta < 0:
        guard["$expr"] = {"$gte": [{"$add": ["$grant", move.delta]}, "$held"]}
    return UpdateOne(guard, {"$inc": {"grant": move.delta}})


def _owned(owner: Ownership) -> Document:
    """A filter that finds the shard as long as there is no newer owner."""
    return {"_id": owner.shard, "epoch": owner.epoch}


@translates
async def read_global_use(store: Store) -> tuple[int, int]:
    """The slots that all shards hold, and the global limit; 0 while no executor is alive, or none ever was."""
    states, limit, _ = await read_shards_and_global(store)
    return sum(state.held for state in states), limit
