"""Bodies that carry contacts: read as far as they can be read, so that one answer names every mistake.

Whether a number can be read depends on the campaign's configuration, which is known only after the body
has been read; a body with other mistakes still has its numbers checked, and both lists are one 422.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json

from services.campaign_api.http.bodies import parsed, read_json
from services.campaign_api.native.errors import RequestInvalid, problems_in_body
from services.campaign_api.native.schemas.problems import FieldProblem
from shared.domain.contact_input import (
    MAX_PHONE_NUMBERS,
    ContactInput,
    PhoneText,
    PreparedContacts,
    prepare_contacts,
    why_unreadable,
)
from shared.domain.phone import NumberType

Model = TypeVar("Model", bound=BaseModel)

_PREFIX: Final = ("body", "contacts")
_PHONE_TEXT: Final[TypeAdapter[str]] = TypeAdapter(PhoneText)
# Reading a number takes some 50 µs: the numbers of more contacts are read beside the event loop.
MAX_INLINE_CONTACTS: Final = 20


@dataclass(frozen=True, slots=True)
class NumberRules:
    """How the numbers of a campaign's contacts are read."""

    default_country_code: str | None
    strict_e164: bool = False
    refused_types: tuple[NumberType, ...] = ()


@dataclass(frozen=True, slots=True)
class LooseNumber:
    """A well-formed number in a body that is wrong elsewhere: its row, and its place in the row."""

    row: int
    place: int
    text: str


@dataclass(frozen=True, slots=True)
class Draft(Generic[Model]):
    """A body with its contacts, or what is wrong with it and which of its numbers can be checked all the same."""

    body: Model | None
    problems: tuple[FieldProblem, ...]
    fields: Mapping[str, Any]
    contacts: tuple[ContactInput, ...]
    numbers: tuple[LooseNumber, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong, the numbers aside."""
        return self.body is not None

    @property
    def is_settled(self) -> bool:
        """Whether it is wrong, and nothing more can be found out."""
        return self.body is None and not self.numbers

    def refuse(self) -> RequestInvalid:
        """The refusal for what is wrong, the numbers aside."""
        return RequestInvalid(self.problems)

    async def checked(self, rules: NumberRules) -> tuple[Model, PreparedContacts]:
        """The body and its contacts, ready to be stored. Raises `RequestInvalid` with everything at once."""
        few = len(self.contacts) + len(self.numbers) <= MAX_INLINE_CONTACTS
        return self._checked(rules) if few else await asyncio.to_thread(self._checked, rules)

    def _checked(self, rules: NumberRules) -> tuple[Model, PreparedContacts]:
        if self.body is None:
            numbers = _unreadable(self.numbers, rules)
            raise RequestInvalid(sorted([*self.problems, *numbers], key=_place))
        prepared = prepare_contacts(
            self.contacts,
            default_country_code=rules.default_country_code,
            strict_e164=rules.strict_e164,
            refused_types=rules.refused_types,
        )
        if prepared.problems:
            raise RequestInvalid([_number_problem(one.index, one.loc, one.message) for one in prepared.problems])
        return self.body, prepared


def draft_of(model: type[Model], contacts_of: Callable[[Model], list[ContactInput]], most: int) -> Any:
    """A dependency that reads the body as a draft of `model`; `most` contacts are looked at."""

    def parse(raw: bytes) -> Draft[Model]:
        try:
            body = model.model_validate_json(raw)
        except ValidationError as error:
            return _salvaged(raw, problems_in_body(error, model), most)
        return Draft(body, (), {}, tuple(contacts_of(body)), ())

    async def read(request: Request) -> Draft[Model]:
        return await parsed(await read_json(request), parse)

    return read


def _salvaged(raw: bytes, problems: Sequence[FieldProblem], most: int) -> Draft[Any]:
    fields = _object(raw)
    rows = fields.get("contacts")
    known = rows if isinstance(rows, list) and len(rows) <= most else []
    numbers = tuple(number for position, row in enumerate(known) for number in _numbers_of(position, row))
    return Draft(None, tuple(problems), fields, (), numbers)


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        value = from_json(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _numbers_of(position: int, row: Any) -> Iterator[LooseNumber]:
    """The row's numbers that have the right form; what is wrong with the others stands in the problems."""
    numbers = row.get("phone_numbers") if isinstance(row, dict) else None
    if not isinstance(numbers, list) or len(numbers) > MAX_PHONE_NUMBERS:
        return
    for place, text in enumerate(numbers):
        try:
            yield LooseNumber(position, place, _PHONE_TEXT.validate_python(text))
        except ValidationError:
            continue


def _unreadable(numbers: tuple[LooseNumber, ...], rules: NumberRules) -> Iterator[FieldProblem]:
    for number in numbers:
        why = why_unreadable(
            number.text,
            default_country_code=rules.default_country_code,
            strict_e164=rules.strict_e164,
            refused_types=rules.refused_types,
        )
        if why is not None:
            yield _number_problem(number.row, ("phone_numbers", number.place), why)


def _number_problem(row: int, loc: tuple[str | int, ...], why: str) -> FieldProblem:
    return FieldProblem(loc=[*_PREFIX, row, *loc], msg=why, type="phone_number")


def _place(problem: FieldProblem) -> tuple[bool, int]:
    """By row; what belongs to no row first."""
    in_row = tuple(problem.loc[:2]) == _PREFIX and len(problem.loc) > 2
    row = problem.loc[2] if in_row else 0
    return in_row, row if isinstance(row, int) else 0
