"""Bodies that carry contacts: read as far as they can be read, so that one answer names every mistake.

Whether a number can be read depends on the campaign's configuration, which is known only after the body
has been read; a body with other mistakes still has its numbers checked, and both lists are one 422.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from fastapi import Depends
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json

from services.campaign_api.http.bodies import BodyReader, bad_values
from services.campaign_api.http.faults import BadValue, ValuesInvalid
from shared.domain.contact_input import MAX_PHONE_NUMBERS, ContactInput, NumberRules, PhoneText, PreparedContacts

Model = TypeVar("Model", bound=BaseModel)

_PREFIX: Final = ("body", "contacts")
_PHONE_TEXT: Final[TypeAdapter[str]] = TypeAdapter(PhoneText)
# Reading a number takes some 50 µs: the numbers of more contacts are read beside the event loop.
MAX_INLINE_CONTACTS: Final = 20


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
    problems: tuple[BadValue, ...]
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

    def refuse(self) -> ValuesInvalid:
        """The refusal for what is wrong, the numbers aside."""
        return ValuesInvalid(self.problems)

    async def checked(self, rules: NumberRules) -> tuple[Model, PreparedContacts]:
        """The body and its contacts, ready to be stored. Raises `ValuesInvalid` with everything at once."""
        few = len(self.contacts) + len(self.numbers) <= MAX_INLINE_CONTACTS
        return self._checked(rules) if few else await asyncio.to_thread(self._checked, rules)

    def _checked(self, rules: NumberRules) -> tuple[Model, PreparedContacts]:
        if self.body is None:
            numbers = _unreadable(self.numbers, rules)
            raise ValuesInvalid(sorted([*self.problems, *numbers], key=_place))
        prepared = rules.prepare(self.contacts)
        if prepared.problems:
            raise ValuesInvalid([_number_problem(one.index, one.loc, one.message) for one in prepared.problems])
        return self.body, prepared


def draft_body(model: type[Model], contacts_of: Callable[[Model], list[ContactInput]], most: int) -> Any:
    """The annotation of a parameter that is the body, read as a draft of `model`; `most` contacts are looked at."""

    def parse(raw: bytes) -> Draft[Model]:
        try:
            body = model.model_validate_json(raw)
        except ValidationError as error:
            return _salvaged(raw, bad_values(error, model, raw), most)
        return Draft(body, (), {}, tuple(contacts_of(body)), ())

    return Depends(BodyReader(model, parse))


def _salvaged(raw: bytes, problems: Sequence[BadValue], most: int) -> Draft[Any]:
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


def _unreadable(numbers: tuple[LooseNumber, ...], rules: NumberRules) -> Iterator[BadValue]:
    for number in numbers:
        why = rules.why_unreadable(number.text)
        if why is not None:
            yield _number_problem(number.row, ("phone_numbers", number.place), why)


def _number_problem(row: int, loc: tuple[str | int, ...], why: str) -> BadValue:
    return BadValue((*_PREFIX, row, *loc), why, "phone_number")


def _place(problem: BadValue) -> tuple[bool, int]:
    """By row; what belongs to no row first."""
    in_row = problem.loc[:2] == _PREFIX and len(problem.loc) > 2
    row = problem.loc[2] if in_row else 0
    return in_row, row if isinstance(row, int) else 0
