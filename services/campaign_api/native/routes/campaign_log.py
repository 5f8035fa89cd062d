"""What has happened to a campaign?"""

from typing import Annotated

from fastapi import APIRouter, Query

from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, MAX_OFFSET, Cursor, Limit
from services.campaign_api.native.auth import CampaignReader
from services.campaign_api.native.filters import WithDeleted
from services.campaign_api.native.paths import CampaignRef
from services.campaign_api.native.schemas.campaign_log import LogPage
from services.campaign_api.native.schemas.problems import problems
from services.campaign_api.native.translate_log import log_page
from shared.engine.campaign_log import list_log, numbered_log

router = APIRouter(prefix="/campaign/campaigns", tags=["Campaigns"])

FromPlace = Annotated[
    int | None,
    Query(ge=0, le=MAX_OFFSET, description="Rows to leave out, in place of a cursor; the answer then has the total."),
]


@router.get("/{campaign}/log", operation_id="campaigns_list_log", responses=problems(400, 404))
async def read(
    engine: ThisEngine,
    caller: CampaignReader,
    campaign: CampaignRef,
    cursor: Cursor = None,
    offset: FromPlace = None,
    limit: Limit = DEFAULT_LIMIT,
    deleted: WithDeleted = False,
) -> LogPage:
    """List what has happened to a campaign, newest first: its moves, halts, rests and imports, why, and by whom."""
    organization_id = caller.organization_id
    if offset is not None and cursor is None:
        numbered = await numbered_log(engine, organization_id, campaign, offset=offset, limit=limit, deleted=deleted)
        return log_page(numbered)
    return log_page(await list_log(engine, organization_id, campaign, cursor=cursor, limit=limit, deleted=deleted))
