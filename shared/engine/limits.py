"""The limits of an organization beside that on its calls at once: how often one phone is called, and how fast."""

from collections.abc import Mapping
from typing import Any

from shared.engine.engine import Engine
from shared.events import LimitsChanged
from shared.store.catalog import organizations as stored
from shared.store.catalog.organizations import Organization

__all__ = ["Organization", "edit_limits", "get_limits"]


async def get_limits(engine: Engine, organization_id: str) -> Organization:
    """The organization with its limits; None where there is none. Raises `NotFound`."""
    return await stored.get_organization(engine.store, organization_id)


async def edit_limits(engine: Engine, organization_id: str, changes: Mapping[str, Any]) -> Organization:
    """The organization with these limits changed; None takes one away. They hold for calls claimed from then on.

    Raises `NotFound`.
    """
    organization = await stored.edit_limits(engine.store, organization_id, changes)
    engine.hints.give(LimitsChanged(organization_id=organization.id, shard=organization.shard))
    return organization
