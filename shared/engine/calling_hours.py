"""What an organization says of hours for all its calls: closed days, legal hours."""

from collections.abc import Mapping
from typing import Any

from shared.domain.organization_hours import OrganizationHours
from shared.engine.engine import Engine
from shared.events import LimitsChanged
from shared.store.catalog import organizations as stored


async def get_calling_hours(engine: Engine, organization_id: str) -> OrganizationHours:
    """The organization's hours. Raises `NotFound`."""
    return (await stored.get_organization(engine.store, organization_id)).hours


async def edit_calling_hours(engine: Engine, organization_id: str, changes: Mapping[str, Any]) -> OrganizationHours:
    """The organization's hours with these fields (JSON values) changed; calls follow within a second.

    Raises `NotFound`.
    """
    organization = await stored.edit_hours(engine.store, organization_id, changes)
    engine.hints.give(LimitsChanged(organization_id=organization.id, shard=organization.shard))
    return organization.hours
