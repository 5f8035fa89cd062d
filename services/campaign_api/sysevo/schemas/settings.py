"""Hours, retries and the circuit breaker of a campaign, in either product's spelling."""

from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.campaign_api.sysevo.values import Body, Number, WholeNumber
from shared.domain.fields import TimezoneName, WallTime, at_most

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NAME_OR_NUMBER: Final = WithJsonSchema(
    {"anyOf": [{"enum": list(DAYS)}, {"type": "integer", "minimum": 0, "maximum": 6}]}
)
MAX_SLOTS: Final = 50


def _weekday(value: Any) -> int:
    """The number of a weekday, 0 for Monday."""
    if isinstance(value, str) and value.strip().lower() in DAYS:
        return DAYS.index(value.strip().lower())
    if isinstance(value, str) and value.strip().isdecimal() and len(value.strip()) < 3:
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value in range(7):
        return int(value)
    raise PydanticCustomError("weekday", "Write the English name of a weekday, or 0 (Monday) to 6")


def _given(value: Any) -> Any:
    """An object without the fields that are null: null is the same as leaving a field out."""
    return {name: each for name, each in value.items() if each is not None} if isinstance(value, dict) else value


Given = BeforeValidator(_given)


class Slot(Body):
    """A time of a week: `{day, start, end}` or `{day_of_week, start_time, end_time}`; the end is exclusive."""

    day: Annotated[int, BeforeValidator(_weekday), _NAME_OR_NUMBER] = Field(
        validation_alias=AliasChoices("day", "day_of_week")
    )
    start: WallTime = Field(validation_alias=AliasChoices("start", "start_time"))
    end: WallTime = Field(validation_alias=AliasChoices("end", "end_time"))

    @model_validator(mode="after")
    def _starts_before_it_ends(self) -> Self:
        if self.start >= self.end:
            raise PydanticCustomError("slot_order", "A slot must start before it ends, on the same day")
        return self


Slots = Annotated[list[Annotated[Slot, Given]], Field(min_length=1, max_length=MAX_SLOTS), at_most(MAX_SLOTS)]


class CallingHours(Body):
    """When contacts may be called, in one zone for all of them."""

    timezone: TimezoneName = "UTC"
    slots: Slots


class ScheduleConfig(CallingHours):
    """The same in Dograh's spelling; not `enabled`: the slots are kept and restrict nothing."""

    enabled: bool = True


class PatchedHours(Body):
    """What is to change of the hours; slots are replaced as a whole."""

    timezone: TimezoneName | None = None
    slots: Slots | None = None


class PatchedSchedule(PatchedHours):
    """The same in Dograh's spelling."""

    enabled: bool | None = None


def same_hours(theirs: Any, info: ValidationInfo) -> Any:
    """`schedule_config` as it is; refused where `calling_hours` beside it says something else."""
    ours = info.data.get("calling_hours")
    if ours is None or theirs is None:
        return theirs
    if (ours.timezone, ours.slots) != (theirs.timezone, theirs.slots) or theirs.enabled is False:
        raise hours_differ()
    return theirs


def hours_differ() -> PydanticCustomError:
    """The mistake of a body whose two spellings of hours say different things."""
    return PydanticCustomError(
        "hours_differ", "calling_hours and schedule_config say different things; send one of them"
    )


class RetryConfig(Body):
    """Whether, how often and how soon a contact that was not reached is called again."""

    enabled: bool = True
    max_retries: Annotated[WholeNumber, Field(ge=0, le=10)] = 2
    retry_delay_seconds: Annotated[WholeNumber, Field(ge=30, le=3600)] = 120
    retry_on_busy: bool = True
    retry_on_no_answer: bool = True
    retry_on_voicemail: bool = True


class CircuitBreaker(Body):
    """When the campaign is paused because too many of its calls fail."""

    enabled: bool = True
    failure_threshold: Annotated[Number, Field(ge=0, le=1)] = 0.5
    window_seconds: Annotated[WholeNumber, Field(ge=30, le=600)] = 120
    min_calls_in_window: Annotated[WholeNumber, Field(ge=1, le=100)] = 5


ABSENT_RETRY: Final = RetryConfig(max_retries=1, retry_on_voicemail=False)
ABSENT_BREAKER: Final = CircuitBreaker()
NewHours = Annotated[CallingHours, Given]
NewSchedule = Annotated[ScheduleConfig, Given]
NewRetry = Annotated[RetryConfig, Given]
NewBreaker = Annotated[CircuitBreaker, Given]
Concurrency = Annotated[WholeNumber, Field(ge=1, le=10_000)]
RatePerSecond = Annotated[WholeNumber, Field(ge=1, le=1000)]
TextOrNothing = Annotated[str | None, AfterValidator(lambda text: text or None)]
