"""The registry of voice agents."""

from typing import Annotated

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.smartalex.auth import Manager, Reader
from services.campaign_api.smartalex.paging import ThisPage
from services.campaign_api.smartalex.paths import AgentRef, agent_of
from services.campaign_api.smartalex.schemas.agents import AgentView, CreateAgent, EditAgent
from services.campaign_api.smartalex.schemas.common import Many, One, many, one
from services.campaign_api.smartalex.schemas.problems import body_problems, problems
from services.campaign_api.smartalex.translate_agents import agent_changes, agent_view, new_agent
from shared.clock import utc_now
from shared.engine import agents

router = APIRouter(prefix="/v1/agents", tags=["Agents"], route_class=BodyRoute)


@router.post("", status_code=201, responses=body_problems(), response_model_exclude_unset=True)
async def create(
    engine: ThisEngine, caller: Manager, body: Annotated[CreateAgent, json_body(CreateAgent)]
) -> One[AgentView]:
    """Register an agent; fields that are not named here are kept and given back."""
    return one(agent_view(await agents.register_agent(engine, caller.organization_id, new_agent(body), utc_now())))


@router.get("", responses=problems())
async def list_all(engine: ThisEngine, caller: Reader, asked: ThisPage) -> Many[AgentView]:
    """List agents, newest first."""
    page = await agents.numbered_agents(engine, caller.organization_id, offset=asked.offset, limit=asked.per_page)
    return many([agent_view(each) for each in page.rows], page.total, asked)


@router.get("/{agent}", responses=problems(404), response_model_exclude_unset=True)
async def get_one(engine: ThisEngine, caller: Reader, agent: AgentRef) -> One[AgentView]:
    """Get one agent."""
    return one(agent_view(await agent_of(engine, caller.organization_id, agent)))


@router.patch("/{agent}", responses=body_problems(404), response_model_exclude_unset=True)
@router.put("/{agent}", responses=body_problems(404), response_model_exclude_unset=True)
async def edit(
    engine: ThisEngine, caller: Manager, agent: AgentRef, body: Annotated[EditAgent, json_body(EditAgent)]
) -> One[AgentView]:
    """Change an agent. A campaign that is active goes on with one that is made inactive."""
    before = await agent_of(engine, caller.organization_id, agent)
    changes = agent_changes(body, before)
    return one(agent_view(await agents.edit_agent(engine, caller.organization_id, before.id, changes, utc_now())))
