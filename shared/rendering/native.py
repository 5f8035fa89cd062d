"""Webhooks in the native dialect: an event is a fact, under the fact's own name (docs/webhooks.md)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from shared.domain.facts import FactType
from shared.events import OrgFact
from shared.rendering.renderer import Renderer, Told

_SUBJECTS: Final = ("campaign_id", "contact_id", "attempt_id", "person_id", "callback_id")


def _events(fact: OrgFact) -> Sequence[str]:
    return (fact.type.value,)


def _fact_types(events: Collection[str]) -> frozenset[FactType]:
    return frozenset(kind for kind in FactType if kind.value in events)


def _body(told: Told) -> Mapping[str, Any]:
    return {
        "id": told.event_id,
        "type": told.event,
        "created_at": told.at,
        "organization_id": told.organization_id,
        "data": {} if told.fact is None else _data(told.fact),
    }


def _data(fact: OrgFact) -> Mapping[str, Any]:
    subjects = {name: value for name in _SUBJECTS if (value := getattr(fact, name)) is not None}
    return {**fact.facts, **subjects}


NATIVE: Final = Renderer(events=_events, fact_types=_fact_types, body=_body)
