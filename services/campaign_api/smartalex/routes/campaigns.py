"""Campaigns: create, list, read, change, and the four moves of their lifecycle."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.credentials import Caller
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paths import OurRef
from services.campaign_api.smartalex import translate
from services.campaign_api.smartalex.auth import Manager, Reader
from services.campaign_api.smartalex.errors import NobodyToCall
from services.campaign_api.smartalex.paging import EMPTY_IS_NONE, TextFilter, ThisPage
from services.campaign_api.smartalex.paths import active_agent, campaign_of
from services.campaign_api.smartalex.schemas.campaigns import CreateCampaign, EditCampaign
from services.campaign_api.smartalex.schemas.common import Many, One, many, one, unknown_fields
from services.campaign_api.smartalex.schemas.problems import body_problems, problems
from services.campaign_api.smartalex.sentences import setting_sentence
from services.campaign_api.smartalex.translate_hours import asked_hours
from shared.clock import utc_now
from shared.domain.setting_faults import SettingWarning
from shared.engine import agents, campaigns, configurations, limits
from shared.engine.agents import Agent
from shared.engine.campaigns import Campaign, CampaignsOf
from shared.engine.configurations import StoredConfiguration
from shared.engine.engine import Engine
from shared.errors import Kind, WrongState
from shared.rendering.smartalex.campaign_views import CampaignView
from shared.rendering.smartalex.campaigns import calls_of, campaign_view
from shared.rendering.smartalex.reading import read_campaign
from shared.rendering.smartalex.words import MOVES, Action, CampaignStatus, states_of

router = APIRouter(prefix="/v1/campaigns", tags=["Campaigns"], route_class=BodyRoute)
StatusFilter = Annotated[
    CampaignStatus | None, EMPTY_IS_NONE, Query(description="draft, active, paused, completed or cancelled.")
]
OfAgent = Annotated[TextFilter, Query(description="The agent's id.")]


@router.post("", status_code=201, responses=body_problems(404), response_model_exclude_unset=True)
async def create(
    engine: ThisEngine, caller: Manager, body: Annotated[CreateCampaign, json_body(CreateCampaign)]
) -> One[CampaignView]:
    """Create a campaign. It is a draft: nobody is called before it is started."""
    asked = asked_hours(body)
    agent = await active_agent(engine, caller.organization_id, body.agent_id)
    new = translate.new_campaign(body)
    own = translate.own_configuration(body, asked, agent)
    now = utc_now()
    made = await campaigns.create_campaign(engine, caller.organization_id, new, None, now, caller.actor, own)
    return await _answer(engine, made.campaign, now, [*unknown_fields(body), *_said(made.warnings)])


@router.get("", responses=problems(), response_model_exclude_unset=True)
async def list_all(
    engine: ThisEngine, caller: Reader, asked: ThisPage, status: StatusFilter = None, agent_id: OfAgent = ""
) -> Many[CampaignView]:
    """List campaigns, newest first."""
    now = utc_now()
    page = await campaigns.numbered_campaigns(
        engine,
        caller.organization_id,
        name_contains="",
        states=states_of(status) if status else (),
        now=now,
        offset=asked.offset,
        limit=asked.per_page,
        only=CampaignsOf(agent_id=agent_id or None),
    )
    ids = {campaign.configuration_id for campaign in page.rows}
    found = await configurations.configurations_by_id(engine, caller.organization_id, ids)
    calls = (await limits.get_limits(engine, caller.organization_id)).calls_at_once
    rows = [campaign_view(each, found[each.configuration_id], calls, now) for each in page.rows]
    return many(rows, page.total, asked)


@router.get("/{campaign}", responses=problems(404), response_model_exclude_unset=True)
async def get_one(engine: ThisEngine, caller: Reader, campaign: OurRef) -> One[CampaignView]:
    """Get one campaign, with its statistics."""
    return await _answer(engine, await campaign_of(engine, caller.organization_id, campaign), utc_now())


@router.patch("/{campaign}", responses=body_problems(404, 409), response_model_exclude_unset=True)
@router.put("/{campaign}", responses=body_problems(404, 409), response_model_exclude_unset=True)
async def edit(
    engine: ThisEngine, caller: Manager, campaign: OurRef, body: Annotated[EditCampaign, json_body(EditCampaign)]
) -> One[CampaignView]:
    """Change a campaign; an active one follows within a second."""
    organization_id, asked = caller.organization_id, asked_hours(body)
    before = await campaign_of(engine, organization_id, campaign)
    configuration = await configurations.configuration_of(engine, organization_id, before.id)
    agent = await _agent_of(engine, before, configuration, body.agent_id)
    calls = calls_of(before, (await limits.get_limits(engine, organization_id)).calls_at_once)
    own = translate.campaign_changes(body, before, calls)
    of_configuration = translate.configuration_changes(body, asked, configuration, agent)
    now, warnings = utc_now(), list[SettingWarning]()
    if of_configuration:
        warnings += (
            await configurations.change_configuration_of(engine, organization_id, before.id, of_configuration, now)
        ).warnings
    changed = await campaigns.edit_campaign(engine, organization_id, before.id, own, None, now, by=caller.actor)
    warnings += [warning for warning in changed.warnings if warning not in warnings]
    return await _answer(engine, changed.campaign, now, [*unknown_fields(body), *_said(warnings)])


@router.post("/{campaign}/start", responses=problems(404, 409), response_model_exclude_unset=True)
async def start(engine: ThisEngine, caller: Manager, campaign: OurRef) -> One[CampaignView]:
    """Start a campaign, or start a completed one again once contacts were added to it."""
    now = utc_now()
    found = await campaign_of(engine, caller.organization_id, campaign)
    move, allowed_from = MOVES[Action.START]
    if (state := found.shown(now).state) not in allowed_from:
        raise WrongState(Kind.CAMPAIGN, found.id, state, move)
    configuration = await configurations.configuration_of(engine, caller.organization_id, found.id)
    if found.agent_id is not None and translate.is_made_here(found, configuration):
        await active_agent(engine, caller.organization_id, found.agent_id)
    counts = (await campaigns.campaign_numbers(engine, caller.organization_id, found.id, now)).counts
    if not counts.pending + counts.active:
        raise NobodyToCall
    return await _moved(engine, caller, found, Action.START, now)


@router.post("/{campaign}/pause", responses=problems(404, 409), response_model_exclude_unset=True)
async def pause(engine: ThisEngine, caller: Manager, campaign: OurRef) -> One[CampaignView]:
    """Pause an active campaign: calls that are up go on, and no new one starts."""
    found = await campaign_of(engine, caller.organization_id, campaign)
    return await _moved(engine, caller, found, Action.PAUSE, utc_now())


@router.post("/{campaign}/resume", responses=problems(404, 409), response_model_exclude_unset=True)
async def resume(engine: ThisEngine, caller: Manager, campaign: OurRef) -> One[CampaignView]:
    """Go on with a paused campaign."""
    found = await campaign_of(engine, caller.organization_id, campaign)
    return await _moved(engine, caller, found, Action.RESUME, utc_now())


@router.post("/{campaign}/cancel", responses=problems(404, 409), response_model_exclude_unset=True)
async def cancel(engine: ThisEngine, caller: Manager, campaign: OurRef) -> One[CampaignView]:
    """Stop a campaign for good: calls that are up go on, and no new one starts."""
    found = await campaign_of(engine, caller.organization_id, campaign)
    return await _moved(engine, caller, found, Action.CANCEL, utc_now())


async def _agent_of(
    engine: Engine, campaign: Campaign, configuration: StoredConfiguration, named: str | None
) -> Agent | None:
    """The agent that is named, whose number is called from then on; None: nothing changes by it.

    One that the campaign has already may be gone, or inactive. Raises `NotFound` for any other that is.
    """
    if named is None or named != campaign.agent_id:
        return None if named is None else await active_agent(engine, campaign.organization_id, named)
    if not translate.is_made_here(campaign, configuration):
        return None
    return (await agents.agents_by_id(engine, campaign.organization_id, [named])).get(named)


async def _moved(
    engine: Engine, caller: Caller, campaign: Campaign, action: Action, now: datetime
) -> One[CampaignView]:
    move, allowed_from = MOVES[action]
    moved = await campaigns.move_campaign(
        engine, caller.organization_id, campaign.id, move, now, by=caller.actor, only_in=allowed_from
    )
    return await _answer(engine, moved, now)


async def _answer(engine: Engine, campaign: Campaign, now: datetime, warnings: Sequence[str] = ()) -> One[CampaignView]:
    return one(await read_campaign(engine, campaign.organization_id, campaign.id, now), *warnings)


def _said(warnings: Sequence[SettingWarning]) -> list[str]:
    return [setting_sentence(warning) for warning in warnings]
