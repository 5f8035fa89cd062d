"""Settings of campaign-api."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from shared.domain.request_limits import RequestWindow, checked_windows, request_windows
from shared.settings import (
    BaseUrl,
    FileSettings,
    KafkaSettings,
    MongoSettings,
    PositiveSeconds,
    ReceiverSettings,
    Secret,
    SecretSettings,
    StartSettings,
    TelephonySettings,
)


class ApiSettings(
    KafkaSettings, MongoSettings, StartSettings, TelephonySettings, SecretSettings, FileSettings, ReceiverSettings
):
    """Everything campaign-api needs to know."""

    http_port: int = Field(8080, ge=0, le=65535, description="Port of the public HTTP interface.")
    admin_token: Secret = Field(SecretStr(""), description="Opens /admin; empty means that nobody can.")
    public_url: BaseUrl = Field(
        "", description="How customers reach campaign-api, for URLs in its answers; empty: the host that they asked."
    )
    requests_per_minute: int = Field(0, ge=0, le=1_000_000, description="For each credential; 0 is no limit.")
    request_limits: Annotated[str, AfterValidator(checked_windows)] = Field(
        "",
        description="More: 1000/hour; 60/minute writes; 300/minute reads. Organizations and keys may have their own.",
    )
    shutdown_seconds: PositiveSeconds = Field(5, description="How long requests in flight may take after SIGTERM.")

    @property
    def default_windows(self) -> tuple[RequestWindow, ...]:
        """The request limits of a credential that has none of its own, nor its organization."""
        per_minute = f"{self.requests_per_minute}/minute" if self.requests_per_minute else ""
        return (*request_windows(per_minute), *request_windows(self.request_limits))

    def doubts(self) -> list[str]:
        """A gateway that refuses every callback, or cannot act on them."""
        found = super().doubts()
        if self.secret_key is None and not self.s3_bucket:
            found.append(
                "DIALSTREAM_SECRET_KEY must be set for uploads and downloads of files, whose URLs only this process "
                "answers without, and none after its end: make one with openssl rand -hex 32"
            )
        needed = {
            "DIALSTREAM_TWILIO_AUTH_TOKEN": self.twilio_auth_token.get_secret_value(),
            "DIALSTREAM_CALLBACK_BASE_URL": self.callback_base_url,
        }
        missing = [name for name, value in needed.items() if not value]
        if missing and self.telephony_provider == "twilio":
            names = " and ".join(missing)
            found.append(
                f"{names} must be set for the carrier's callbacks, which are all refused without: set the same "
                "here as for the executors"
            )
        elif not self.twilio_account_sid and self.telephony_provider == "twilio":
            found.append(
                "DIALSTREAM_TWILIO_ACCOUNT_SID must be set for what configurations say of answering machines, on which "
                "no call is hung up and no message left without: set the same here as for the executors"
            )
        return found
