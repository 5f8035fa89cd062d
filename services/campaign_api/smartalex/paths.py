"""References in this dialect's paths, and the things they mean: ids alone, no external_id."""

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator

from services.campaign_api.http.paths import OurRef, decoded
from shared.domain.contact_input import is_uuid
from shared.domain.person import Person
from shared.engine import agents, campaigns, people
from shared.engine.agents import Agent
from shared.engine.campaigns import Campaign
from shared.engine.engine import Engine
from shared.errors import Kind, NotFound

__all__ = ["AgentRef", "CallbackRef", "OurRef", "active_agent", "agent_of", "campaign_of", "person_of"]

# An agent's id is the voice platform's, which may be any text.
AgentRef = Annotated[str, Path(description="The id.", min_length=1), AfterValidator(decoded)]
CallbackRef = Annotated[str, Path(description="The id.", min_length=1), AfterValidator(decoded)]


async def campaign_of(engine: Engine, organization_id: str, campaign_id: str) -> Campaign:
    """The organization's campaign of this id. Raises `NotFound`."""
    if not is_uuid(campaign_id):
        raise NotFound(Kind.CAMPAIGN, campaign_id)
    return await campaigns.get_campaign(engine, organization_id, campaign_id)


async def person_of(engine: Engine, organization_id: str, person_id: str) -> Person:
    """The person of this id. Raises `NotFound`."""
    if not is_uuid(person_id):
        raise NotFound(Kind.PERSON, person_id)
    return await people.get_person(engine, organization_id, person_id)


async def agent_of(engine: Engine, organization_id: str, agent_id: str) -> Agent:
    """The registered agent of this id. Raises `NotFound`."""
    found = await agents.agents_by_id(engine, organization_id, [agent_id])
    if agent_id not in found:
        raise NotFound(Kind.AGENT, agent_id)
    return found[agent_id]


async def active_agent(engine: Engine, organization_id: str, agent_id: str) -> Agent:
    """The registered agent of this id that campaigns may call with. Raises `NotFound`, also for one that is inactive.

    That is what this API says of both.
    """
    agent = await agent_of(engine, organization_id, agent_id)
    if not agent.active:
        raise NotFound(Kind.AGENT, agent_id)
    return agent
