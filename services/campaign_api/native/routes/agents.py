"""Registered voice agents: register, list, read, change, delete."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, FromOffset, Limit
from services.campaign_api.native import translate_people
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.paths import AgentRef
from services.campaign_api.native.schemas.agents import AgentPage, AgentView, EditAgent, RegisterAgent
from services.campaign_api.native.schemas.deleted import Deleted
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.clock import utc_now
from shared.engine import agents

router = APIRouter(prefix="/campaign/agents", tags=["Agents"], route_class=BodyRoute)
ActiveFilter = Annotated[bool | None, Query(description="Only those that are active, or (false) archived.")]
OutboundFilter = Annotated[bool | None, Query(description="Only those that are outbound-enabled, or are not.")]


@router.post("", responses=body_problems(409))
async def register(
    engine: ThisEngine, caller: CampaignManager, body: Annotated[RegisterAgent, json_body(RegisterAgent)]
) -> AgentView:
    """Register an agent. A campaign may name one that is not registered, too."""
    new = translate_people.new_agent(body)
    return translate_people.agent_view(await agents.register_agent(engine, caller.organization_id, new, utc_now()))


@router.get("", responses=problems(400))
async def list_all(
    engine: ThisEngine,
    caller: CampaignReader,
    active: ActiveFilter = None,
    outbound_enabled: OutboundFilter = None,
    cursor: Cursor = None,
    offset: FromOffset = None,
    limit: Limit = DEFAULT_LIMIT,
) -> AgentPage:
    """List agents, newest first."""
    if offset is not None:
        numbered = await agents.numbered_agents(
            engine, caller.organization_id, active=active, outbound=outbound_enabled, offset=offset, limit=limit
        )
        return translate_people.agent_page(numbered)
    page = await agents.list_agents(
        engine, caller.organization_id, active=active, outbound=outbound_enabled, cursor=cursor, limit=limit
    )
    return translate_people.agent_page(page)


@router.get("/{agent}", responses=problems(404))
async def get_one(engine: ThisEngine, caller: CampaignReader, agent: AgentRef) -> AgentView:
    """Get one agent."""
    return translate_people.agent_view(await agents.get_agent(engine, caller.organization_id, agent))


@router.patch("/{agent}", responses=body_problems(404))
async def edit(
    engine: ThisEngine, caller: CampaignManager, agent: AgentRef, body: Annotated[EditAgent, json_body(EditAgent)]
) -> AgentView:
    """Change an agent. What campaigns do with it stays: they call on with one that is archived."""
    changes = body.model_dump(exclude_unset=True)
    edited = await agents.edit_agent(engine, caller.organization_id, agent, changes, utc_now())
    return translate_people.agent_view(edited)


@router.delete("/{agent}", responses=problems(404, 409))
async def delete(engine: ThisEngine, caller: CampaignManager, agent: AgentRef) -> Deleted:
    """Delete an agent that no campaign names which has not ended."""
    return Deleted(id=await agents.delete_agent(engine, caller.organization_id, agent, utc_now()))
