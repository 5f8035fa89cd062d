"""Settings of campaign-api."""

from pydantic import Field, SecretStr

from shared.settings import KafkaSettings, MongoSettings, PositiveSeconds, StartSettings, TelephonySettings


class ApiSettings(KafkaSettings, MongoSettings, StartSettings, TelephonySettings):
    """Everything campaign-api needs to know."""

    http_port: int = Field(8080, ge=0, le=65535, description="Port of the public HTTP interface.")
    admin_token: SecretStr = Field(SecretStr(""), description="Opens /admin; empty means that nobody can.")
    requests_per_minute: int = Field(
        0, ge=0, description="For each credential and each process of campaign-api; 0 is no limit."
    )
    shutdown_seconds: PositiveSeconds = Field(5, description="How long requests in flight may take after SIGTERM.")
