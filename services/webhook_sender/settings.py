"""Settings of webhook-sender."""

from pydantic import Field

from shared.settings import (
    KafkaSettings,
    MongoSettings,
    PositiveSeconds,
    ReceiverSettings,
    SecretSettings,
    StartSettings,
)


class SenderSettings(KafkaSettings, MongoSettings, StartSettings, SecretSettings, ReceiverSettings):
    """Everything webhook-sender needs to know."""

    webhook_connections: int = Field(
        512, ge=1, le=10_000, description="Webhooks under way at once; at most 32 of one subscription."
    )
    webhook_poll_seconds: PositiveSeconds = Field(
        0.25, description="How often a sender looks for deliveries that have become due."
    )
    shutdown_seconds: PositiveSeconds = Field(5, description="How long facts in hand may take after SIGTERM.")

    def doubts(self) -> list[str]:
        """A sender that can sign nothing."""
        found = super().doubts()
        if self.secret_key is None:
            found.append(
                "DIALSTREAM_SECRET_KEY must be set for webhooks, which cannot be signed without: set the same here as "
                "for campaign-api"
            )
        return found
