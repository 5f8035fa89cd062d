"""Imports of CSV files, and redials."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, WithJsonSchema, model_validator

from services.campaign_api.http.requests import RequestBody
from shared.domain.json_rules import ShortText
from shared.domain.outcome import Outcome
from shared.domain.shown_ids import CampaignOrDefault, UuidText

ColumnField = Literal[
    "phone_numbers",
    "external_id",
    "timezone",
    "scheduled_at",
    "expires_at",
    "priority",
    "agent_id",
    "agent_version",
    "agent_number",
    "initial_context",
    "data",
    "ignore",
]
PersonField = Literal[
    "phone_numbers", "first_name", "last_name", "email", "company", "job_title", "tags", "timezone", "data", "ignore"
]
Mapping = Annotated[dict[ShortText, ColumnField | PersonField], Field(max_length=1000)]
MAPPING: TypeAdapter[dict[str, ColumnField]] = TypeAdapter(
    Annotated[dict[ShortText, ColumnField], Field(max_length=1000)]
)
PEOPLE_MAPPING: TypeAdapter[dict[str, PersonField]] = TypeAdapter(
    Annotated[dict[ShortText, PersonField], Field(max_length=1000)]
)


def mapping_for(people: bool) -> TypeAdapter[Any]:
    """What columns may hold in an import of contacts, or of people."""
    return PEOPLE_MAPPING if people else MAPPING


class StartImport(RequestBody):
    """An uploaded file to import."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "file_id": "3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21",
                    "mapping": {"Handy": "phone_numbers", "Notizen": "ignore"},
                }
            ]
        }
    )

    file_id: Annotated[ShortText, WithJsonSchema({"type": "string", "format": "uuid"})] = Field(
        description="The id of a file that was uploaded."
    )
    mapping: Mapping = Field({}, description="What columns hold, by name; the others are read by their names.")
    people: bool = Field(
        False, description="Each row is a person of the contact book, found by its number or made, and enrolled."
    )

    @model_validator(mode="after")
    def _of_its_kind(self) -> "StartImport":
        mapping_for(self.people).validate_python(dict(self.mapping))
        return self


class ColumnView(BaseModel):
    """What a column of the file was understood to hold."""

    name: str
    field: str


class ImportFailure(BaseModel):
    """Why the import has failed, or that it was cancelled; rows before it may have been stored."""

    code: str = Field(description="For programs.", examples=["unclosed_quote"])
    message: str = Field(description="For people.")
    row: int | None = Field(description="From 1, the header's.")
    column: str | None


class RefusedRowView(BaseModel):
    """A row that was not stored."""

    row: int = Field(description="From 1, the header's; blank lines count, line breaks in a cell do not.")
    field: str | None = Field(description="The field or column concerned.")
    reason: str


class ImportView(BaseModel):
    """An import as it stands."""

    id: UuidText
    campaign_id: CampaignOrDefault = Field(description="`default` for contacts of no campaign.")
    status: Literal["running", "done", "failed", "cancelled"]
    file_name: str
    people: bool = Field(description="The rows are people of the contact book.")
    total_rows: int | None = Field(description="Rows below the header; null until the file was looked through.")
    rows: int = Field(description="Rows read so far, the sum of the next five.")
    inserted: int
    updated: int
    duplicates: int = Field(description="Of people: they were in the campaign already, which calls them as before.")
    refused: int
    passed_over: int = Field(description="Rows without any value.")
    skipped: int = Field(description="Those of the inserted ones that are on the do-not-call list.")
    columns: list[ColumnView] | None = Field(description="How the file is read; null until that is decided.")
    failure: ImportFailure | None
    created_at: datetime
    finished_at: datetime | None


class ImportWithRows(ImportView):
    """An import, and the first 1,000 rows that it has refused."""

    refused_rows: list[RefusedRowView]


class ImportPage(BaseModel):
    """Imports, newest first."""

    imports: list[ImportView]
    next_cursor: str | None


class RedialCampaign(RequestBody):
    """Whom a redial calls again; it can be left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Spring, once more", "outcomes": ["busy"]}]})

    name: ShortText | None = Field(None, description="Left out: the campaign's, and (Redial).")
    outcomes: Annotated[list[Outcome], Field(min_length=1, max_length=len(Outcome))] | None = Field(
        None, description="Of a contact's latest attempt. Left out: no_answer, busy, voicemail."
    )
