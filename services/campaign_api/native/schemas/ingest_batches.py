"""Results of the batches that came over Kafka."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from shared.engine.ingest_batches import BatchStatus


class BatchRowView(BaseModel):
    """A row that was not stored, or a remark on one that was."""

    model_config = ConfigDict(from_attributes=True)

    index: int = Field(description="The row's place in the batch, from 0.")
    external_id: str | None
    field: str | None
    reason: str


class IngestBatchView(BaseModel):
    """What became of a batch."""

    model_config = ConfigDict(from_attributes=True)

    batch_id: str
    campaign_id: str
    status: BatchStatus
    received: int
    inserted: int
    updated: int
    failed: list[BatchRowView]
    warnings: list[BatchRowView]
    reason: str | None = Field(description="Why the whole batch was refused.")
    created_at: datetime
    finished_at: datetime | None


class IngestBatchPage(BaseModel):
    """Batches, newest first."""

    ingest_batches: list[IngestBatchView]
    next_cursor: str | None
