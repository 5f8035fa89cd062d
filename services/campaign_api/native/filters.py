"""What a list or a view shows only when it is asked for."""

from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, BeforeValidator

from shared.domain.fields import E164
from shared.domain.json_rules import check_text
from shared.domain.person import MAX_SEARCH


def with_plus(number: str) -> str:
    """The number, its plus restored where the client has sent it unencoded, which arrives as a blank."""
    return f"+{number[1:]}" if number.startswith(" ") else number


WithDeleted = Annotated[
    bool, Query(description="true: a deleted campaign too; a single one is found by its id, not by its external_id.")
]
WithPrivate = Annotated[bool, Query(description="true: also the configurations that single campaigns have alone.")]
SearchFilter = Annotated[
    str | None,
    Query(max_length=MAX_SEARCH, description="A part of what is searched, in any case, taken literally."),
    AfterValidator(lambda text: text if text is None else check_text(text)),
]
PhoneFilter = Annotated[
    E164 | None,
    BeforeValidator(with_plus),
    Query(description="Only those with this phone (E.164), in whatever spelling they have it."),
]
