"""Many campaigns at once: which of them have anybody due, and until when the others may sleep.

After a take-over thousands have woken, and in hardly one is anybody due. One question for hundreds of them finds
those; what the others wait for is asked later, in steps of minutes, so that it need not be known to the second: a
campaign that is far from its next due time is looked at again before, together with many.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from shared.domain.calling_window import Schedule
from shared.store.dialing import ready
from shared.store.dialing.campaign_reader import CampaignReader, openings

# Campaigns that are asked about together. A step of a shard's loop asks about so many, and calls end meanwhile.
TOGETHER: Final = 500
# So far is looked ahead for the next due time, the shortest way first.
AHEAD: Final = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))


async def with_due(campaigns: Collection[CampaignReader], until: datetime) -> set[str]:
    """The campaigns in which anybody may be due by `until` in a zone that is open now; in all others nobody is.

    One question for all whose schedules have the same zones open now.
    """
    zones = frozenset[str | None]().union(*(reader.entry.zones for reader in campaigns))
    opened: dict[int, frozenset[str | None]] = {}
    together: dict[tuple[tuple[int, ...] | None, frozenset[str | None]], list[CampaignReader]] = defaultdict(list)
    for reader in campaigns:
        for queues, schedule in reader.asked_together():
            # Worked out once a schedule: whether a zone is open has nothing to do with the campaign.
            if id(schedule) not in opened:
                opened[id(schedule)] = reader.open_zones(schedule, zones)
            if opened[id(schedule)]:
                together[queues, opened[id(schedule)]].append(reader)
    found: set[str] = set()
    for (queues, open_zones), readers in together.items():
        ids = {reader.entry.campaign_id for reader in readers} - found
        store = readers[0].store
        found |= await ready.campaigns_with_due(store, ids, queues, open_zones, until)
    return found


async def sleep_until(campaigns: Iterable[CampaignReader], now: datetime) -> dict[str, datetime]:
    """Until when these campaigns may sleep, by id; absent are those in which somebody is due within a minute.

    Until a zone opens, but an hour at most: whether anybody waits in it, or will be due by then, is seen then.
    """
    left = {reader.entry.campaign_id: reader for reader in campaigns}
    until = _first_openings(left.values(), now)
    asked: datetime | None = None
    for ahead in AHEAD:
        for campaign_id in await with_due(left.values(), now + ahead):
            del left[campaign_id]
            if asked is None:
                del until[campaign_id]
            else:
                until[campaign_id] = min(until[campaign_id], asked)
        asked = now + ahead
    return until


def _first_openings(campaigns: Collection[CampaignReader], now: datetime) -> dict[str, datetime]:
    """When the first zone opens of those that each campaign's contacts are in; after the longest look at the latest."""
    known: dict[tuple[int, frozenset[str | None]], list[datetime]] = {}
    first: dict[str, datetime] = {}
    for reader in campaigns:
        zones, latest = reader.entry.zones, now + AHEAD[-1]
        for schedule in reader.schedules():
            key = id(schedule), zones
            if key not in known:
                known[key] = _openings_after(schedule, zones - reader.open_zones(schedule, zones), now)
            latest = min([latest, *known[key]])
        first[reader.entry.campaign_id] = latest
    return first


def _openings_after(schedule: Schedule | None, closed: frozenset[str | None], now: datetime) -> list[datetime]:
    return openings(schedule, closed, now) if schedule is not None else []
