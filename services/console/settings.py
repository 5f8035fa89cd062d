"""Settings of the console."""

from typing import Final

from pydantic import Field

from shared.domain.stored_files import MAX_FILE_BYTES
from shared.settings import BaseUrl, PositiveSeconds, SecretKey, StartSettings

MEBIBYTE: Final = 1024 * 1024


class ConsoleSettings(StartSettings):
    """Everything the console needs to know."""

    console_api_url: BaseUrl = Field("http://127.0.0.1:8080", description="Where the console reaches campaign-api.")
    console_secret: SecretKey = Field(
        None,
        description="Encrypts the console's cookies; at least 32 characters, the same for all its processes. Empty: "
        "made at each start, which signs everybody out.",
    )
    console_https: bool = Field(
        False, description="Browsers reach the console by HTTPS alone: its cookies are sent over nothing else."
    )
    console_session_seconds: PositiveSeconds = Field(
        43_200, description="A browser is signed out after this, however busy it is."
    )
    console_api_seconds: PositiveSeconds = Field(10, description="Patience with an answer of campaign-api.")
    console_upload_mb: int = Field(
        MAX_FILE_BYTES // MEBIBYTE,
        ge=1,
        le=MAX_FILE_BYTES // MEBIBYTE,
        description="The largest file to import that the console takes, in MiB; it is passed on as it comes.",
    )
    console_shutdown_seconds: PositiveSeconds = Field(
        5, description="How long requests in flight may take after SIGTERM."
    )
