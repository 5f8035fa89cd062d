"""Results of the batches that came over Kafka."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from shared.store.contacts.ingest_batches import BatchResult, BatchStatus


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

    @classmethod
    def of(cls, result: BatchResult) -> Self:
        """As the customer sees it."""
        return cls.model_validate(result)


class IngestBatchPage(BaseModel):
    """Batches, newest first."""

    ingest_batches: list[IngestBatchView]
    next_cursor: str | None
