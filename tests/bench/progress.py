"""Waiting until a run is somewhere: contact-ingest at work, contacts completed, batches stored, nothing held."""

from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaProducer

from shared.domain.ids import SHARDS
from tests.bench.batches import Order, message, send
from tests.bench.crowd import held
from tests.bench.stage import Member, Stage, until
from tests.factories import add_campaign, add_configuration

WARM_UP_SECONDS = 60.0
# Looking costs what is measured: where a tenth of a second does not matter, no oftener.
SELDOM = 0.1


async def warm_up_ingest(stage: Stage, order: Order, producer: AIOKafkaProducer, members: Sequence[Member]) -> None:
    """One batch into another campaign, which is paused: the process is up and has compiled what it needs."""
    configuration = await add_configuration(stage.store, order.organization)
    other = await add_campaign(stage.store, order.organization, configuration, intent="paused")
    await send(producer, stage, *message(Order(order.organization, [other], order.credential, 1), -1))
    await until_stored(stage, 1, members, WARM_UP_SECONDS)


async def until_completed(stage: Stage, wanted: Mapping[str, int], members: Sequence[Member], seconds: float) -> None:
    """Return once each of these campaigns, by id, has so many completed contacts."""

    async def missing() -> dict[str, int]:
        counters = stage.store["counters"].find({"_id": {"$in": list(wanted)}}, {"completed": 1})
        found = {counter["_id"]: counter.get("completed", 0) async for counter in counters}
        return {campaign: n - found.get(campaign, 0) for campaign, n in wanted.items() if found.get(campaign, 0) < n}

    async def done() -> bool:
        return not await missing()

    async def far() -> str:
        return f"contacts not completed yet, by campaign: {await missing()}"

    await until(done, members, seconds, far, every=SELDOM)


async def until_stored(
    stage: Stage, batches: int, members: Sequence[Member], seconds: float, *, every: float = 0.01
) -> None:
    """Return once contact-ingest has stored so many batches, looked at `every` so many seconds."""

    async def how_many() -> int:
        return await stage.store["ingest_batches"].count_documents({"status": "done"})

    async def done() -> bool:
        return await how_many() >= batches

    async def far() -> str:
        return f"{await how_many()} of {batches} batches are done"

    await until(done, members, seconds, far, every=every)


async def until_nothing_held(stage: Stage, members: Sequence[Member], seconds: float) -> None:
    """Return once no budget and no shard holds a slot."""

    async def nothing() -> bool:
        return not await held(stage.store)

    async def far() -> str:
        return f"held: {await held(stage.store)}"

    await until(nothing, members, seconds, far, every=SELDOM)


async def until_taken_over(stage: Stage, members: Sequence[Member], seconds: float) -> None:
    """Return once every shard has an owner."""

    async def unowned() -> int:
        return SHARDS - await stage.store["shards"].count_documents({"epoch": {"$gt": 0}})

    async def all_taken() -> bool:
        return not await unowned()

    async def far() -> str:
        return f"shards without an owner: {await unowned()}"

    await until(all_taken, members, seconds, far, every=SELDOM)
