"""What a list or a view shows only when it is asked for."""

from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator

from shared.domain.json_rules import check_text
from shared.domain.person import MAX_SEARCH

WithDeleted = Annotated[
    bool, Query(description="true: a deleted campaign too; a single one is found by its id, not by its external_id.")
]
WithPrivate = Annotated[bool, Query(description="true: also the configurations that single campaigns have alone.")]
SearchFilter = Annotated[
    str | None,
    Query(max_length=MAX_SEARCH, description="A part of what is searched, in any case, taken literally."),
    AfterValidator(lambda text: text if text is None else check_text(text)),
]
