"""When sleeping campaigns are to be looked at: the earliest alarm of each."""

import heapq
from collections.abc import Iterator
from datetime import datetime
from typing import Final

# Alarms that an earlier one has superseded are thrown away when there are so many.
SUPERSEDED: Final = 100


class Alarms:
    """Alarms of campaigns, by id. The earliest of each is enough: when it rings, the store says when to look again."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, str]] = []
        self._at: dict[str, datetime] = {}

    def __len__(self) -> int:
        """The number of alarms that are kept, superseded ones included."""
        return len(self._heap)

    def set(self, campaign_id: str, at: datetime) -> None:
        """Have the campaign's alarm ring at this instant, unless it rings before."""
        known = self._at.get(campaign_id)
        if known is not None and known <= at:
            return
        self._at[campaign_id] = at
        heapq.heappush(self._heap, (at, campaign_id))
        if len(self._heap) > 2 * len(self._at) + SUPERSEDED:
            self._heap = [(at, campaign_id) for campaign_id, at in self._at.items()]
            heapq.heapify(self._heap)

    @property
    def next(self) -> datetime | None:
        """The instant (UTC) at which the next alarm rings."""
        return self._heap[0][0] if self._heap else None

    def ringing(self, now: datetime) -> Iterator[str]:
        """The campaigns whose alarms ring by `now`; each rings once."""
        while self._heap and self._heap[0][0] <= now:
            at, campaign_id = heapq.heappop(self._heap)
            if self._at.get(campaign_id) == at:
                del self._at[campaign_id]
                yield campaign_id
