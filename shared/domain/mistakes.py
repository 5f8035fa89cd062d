"""What a refused value is told: pydantic's mistakes in our words, over HTTP and in the results of Kafka batches alike.

Each sentence says what to write. It repeats no value but a number that is out of bounds, for values may be personal;
where the value stands, its `loc` says.
"""

import re
from collections.abc import Mapping
from functools import cache
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
    "greater_than": "Write a number above {gt:g}",
    "less_than": "Write a number below {lt:g}",
}
OUT_OF_BOUNDS: Final = frozenset({"greater_than_equal", "less_than_equal", "greater_than", "less_than"})
"""The mistakes whose sentence repeats the value, where the error has it as `input`."""
# Longer numbers say nothing to people.
_MAX_SHOWN: Final = 10**15
_EMPTY_JSON: Final = "EOF while parsing a value at line 1 column 0"
_LIST_EXAMPLES: Final = {"phone_numbers": '["+14155550123"]', "contacts": '[{"phone_numbers": ["+14155550123"]}]'}
# What fields are called elsewhere, in one word; a slip of the pen is understood without this.
_OTHER_NAMES: Final = {
    "phone_numbers": ("phone", "phones", "number", "numbers", "telephone", "tel", "mobile", "cell", "msisdn"),
    "data": ("metadata", "variables", "attributes", "customdata", "customfields"),
    "timezone": ("tz", "zone"),
    "scheduled_at": ("scheduledfor", "scheduledtime", "callat"),
    "agent_id": ("agent",),
}
_MAX_NAME: Final = 32
# Letters that a word must have for one letter more, fewer or other to count as a slip of the pen.
_SHORTEST: Final = 4
_LONG: Final = 6


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
        return _SENTENCES[error["type"]].format_map(error.get("ctx") or {}) + _not_this(error)
    except KeyError:  # one of our own rules, whose message is our sentence already
        return str(error["msg"]).removeprefix("Value error, ")


def _not_this(error: Mapping[str, Any]) -> str:
    value = error.get("input")
    if error["type"] not in OUT_OF_BOUNDS or isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return f", not {value}" if abs(value) < _MAX_SHOWN else ""


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


def _meant(name: str, model: type[BaseModel]) -> str | None:
    """The field that the name is a spelling of, or one letter away from; with long names that may be another letter.

    A request may have 50,000 unknown names, so each costs a few look-ups and no comparison.
    """
    bare = re.sub(r"[\W_]", "", name).lower()
    whole, shortened = _spellings(model)
    if bare in whole:
        return whole[bare]
    fewer = _one_letter_fewer(bare)
    found = next((whole[word] for word in fewer if word in whole), shortened.get(bare))
    if found is None and len(bare) >= _LONG:
        found = next((shortened[word] for word in fewer if word in shortened), None)
    return found


@cache
def _spellings(model: type[BaseModel]) -> tuple[dict[str, str], dict[str, str]]:
    """The model's fields by how they may be spelled: in one word or by another name, and so with a letter missing."""
    others = {other: name for name in model.model_fields for other in _OTHER_NAMES.get(name, ())}
    whole = others | {name.replace("_", ""): name for name in model.model_fields}
    return whole, {shorter: name for word, name in whole.items() for shorter in _one_letter_fewer(word)}


def _one_letter_fewer(word: str) -> list[str]:
    """Nothing of a short word: too many others are like it."""
    return [word[:place] + word[place + 1 :] for place in range(len(word))] if len(word) >= _SHORTEST else []


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
