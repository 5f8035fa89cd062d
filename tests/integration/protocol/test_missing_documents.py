"""Somebody has removed a document that all others are looked up from: nothing is decided without it."""

import pytest

from shared.errors import OwnershipLost, TemporaryError
from shared.store.client import Store
from shared.store.dialing import gate
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import ACME, ANN, new_world
from tests.integration.protocol.test_traces import ACME_SHARD, A, job_for, start


async def test_the_gate_gives_no_answer_when_there_is_nothing_to_look_from(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    mine = await start(world, A, ANN)
    limit = await store["global_budget"].find_one_and_delete({})
    with pytest.raises(TemporaryError, match="global limit is not in the database"):
        await gate.look(store, {ANN: mine.nonce}, world.now)
    assert limit is not None
    await store["global_budget"].insert_one(limit)
    await drain(world)


async def test_a_shard_that_is_not_in_the_database_is_nobodys(store: Store) -> None:
    world = await new_world(store)
    shard = await store["shards"].find_one_and_delete({"_id": ACME_SHARD})
    assert shard is not None
    order = ClaimOrder([ANN], {ACME: 1})
    with pytest.raises(OwnershipLost, match="not in the database"):
        await do_shard_work(store, Ownership(ACME_SHARD, shard["epoch"]), ShardWork(claim=order), world.now)
    await store["shards"].insert_one(shard)
    await drain(world)
