"""How many calls an organization may have at once."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends

from services.campaign_api.gateway import Gateway, ThisGateway
from services.campaign_api.http.bodies import body_of, json_body
from services.campaign_api.native.auth import ConcurrencyManager, ConcurrencyReader
from services.campaign_api.native.schemas.concurrency import Concurrency, SetConcurrency
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.events import LimitsChanged
from shared.store.catalog.organizations import Organization, active_calls, get_organization, set_concurrency_limit

router = APIRouter(prefix="/campaign", tags=["Concurrency"])
BODIES: Final = (SetConcurrency,)


@router.get("/concurrency-settings", responses=problems())
async def get(gateway: ThisGateway, caller: ConcurrencyReader) -> Concurrency:
    """Get the limit, and how many calls are active."""
    return await _view(gateway, await get_organization(gateway.store, caller.organization_id))


@router.put("/concurrency-settings", responses=body_problems(), openapi_extra=json_body(SetConcurrency))
async def put(
    gateway: ThisGateway, caller: ConcurrencyManager, body: Annotated[SetConcurrency, Depends(body_of(SetConcurrency))]
) -> Concurrency:
    """Set the limit; calls that are active go on."""
    organization = await set_concurrency_limit(gateway.store, caller.organization_id, body.concurrency_limit)
    gateway.hints.give(LimitsChanged(organization_id=organization.id, shard=organization.shard))
    return await _view(gateway, organization)


async def _view(gateway: Gateway, organization: Organization) -> Concurrency:
    active = await active_calls(gateway.store, organization.id)
    return Concurrency(concurrency_limit=organization.calls_at_once, active_calls=active)
