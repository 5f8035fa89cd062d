"""What all bodies and answers of this dialect share."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, ClassVar, Final, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.campaign_api.smartalex.paging import Page as Asked
from shared.domain.json_rules import check_text
from shared.domain.repeating import repeated
from shared.domain.shown_ids import UuidText

T = TypeVar("T")
MAX_WARNINGS: Final = 20


Text255 = Annotated[str, Field(max_length=255), AfterValidator(check_text)]
Text5000 = Annotated[str, Field(max_length=5000), AfterValidator(check_text)]


class Body(BaseModel):
    """A body from outside: known fields are strict; unknown ones are ignored, and named in the answer's warnings."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    # Fields of answers that may be sent back, in silence.
    read_only: ClassVar[frozenset[str]] = frozenset()


class One(BaseModel, Generic[T]):
    """One thing."""

    data: T
    warnings: list[str] = Field([], description="Only where there is something to say.", max_length=MAX_WARNINGS)


class Meta(BaseModel):
    """Which page of a list this is, and how many rows there are in all."""

    total: int
    page: int
    per_page: int


class Many(BaseModel, Generic[T]):
    """One page of a list."""

    data: list[T]
    meta: Meta


class Deleted(BaseModel):
    """A thing that was deleted."""

    id: UuidText
    deleted: bool


def one(data: T, *warnings: str) -> One[T]:
    """The answer with one thing, and with remarks if there are any."""
    return One(data=data, warnings=list(warnings[:MAX_WARNINGS])) if warnings else One(data=data)


def many(data: list[T], total: int, asked: Asked) -> Many[T]:
    """The answer with a page of a list."""
    return Many(data=data, meta=Meta(total=total, page=asked.page, per_page=asked.per_page))


def unknown_fields(body: Body) -> list[str]:
    """Remarks on the fields of a body that are not known here; the first ones, if there are many."""
    return [f"{name}: not known here, ignored" for name in islice(_unknown(body, ""), MAX_WARNINGS)]


def _unknown(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, Body):
        for name in value.model_extra or ():
            if name not in value.read_only:
                yield f"{place}{repeated(name)}"
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _unknown(getattr(value, name), f"{place}{name}.")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _unknown(each, f"{place.removesuffix('.')}[{number}].")
