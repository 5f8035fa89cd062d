"""A campaign's numbers."""

from fastapi import APIRouter

from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.native.auth import CampaignReader
from services.campaign_api.native.filters import WithDeleted
from services.campaign_api.native.paths import CampaignRef
from services.campaign_api.native.schemas.problems import problems
from services.campaign_api.native.schemas.statistics import CampaignStatistics
from services.campaign_api.native.translate_reports import campaign_statistics
from shared.clock import utc_now
from shared.engine import campaigns

router = APIRouter(prefix="/campaign/campaigns", tags=["Campaigns"])


@router.get("/{campaign}/stats", responses=problems(404))
async def statistics(
    engine: ThisEngine, caller: CampaignReader, campaign: CampaignRef, deleted: WithDeleted = False
) -> CampaignStatistics:
    """Contacts by status, attempts, calls at once, and when all will have been called as it goes."""
    now = utc_now()
    numbers = await campaigns.campaign_numbers(engine, caller.organization_id, campaign, now, deleted=deleted)
    return campaign_statistics(numbers, now)
