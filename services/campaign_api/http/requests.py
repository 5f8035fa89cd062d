"""The fields and the base class that all request bodies share."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from shared.domain.contact_input import is_uuid
from shared.domain.json_rules import check_text


class RequestBody(BaseModel):
    """A body from outside: nothing unknown, nothing converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


# Nothing that is addressed by a text has a longer one.
MAX_IDENTIFIER: Final = 255
Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(check_text)]
Identifier = Annotated[str, Field(min_length=1, max_length=MAX_IDENTIFIER), AfterValidator(check_text)]


def as_stored(our_id: str) -> str:
    """One of our ids in the spelling it is stored in: a UUID may be written in either case."""
    return our_id.lower() if is_uuid(our_id) else our_id


OurId = Annotated[Identifier, AfterValidator(as_stored), WithJsonSchema({"type": "string", "format": "uuid"})]


def not_null(value: object) -> object:
    """For fields of a PATCH that can be left out, but not cleared."""
    if value is None:
        raise ValueError("must not be null; leave it out to keep the value")
    return value
