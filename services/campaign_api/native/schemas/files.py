"""Files: uploads and downloads."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.campaign_api.http.requests import Name, RequestBody
from shared.domain.json_rules import check_text
from shared.domain.shown_ids import UuidText
from shared.domain.stored_files import MAX_FILE_BYTES

MediaType = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(check_text)]


class NewFile(RequestBody):
    """A file that is about to be uploaded."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "people.csv", "content_type": "text/csv"}]})

    name: Name = Field(description="Its name; a download has it, without what file systems do not take.")
    content_type: MediaType = Field("text/csv", description="What you say that it is; for you alone.")
    max_bytes: int = Field(MAX_FILE_BYTES, ge=1, le=MAX_FILE_BYTES, description="A longer upload is refused (413).")


class FileUpload(BaseModel):
    """A new file, and where to upload it."""

    id: UuidText
    key: str = Field(description="Names the file in other requests, as the id does.")
    upload_url: str = Field(description="PUT the raw bytes there, without any credential.")
    expires_in: int = Field(description="Seconds that the URL holds.")
    max_bytes: int


class FileView(BaseModel):
    """A file."""

    id: UuidText
    key: str
    name: str
    content_type: str
    created_at: datetime
    size: int | None = Field(description="Bytes; null until it is uploaded.")
    etag: str | None
    campaign_ids: list[UuidText] = Field(
        description="The campaigns that use it; unused ones are removed after 24 hours."
    )
    download_url: str | None = Field(description="GET it there, without any credential; null until it is uploaded.")
    expires_in: int | None = Field(description="Seconds that the download_url holds.")
