"""Documents as readers take them: with the default of each field that they lack.

Models are declarations: a step of the protocol reads documents as dictionaries, because an object for each contact
would cost a claim more than all its rules do. `complete` makes such a dictionary whole, at the place where it is read,
so that no reader needs to know which fields are younger than the collection.
"""

import functools
from collections.abc import Collection, Mapping
from dataclasses import MISSING, fields
from types import MappingProxyType
from typing import Any, Final

# The key of a document, `id` in its model.
KEY: Final = "_id"


@functools.cache
def stored_fields(model: type) -> frozenset[str]:
    """The names of all fields that documents of a model may have, as they are stored."""
    return frozenset(KEY if field.name == "id" else field.name for field in fields(model))


def defaults(model: type) -> Mapping[str, Any]:
    """What the fields of a model are where a document lacks them; read-only. Fields that every document has are absent.

    Mappings and sequences among them are read-only too, for all documents share them.
    """
    return MappingProxyType(_defaults(model))


@functools.cache
def _defaults(model: type) -> dict[str, Any]:
    """The same as a dictionary, which Python merges at a fraction of what any other mapping costs."""
    found: dict[str, Any] = {}
    for field in fields(model):
        if field.default_factory is not MISSING:
            found[field.name] = MappingProxyType(field.default_factory())
        elif field.default is not MISSING:
            found[field.name] = field.default
    return found


@functools.cache
def _defaults_among(model: type, read: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in _defaults(model).items() if name in read}


def complete(model: type, document: Mapping[str, Any], read: Collection[str] | None = None) -> dict[str, Any]:
    """The document with the defaults of the fields that it lacks.

    `read` names the fields that were asked for, where those were not all: no other one gets a default. Whoever writes
    a document back writes single fields, never the whole.
    """
    return {**(_defaults(model) if read is None else _defaults_among(model, frozenset(read))), **document}
