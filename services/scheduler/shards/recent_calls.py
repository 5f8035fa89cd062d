"""The calls of a shard's campaigns in the last 60 s, as its loop has counted them; written once a second.

Kept in memory: after a take-over the counting begins anew, so that a minute later all is known again.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.domain.counts import MINUTE, Minute
from shared.store.dialing.ledger import CallChange

EVERY: Final = timedelta(seconds=1)
# What has not changed is said again after this: whoever reads cannot tell it from what nobody counts any more.
SAID_AGAIN: Final = timedelta(seconds=10)
# Campaigns of one write; the others come in the next seconds.
AT_ONCE: Final = 500


@dataclass(slots=True)
class _Campaign:
    """What one campaign has done, second by second: (when, claimed, ended); and what was said of it last."""

    seconds: deque[tuple[datetime, int, int]] = field(default_factory=deque)
    said: Minute | None = None

    def minute(self, now: datetime) -> Minute:
        while self.seconds and now - self.seconds[0][0] >= MINUTE:
            self.seconds.popleft()
        claimed = sum(second[1] for second in self.seconds)
        # Calls that came back may have been claimed more than a minute ago.
        return Minute(now, max(0, claimed), sum(second[2] for second in self.seconds))

    def is_news(self, minute: Minute) -> bool:
        if self.said is None or minute.at - self.said.at >= SAID_AGAIN:
            return True
        return (minute.claimed, minute.ended) != (self.said.claimed, self.said.ended)


class RecentCalls:
    """The last minute of one shard's campaigns."""

    def __init__(self) -> None:
        self._campaigns: dict[str, _Campaign] = {}
        self._told_at: datetime | None = None

    def count(self, changes: Mapping[str, CallChange], now: datetime) -> None:
        """Take in what a transaction has changed, by campaign id."""
        for campaign_id, change in changes.items():
            seconds = self._campaigns.setdefault(campaign_id, _Campaign()).seconds
            claimed, ended, since = change.claimed, change.ended, now
            if seconds and now - seconds[-1][0] < EVERY:
                since, before, ended_before = seconds.pop()
                claimed, ended = claimed + before, ended + ended_before
            seconds.append((since, claimed, ended))

    @property
    def are_any(self) -> bool:
        """Whether there may be something to say of any campaign."""
        return bool(self._campaigns)

    def news(self, now: datetime) -> dict[str, Minute]:
        """What there is to say, by campaign id; nothing within a second of the last time. What is over is forgotten."""
        if self._told_at is not None and now - self._told_at < EVERY:
            return {}
        self._told_at = now
        found: dict[str, Minute] = {}
        for campaign_id, campaign in list(self._campaigns.items()):
            minute = campaign.minute(now)
            if campaign.is_news(minute):
                found[campaign_id] = campaign.said = minute
                del self._campaigns[campaign_id]
                if campaign.seconds:
                    # Behind all those of which nothing was said this time.
                    self._campaigns[campaign_id] = campaign
            if len(found) == AT_ONCE:
                break
        return found
