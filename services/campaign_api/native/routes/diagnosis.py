"""Why is nobody being called?"""

from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel

from services.campaign_api.gateway import ThisGateway
from services.campaign_api.http.paths import ContactsCampaignRef
from services.campaign_api.native.auth import CampaignReader
from services.campaign_api.native.contact_targets import contact_target
from services.campaign_api.native.schemas.diagnosis import DiagnosisView
from services.campaign_api.native.schemas.problems import problems
from shared.clock import utc_now
from shared.domain.contact import is_default_campaign
from shared.store.reports.diagnosis import diagnose

router = APIRouter(prefix="/campaign/campaigns", tags=["Campaigns"])
BODIES: Final[tuple[type[BaseModel], ...]] = ()


@router.get("/{campaign}/diagnosis", responses=problems(404))
async def diagnosis(gateway: ThisGateway, caller: CampaignReader, campaign: ContactsCampaignRef) -> DiagnosisView:
    """Say why contacts are not called now, and what to do about it."""
    target = await contact_target(gateway, caller.organization_id, campaign)
    now = utc_now()
    found = await diagnose(gateway.store, caller.organization_id, target.campaign_id, now)
    shown_as = None if is_default_campaign(target.campaign_id) else target.campaign_id
    return DiagnosisView.of(found, campaign_id=shown_as, at=now)
