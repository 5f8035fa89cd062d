"""The registry of voice agents. Campaigns may name agents that are not registered; a dialect may ask for more."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from shared.domain.page import NumberedPage, Page
from shared.engine.engine import Engine
from shared.store.catalog import agents as stored
from shared.store.catalog.agents import Agent, NewAgent

__all__ = [
    "Agent",
    "NewAgent",
    "agent_of_number",
    "agents_by_id",
    "delete_agent",
    "edit_agent",
    "get_agent",
    "list_agents",
    "numbered_agents",
    "register_agent",
]


async def register_agent(engine: Engine, organization_id: str, new: NewAgent, now: datetime) -> Agent:
    """A new agent. Raises `Conflict` (its id or external_id is taken)."""
    return await stored.register_agent(engine.store, organization_id, new, now)


async def get_agent(engine: Engine, organization_id: str, reference: str) -> Agent:
    """The organization's agent of this id, else this external_id. Raises `NotFound`."""
    return await stored.get_agent(engine.store, organization_id, reference)


async def agent_of_number(engine: Engine, organization_id: str, number: int) -> Agent:
    """The organization's agent of this number. Raises `NotFound`."""
    return await stored.agent_of_number(engine.store, organization_id, number)


async def agents_by_id(engine: Engine, organization_id: str, agent_ids: Collection[str]) -> dict[str, Agent]:
    """The registered agents among these, by id; one question for any number of them."""
    return await stored.agents_by_id(engine.store, organization_id, agent_ids)


async def list_agents(
    engine: Engine,
    organization_id: str,
    *,
    active: bool | None = None,
    outbound: bool | None = None,
    cursor: str | None,
    limit: int,
) -> Page[Agent]:
    """The organization's agents, newest first; None: whether active, or outbound-enabled, or not.

    Raises `InvalidCursor`: ask for the first page.
    """
    return await stored.list_agents(
        engine.store, organization_id, active=active, outbound=outbound, cursor=cursor, limit=limit
    )


async def numbered_agents(
    engine: Engine,
    organization_id: str,
    *,
    active: bool | None = None,
    outbound: bool | None = None,
    offset: int,
    limit: int,
) -> NumberedPage[Agent]:
    """The agents as `list_agents` has them, from the `offset`-th on, and how many there are."""
    return await stored.numbered_agents(
        engine.store, organization_id, active=active, outbound=outbound, offset=offset, limit=limit
    )


async def edit_agent(
    engine: Engine, organization_id: str, reference: str, changes: Mapping[str, Any], now: datetime
) -> Agent:
    """The agent with these fields changed. Campaigns that call with one that is archived go on. Raises `NotFound`."""
    return await stored.edit_agent(engine.store, organization_id, reference, changes, now)


async def delete_agent(engine: Engine, organization_id: str, reference: str, now: datetime) -> str:
    """Remove an agent; its id. Raises `NotFound`, or `Conflict` while a campaign that has not ended names it."""
    return await stored.delete_agent(engine.store, organization_id, reference, now)
