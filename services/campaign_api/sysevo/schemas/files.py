"""Uploads and downloads."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from services.campaign_api.sysevo.values import Body, Name, WholeNumber
from shared.domain.csv_check import MAX_FILE_BYTES

DOWNLOAD_SECONDS: Final = 3600


def _csv_name(name: str) -> str:
    if not name.lower().endswith(".csv"):
        raise PydanticCustomError("file_name", "The name of the file must end in .csv")
    return name


FileName = Annotated[Name, AfterValidator(_csv_name)]


class NewUpload(Body):
    """A file to upload, named in either product's spelling; `filename` wins."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        json_schema_extra={
            "examples": [{"filename": "contacts.csv", "content_type": "text/csv", "purpose": "campaign"}]
        },
    )

    file_name: FileName | None = Field(None, description="Dograh's name for filename.")
    filename: FileName | None = Field(None, validate_default=True)
    file_size: Annotated[WholeNumber, Field(ge=1, le=MAX_FILE_BYTES)] | None = None
    content_type: Literal["text/csv", "application/csv", "application/vnd.ms-excel", "text/plain"] | None = None
    purpose: Literal["campaign"] | None = None

    @field_validator("filename")
    @classmethod
    def _has_a_name(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is None and info.data.get("file_name", "") is None:
            raise PydanticCustomError("missing", "Send filename: the name of the file, ending in .csv")
        return name

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.filename or self.file_name or ""


class UploadView(BaseModel):
    """Where to PUT the file's bytes, without a credential."""

    upload_url: str
    file_key: str
    expires_in: int


class SignedUrl(BaseModel):
    """Where to GET something, without a credential."""

    url: str
    expires_in: int


class SourceUrl(BaseModel):
    """Where to GET the uploaded list, without a credential."""

    download_url: str
    expires_in: int
