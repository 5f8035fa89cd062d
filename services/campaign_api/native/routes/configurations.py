"""Configurations, and the timezones they may name."""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends

from services.campaign_api.gateway import ThisGateway
from services.campaign_api.http.bodies import body_of, json_body
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.http.paths import OurRef
from services.campaign_api.native.auth import AnyCaller, CampaignManager, CampaignReader
from services.campaign_api.native.schemas.configurations import (
    ChangedConfiguration,
    ConfigurationPage,
    ConfigurationView,
    CreateConfiguration,
    EditConfiguration,
    Timezones,
    stored_values,
)
from services.campaign_api.native.schemas.problems import body_problems, problems
from services.campaign_api.operator.schemas import Deleted
from shared.clock import utc_now
from shared.domain.calling_window import known_timezones
from shared.domain.campaign import CampaignStatus
from shared.domain.configuration import Configuration
from shared.domain.dialing import CampaignRules, Rules
from shared.domain.setting_faults import SettingFault, exhausted_stay, warnings_on
from shared.events import LimitsChanged
from shared.store.catalog.configurations import (
    StoredConfiguration,
    create_configuration,
    delete_configuration,
    edit_configuration,
    get_configuration,
    list_configurations,
)
from shared.store.reports.counters import ended_in_campaigns_of

RETRY_FIELDS: Final = frozenset({"max_attempts", "retry_rules"})
router = APIRouter(prefix="/campaign", tags=["Configurations"])
BODIES: Final = (CreateConfiguration, EditConfiguration)


@router.post(
    "/configurations",
    responses=body_problems(),
    response_model_exclude_unset=True,
    openapi_extra=json_body(CreateConfiguration),
)
async def create(
    gateway: ThisGateway,
    caller: CampaignManager,
    body: Annotated[CreateConfiguration, Depends(body_of(CreateConfiguration))],
) -> ChangedConfiguration:
    """Create a configuration."""
    values = stored_values(body, only_given=False)
    configuration = await create_configuration(
        gateway.store, organization_id=caller.organization_id, values=values, now=utc_now()
    )
    return _changed(configuration, {})


@router.get("/configurations", responses=problems(400))
async def list_all(
    gateway: ThisGateway, caller: CampaignReader, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> ConfigurationPage:
    """List configurations, newest first."""
    page = await list_configurations(gateway.store, caller.organization_id, cursor=cursor, limit=limit)
    rows = [ConfigurationView.of(configuration) for configuration in page.rows]
    return ConfigurationPage(configurations=rows, next_cursor=page.next_cursor)


@router.get("/configurations/{configuration_id}", responses=problems(404))
async def get_one(gateway: ThisGateway, caller: CampaignReader, configuration_id: OurRef) -> ConfigurationView:
    """Get one configuration."""
    return ConfigurationView.of(await get_configuration(gateway.store, caller.organization_id, configuration_id))


@router.patch(
    "/configurations/{configuration_id}",
    responses=body_problems(404),
    response_model_exclude_unset=True,
    openapi_extra=json_body(EditConfiguration),
)
async def edit(
    gateway: ThisGateway,
    caller: CampaignManager,
    configuration_id: OurRef,
    body: Annotated[EditConfiguration, Depends(body_of(EditConfiguration))],
) -> ChangedConfiguration:
    """Change a configuration; its campaigns follow within a second."""
    configuration, shard = await edit_configuration(
        gateway.store, caller.organization_id, configuration_id, stored_values(body, only_given=True), utc_now()
    )
    gateway.hints.give(LimitsChanged(organization_id=caller.organization_id, shard=shard))
    ended = await ended_in_campaigns_of(gateway.store, caller.organization_id, configuration.id)
    view = _changed(configuration, ended)
    return view.with_warnings(exhausted_stay(ended)) if body.model_fields_set & RETRY_FIELDS else view


def _changed(configuration: StoredConfiguration, ended: Mapping[str, int]) -> ChangedConfiguration:
    """The answer, with what the configuration lacks by itself: campaigns may bring agent and caller number."""
    view = ChangedConfiguration.of(configuration)
    rules = Rules(CampaignRules(CampaignStatus.ACTIVE, Configuration.from_document(configuration.values)))
    said = warnings_on(rules, ended)
    lacks = {SettingFault.NO_AGENT, SettingFault.NO_CALLER_NUMBER}
    return view.with_warnings([warning for warning in said if warning not in lacks])


@router.delete("/configurations/{configuration_id}", responses=problems(404, 409))
async def delete(gateway: ThisGateway, caller: CampaignManager, configuration_id: OurRef) -> Deleted:
    """Delete a configuration that no campaign refers to."""
    await delete_configuration(gateway.store, caller.organization_id, configuration_id)
    return Deleted(id=configuration_id)


@router.get("/timezones", responses=problems())
async def timezones(_: AnyCaller) -> Timezones:
    """List every IANA timezone name that is understood."""
    return Timezones(timezones=list(known_timezones()))
