"""Campaigns that complete by themselves or have an end date: what their owners set, and what schedulers make of it."""

import functools
from datetime import timedelta

from shared.errors import BadSetting, NotFound, WrongState
from shared.store.catalog.campaigns import edit_campaign
from shared.store.client import Document
from shared.store.dialing import completion
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import Swept
from tests.integration.protocol.world import World, step


@step
async def auto_complete(world: World, campaign_id: str, *, on: bool) -> bool:
    """Have a campaign complete by itself, or go on until it is closed; whether its state allows it."""
    return await _edit(world, campaign_id, {"auto_complete": on})


@step
async def end(world: World, campaign_id: str, seconds: float | None) -> bool:
    """Set a campaign's end date, so many seconds from now, or (None) take it away; whether that is allowed."""
    end_at = None if seconds is None else world.now + timedelta(seconds=seconds)
    if not await _edit(world, campaign_id, {"end_at": end_at}):
        return False
    world.rules.ends[campaign_id] = end_at
    world.rules.ended[campaign_id].set(world.steps, end_at is not None and end_at <= world.now)
    return True


async def _edit(world: World, campaign_id: str, changes: Document) -> bool:
    campaign = await world.store["campaigns"].find_one({"_id": campaign_id})
    assert campaign is not None
    try:
        await edit_campaign(world.store, campaign["organization_id"], campaign_id, changes, world.now)
    except (WrongState, BadSetting, NotFound):
        return False
    return True


@step
async def complete(world: World, scheduler: int, shard: int) -> set[str]:
    """Complete the shard's campaigns in which nothing is left, or which have ended; those that were."""
    completed = set()
    for campaign_id in [c for c in world.rules.active if world.shard_of[c] == shard]:
        if not world.owns(scheduler, shard):
            break
        write = functools.partial(_complete, world, campaign_id)
        if await world.owned_write(scheduler, shard, write) == Swept(1):
            world.rules.active[campaign_id].set(world.steps, False)
            completed.add(campaign_id)
    return completed


async def _complete(world: World, campaign_id: str, owner: Ownership) -> Swept:
    return Swept(int(await completion.complete_campaign(world.store, owner, campaign_id, world.now)))


async def note_accepted(world: World, *contact_ids: str) -> None:
    """Have the watch know who was taken in, or asked for, while the campaign was running."""
    for contact_id in contact_ids:
        contact = await world.store["contacts"].find_one({"_id": contact_id}, {"campaign_id": 1})
        campaign = await world.store["campaigns"].find_one({"_id": contact["campaign_id"]}) if contact else None
        if campaign is not None:
            world.watch.ends.accepted(contact_id, campaign, world.now)
