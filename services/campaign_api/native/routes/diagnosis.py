"""Why is nobody being called?"""

from fastapi import APIRouter

from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.native.auth import CampaignReader
from services.campaign_api.native.paths import ContactsCampaignRef
from services.campaign_api.native.schemas.diagnosis import DiagnosisView
from services.campaign_api.native.schemas.problems import problems
from services.campaign_api.native.translate_reports import diagnosis_view
from shared.clock import utc_now
from shared.engine.diagnosis import diagnose

router = APIRouter(prefix="/campaign/campaigns", tags=["Campaigns"])


@router.get("/{campaign}/diagnosis", responses=problems(404))
async def diagnosis(engine: ThisEngine, caller: CampaignReader, campaign: ContactsCampaignRef) -> DiagnosisView:
    """Say why contacts are not called now, and what to do about it."""
    return diagnosis_view(await diagnose(engine, caller.organization_id, campaign, utc_now()))
