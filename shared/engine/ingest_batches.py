"""Results of the batches that came over Kafka."""

from shared.domain.page import NumberedPage, Page
from shared.engine.engine import Engine
from shared.store.contacts import ingest_batches as stored
from shared.store.contacts.ingest_batches import BatchResult, BatchRow, BatchStatus

__all__ = [
    "BatchResult",
    "BatchRow",
    "BatchStatus",
    "get_ingest_batch",
    "list_ingest_batches",
    "numbered_ingest_batches",
]


async def get_ingest_batch(engine: Engine, organization_id: str, batch_id: str) -> BatchResult:
    """The result of one batch. Raises `NotFound`."""
    return await stored.get_ingest_batch(engine.store, organization_id, batch_id)


async def list_ingest_batches(
    engine: Engine, organization_id: str, *, cursor: str | None, limit: int
) -> Page[BatchResult]:
    """The organization's batches, newest first. Raises `InvalidCursor`: ask for the first page."""
    return await stored.list_ingest_batches(engine.store, organization_id, cursor=cursor, limit=limit)


async def numbered_ingest_batches(
    engine: Engine, organization_id: str, *, offset: int, limit: int
) -> NumberedPage[BatchResult]:
    """The batches as `list_ingest_batches` has them, from the `offset`-th on, and how many there are."""
    return await stored.numbered_ingest_batches(engine.store, organization_id, offset=offset, limit=limit)
