"""Webhooks in this dialect: the thing that an event is about, as it reads over HTTP."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel

from shared.clock import utc_now
from shared.domain.contact_record import Contact
from shared.domain.facts import FactType
from shared.domain.ids import DEFAULT_CAMPAIGN
from shared.engine import calls, campaigns, contacts, people
from shared.engine.engine import Engine
from shared.errors import NotFound
from shared.events import OrgFact
from shared.rendering.renderer import Renderer, Told
from shared.rendering.smartalex.callbacks import callback_view, told_callback
from shared.rendering.smartalex.calls import whole_call
from shared.rendering.smartalex.events import events_of, fact_types
from shared.rendering.smartalex.reading import called_people, read_campaign, read_contact
from shared.rendering.smartalex.times import shown_time
from shared.rendering.smartalex.words import CallShown

_UP: Final = frozenset({FactType.CALL_PLACED, FactType.CALL_ANSWERED})
_CALLS: Final = _UP | {FactType.CALL_ENDED}
_PEOPLE: Final = frozenset(
    {FactType.PERSON_CREATED, FactType.PERSON_CHANGED, FactType.PERSON_DELETED, FactType.PERSON_DO_NOT_CALL}
)
_CALLBACKS: Final[Mapping[FactType, str]] = MappingProxyType(
    {
        FactType.CALLBACK_SCHEDULED: "pending",
        FactType.CALLBACK_DONE: "completed",
        FactType.CALLBACK_CANCELLED: "cancelled",
    }
)
# How a call is told while it is up, whatever has become of it until the event is delivered.
_IN_PROGRESS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "status": CallShown.IN_PROGRESS.value,
        "call_status": CallShown.IN_PROGRESS.value,
        "outcome": None,
        "duration": 0,
        "duration_seconds": 0,
        "end_timestamp": None,
    }
)


async def read(engine: Engine, fact: OrgFact) -> Mapping[str, Any]:
    """The thing that a fact is about, in JSON values; only its id where it is gone. Raises `TemporaryError`."""
    now = utc_now()
    try:
        if fact.type in _CALLS:
            return await _call(engine, fact)
        if fact.type in _PEOPLE:
            return await _contact(engine, fact)
        if fact.type in _CALLBACKS:
            return await _callback(engine, fact, now)
        campaign_id = fact.campaign_id or ""
        return _json(await read_campaign(engine, fact.organization_id, campaign_id, now, deleted=True))
    except NotFound:
        return {"id": fact.attempt_id or fact.person_id or fact.callback_id or fact.campaign_id}


def body(told: Told) -> Mapping[str, Any]:
    """The event's JSON."""
    return {
        "id": told.event_id,
        "type": told.event,
        "created_at": shown_time(told.at),
        "tenant_id": told.organization_id,
        "data": told.things or {},
    }


async def _call(engine: Engine, fact: OrgFact) -> Mapping[str, Any]:
    found = await calls.get_call(engine, fact.organization_id, fact.attempt_id or "", sensitive=False)
    known = await called_people(engine, fact.organization_id, [found.call.contact_id])
    shown = _json(whole_call(found, known.get(found.call.contact_id)))
    del shown["transcript"]
    return {**shown, **_IN_PROGRESS} if fact.type in _UP else shown


async def _contact(engine: Engine, fact: OrgFact) -> Mapping[str, Any]:
    person = await people.get_person(engine, fact.organization_id, fact.person_id or "")
    return _json(await read_contact(engine, person))


async def _callback(engine: Engine, fact: OrgFact, now: datetime) -> Mapping[str, Any]:
    campaign_id = fact.campaign_id or DEFAULT_CAMPAIGN
    contact: Contact = await contacts.get_contact(
        engine, fact.organization_id, campaign_id, fact.contact_id or "", now, deleted=True
    )
    named = await campaigns.campaigns_by_id(engine, fact.organization_id, [campaign_id])
    if fact.type is FactType.CALLBACK_SCHEDULED and contact.callback and contact.callback.id == fact.callback_id:
        return _json(callback_view(contact, named, now))
    told = told_callback(contact, fact.callback_id or "", _CALLBACKS[fact.type], fact.facts, fact.at, named)
    return _json(told)


def _json(view: BaseModel) -> dict[str, Any]:
    return view.model_dump(mode="json", exclude_unset=True)


SMARTALEX: Final = Renderer(events=events_of, fact_types=fact_types, body=body, read=read)
