"""Query parameters of the lists."""

from typing import Annotated, Final

from fastapi import Query

MAX_LIMIT: Final = 200
DEFAULT_LIMIT: Final = 50
# Far beyond any list, and within what the database counts with.
MAX_OFFSET: Final = 1_000_000_000

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows on a page, at most.")]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET, description="Rows to leave out before the page.")]
Cursor = Annotated[
    str | None, Query(max_length=1000, description="`next_cursor` of the page before; the first page without it.")
]
FromOffset = Annotated[
    int | None,
    Query(
        ge=0,
        le=MAX_OFFSET,
        description="Rows to leave out before the page, in place of a cursor; the answer has the `total` then.",
    ),
]
