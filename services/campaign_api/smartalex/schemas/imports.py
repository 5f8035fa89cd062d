"""Imports of lists into the contact book."""

from typing import Literal

from pydantic import BaseModel, Field

from shared.domain.jobs import SHOWN_REFUSED
from shared.domain.shown_ids import UuidText
from shared.rendering.smartalex.times import Time


class RowError(BaseModel):
    """A row that was not imported; row 1 is the header's, and 0 is the file as a whole."""

    row: int
    message: str


class ImportView(BaseModel):
    """An import of a list."""

    id: UuidText
    status: Literal["processing", "completed", "failed"]
    campaign_id: UuidText | None = Field(description="null where the list went into the book alone.")
    rows: int
    imported: int
    duplicates: int = Field(description="In the campaign already, or earlier in the list.")
    invalid: int
    errors: list[RowError] = Field(max_length=SHOWN_REFUSED, description="The first 1,000; none in lists.")
    created_at: Time
    completed_at: Time | None
