"""Which of a shard's campaigns may be completed, by what the shard's loop has heard: a look into the store decides.

Only campaigns that complete by themselves, and those with an end date, are kept here. One in which somebody waits or
is being called costs nothing: the transactions that move its contacts tell when nobody is left.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from shared.store.dialing.campaign_ends import CampaignEnds

# Campaigns that are looked at in one step.
AT_ONCE: Final = 500
# Nothing tells of an import's end, or of a scheduled campaign's time: where nothing is left, it is looked again.
LOOK_AGAIN: Final = timedelta(seconds=1)


class Completing:
    """The campaigns to look at, how many contacts are left in the others, and the end dates to come."""

    def __init__(self) -> None:
        self._organization_of: dict[str, str] = {}
        self._completing: set[str] = set()
        self._left: dict[str, int] = {}
        # In the order in which they are looked at.
        self._open: dict[str, None] = {}
        self._ends: dict[str, datetime] = {}
        self._ended: set[str] = set()
        self._is_urgent = False
        self._next_look: datetime | None = None

    def renew(self, organization_ids: Collection[str], ends: CampaignEnds) -> None:
        """Take over what was read of the campaigns of these organizations; each of them is looked at once more."""
        known = self._organization_of.items()
        for campaign_id in [campaign_id for campaign_id, its in known if its in organization_ids]:
            self._forget(campaign_id)
        self._organization_of.update(ends.organizations)
        self._ends.update(ends.ends)
        self._completing.update(ends.completing)
        self._look_at(ends.completing)

    def _forget(self, campaign_id: str) -> None:
        del self._organization_of[campaign_id]
        for each in (self._left, self._open, self._ends):
            each.pop(campaign_id, None)
        self._completing.discard(campaign_id)
        self._ended.discard(campaign_id)

    def contacts_changed(self, campaign_ids: Iterable[str]) -> None:
        """These campaigns were given contacts or wishes: how many are left in them is to be counted anew."""
        self._look_at(c for c in campaign_ids if c in self._completing or c in self._ended)

    def account(self, changes: Mapping[str, int]) -> None:
        """Take over how a committed transaction has changed what is left, by campaign."""
        for campaign_id, change in changes.items():
            if campaign_id in self._left:
                self._left[campaign_id] += change
                if self._left[campaign_id] <= 0:
                    self._look_at([campaign_id])

    def newly_ended(self, now: datetime) -> list[str]:
        """The campaigns whose end date has come by `now` (UTC) since this was asked last."""
        ended = [campaign_id for campaign_id, at in self._ends.items() if at <= now]
        for campaign_id in ended:
            del self._ends[campaign_id]
        self._ended.update(ended)
        self._look_at(ended)
        return ended

    @property
    def is_expecting(self) -> bool:
        """Whether a campaign is to be looked at, or an end date is to come."""
        return bool(self._open or self._ends)

    def has_ended(self, campaign_id: str) -> bool:
        """Whether the campaign's end date has come when `newly_ended` was asked last."""
        return campaign_id in self._ended

    def to_look_at(self, now: datetime) -> list[str]:
        """The campaigns to look at now, at most 500; those in which nothing is left again after a second."""
        if not self._open or (not self._is_urgent and self._next_look is not None and now < self._next_look):
            return []
        first = list(islice(self._open, AT_ONCE))
        for campaign_id in first:
            del self._open[campaign_id]
        self._is_urgent = bool(self._open)
        self._open.update(dict.fromkeys(first))
        self._next_look = now + LOOK_AGAIN
        return first

    def looked_at(self, campaign_id: str, left: int, *, settled: bool) -> None:
        """Note how many contacts were left in a campaign that was not completed.

        `settled`: it need not be looked at again before something tells of it.
        """
        self._left.pop(campaign_id, None)
        if left > 0:
            self._left[campaign_id] = left
        if left > 0 or settled:
            self._open.pop(campaign_id, None)

    def organization_of(self, campaign_id: str) -> str:
        """The organization of a campaign that was to be looked at."""
        return self._organization_of[campaign_id]

    def _look_at(self, campaign_ids: Iterable[str]) -> None:
        for campaign_id in campaign_ids:
            self._left.pop(campaign_id, None)
            self._open[campaign_id] = None
            self._is_urgent = True
