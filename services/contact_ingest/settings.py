"""Settings of contact-ingest."""

from pydantic import Field

from shared.settings import FileSettings, KafkaSettings, MongoSettings, PositiveSeconds, StartSettings


class IngestSettings(KafkaSettings, MongoSettings, StartSettings, FileSettings):
    """Everything contact-ingest needs to know."""

    ingest_max_batches: int = Field(32, ge=1, le=500, description="Contact batches read from Kafka at once.")
    shutdown_seconds: PositiveSeconds = Field(5, description="How long batches in hand may take after SIGTERM.")
