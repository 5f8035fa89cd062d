"""Bodies in camelCase or snake_case, purely: every field by its one name, and what the client called it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from services.campaign_api.http.faults import BadValue
from services.campaign_api.http.requests import RequestBody
from shared.domain.repeating import repeated

_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_UNDERSCORE: Final = re.compile(r"(?<=[a-z0-9])_([a-z])")
Loc = tuple[str | int, ...]
# Unknown fields that are named in an answer; the others are counted.
_MOST_NAMED: Final = 20


class Spelled(RequestBody):
    """A body whose fields clients write in either spelling.

    `also` are other names of fields; `parts` the bodies within it, one or a list of them, by field; what else is given
    goes into the field `others`, where there is one. `either`: one of these fields is required. `again` are fields that
    no client writes: parts that are read from an object which also stays as it is, by the field that has the object.
    With `free` fields that are not known here are the client's own.
    """

    also: ClassVar[Mapping[str, str]] = {}
    parts: ClassVar[Mapping[str, type["Spelled"]]] = {}
    others: ClassVar[str | None] = None
    either: ClassVar[tuple[str, ...]] = ()
    again: ClassVar[Mapping[str, str]] = {}
    free: ClassVar[bool] = False

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The fields as the product's own clients write them; others are ignored, or kept in `others`."""
        made = handler(core_schema)
        schema = handler.resolve_ref_schema(made)
        schema["properties"] = {camel_case(name): part for name, part in schema.get("properties", {}).items()}
        if "required" in schema:
            schema["required"] = [camel_case(name) for name in schema["required"]]
        schema["additionalProperties"] = True
        return made


@dataclass(slots=True)
class Reading:
    """What was read of a body: the names the client used, by place; what was ignored; what contradicts itself."""

    written: dict[Loc, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    faults: list[BadValue] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """A sentence for each field that was ignored."""
        named = [f"{name} is not a field here and was ignored" for name in self.ignored[:_MOST_NAMED]]
        more = len(self.ignored) - len(named)
        return [*named, f"{more} more fields were ignored"] if more else named

    def as_written(self, loc: Loc) -> Loc:
        """A place in the client's words."""
        return tuple(self.written.get(loc[: depth + 1], part) for depth, part in enumerate(loc))


def snake_case(name: str) -> str:
    """The name of a field with underscores: `assistantId` is `assistant_id`."""
    return _HUMP.sub(lambda hump: f"_{hump[1]}", name).lower() if name.isascii() else name


def camel_case(name: str) -> str:
    """The name of a field as the product's own clients write it: `assistant_id` is `assistantId`."""
    return _UNDERSCORE.sub(lambda after: after[1].upper(), name)


def spelled(given: Mapping[str, Any], model: type[Spelled], reading: Reading, *, nulls: bool, loc: Loc = ()) -> Any:
    """The body with the model's names; with `nulls` fields that are null stay, else they count as left out."""
    made: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name, value in given.items():
        snake = snake_case(name)
        known = model.also.get(snake, snake)
        if known not in model.model_fields or known in model.again:
            others[name] = value
            continue
        if value is None and not nulls:
            continue
        if known in made and not _same(made[known], value):
            said = f"Says another thing than {repeated(reading.written[*loc, known])}"
            reading.faults.append(BadValue((*reading.as_written(loc), repeated(name)), said, "contradiction"))
            continue
        made[known] = value
        reading.written[*loc, known] = repeated(name)
    if model.either and made.keys().isdisjoint(model.either):
        required = camel_case(model.either[0])
        reading.faults.append(BadValue((*loc, required), "Add this field: it is required", "missing"))
    for known, origin in model.again.items():
        if isinstance(made.get(origin), dict):
            made[known] = made[origin]
            reading.written[*loc, known] = reading.written[*loc, origin]
    for known, part in model.parts.items():
        if known in made:
            made[known] = _part(made[known], part, reading, nulls, (*loc, known))
    if model.others is not None and others:
        own = made.get(model.others)
        if own is None or isinstance(own, dict):
            made[model.others] = {**others, **(own or {})}
    elif not model.free:
        reading.ignored += [repeated(name) for name in others]
    return made


def _part(value: Any, part: type[Spelled], reading: Reading, nulls: bool, loc: Loc) -> Any:
    if isinstance(value, list):
        return [_part(one, part, reading, nulls, (*loc, place)) for place, one in enumerate(value)]
    return spelled(value, part, reading, nulls=nulls, loc=loc) if isinstance(value, dict) else value


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
