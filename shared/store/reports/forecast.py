"""What the forecast of a campaign's end is made of."""

from datetime import datetime

from shared.domain.campaign import DIALED, shown_state
from shared.domain.counts import CampaignCounts
from shared.domain.forecast import MIN_CALLS, UNKNOWN, Forecast, forecast
from shared.store.client import Store, translates
from shared.store.dialing.shard_catalog import read_campaign


@translates
async def forecast_of(
    store: Store, organization_id: str, campaign_id: str, counts: CampaignCounts, now: datetime
) -> Forecast:
    """The forecast of a campaign that is dialed; unknown for any other, and while too few calls tell of it."""
    if not counts.pending or counts.run is None or counts.run.calls < MIN_CALLS:
        return UNKNOWN
    entry = await read_campaign(store, organization_id, campaign_id)
    if entry is None or entry.configuration is None or shown_state(entry.course, now).state not in DIALED:
        return UNKNOWN
    schedule = entry.configuration.schedule(False)
    hours = [schedule.open_hours(zone, None).at for zone in sorted(entry.zones, key=lambda zone: zone or "")]
    return forecast(counts, entry.course.current_run, hours, now)
