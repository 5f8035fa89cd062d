"""A campaign's numbers."""

from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel

from services.campaign_api.gateway import ThisGateway
from services.campaign_api.http.paths import CampaignRef
from services.campaign_api.native.auth import CampaignReader
from services.campaign_api.native.schemas.problems import problems
from services.campaign_api.native.schemas.statistics import CampaignStatistics
from shared.store.catalog.campaigns import get_campaign
from shared.store.catalog.organizations import get_organization
from shared.store.reports.counters import campaign_counts

router = APIRouter(prefix="/campaign/campaigns", tags=["Campaigns"])
BODIES: Final[tuple[type[BaseModel], ...]] = ()


@router.get("/{campaign}/stats", responses=problems(404))
async def statistics(gateway: ThisGateway, caller: CampaignReader, campaign: CampaignRef) -> CampaignStatistics:
    """Contacts by status, attempts, and calls at once."""
    found = await get_campaign(gateway.store, caller.organization_id, campaign)
    organization = await get_organization(gateway.store, caller.organization_id)
    return CampaignStatistics.of(found, organization, await campaign_counts(gateway.store, found.id))
