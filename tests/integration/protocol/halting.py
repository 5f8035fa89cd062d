"""Halts in the world: limits of runs and circuit breakers are set, and schedulers look for runs that are full."""

from typing import Any

from shared.domain.ids import campaign_budget
from shared.errors import NotFound, WrongState
from shared.store.catalog.campaigns import edit_campaign, get_campaign
from shared.store.catalog.stored_campaign import Campaign
from shared.store.dialing import halts
from shared.store.dialing.halts import LimitedRun
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import Swept
from tests.integration.protocol.setting import CAMPAIGNS
from tests.integration.protocol.world import World, step


async def campaign(world: World, campaign_id: str) -> Campaign:
    """The campaign as it is stored."""
    return await get_campaign(world.store, CAMPAIGNS[campaign_id], campaign_id)


@step
async def edit(world: World, /, campaign_id: str, **changes: Any) -> None:
    """Set how many calls each run of a campaign makes, or its circuit breaker; one that is over stays as it is."""
    try:
        after = await edit_campaign(world.store, CAMPAIGNS[campaign_id], campaign_id, changes, world.now)
    except (WrongState, NotFound):
        return
    world.rules.max_calls[campaign_id].set(world.steps, after.max_calls)


@step
async def look(world: World, scheduler: int, shard: int) -> bool:
    """The look for runs that are full; whether one was halted."""
    runs = {}
    async for found in world.store["campaigns"].find({"shard": shard, "max_calls": {"$ne": None}}):
        runs[found["_id"]] = LimitedRun(found["organization_id"], found["generation"], found["max_calls"])

    async def write(owner: Ownership) -> object:
        # One that halts nothing writes nothing.
        return await halts.halt_full(world.store, owner, runs, world.now) or Swept()

    return isinstance(await world.owned_write(scheduler, shard, write), dict)


async def counted(world: World, campaign_id: str) -> tuple[int, int]:
    """The calls that the campaign's run has counted, and how many of them are on their way."""
    budget = await world.store["budgets"].find_one({"_id": campaign_budget(campaign_id)}) or {}
    return budget.get("calls", 0), budget.get("claims", 0)


async def evidence(world: World, campaign_id: str) -> tuple[int, int]:
    """The calls that the campaign's circuit breaker goes by, and how many of them failed."""
    counters = await world.store["counters"].find_one({"_id": campaign_id}) or {}
    parts = counters.get("breaker", {}).get("parts", [])
    return sum(part["calls"] for part in parts), sum(part["failures"] for part in parts)
