"""Values of requests as this API's clients write them: unknown fields are passed over, numbers may be text."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

from fastapi import Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.domain.json_rules import check_text

T = TypeVar("T")
# What JSON carries exactly; higher numbers are nobody's.
MAX_ID: Final = 2**53 - 1
NOBODYS: Final = 0


class Body(BaseModel):
    """A body from outside: what is unknown is ignored, as these clients send more than is used."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("int_type", "Write a whole number")
    return value


def known_id(number: int) -> int:
    """An integer id as it is looked up: one that no thing can have is nobody's."""
    return number if 0 < number <= MAX_ID else NOBODYS


def utc_instant(value: Any) -> Any:
    """A time of ISO 8601 in UTC; a date alone is its midnight, without an offset it is UTC."""
    if not isinstance(value, str):
        raise PydanticCustomError("datetime_type", "Write a time in ISO 8601, such as 2026-06-01T09:00:00Z")
    try:
        at = datetime.fromisoformat(value.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError(
            "datetime_parsing", "Write a time in ISO 8601, such as 2026-06-01T09:00:00Z"
        ) from None


WholeNumber = Annotated[int, BeforeValidator(_no_bool)]
"""A whole number: `5`, `5.0` or `"5"`."""

Number = Annotated[float, BeforeValidator(_no_bool), Field(allow_inf_nan=False)]

Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(check_text)]

Instant = Annotated[
    datetime,
    BeforeValidator(utc_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-06-01T09:00:00Z"]}),
]
"""A time in UTC."""

Id = Annotated[int, Path(description="The integer id."), AfterValidator(known_id)]
Ref = Annotated[WholeNumber, AfterValidator(known_id)]
"""The integer id of another thing, in a body."""

MAX_BODY_BYTES: Final = 1024 * 1024
