"""The limit on an organization's calls at once."""

from dataclasses import dataclass

from shared.engine.engine import Engine
from shared.events import LimitsChanged
from shared.store.catalog import organizations as stored
from shared.store.catalog.organizations import Organization


@dataclass(frozen=True, slots=True)
class Concurrency:
    """The organization's limit on calls at once, and its calls that are up or about to be."""

    limit: int
    active: int


async def get_concurrency(engine: Engine, organization_id: str) -> Concurrency:
    """The organization's limit and its use now. Raises `NotFound`."""
    return await _concurrency(engine, await stored.get_organization(engine.store, organization_id))


async def set_concurrency(engine: Engine, organization_id: str, limit: int) -> Concurrency:
    """The organization's new limit and its use now; calls that are up go on. Raises `NotFound`."""
    organization = await stored.set_concurrency_limit(engine.store, organization_id, limit)
    engine.hints.give(LimitsChanged(organization_id=organization.id, shard=organization.shard))
    return await _concurrency(engine, organization)


async def _concurrency(engine: Engine, organization: Organization) -> Concurrency:
    return Concurrency(organization.calls_at_once, await stored.active_calls(engine.store, organization.id))
