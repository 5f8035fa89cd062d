"""The call-executor's settings."""

from pydantic import Field

from shared.settings import DialingSettings, KafkaSettings, MongoSettings, StartSettings, TelephonySettings


class ExecutorSettings(KafkaSettings, MongoSettings, StartSettings, DialingSettings, TelephonySettings):
    """Everything the call-executor reads from the environment."""

    executor_capacity: int = Field(
        1000, ge=1, description="Calls at once this process answers for; the fleet's sum bounds the global limit."
    )
    calls_per_second: float = Field(100, gt=0, description="Calls this process starts a second at most.")
