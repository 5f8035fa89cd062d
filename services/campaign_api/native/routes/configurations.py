"""Configurations, those of single campaigns among them, and the timezones they may name."""

from typing import Annotated

from fastapi import APIRouter

from services.campaign_api.http.bodies import json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.http.paths import OurRef
from services.campaign_api.native import translate
from services.campaign_api.native.auth import AnyCaller, CampaignManager, CampaignReader
from services.campaign_api.native.filters import WithDeleted, WithPrivate
from services.campaign_api.native.once import Once, OnceRoute
from services.campaign_api.native.paths import CampaignRef
from services.campaign_api.native.schemas.configurations import (
    ChangedConfiguration,
    ConfigurationPage,
    ConfigurationView,
    CreateConfiguration,
    EditConfiguration,
    Timezones,
)
from services.campaign_api.native.schemas.deleted import Deleted
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.clock import utc_now
from shared.domain.calling_window import known_timezones
from shared.engine import configurations

router = APIRouter(prefix="/campaign", tags=["Configurations"], route_class=OnceRoute)


@router.post("/configurations", responses=body_problems(409), response_model_exclude_unset=True)
async def create(
    engine: ThisEngine,
    caller: CampaignManager,
    body: Annotated[CreateConfiguration, json_body(CreateConfiguration)],
    once: Once,
) -> ChangedConfiguration:
    """Create a configuration."""
    values = translate.configuration_values(body, only_given=False)
    made = await configurations.create_configuration(engine, caller.organization_id, values, utc_now(), once)
    return translate.changed_configuration(made)


@router.get("/configurations", responses=problems(400))
async def list_all(
    engine: ThisEngine,
    caller: CampaignReader,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    private: WithPrivate = False,
) -> ConfigurationPage:
    """List configurations, newest first."""
    page = await configurations.list_configurations(
        engine, caller.organization_id, cursor=cursor, limit=limit, private=private
    )
    return translate.configuration_page(page)


@router.get("/configurations/{configuration_id}", responses=problems(404))
async def get_one(engine: ThisEngine, caller: CampaignReader, configuration_id: OurRef) -> ConfigurationView:
    """Get one configuration."""
    found = await configurations.get_configuration(engine, caller.organization_id, configuration_id)
    return translate.configuration_view(found)


@router.patch("/configurations/{configuration_id}", responses=body_problems(404), response_model_exclude_unset=True)
async def edit(
    engine: ThisEngine,
    caller: CampaignManager,
    configuration_id: OurRef,
    body: Annotated[EditConfiguration, json_body(EditConfiguration)],
) -> ChangedConfiguration:
    """Change a configuration; its campaigns follow within a second."""
    changes = translate.configuration_values(body, only_given=True)
    changed = await configurations.edit_configuration(
        engine, caller.organization_id, configuration_id, changes, utc_now()
    )
    return translate.changed_configuration(changed)


@router.delete("/configurations/{configuration_id}", responses=problems(404, 409))
async def delete(engine: ThisEngine, caller: CampaignManager, configuration_id: OurRef) -> Deleted:
    """Delete a configuration that no campaign refers to, a closed or deleted one neither."""
    await configurations.delete_configuration(engine, caller.organization_id, configuration_id)
    return Deleted(id=configuration_id)


@router.get("/campaigns/{campaign}/configuration", responses=problems(404))
async def get_of_campaign(
    engine: ThisEngine, caller: CampaignReader, campaign: CampaignRef, deleted: WithDeleted = False
) -> ConfigurationView:
    """Get the configuration of a campaign."""
    found = await configurations.configuration_of(engine, caller.organization_id, campaign, deleted=deleted)
    return translate.configuration_view(found)


@router.patch(
    "/campaigns/{campaign}/configuration", responses=body_problems(400, 404), response_model_exclude_unset=True
)
async def edit_of_campaign(
    engine: ThisEngine,
    caller: CampaignManager,
    campaign: CampaignRef,
    body: Annotated[EditConfiguration, json_body(EditConfiguration)],
) -> ChangedConfiguration:
    """Change a campaign's configuration for it alone: one that others may share is copied first."""
    changes = translate.configuration_values(body, only_given=True)
    changed = await configurations.change_configuration_of(engine, caller.organization_id, campaign, changes, utc_now())
    return translate.changed_configuration(changed)


@router.get("/timezones", responses=problems())
async def timezones(_: AnyCaller) -> Timezones:
    """List every IANA timezone name that is understood."""
    return Timezones(timezones=list(known_timezones()))
