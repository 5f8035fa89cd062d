"""Results of the batches that came over Kafka."""

from fastapi import APIRouter

from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.native import translate
from services.campaign_api.native.auth import CampaignReader
from services.campaign_api.native.paths import BatchRef
from services.campaign_api.native.schemas.ingest_batches import IngestBatchPage, IngestBatchView
from services.campaign_api.native.schemas.problems import problems
from shared.engine import ingest_batches

router = APIRouter(prefix="/campaign/ingest-batches", tags=["Kafka batches"])


@router.get("", responses=problems(400))
async def list_all(
    engine: ThisEngine, caller: CampaignReader, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> IngestBatchPage:
    """List batches, newest first."""
    page = await ingest_batches.list_ingest_batches(engine, caller.organization_id, cursor=cursor, limit=limit)
    return translate.ingest_batch_page(page)


@router.get("/{batch_id}", responses=problems(404))
async def get_one(engine: ThisEngine, caller: CampaignReader, batch_id: BatchRef) -> IngestBatchView:
    """Get what became of one batch."""
    return translate.ingest_batch_view(await ingest_batches.get_ingest_batch(engine, caller.organization_id, batch_id))
