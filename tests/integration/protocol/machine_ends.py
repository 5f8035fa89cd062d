"""The machine's moves around the ends of campaigns: completion, end dates, and both beside new work."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any, ClassVar, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from shared.domain.campaign import CampaignMove
from shared.domain.wishes import WishKind
from tests.integration.protocol import edits, ends
from tests.integration.protocol.setting import CAMPAIGNS, PHONES
from tests.integration.protocol.stage import Stage
from tests.integration.protocol.world import SEATS, SHARDS, World, step

T = TypeVar("T")

shards, campaigns = st.sampled_from(SHARDS), st.sampled_from(list(CAMPAIGNS))
seldom = st.sampled_from([False, False, False, True])
picks = st.integers(0, 7)
SECONDS_TO_THE_END: Final = [None, None, None, 0.0, 2.0, 31.0]


class Beside(StrEnum):
    """What happens while a campaign is being completed."""

    CONTACT = "contact"
    RESET = "reset"
    CALLBACK = "callback"
    START = "start"
    PAUSE = "pause"
    OWNER = "owner"


class Player(RuleBasedStateMachine):
    """One run. The test that plays it sets `stage`; `figures` count what all runs did."""

    stage: ClassVar[Stage]
    figures: ClassVar[Counter[str]] = Counter()
    world: World

    def play(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.stage.play(coroutine)

    def _owners(self, shard: int) -> list[int]:
        """Schedulers that believe they own a shard, the newest owner first."""
        owners = [seat for seat in SEATS if self.world.owns(seat, shard)]
        return sorted(owners, key=lambda seat: -self.world.schedulers[seat].owned[shard].epoch)

    def _as_owner(self, shard: int, old: bool, chore: Callable[[int, int], Coroutine[Any, Any, object]]) -> None:
        owners = self._owners(shard)
        if owners:
            self.play(chore(owners[-1 if old else 0], shard))


class EndMoves(Player):
    """The rules."""

    @rule(campaign_id=campaigns, on=st.booleans())
    def auto_complete(self, campaign_id: str, on: bool) -> None:
        self.play(ends.auto_complete(self.world, campaign_id, on=on))

    @rule(campaign_id=campaigns, seconds=st.sampled_from(SECONDS_TO_THE_END))
    def end_campaign(self, campaign_id: str, seconds: float | None) -> None:
        self.play(ends.end(self.world, campaign_id, seconds))

    @rule(shard=shards, old=seldom)
    def complete(self, shard: int, old: bool) -> None:
        self._as_owner(shard, old, lambda seat, shard: ends.complete(self.world, seat, shard))

    @rule(shard=shards, beside=st.sampled_from(Beside), pick=picks)
    def race_completion(self, shard: int, beside: Beside, pick: int) -> None:
        owners = self._owners(shard)
        if owners:
            self.play(race_completion(self.world, shard, owners, beside, pick))


async def race_completion(world: World, shard: int, owners: list[int], beside: Beside, pick: int) -> None:
    """The shard's newest owner completes campaigns at the same moment as one is given work, or moved."""
    campaign_id = list(CAMPAIGNS)[pick % len(CAMPAIGNS)]
    other: Coroutine[Any, Any, object]
    match beside:
        case Beside.CONTACT:
            other = edits.add_contact(world, CAMPAIGNS[campaign_id], campaign_id, PHONES[pick])
        case Beside.RESET:
            other = edits.reset(world, *world.contacts)
        case Beside.CALLBACK:
            other = edits.ask(world, world.contacts[pick % len(world.contacts)], WishKind.CALLBACK)
        case Beside.START | Beside.PAUSE:
            move = CampaignMove.START if beside is Beside.START else CampaignMove.PAUSE
            other = edits.move(world, campaign_id, move)
        case Beside.OWNER if len(owners) == 2:
            other = ends.complete(world, owners[1], shard)
        case Beside.OWNER:
            other = world.take_over(1 - owners[0], shard)
    await both(world, ends.complete(world, owners[0], shard), other)


@step
async def both(world: World, *steps: Coroutine[Any, Any, object]) -> None:
    """Steps at the same moment, looked at when both are done."""
    await asyncio.gather(*steps)
