"""The end of a run: the faults stop, everybody works, and everything must come to rest (I9, I10)."""

from shared.domain.campaign import DIALED, CampaignMove, shown_state
from shared.domain.outcome import Outcome
from shared.store.catalog.courses import course_of
from shared.store.dialing.adoption import adopt_facts
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shards import read_global
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete
from tests.integration.protocol import edits, ends, halting
from tests.integration.protocol.setting import ACME
from tests.integration.protocol.told import check_told, told_to
from tests.integration.protocol.world import SEATS, SHARDS, World, step

ROUNDS = 60
# What nobody reports on is given up when the carrier's time limit has passed; retries wait shorter.
SECONDS_A_ROUND = 45.0


async def drain(world: World) -> None:
    """Let the world come to rest, then look whether it has."""
    await _stop_faults(world)
    for number in range(ROUNDS):
        if await world.settled():
            break
        await _round(world, number)
    await _complete_all(world)
    for shard in SHARDS:
        await adopt_facts(world.store, Ownership(shard, world.epochs[shard]))
    told = await told_to(world.store, ACME)
    # Kafka may still hold repeats of what is long over: they must change nothing.
    for shard in SHARDS:
        await world.take_over(0, shard)
        world.schedulers[0].positions[shard] = 0
        await world.work(0, shard)
    assert await told_to(world.store, ACME) == told, "what is over was told again"
    await check_told(world.store, ACME)
    await world.promises.check_end(world.carrier.calls, world.carrier.unknowable)


@step
async def _stop_faults(world: World) -> None:
    world.carrier.away = False
    world.carrier.refused.clear()
    for shard in SHARDS:
        await world.take_over(0, shard)
    for organization_id in world.rules.caps:
        await edits.lift_caps(world, organization_id)
    for organization_id, number in world.rules.registered:
        lifted = {"max_calls": None, "daily_limit": None, "active": True}
        await edits.edit_number(world, organization_id, number, lifted)
    for campaign_id in world.rules.active:
        await halting.edit(world, campaign_id, max_calls=None, circuit_breaker=None)
        await edits.move(world, campaign_id, CampaignMove.START)
        await edits.set_windows(world, campaign_id, is_open=True)


@step
async def _round(world: World, number: int) -> None:
    for shard in SHARDS:
        await world.expire(0, shard)
        await world.reconcile(0, shard)
        await world.work(0, shard, claim=())
        await world.sweep(0, shard)
        await ends.complete(world, 0, shard)
    # Whose turn it is changes, because the whole limit may be one call.
    for shard in SHARDS if number % 2 else reversed(SHARDS):
        await _share_out(world, shard)
        await world.work(0, shard)
        await world.look()
    await world.publish(0)
    for executor in SEATS:
        await _dial_all(world, executor)
    for late in list(world.carrier.late):
        world.carrier.late.remove(late)
    for call in world.carrier.live():
        world.carrier.end(call, Outcome.ANSWERED)
    for call in list(world.carrier.reports):
        await world.report(call)
    for executor in SEATS:
        await world.flush(executor)
    # Built-in retries wait for hours, and caps for up to a week.
    await world.pass_time(SECONDS_A_ROUND if number % 4 else 12 * 3600)


async def _complete_all(world: World) -> None:
    """Every campaign that completes by itself, or has ended, is completed: nothing is left in any."""
    for shard in SHARDS:
        await ends.complete(world, 0, shard)
    for stored in await world.store["campaigns"].find({}).to_list():
        campaign = complete(CampaignDocument, stored)
        course = course_of(campaign)
        goes_on = shown_state(course, world.now).state in DIALED
        due = campaign["auto_complete"] or course.has_ended(world.now)
        assert not (goes_on and due), "S2: a campaign goes on, and nothing is left in it"


async def _share_out(world: World, shard: int) -> None:
    """Give back what the others do not use, and take all that is free."""
    for other in SHARDS:
        state = await world.store["shards"].find_one({"_id": other})
        assert state is not None
        await world.move_grant(0, other, state["held"] - state["grant"])
    _, free = await read_global(world.store)
    if free > 0:
        await world.move_grant(0, shard, free)


async def _dial_all(world: World, executor: int) -> None:
    await world.poll(executor)
    for task in list(world.executors[executor].tasks):
        await world.dial(executor, task)
