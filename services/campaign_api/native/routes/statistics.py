"""A campaign's numbers."""

from fastapi import APIRouter

from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.native import translate
from services.campaign_api.native.auth import CampaignReader
from services.campaign_api.native.filters import WithDeleted
from services.campaign_api.native.paths import CampaignRef
from services.campaign_api.native.schemas.problems import problems
from services.campaign_api.native.schemas.statistics import CampaignStatistics
from shared.clock import utc_now
from shared.engine import campaigns

router = APIRouter(prefix="/campaign/campaigns", tags=["Campaigns"])


@router.get("/{campaign}/stats", responses=problems(404))
async def statistics(
    engine: ThisEngine, caller: CampaignReader, campaign: CampaignRef, deleted: WithDeleted = False
) -> CampaignStatistics:
    """Contacts by status, attempts, and calls at once."""
    numbers = await campaigns.campaign_numbers(engine, caller.organization_id, campaign, deleted=deleted)
    return translate.campaign_statistics(numbers, utc_now())
