"""Assistants and phone numbers, and whether a key is valid."""

from typing import Annotated, Final

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.faults import Refused, RequestFault
from services.campaign_api.talkturo.answers import WITH_BODY, Answer, refusals, success
from services.campaign_api.talkturo.auth import AnyCaller, Manager, Reader, confirm_query, confirm_team
from services.campaign_api.talkturo.bodies import Given, body
from services.campaign_api.talkturo.finding import find_agent, find_number
from services.campaign_api.talkturo.queries import PAGED, TEAM, Ref, ThisQuery, documented, paging
from services.campaign_api.talkturo.reading import team_of
from services.campaign_api.talkturo.schemas.registry import CreateAssistant, EditAssistant, RegisterNumber
from services.campaign_api.talkturo.translate_registry import (
    agent_changes,
    agent_object,
    new_agent,
    new_number,
    number_object,
)
from shared.clock import utc_now
from shared.engine import agents, caller_numbers

router = APIRouter(prefix="/api", route_class=BodyRoute)
_ALL_AGENTS: Final = 1000


@router.get("/test-api-key", responses=refusals(), tags=["Keys"])
async def test_key(caller: AnyCaller) -> Answer:
    """See whether the key is valid."""
    return success(message="Authentication succeeded")


@router.post("/assistants", responses=refusals(*WITH_BODY), tags=["Assistants"])
async def create_assistant(
    engine: ThisEngine, caller: Manager, given: Annotated[Given[CreateAssistant], body(CreateAssistant)]
) -> Answer:
    """Register an assistant: a voice agent, which is configured at the agent."""
    wish = given.value
    await confirm_team(engine, caller, wish.team_id, wish.account_slug)
    made = await agents.register_agent(engine, caller.organization_id, new_agent(wish, wish.name), utc_now())
    return success(given.warnings, assistant=agent_object(made, await team_of(engine, caller)))


@router.get("/assistants", responses=refusals(), openapi_extra=documented(*TEAM, *PAGED), tags=["Assistants"])
async def list_assistants(engine: ThisEngine, caller: Reader, query: ThisQuery) -> Answer:
    """List assistants, newest first."""
    page = paging(query)
    await confirm_query(engine, caller, query)
    found = await agents.numbered_agents(engine, caller.organization_id, offset=page.offset, limit=page.limit)
    ours = await team_of(engine, caller)
    return page.around("assistants", [agent_object(agent, ours) for agent in found.rows], found.total)


@router.get("/crm/outbound-assistants", responses=refusals(), openapi_extra=documented(*TEAM), tags=["Assistants"])
async def outbound_assistants(engine: ThisEngine, caller: Reader, query: ThisQuery) -> Answer:
    """List the assistants that may call out, by name."""
    await confirm_query(engine, caller, query)
    ours = await team_of(engine, caller)
    found: list[agents.Agent] = []
    while True:
        page = await agents.numbered_agents(
            engine, caller.organization_id, active=True, outbound=True, offset=len(found), limit=_ALL_AGENTS
        )
        found += page.rows
        if len(page.rows) < _ALL_AGENTS:
            break
    return success(assistants=[agent_object(agent, ours) for agent in sorted(found, key=lambda one: one.name)])


@router.get("/assistants/{assistant}", responses=refusals(), tags=["Assistants"])
async def get_assistant(engine: ThisEngine, caller: Reader, assistant: Ref) -> Answer:
    """Get one assistant."""
    found = await find_agent(engine, caller.organization_id, assistant)
    return success(assistant=agent_object(found, await team_of(engine, caller)))


@router.patch("/assistants/{assistant}", responses=refusals(*WITH_BODY), tags=["Assistants"])
@router.put("/assistants/{assistant}", responses=refusals(*WITH_BODY), tags=["Assistants"])
async def edit_assistant(
    engine: ThisEngine,
    caller: Manager,
    assistant: Ref,
    given: Annotated[Given[EditAssistant], body(EditAssistant, changes=True)],
) -> Answer:
    """Change an assistant. Campaigns of one that may not call out any more go on."""
    wish = given.value
    found = await find_agent(engine, caller.organization_id, assistant)
    await confirm_team(engine, caller, wish.team_id, wish.account_slug)
    changes = agent_changes(wish, wish.name, found)
    edited = await agents.edit_agent(engine, caller.organization_id, found.id, changes, utc_now())
    return success(given.of_change, assistant=agent_object(edited, await team_of(engine, caller)))


@router.delete("/assistants/{assistant}", responses=refusals(409), tags=["Assistants"])
async def delete_assistant(engine: ThisEngine, caller: Manager, assistant: Ref) -> Answer:
    """Delete an assistant that no campaign names."""
    found = await find_agent(engine, caller.organization_id, assistant)
    await agents.delete_agent(engine, caller.organization_id, found.id, utc_now())
    return success(message="Assistant deleted")


@router.post("/phone-numbers", responses=refusals(*WITH_BODY), tags=["Phone numbers"])
async def register_number(
    engine: ThisEngine, caller: Manager, given: Annotated[Given[RegisterNumber], body(RegisterNumber)]
) -> Answer:
    """Register a number of yours as a caller number."""
    wish = given.value
    await confirm_team(engine, caller, wish.team_id, wish.account_slug)
    made = await caller_numbers.register_number(engine, caller.organization_id, new_number(wish), utc_now())
    return success(given.warnings, phoneNumber=number_object(made, await team_of(engine, caller)))


@router.post("/phone-numbers/purchase", include_in_schema=False)
async def buy_number(_: Manager) -> Answer:
    """Say that numbers are not sold here, as of any other address that there is not."""
    raise Refused(RequestFault.NO_ADDRESS)


@router.get("/phone-numbers", responses=refusals(), openapi_extra=documented(*TEAM, *PAGED), tags=["Phone numbers"])
async def list_numbers(engine: ThisEngine, caller: Reader, query: ThisQuery) -> Answer:
    """List caller numbers, newest first."""
    page = paging(query)
    await confirm_query(engine, caller, query)
    found = await caller_numbers.numbered_numbers(
        engine, caller.organization_id, pool=None, offset=page.offset, limit=page.limit
    )
    ours = await team_of(engine, caller)
    return page.around("phoneNumbers", [number_object(number, ours) for number in found.rows], found.total)


@router.get("/phone-numbers/{number}", responses=refusals(), tags=["Phone numbers"])
async def get_number(engine: ThisEngine, caller: Reader, number: Ref) -> Answer:
    """Get one caller number."""
    found = await find_number(engine, caller.organization_id, number)
    return success(phoneNumber=number_object(found, await team_of(engine, caller)))


@router.delete("/phone-numbers/{number}", responses=refusals(409), tags=["Phone numbers"])
async def delete_number(engine: ThisEngine, caller: Manager, number: Ref) -> Answer:
    """Take a caller number out of the registry."""
    found = await find_number(engine, caller.organization_id, number)
    await caller_numbers.delete_number(engine, caller.organization_id, found.entry.id, utc_now())
    return success(message="Phone number deleted")
