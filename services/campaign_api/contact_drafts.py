"""Bodies that carry contacts: read as far as they can be read, so that one answer names every mistake.

Whether a number can be read depends on the campaign's configuration, which is known only after the body
has been read; a body with other mistakes still has its numbers checked, and both lists are one 422.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from services.campaign_api.bodies import read_json
from services.campaign_api.errors import RequestInvalid, problem_of
from services.campaign_api.schemas.problems import FieldProblem
from shared.domain.contact_input import ContactInput, PreparedContacts, RowProblem, prepare_contacts

Model = TypeVar("Model", bound=BaseModel)

_PREFIX: Final = ("body", "contacts")


@dataclass(frozen=True, slots=True)
class NumberRules:
    """How the numbers of a campaign's contacts are read."""

    default_country_code: str | None
    strict_e164: bool = False


@dataclass(frozen=True, slots=True)
class Draft(Generic[Model]):
    """A body, or what is wrong with it and which of its contacts have numbers to check."""

    body: Model | None
    problems: tuple[FieldProblem, ...]
    fields: Mapping[str, Any]
    contacts: tuple[ContactInput, ...]
    positions: tuple[int, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong, the numbers aside."""
        return self.body is not None

    def refuse(self) -> RequestInvalid:
        """The refusal for what is wrong, the numbers aside."""
        return RequestInvalid(self.problems)

    def checked(self, rules: NumberRules) -> tuple[Model, PreparedContacts]:
        """The body and its contacts, ready to be stored. Raises `RequestInvalid` with everything at once."""
        prepared = prepare_contacts(
            self.contacts,
            default_country_code=rules.default_country_code,
            strict_e164=rules.strict_e164,
            positions=self.positions,
        )
        if self.body is None or prepared.problems:
            numbers = [_number_problem(problem) for problem in prepared.problems]
            raise RequestInvalid(sorted([*self.problems, *numbers], key=_place))
        return self.body, prepared


def draft_of(model: type[Model], contacts_of: Callable[[Model], list[ContactInput]], most: int) -> Any:
    """A dependency that reads the body as a draft of `model`; `most` contacts are looked at."""

    async def read(request: Request) -> Draft[Model]:
        raw = await read_json(request)
        try:
            body = model.model_validate_json(raw)
        except ValidationError as error:
            return _salvaged(raw, error, most)
        contacts = tuple(contacts_of(body))
        return Draft(body, (), {}, contacts, tuple(range(len(contacts))))

    return read


def _salvaged(raw: bytes, error: ValidationError, most: int) -> Draft[Any]:
    problems = tuple(problem_of(one, ["body"]) for one in error.errors(include_url=False, include_input=False))
    fields = _object(raw)
    rows = fields.get("contacts")
    found = [
        (position, contact)
        for position, row in enumerate(rows if isinstance(rows, list) and len(rows) <= most else [])
        if (contact := _numbers_of(row)) is not None
    ]
    return Draft(
        None, problems, fields, tuple(contact for _, contact in found), tuple(position for position, _ in found)
    )


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        value = from_json(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _numbers_of(row: Any) -> ContactInput | None:
    """A contact of nothing but the row's numbers, if they have the right form."""
    if not isinstance(row, dict):
        return None
    try:
        return ContactInput.model_validate({"phone_numbers": row.get("phone_numbers")})
    except ValidationError:
        return None


def _number_problem(problem: RowProblem) -> FieldProblem:
    return FieldProblem(loc=[*_PREFIX, problem.index, *problem.loc], msg=problem.message, type="phone_number")


def _place(problem: FieldProblem) -> tuple[bool, int]:
    """By row; what belongs to no row first."""
    in_row = tuple(problem.loc[:2]) == _PREFIX and len(problem.loc) > 2
    row = problem.loc[2] if in_row else 0
    return in_row, row if isinstance(row, int) else 0
