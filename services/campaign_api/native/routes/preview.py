"""The preview: contacts that would be called now, and why others would not."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.native.auth import CampaignReader
from services.campaign_api.native.paths import ContactsCampaignRef
from services.campaign_api.native.schemas.preview import PreviewView
from services.campaign_api.native.schemas.problems import problems
from services.campaign_api.native.translate_reports import preview_view
from shared.clock import utc_now
from shared.engine.preview import preview

router = APIRouter(prefix="/campaign/campaigns", tags=["Campaigns"])

PreviewLimit = Annotated[int, Query(ge=1, le=100, description="The most calls to show.")]


@router.get("/{campaign}/preview", responses=problems(404))
async def dry_run(
    engine: ThisEngine, caller: CampaignReader, campaign: ContactsCampaignRef, limit: PreviewLimit = 20
) -> PreviewView:
    """Say which calls would be made now if the campaign ran, in order, and why others would not; nothing is done."""
    return preview_view(await preview(engine, caller.organization_id, campaign, limit, utc_now()))
