"""The team that a key belongs to, as answers show it."""

from services.campaign_api.http.credentials import Caller
from shared.engine.engine import Engine
from shared.engine.organizations import get_organization
from shared.rendering.talkturo.objects import Names


async def team_of(engine: Engine, caller: Caller) -> str:
    """The id of the caller's team."""
    return Names(await get_organization(engine, caller.organization_id)).team
