"""Workflows: the registered voice agents, by their integer ids."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.sysevo import translate_companions as translate
from services.campaign_api.sysevo.auth import Manager, Reader
from services.campaign_api.sysevo.schemas.companions import NewWorkflow, WorkflowName, WorkflowRow, WorkflowView
from services.campaign_api.sysevo.schemas.problems import body_problems, problems
from services.campaign_api.sysevo.values import MAX_BODY_BYTES, Id
from shared.clock import utc_now
from shared.engine import agents
from shared.engine.agents import Agent
from shared.engine.engine import Engine
from shared.engine.overviews import attempts_by_agent

router = APIRouter(prefix="/api/v1/workflow", tags=["Workflows"], route_class=BodyRoute)
AT_ONCE: Final = 200
Status = Annotated[Literal["active", "archived"] | None, Query(description="Only these.")]


@router.get("/fetch", responses=problems())
async def list_all(engine: ThisEngine, caller: Reader, status: Status = None) -> list[WorkflowRow]:
    """List all workflows, newest first."""
    runs = await attempts_by_agent(engine, caller.organization_id)
    found = await _every(engine, caller.organization_id, status)
    return [translate.workflow_row(agent, runs.get(agent.id, 0)) for agent in found]


@router.get("/summary", responses=problems())
async def summary(engine: ThisEngine, caller: Reader, status: Status = None) -> list[WorkflowName]:
    """List the ids and names of all workflows, newest first."""
    return [translate.workflow_name(agent) for agent in await _every(engine, caller.organization_id, status)]


@router.get("/fetch/{workflow_id}", responses=problems(404))
async def get_one(engine: ThisEngine, caller: Reader, workflow_id: Id) -> WorkflowView:
    """Get one workflow with its definition."""
    return translate.workflow_view(await agents.agent_of_number(engine, caller.organization_id, workflow_id))


@router.post("/create/definition", responses=body_problems())
async def create(
    engine: ThisEngine, caller: Manager, body: Annotated[NewWorkflow, json_body(NewWorkflow, MAX_BODY_BYTES)]
) -> WorkflowView:
    """Register a workflow. Its definition is kept for its template variables and handed on, not run here."""
    made = await agents.register_agent(engine, caller.organization_id, translate.new_agent(body), utc_now())
    return translate.workflow_view(made)


async def _every(engine: Engine, organization_id: str, status: str | None) -> list[Agent]:
    active = None if status is None else status == "active"
    found: list[Agent] = []
    cursor: str | None = None
    while True:
        page = await agents.list_agents(engine, organization_id, active=active, cursor=cursor, limit=AT_ONCE)
        found += page.rows
        cursor = page.next_cursor
        if cursor is None:
            return found
