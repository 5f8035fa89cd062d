"""A write is safe when a majority has it; what is not confirmed must be tried again, and never end a loop."""

import pytest
from pymongo import WriteConcern
from pymongo.errors import BulkWriteError, OperationFailure, WriteError

from shared.clock import utc_now
from shared.domain.ids import conversation_id_of
from shared.domain.outcome import Outcome
from shared.errors import Unavailable
from shared.events import CallFinished
from shared.store.client import Store, translated
from shared.store.dialing.executors import Heartbeat, beat
from shared.store.dialing.results import add_results
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from shared.store.dialing.shards import ShardDemand, ensure_shards, publish_wants, take_over
from tests.factories import new_id


@pytest.fixture
def minority(store: Store) -> Store:
    """The same database where a write never finds enough members to confirm it."""
    return Store(store.client, store.db.with_options(write_concern=WriteConcern(w=2, wtimeout=100)))


def ending(**fields: str) -> CallFinished:
    ids = {"organization_id": new_id(), "attempt_id": new_id(), "contact_id": new_id(), **fields}
    return CallFinished.model_validate({"shard": 0, "outcome": Outcome.BUSY, "ended_at": utc_now(), **ids})


async def test_an_ending_no_majority_has_is_not_taken_for_safe(store: Store, minority: Store) -> None:
    event = ending()
    with pytest.raises(Unavailable):
        await add_results(minority, [event])
    await add_results(store, [event])
    assert await store["results"].count_documents({}) == 1


async def test_a_write_no_majority_has_counts_as_not_made(minority: Store) -> None:
    with pytest.raises(Unavailable):
        await beat(minority, Heartbeat("executor-0", 1, 10, 10.0, draining=False))


async def test_many_writes_at_once_that_no_majority_has_count_as_not_made(store: Store, minority: Store) -> None:
    await ensure_shards(store)
    with pytest.raises(Unavailable):
        await publish_wants(minority, [ShardDemand(Ownership(shard, 0), {}, 0) for shard in range(2)])


async def test_a_write_that_is_wrong_is_not_taken_for_a_server_that_is_away(minority: Store) -> None:
    with pytest.raises(BulkWriteError):
        async with translated():
            await minority["results"].insert_many([{"_id": 1}, {"_id": 1}], ordered=False)


NO_ROOM = "28: No space left on device"


@pytest.mark.parametrize(
    "refused",
    [
        # As MongoDB 6.0 has said it, of one write and of several.
        WriteError(NO_ROOM, 8, {"index": 0, "code": 8, "errmsg": NO_ROOM}),
        BulkWriteError({"writeErrors": [{"index": 0, "code": 8, "errmsg": NO_ROOM}], "writeConcernErrors": []}),
        OperationFailure("no room to sort in", 14031),
    ],
)
async def test_a_server_whose_disk_is_full_is_to_be_tried_again(refused: OperationFailure) -> None:
    with pytest.raises(Unavailable):
        async with translated():
            raise refused


@pytest.mark.parametrize(
    "wrong",
    [
        WriteError("a fault", 8, {"index": 0, "code": 8, "errmsg": "a fault"}),
        BulkWriteError({"writeErrors": [{"index": 0, "code": 8, "errmsg": "a fault"}], "writeConcernErrors": []}),
        WriteError(NO_ROOM, 121, {"index": 0, "code": 121, "errmsg": NO_ROOM}),
    ],
)
async def test_a_fault_that_the_server_does_not_know_either_stays_one(wrong: OperationFailure) -> None:
    with pytest.raises(type(wrong)):
        async with translated():
            raise wrong


async def test_the_report_of_an_attempt_that_is_not_ours_stops_nothing(store: Store) -> None:
    owner = Ownership(0, await take_over(store, 0))
    event = ending(attempt_id="somebody else's")
    await do_shard_work(store, owner, ShardWork(ended=[event]), utc_now())
    stored = await store["attempts"].find_one({"_id": event.attempt_id})
    assert stored is not None
    assert stored["conversation_id"] == conversation_id_of(event.attempt_id)
