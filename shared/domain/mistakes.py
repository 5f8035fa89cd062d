"""What a refused value is told: pydantic's mistakes in our words, over HTTP and in the results of Kafka batches alike.

Each sentence says what to write. It never repeats the value; where the value stands, its `loc` says.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any, Final, get_args

from pydantic import BaseModel

from shared.domain.contact_input import ContactInput
from shared.domain.json_rules import SURROGATE

# By pydantic's type of mistake; the names in brackets are those of its context.
_SENTENCES: Final = {
    "missing": "Add this field: it is required",
    "json_invalid": "Send valid JSON: {error}",
    "string_unicode": SURROGATE,
    "string_type": "Write a text in quotation marks",
    "int_type": "Write a whole number, without quotation marks",
    "int_parsing": "Write a whole number",
    "int_parsing_size": "Write a smaller number",
    "int_from_float": "Write a whole number",
    "float_type": "Write a number, without quotation marks",
    "bool_type": "Write true or false, without quotation marks",
    "dict_type": "Write a JSON object, in curly brackets",
    "enum": "Write {expected}",
    "literal_error": "Write {expected}",
    "string_too_short": "Write a text of {min_length} or more characters",
    "string_too_long": "Write a text of {max_length} or fewer characters",
    "too_short": "Send at least {min_length} of these, not {actual_length}",
    "too_long": "Send at most {max_length} of these, not {actual_length}",
    "greater_than_equal": "Write a number that is at least {ge}",
    "less_than_equal": "Write a number that is at most {le}",
}
_EMPTY_JSON: Final = "EOF while parsing a value at line 1 column 0"
_LIST_EXAMPLES: Final = {"phone_numbers": '["+14155550123"]', "contacts": '[{"phone_numbers": ["+14155550123"]}]'}
# What contacts' fields are called elsewhere, without underscores; what only looks alike is found without this.
_OTHER_NAMES: Final = {
    "phone_numbers": ("phone", "phones", "number", "numbers", "telephone", "tel", "mobile", "cell", "msisdn"),
    "data": ("metadata", "variables", "attributes", "customdata", "customfields"),
    "timezone": ("tz", "zone"),
    "scheduled_at": ("scheduledfor", "callat"),
}
# Comparing a name costs some 20 µs, and a request may have 50,000 of them: long ones are no slips of the pen.
_MAX_NAME: Final = 32
_LIKENESS: Final = 0.82


def mistake(error: Mapping[str, Any], model: type[BaseModel] | None = None) -> str:
    """The sentence for one of pydantic's errors; `model` is what the whole value was read as."""
    loc = error["loc"]
    match error["type"]:
        case "extra_forbidden":
            return _unknown_field(loc[-1], _model_at(model, loc[:-1]))
        case "list_type" | "tuple_type":
            example = _LIST_EXAMPLES.get(loc[-1]) if loc else None
            return f"Write a list, also for one alone: {example}" if example else "Write a list, in square brackets"
        case "model_type" | "model_attributes_type":
            return f"Write {object_like(_model_at(model, loc))}"
        case "json_invalid" if error["ctx"]["error"] == _EMPTY_JSON:
            return f"The body is empty; send {object_like(model)}"
    try:
        return _SENTENCES[error["type"]].format_map(error.get("ctx") or {})
    except KeyError:  # one of our own rules, whose message is our sentence already
        return str(error["msg"]).removeprefix("Value error, ")


def object_like(model: type[BaseModel] | None) -> str:
    """An object of this model in words: with the fields that it must have."""
    if model is ContactInput:
        return 'each contact as a JSON object: {"phone_numbers": ["+14155550123"]}'
    required = [name for name, field in model.model_fields.items() if field.is_required()] if model else []
    return f"a JSON object with {' and '.join(required)}" if required else "a JSON object, in curly brackets"


def _unknown_field(name: object, model: type[BaseModel] | None) -> str:
    meant = _meant(name, model) if model is not None and isinstance(name, str) and len(name) <= _MAX_NAME else None
    if meant is not None:
        return f"There is no such field; write {meant}"
    if model is ContactInput:
        return "There is no such field of a contact; put what is your own into data"
    return "There is no such field; leave it out"


@lru_cache(maxsize=4096)
def _meant(name: str, model: type[BaseModel]) -> str | None:
    known = _spellings(model)
    bare = re.sub(r"[\W_]", "", name).lower()
    alike = [bare] if bare in known else get_close_matches(bare, known, 1, _LIKENESS)
    return known[alike[0]] if alike else None


@cache
def _spellings(model: type[BaseModel]) -> dict[str, str]:
    """The model's fields by how they may be spelled: without underscores, and by other names."""
    others = {other: name for name in model.model_fields for other in _OTHER_NAMES.get(name, ())}
    return others | {name.replace("_", ""): name for name in model.model_fields}


def _model_at(model: type[BaseModel] | None, loc: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model of the value at `loc`; places in lists and keys of objects lead to the same one."""
    for part in loc:
        if model is not None and part in model.model_fields:
            model = _nested(model)[str(part)]
    return model


@cache
def _nested(model: type[BaseModel]) -> dict[str, type[BaseModel] | None]:
    return {name: _model_in(field.annotation) for name, field in model.model_fields.items()}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)
