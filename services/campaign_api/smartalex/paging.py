"""Page numbers and filters of this dialect's lists."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Query
from pydantic import AfterValidator, BeforeValidator

from services.campaign_api.http.requests import as_stored
from shared.domain.json_rules import check_text

MAX_PAGE: Final = 1_000_000
MAX_PER_PAGE: Final = 100
DEFAULT_PER_PAGE: Final = 20
# A filter that is empty filters nothing.
EMPTY_IS_NONE: Final = BeforeValidator(lambda given: given or None)
# Texts and ids may be of any length: one that nothing has leaves nothing.
TextFilter = Annotated[str, AfterValidator(check_text)]
IdFilter = Annotated[TextFilter, AfterValidator(as_stored)]


@dataclass(frozen=True, slots=True)
class Page:
    """The page that is asked for, from 1 on."""

    page: int
    per_page: int

    @property
    def offset(self) -> int:
        """How many rows come before it."""
        return (self.page - 1) * self.per_page


async def _page(
    page: Annotated[int, Query(ge=1, le=MAX_PAGE, description="From 1 on.")] = 1,
    per_page: Annotated[int, Query(ge=1, le=MAX_PER_PAGE, description="Rows on a page.")] = DEFAULT_PER_PAGE,
) -> Page:
    return Page(page, per_page)


ThisPage = Annotated[Page, Depends(_page)]
