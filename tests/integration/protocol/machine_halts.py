"""The machine's moves that halt runs: so many calls of each, and circuit breakers."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from shared.domain.campaign import CampaignMove
from tests.integration.protocol import edits, halting
from tests.integration.protocol.machine_ends import EndMoves, campaigns, seldom, shards
from tests.integration.protocol.setting import BREAKER

limits = st.sampled_from([1, 2, 3, None])
breakers = st.sampled_from([None, BREAKER, BREAKER | {"min_calls": 1}])


class HaltMoves(EndMoves):
    """The rules, and those of the ends."""

    @rule(campaign_id=campaigns, limit=limits)
    def limit_run(self, campaign_id: str, limit: int | None) -> None:
        """From now on each run of a campaign makes so many calls."""
        self.play(halting.edit(self.world, campaign_id, max_calls=limit))

    @rule(campaign_id=campaigns, limit=limits)
    def start_limited(self, campaign_id: str, limit: int | None) -> None:
        """Start or resume a campaign for so many calls."""
        self.play(edits.move(self.world, campaign_id, CampaignMove.START, max_calls=limit))

    @rule(campaign_id=campaigns, breaker=breakers)
    def set_breaker(self, campaign_id: str, breaker: dict[str, Any] | None) -> None:
        """Give a campaign a circuit breaker, or take it away."""
        self.play(halting.edit(self.world, campaign_id, circuit_breaker=breaker))

    @rule(shard=shards, old=seldom)
    def look_for_full_runs(self, shard: int, old: bool) -> None:
        """The look once a second."""
        self._as_owner(shard, old, lambda owner, shard: halting.look(self.world, owner, shard))
