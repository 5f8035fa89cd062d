"""The operator's organizations."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.domain.page import Page
from shared.domain.phone import NumberType
from shared.engine.engine import Engine
from shared.events import LimitsChanged
from shared.store.catalog import organizations as stored
from shared.store.catalog.organizations import Organization

__all__ = ["Organization", "create_organization", "edit_organization", "get_organization", "list_organizations"]


async def create_organization(
    engine: Engine,
    *,
    name: str,
    default_agent_number: str | None,
    exclusive_caller_numbers: tuple[str, ...],
    refused_number_types: tuple[NumberType, ...],
    slug: str | None = None,
    external_id: str | None = None,
    request_limits: str | None = None,
    now: datetime,
) -> Organization:
    """A new organization; caller numbers in E.164. `slug` None: always that of its name."""
    return await stored.create_organization(
        engine.store,
        name=name,
        default_agent_number=default_agent_number,
        exclusive_caller_numbers=exclusive_caller_numbers,
        refused_number_types=refused_number_types,
        slug=slug,
        external_id=external_id,
        request_limits=request_limits,
        now=now,
    )


async def get_organization(engine: Engine, organization_id: str) -> Organization:
    """The organization, with its slug and external_id. Raises `NotFound`."""
    return await stored.get_organization(engine.store, organization_id)


async def list_organizations(engine: Engine, *, cursor: str | None, limit: int) -> Page[Organization]:
    """All organizations, newest first. Raises `InvalidCursor`: ask for the first page."""
    return await stored.list_organizations(engine.store, cursor=cursor, limit=limit)


async def edit_organization(engine: Engine, organization_id: str, changes: Mapping[str, Any]) -> Organization:
    """The organization with its names, caller numbers or refused types of numbers changed. Raises `NotFound`."""
    organization = await stored.edit_organization(engine.store, organization_id, changes)
    engine.hints.give(LimitsChanged(organization_id=organization.id, shard=organization.shard))
    return organization
