"""The scheduler's settings."""

from pydantic import Field, model_validator

from shared.settings import (
    DialingSettings,
    KafkaSettings,
    MongoSettings,
    PositiveSeconds,
    SecretSettings,
    StartSettings,
    TelephonySettings,
)


class SchedulerSettings(
    KafkaSettings, MongoSettings, StartSettings, DialingSettings, TelephonySettings, SecretSettings
):
    """Everything the scheduler reads from the environment."""

    global_concurrency_limit: int = Field(
        10_000,
        ge=1,
        le=10_000_000,
        description="Most calls at once over all organizations; executors' capacity may be lower.",
    )
    reconcile_seconds: PositiveSeconds = Field(
        60, description="A call nobody has reported on is asked for at the carrier this often."
    )

    @model_validator(mode="after")
    def _reconcile_after_settling(self) -> "SchedulerSettings":
        if self.reconcile_seconds < 1:
            raise ValueError(f"DIALSTREAM_RECONCILE_SECONDS ({self.reconcile_seconds:g}) must be at least 1")
        return self

    def doubts(self) -> list[str]:
        """Warnings about settings with which some calls would never be asked about again."""
        found = super().doubts()
        if self.reconcile_seconds >= self.hold_seconds:
            found.append(
                f"DIALSTREAM_RECONCILE_SECONDS ({self.reconcile_seconds:g}) is longer than any call can be held "
                f"({self.hold_seconds:g} s): a call whose callback is lost would hold its slot to the end"
            )
        return found
