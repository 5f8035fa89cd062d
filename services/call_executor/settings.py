"""The call-executor's settings."""

from typing import Final

from pydantic import Field

from shared.settings import (
    DialingSettings,
    KafkaSettings,
    MongoSettings,
    SecretSettings,
    StartSettings,
    TelephonySettings,
)

# A phone begins to ring seconds after the order.
SHORTEST_RINGING_SECONDS: Final = 5


class ExecutorSettings(KafkaSettings, MongoSettings, StartSettings, DialingSettings, TelephonySettings, SecretSettings):
    """Everything the call-executor reads from the environment."""

    executor_capacity: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        description="Calls at once this process answers for; the fleet's sum bounds the global limit.",
    )
    calls_per_second: float = Field(100, gt=0, le=10_000, description="Calls this process starts a second at most.")

    def doubts(self) -> list[str]:
        """Warnings about calls that ring for too short a time to be heard."""
        found = super().doubts()
        if self.rings_real_phones and self.ring_seconds < SHORTEST_RINGING_SECONDS:
            found.append(
                f"DIALSTREAM_RING_SECONDS ({self.ring_seconds:g}) is too short for a person to answer: write at least "
                f"{SHORTEST_RINGING_SECONDS}"
            )
        return found
