"""Webhooks as Talkturo's clients read them: the names of events, and bodies with the objects of the API."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from shared.clock import utc_now
from shared.domain.facts import FactType
from shared.domain.ids import DEFAULT_CAMPAIGN, is_default_campaign
from shared.domain.outcome import Outcome
from shared.domain.typeid import typeid
from shared.engine.calls import get_call
from shared.engine.campaigns import get_campaign
from shared.engine.contacts import get_contact
from shared.engine.engine import Engine
from shared.engine.organizations import get_organization
from shared.errors import NotFound
from shared.events import OrgFact
from shared.rendering.renderer import Renderer, Told
from shared.rendering.talkturo.ids import Prefix, shown_id
from shared.rendering.talkturo.reading import call_objects, campaign_objects, contact_objects
from shared.rendering.talkturo.times import said

_CALL_ENDED: Final = ("call.completed", "call.hangup", "call.machine_detection.ended")
_BY_TYPE: Final[Mapping[FactType, tuple[str, ...]]] = MappingProxyType(
    {
        FactType.CALL_PLACED: ("call.initiated",),
        FactType.CALL_ANSWERED: ("call.answered",),
        FactType.CALL_ENDED: _CALL_ENDED,
        FactType.CONTACT_COMPLETED: ("contact.completed",),
        FactType.CONTACT_SKIPPED: ("contact.completed",),
        FactType.CAMPAIGN_STARTED: ("campaign.started",),
        FactType.CAMPAIGN_RESUMED: ("campaign.started",),
        FactType.CAMPAIGN_PAUSED: ("campaign.paused",),
        FactType.CAMPAIGN_HALTED: ("campaign.paused",),
        FactType.CAMPAIGN_COMPLETED: ("campaign.completed",),
        FactType.CAMPAIGN_CANCELLED: ("campaign.cancelled",),
    }
)


def events_of(fact: OrgFact) -> Sequence[str]:
    """The events by which a fact is told."""
    if fact.type is FactType.CONTACT_COMPLETED and fact.facts.get("called_again"):
        return ()
    if fact.type is not FactType.CALL_ENDED:
        return _BY_TYPE.get(fact.type, ())
    told = ["call.completed"]
    if fact.facts.get("outcome") == Outcome.VOICEMAIL:
        told.append("call.machine_detection.ended")
    if fact.facts.get("outcome") == Outcome.ANSWERED:
        told.append("call.hangup")
    return told


def fact_types_of(events: Collection[str]) -> frozenset[FactType]:
    """The types of facts behind events of these names; unknown names stand for none."""
    return frozenset(kind for kind, names in _BY_TYPE.items() if not set(names).isdisjoint(events))


async def read(engine: Engine, fact: OrgFact) -> dict[str, Any]:
    """The objects that a fact is about, as they are now; what is gone is left out."""
    organization_id, now = fact.organization_id, utc_now()
    organization = await get_organization(engine, organization_id)
    team = shown_id(Prefix.TEAM, organization.id, organization.external_id)
    things: dict[str, Any] = {"team_id": team, "campaign_id": None, "data": {}}
    campaign_id = fact.campaign_id
    if campaign_id is None or campaign_id == DEFAULT_CAMPAIGN or is_default_campaign(campaign_id):
        return things
    try:
        campaign = await get_campaign(engine, organization_id, campaign_id, deleted=True)
        [shown] = await campaign_objects(engine, organization_id, [campaign], now)
        things["campaign_id"] = shown["id"]
        if fact.contact_id is None:
            things["data"]["campaign"] = shown
            return things
        if fact.attempt_id is not None:
            call = await get_call(engine, organization_id, fact.attempt_id, sensitive=False)
            [things["data"]["call"]] = await call_objects(engine, organization_id, [call], sensitive=False)
        contact = await get_contact(engine, organization_id, campaign_id, fact.contact_id, now, deleted=True)
        [things["data"]["contact"]] = await contact_objects(engine, campaign, [contact], now)
    except NotFound:
        pass
    return things


def body(told: Told) -> Mapping[str, Any]:
    """The body of an event."""
    things = told.things or {
        "team_id": typeid(Prefix.TEAM, uuid.UUID(told.organization_id)),
        "campaign_id": None,
        "data": {},
    }
    return {"id": told.event_id, "event": told.event, "created_at": said(told.at), **things}


TALKTURO: Final = Renderer(events=events_of, fact_types=fact_types_of, body=body, read=read)
