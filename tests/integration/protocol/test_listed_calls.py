"""Calls as they are listed while the engine makes them."""

import pytest

from shared.domain.call_numbers import microseconds
from shared.domain.calls import Call, CallFilter, CallOrder, CallStatus, Reader
from shared.domain.outcome import Outcome
from shared.events import CallFinished
from shared.store.client import Store
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from shared.store.reports.answered_calls import ended_calls_by_number
from shared.store.reports.calls import list_calls
from tests.factories import new_id
from tests.integration.protocol.drain import drain
from tests.integration.protocol.setting import ACME, ANN, new_world
from tests.integration.protocol.test_single_checks import say
from tests.integration.protocol.test_traces import ACME_SHARD, A, job_for, start
from tests.integration.protocol.world import World

READER = Reader(sensitive=True)


async def listed(world: World) -> list[Call]:
    """Ann's calls, the oldest first."""
    hers = CallFilter(contact_ids=(ANN,))
    page = await list_calls(world.store, ACME, hers, order=CallOrder.OLDEST, cursor=None, limit=9, reader=READER)
    return [row.call for row in page.rows]


async def test_a_call_is_listed_from_its_placement_on_under_one_number_with_the_outcome_before_it(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    assert await listed(world) == [], "claimed, and not placed"
    await start(world, A, ANN)
    [under_way] = await listed(world)
    assert (under_way.status, under_way.attempt_number, under_way.outcome_before) == (CallStatus.IN_PROGRESS, 1, None)
    await say(world, under_way.id, Outcome.BUSY)
    [ended] = await listed(world)
    assert (ended.id, ended.number, ended.outcome) == (under_way.id, under_way.number, Outcome.BUSY)
    assert ended.phone_number == under_way.phone_number
    await world.pass_time(6)
    await job_for(world, ANN)
    await start(world, A, ANN)
    [_, again] = await listed(world)
    assert (again.outcome_before, again.attempt_number) == (Outcome.BUSY, 2)
    assert again.number > ended.number
    await say(world, again.id, Outcome.NO_ANSWER)
    assert [call.outcome_before for call in await listed(world)] == [None, Outcome.BUSY]
    await drain(world)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"first_name": "Ann", "last_name": "Lee", "notes": "x" * 9}, "Ann Lee"),
        ({"name": "Ann"}, "Ann"),
        (None, None),
    ],
)
async def test_a_call_keeps_its_contacts_name_when_it_has_ended(
    store: Store, data: dict[str, str] | None, name: str | None
) -> None:
    world = await new_world(store)
    await store["contacts"].update_one({"_id": ANN}, {"$set": {"data": data}})
    await job_for(world, ANN)
    await start(world, A, ANN)
    [under_way] = await listed(world)
    await say(world, under_way.id, Outcome.BUSY)
    [ended] = await listed(world)
    assert (under_way.contact_name, ended.contact_name) == (name, name)
    stored = await store["contacts"].find_one({"_id": ANN}, {"data": 1})
    assert stored is not None
    assert stored["data"] == data


async def test_a_call_counts_once_for_its_caller_number_however_often_its_ending_comes(store: Store) -> None:
    world = await new_world(store)
    await job_for(world, ANN)
    await start(world, A, ANN)
    [under_way] = await listed(world)
    number, since = under_way.caller_number, under_way.created_at
    assert number is not None

    async def counted() -> dict[str, int]:
        return dict((await ended_calls_by_number(store, ACME, [number], since)).of(number).outcomes)

    assert await counted() == {}
    for _ in range(2):
        await say(world, under_way.id, Outcome.UNKNOWN)
        assert await counted() == {Outcome.UNKNOWN: 1}
    # A better report takes the place of a provisional one.
    for _ in range(2):
        await say(world, under_way.id, Outcome.ANSWERED)
        assert await counted() == {Outcome.ANSWERED: 1}
    await drain(world)


async def test_a_late_report_of_a_deleted_contact_is_listed_with_a_number_of_its_own(store: Store) -> None:
    world = await new_world(store)
    ids = {"organization_id": ACME, "shard": ACME_SHARD, "contact_id": new_id(), "attempt_id": new_id()}
    ended = CallFinished.model_validate({**ids, "outcome": Outcome.BUSY, "ended_at": world.now})
    owner = world.schedulers[ACME_SHARD].owned[ACME_SHARD]
    await do_shard_work(store, owner, ShardWork(ended=[ended]), world.now)
    everything = CallFilter()
    page = await list_calls(store, ACME, everything, order=CallOrder.NEWEST, cursor=None, limit=9, reader=READER)
    [late] = [row.call for row in page.rows]
    assert (late.id, late.phone_number, late.attempt_number, late.campaign_id) == (ended.attempt_id, None, None, None)
    assert late.number == microseconds(world.now)
