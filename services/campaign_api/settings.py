"""Settings of campaign-api."""

from pydantic import Field, SecretStr

from shared.settings import (
    KafkaSettings,
    MongoSettings,
    PositiveSeconds,
    ReceiverSettings,
    Secret,
    SecretSettings,
    StartSettings,
    TelephonySettings,
)


class ApiSettings(KafkaSettings, MongoSettings, StartSettings, TelephonySettings, SecretSettings, ReceiverSettings):
    """Everything campaign-api needs to know."""

    http_port: int = Field(8080, ge=0, le=65535, description="Port of the public HTTP interface.")
    admin_token: Secret = Field(SecretStr(""), description="Opens /admin; empty means that nobody can.")
    requests_per_minute: int = Field(
        0, ge=0, le=1_000_000, description="For each credential and each process of campaign-api; 0 is no limit."
    )
    shutdown_seconds: PositiveSeconds = Field(5, description="How long requests in flight may take after SIGTERM.")

    def doubts(self) -> list[str]:
        """A gateway that refuses every callback, or cannot act on them."""
        found = super().doubts()
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
