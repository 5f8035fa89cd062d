"""Two writers of one shard at the same moment: MongoDB decides who comes first, or that one must start again."""

import asyncio
from collections.abc import Awaitable
from enum import StrEnum

from shared.domain.campaign import CampaignMove
from tests.integration.protocol import edits
from tests.integration.protocol.setting import CAMPAIGNS, PHONES
from tests.integration.protocol.world import SEATS, SHARDS, World, step


class Rival(StrEnum):
    """Who writes while an owner's transaction runs."""

    OLD_OWNER = "old owner"
    NEW_OWNER = "new owner"
    GRANT = "grant"
    TAKE = "take"
    LIMIT = "limit"
    START = "start"
    EDIT = "edit"
    DELETE = "delete"
    LIST = "list"
    CLOSE = "close"
    PAUSE = "pause"
    UNSCHEDULE = "unschedule"
    RESET = "reset"
    WISHES = "wishes"


@step
async def race(world: World, shard: int, owners: list[int], rival: Rival, pick: int) -> None:
    """The shard's newest owner (the first of `owners`) works, and gives back what it frees, against a rival."""
    await asyncio.gather(world.work(owners[0], shard, needed=0), _rival(world, shard, owners, rival, pick))


def _rival(world: World, shard: int, owners: list[int], rival: Rival, pick: int) -> Awaitable[object]:
    contact_id = world.contacts[pick % len(world.contacts)]
    match rival:
        case Rival.OLD_OWNER if len(owners) == 2:
            return world.work(owners[1], shard)
        case Rival.GRANT:
            return world.move_grant(owners[0], shard, 1 if pick % 2 else -1)
        case Rival.TAKE if takers := [(s, other) for other in SHARDS for s in SEATS if world.owns(s, other)]:
            return world.move_grant(*takers[pick % len(takers)], 1)
        case Rival.LIMIT:
            return edits.limit_all(world, 1 + pick % 4)
        case Rival.START if startable := [(e, t) for e in (0, 1) for t in world.executors[e].tasks if not t.nonce]:
            return world.start(*startable[pick % len(startable)])
        case Rival.EDIT:
            return edits.edit_numbers(world, contact_id, PHONES[pick])
        case Rival.DELETE:
            return edits.delete_at_once(world, contact_id)
        case Rival.LIST:
            organization_id = list(CAMPAIGNS.values())[pick % len(CAMPAIGNS)]
            return edits.list_number(world, organization_id, PHONES[pick])
        case Rival.CLOSE | Rival.PAUSE:
            move = CampaignMove.CANCEL if rival is Rival.CLOSE else CampaignMove.PAUSE
            return edits.move(world, list(CAMPAIGNS)[pick % len(CAMPAIGNS)], move)
        case Rival.UNSCHEDULE:
            return edits.schedule(world, list(CAMPAIGNS)[pick % len(CAMPAIGNS)], None)
        case Rival.RESET:
            return edits.reset(world, *world.contacts)
        case Rival.WISHES:
            return world.carry_out(owners[-1], shard)
    return world.take_over(1 - owners[0], shard)
