"""Results of the batches that came over Kafka."""

from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel

from services.campaign_api.gateway import ThisGateway
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.http.paths import PlainRef
from services.campaign_api.native.auth import CampaignReader
from services.campaign_api.native.schemas.ingest_batches import IngestBatchPage, IngestBatchView
from services.campaign_api.native.schemas.problems import problems
from shared.store.contacts.ingest_batches import get_ingest_batch, list_ingest_batches

router = APIRouter(prefix="/campaign/ingest-batches", tags=["Kafka batches"])
BODIES: Final[tuple[type[BaseModel], ...]] = ()


@router.get("", responses=problems(400))
async def list_all(
    gateway: ThisGateway, caller: CampaignReader, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> IngestBatchPage:
    """List batches, newest first."""
    page = await list_ingest_batches(gateway.store, caller.organization_id, cursor=cursor, limit=limit)
    rows = [IngestBatchView.of(result) for result in page.rows]
    return IngestBatchPage(ingest_batches=rows, next_cursor=page.next_cursor)


@router.get("/{batch_id}", responses=problems(404))
async def get_one(gateway: ThisGateway, caller: CampaignReader, batch_id: PlainRef) -> IngestBatchView:
    """Get what became of one batch."""
    return IngestBatchView.of(await get_ingest_batch(gateway.store, caller.organization_id, batch_id))
