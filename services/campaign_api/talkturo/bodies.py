"""Bodies of requests, read as this API reads them."""

from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from fastapi import Depends
from pydantic import ValidationError
from pydantic_core import PydanticCustomError, from_json, to_json

from services.campaign_api.http.bodies import MAX_BODY_BYTES, BodyReader, bad_values
from services.campaign_api.http.faults import BadValue, ValuesInvalid
from services.campaign_api.talkturo.answers import EXTERNAL_ID_STAYS
from services.campaign_api.talkturo.spelling import Reading, Spelled, camel_case, spelled
from shared.domain.json_rules import check_json_within

Model = TypeVar("Model", bound=Spelled)
_NO_JSON: Final = "Send valid JSON"


@dataclass(frozen=True, slots=True)
class Given(Generic[Model]):
    """A body, and how the client has written it."""

    value: Model
    reading: Reading = field(default_factory=Reading)

    @property
    def warnings(self) -> list[str]:
        """What of the body was ignored, a sentence each."""
        return self.reading.warnings

    @property
    def of_change(self) -> list[str]:
        """What of a change was ignored: also an external id, which stays as it was given when the thing was made."""
        return [*self.warnings, *([EXTERNAL_ID_STAYS] if "external_id" in self.fields else [])]

    @property
    def fields(self) -> set[str]:
        """The fields that were given."""
        return self.value.model_fields_set

    def bad(self, sentence: str, *loc: str | int) -> ValuesInvalid:
        """The refusal of a value of the body, by its place there."""
        return ValuesInvalid([self.bad_value(sentence, *loc)])

    def bad_value(self, sentence: str, *loc: str | int) -> BadValue:
        """One bad value of the body."""
        return BadValue(("body", *self.reading.as_written(loc)), sentence, "value_error")


def body(model: type[Model], *, changes: bool = False, required: bool = True) -> Any:
    """The annotation of an endpoint's parameter that is the body, read as `model`.

    With `changes` null clears a field; else it counts as left out.
    """

    def parse(raw: bytes) -> Given[Model]:
        return read(b"{}" if not required and not raw.strip() else raw, model, nulls=changes)

    return Depends(BodyReader(model, parse, required=required))


def read(raw: bytes, model: type[Model], *, nulls: bool) -> Given[Model]:
    """The body of these bytes. Raises `ValuesInvalid` with every bad value, in the client's own words."""
    reading = Reading()
    made = spelled(_object(raw), model, reading, nulls=nulls)
    faults = [BadValue(("body", *fault.loc), fault.message, fault.kind) for fault in reading.faults]
    clean = to_json(made)
    try:
        value = model.model_validate_json(clean)
    except ValidationError as error:
        faults += [_in_their_words(fault, reading) for fault in bad_values(error, model, clean)]
    if faults:
        raise ValuesInvalid(faults)
    return Given(value, reading)


def _in_their_words(fault: BadValue, reading: Reading) -> BadValue:
    way = reading.as_written(fault.loc[1:])
    if fault.kind == "missing":
        way = (*way[:-1], camel_case(str(way[-1])))
    return BadValue(("body", *way), fault.message, fault.kind)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        given = from_json(raw, allow_inf_nan=False)
        check_json_within(given, MAX_BODY_BYTES)
    except PydanticCustomError as error:
        raise ValuesInvalid([BadValue(("body",), error.message(), error.type)]) from None
    except ValueError:
        raise ValuesInvalid([BadValue(("body",), _NO_JSON, "json_invalid")]) from None
    if not isinstance(given, dict):
        raise ValuesInvalid([BadValue(("body",), "Send a JSON object, in curly brackets", "dict_type")])
    return given
