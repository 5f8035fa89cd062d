"""Query parameters as this API reads them: unknown ones are ignored, empty ones ask for nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Path, Request
from pydantic import AfterValidator, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from services.campaign_api.http.faults import BadValue, ValuesInvalid
from services.campaign_api.http.paths import decoded_leniently
from shared.domain.contact_input import Instant
from shared.domain.json_rules import check_text
from shared.domain.mistakes import mistake

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 1000
MOST: Final = 2**53
Word = TypeVar("Word", bound=StrEnum)
Other = TypeVar("Other")
_INSTANT: Final[TypeAdapter[datetime]] = TypeAdapter(Instant)

Ref = Annotated[str, Path(description="An id, or an external id."), AfterValidator(decoded_leniently)]


@dataclass(slots=True)
class Query:
    """The query of one request. Every bad value is noted; `checked` raises `ValuesInvalid` with all of them."""

    request: Request
    faults: list[BadValue] = field(default_factory=list)

    def text(self, name: str) -> str | None:
        """The last value of a parameter; None: not given, or empty."""
        values = self.texts(name)
        return values[-1] if values else None

    def texts(self, name: str) -> list[str]:
        """All values of a parameter that are not empty."""
        values = [value for value in self.request.query_params.getlist(name) if value]
        try:
            return [check_text(value) for value in values]
        except PydanticCustomError as error:
            return self._bad(name, error.message(), [])

    def words(self, name: str, of: type[Word]) -> list[Word]:
        """The values of a repeatable parameter, each one of these words."""
        try:
            return [of(value) for value in self.texts(name)]
        except ValueError:
            return self._bad(name, f"Write {_one_of([word.value for word in of])}", [])

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """One of these words."""
        value = self.text(name)
        return value if value is None or value in choices else self._bad(name, f"Write {_one_of(choices)}", None)

    def truth(self, name: str) -> bool | None:
        """`true` or `false`."""
        value = self.choice(name, ("true", "false"))
        return None if value is None else value == "true"

    def integer(self, name: str, least: int) -> int | None:
        """A whole number from `least` to 2^53."""
        value = self.text(name)
        if value is None:
            return None
        digits = value.removeprefix("-")
        number = int(value) if digits.isascii() and digits.isdigit() and len(digits) <= 20 else None
        if number is None or not least <= number <= MOST:
            return self._bad(name, f"Write a whole number that is at least {least}", None)
        return number

    def instant(self, name: str) -> datetime | None:
        """A moment, in UTC."""
        value = self.text(name)
        try:
            return None if value is None else _INSTANT.validate_python(value)
        except ValidationError as error:
            return self._bad(name, mistake(error.errors(include_url=False, include_input=False)[0]), None)

    def require_one(self, *names: str) -> None:
        """Refuse a request that has none of these parameters."""
        if all(self.text(name) is None for name in names):
            self._bad(names[0], "Add this parameter: it is required", None)

    def checked(self) -> None:
        """Raises `ValuesInvalid` where a value is bad."""
        if self.faults:
            raise ValuesInvalid(self.faults)

    def _bad(self, name: str, sentence: str, instead: Other) -> Other:
        self.faults.append(BadValue(("query", name), sentence, "value_error"))
        return instead


@dataclass(frozen=True, slots=True)
class Paging:
    """The page that a list is asked for."""

    limit: int
    offset: int

    def around(self, plural: str, rows: Sequence[Any], total: int) -> dict[str, Any]:
        """The answer of a list."""
        return {
            "success": True,
            plural: list(rows),
            "count": total,
            "limit": self.limit,
            "offset": self.offset,
            "total": total,
            "page": self.offset // self.limit + 1,
        }


def paging(query: Query) -> Paging:
    """The page that the query asks for."""
    limit, offset, page = query.integer("limit", 1), query.integer("offset", 0), query.integer("page", 1)
    applied = min(limit or DEFAULT_LIMIT, MAX_LIMIT)
    from_page = 0 if page is None else min((page - 1) * applied, MOST)
    return Paging(applied, from_page if offset is None else offset)


async def _query(request: Request) -> Query:
    return Query(request)


ThisQuery = Annotated[Query, Depends(_query)]
PAGED: Final = ("limit", "offset", "page")
TEAM: Final = ("teamId", "accountSlug")
INSTANTS: Final = ("startDate", "endDate")


def documented(*names: str) -> dict[str, Any]:
    """The query parameters of a route, for its document: they are read by hand."""
    return {"parameters": [{"name": name, "in": "query", "schema": _schema(name)} for name in names]}


def _schema(name: str) -> dict[str, Any]:
    if name in PAGED:
        return {"type": "integer", "minimum": 0 if name == "offset" else 1, "maximum": MOST}
    return {"type": "string", **({"format": "date-time"} if name in INSTANTS else {})}


def _one_of(choices: Sequence[str]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"
