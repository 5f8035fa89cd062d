"""Making and changing campaigns: what is looked up, what is refused, and the use cases in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.campaign_api.http.credentials import Caller
from services.campaign_api.talkturo import translate
from services.campaign_api.talkturo.auth import confirm_team
from services.campaign_api.talkturo.bodies import Given
from services.campaign_api.talkturo.finding import company_named, find_agent, find_numbers
from services.campaign_api.talkturo.lifecycle import (
    ALLOWED_FROM,
    ANY_STATE,
    MAY_CHANGE_CORE,
    MOVE_TO,
    NOT_FINAL,
    is_so_already,
)
from services.campaign_api.talkturo.receivers import check_receiver, set_receiver
from services.campaign_api.talkturo.schemas.campaigns import CampaignFields, CreateCampaign, EditCampaign, Weighted
from services.campaign_api.talkturo.translate import Wanted
from shared.domain.campaign import CampaignMove, CampaignUse, Intent
from shared.engine import campaigns, configurations
from shared.engine.agents import Agent, agents_by_id
from shared.engine.caller_numbers import RegisteredNumber
from shared.engine.campaigns import Campaign, ScheduleChange
from shared.engine.engine import Engine
from shared.errors import Kind, WrongState
from shared.rendering.talkturo.objects import machines_of, words_of
from shared.rendering.talkturo.settings import (
    Dialing,
    Machines,
    configuration_name,
    configuration_values,
    dialing_of,
    says_nothing_to_machines,
)

_NOTHING_TO_SAY = "voicemail_drop_message is not set: machines are hung up on, and called again as after no answer"
_SETTINGS_OF_OTHERS = "A campaign of another API keeps no settings; they were ignored"


@dataclass(frozen=True, slots=True)
class Done:
    """A campaign that was made or changed, a secret that was made for it, and what was ignored."""

    campaign: Campaign
    secret: str | None
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Rewritten:
    """What a body changes beside a campaign's own fields: its words, its configuration, and what was ignored."""

    words: Mapping[str, Any]
    configuration: Mapping[str, Any]
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Named:
    """What a body names, looked up."""

    agent: Agent | None
    company_id: str | None
    numbers: Sequence[RegisteredNumber]


async def create(engine: Engine, caller: Caller, given: Given[CreateCampaign], wanted: Wanted, now: datetime) -> Done:
    """A new campaign with a configuration of its own."""
    body = given.value
    dialing = translate.changed_dialing(Dialing(), wanted, given)
    await check_receiver(engine, given)
    await confirm_team(engine, caller, body.team_id, body.account_slug)
    named = await _named(engine, caller.organization_id, given, body.from_number_ids)
    assert named.agent is not None
    machines = machines_of(named.agent)
    new = translate.new_campaign(
        given, wanted, dialing, agent_id=named.agent.id, company_id=named.company_id, numbers=named.numbers
    )
    own = configuration_values(body.name, dialing, machines)
    made = await campaigns.create_campaign(engine, caller.organization_id, new, None, now, caller.actor, own)
    secret, ignored = await set_receiver(engine, caller.organization_id, made.campaign.id, given, now)
    return Done(made.campaign, secret, [*given.warnings, *ignored, *_on_machines(dialing, machines)])


async def change(
    engine: Engine, caller: Caller, campaign: Campaign, given: Given[EditCampaign], wanted: Wanted, now: datetime
) -> Done:
    """The campaign after a body; moves and settings are judged by the state in which both are allowed."""
    body, organization_id = given.value, caller.organization_id
    named = await _named(engine, organization_id, given, body.from_number_ids)
    core = translate.core_fields(given, wanted)
    move = None if body.status is None else MOVE_TO[body.status]
    state = campaign.shown(now).state
    if move is CampaignMove.SCHEDULE and state in ALLOWED_FROM[move] and not _will_start(campaign, wanted):
        raise given.bad("A scheduled campaign needs scheduledStartAt", "status")
    if core and words_of(campaign) is None:
        # Its configuration may be that of other campaigns, too.
        raise WrongState(Kind.CAMPAIGN, campaign.id, state, CampaignUse.CHANGE)
    rewritten = await _rewritten(engine, organization_id, campaign, given, wanted, named)
    if move is CampaignMove.PAUSE:
        campaign = await moved(engine, caller, campaign, move, now)
    only_in = MAY_CHANGE_CORE if core else ANY_STATE if translate.is_for_people(given) else NOT_FINAL
    secret, warnings = None, given.of_change
    schedule = _schedule(move, wanted, campaign)
    if schedule is not None or not given.fields <= {"status", "team_id", "account_slug"}:
        changes = {**translate.campaign_changes(given, wanted), **_references(body, named), **rewritten.words}
        if move in {CampaignMove.SCHEDULE, CampaignMove.UNSCHEDULE}:
            only_in = only_in & ALLOWED_FROM[move]
        edited = await campaigns.edit_campaign(
            engine, organization_id, campaign.id, changes, None, now, schedule, caller.actor, only_in
        )
        campaign = edited.campaign
        if rewritten.configuration and not campaign.course.is_over:
            own = rewritten.configuration
            await configurations.change_configuration_of(engine, organization_id, campaign.id, own, now)
        secret, ignored = await set_receiver(engine, organization_id, campaign.id, given, now)
        warnings += [*ignored, *rewritten.warnings]
    elif move in {CampaignMove.SCHEDULE, CampaignMove.UNSCHEDULE} and state not in ALLOWED_FROM[move]:
        raise WrongState(Kind.CAMPAIGN, campaign.id, state, move)
    if move in {CampaignMove.START, CampaignMove.CANCEL}:
        campaign = await moved(engine, caller, campaign, move, now)
    return Done(campaign, secret, warnings)


async def _rewritten(
    engine: Engine,
    organization_id: str,
    campaign: Campaign,
    given: Given[EditCampaign],
    wanted: Wanted,
    named: _Named,
) -> _Rewritten:
    """What the body changes beside the campaign's own fields. Raises `ValuesInvalid`."""
    words, name = words_of(campaign), given.value.name
    if words is None:
        return _Rewritten({}, {}, [_SETTINGS_OF_OTHERS] if "settings" in given.fields else [])
    dials_otherwise = bool(wanted.dialing) or named.agent is not None
    if not dials_otherwise and name is None and "settings" not in given.fields:
        return _Rewritten({}, {}, [])
    stored = await configurations.configuration_of(engine, organization_id, campaign.id)
    machines = await _machines(engine, organization_id, named.agent, campaign)
    dialing = translate.changed_dialing(dialing_of(stored.values, words["set"], machines), wanted, given)
    kept = {"kept_words": translate.kept_words(dialing, translate.merged_settings(given, words["settings"]))}
    if not dials_otherwise:
        return _Rewritten(kept, {} if name is None else {"name": configuration_name(name)}, [])
    changes = translate.configuration_changes(name, dialing, machines)
    return _Rewritten(kept, changes, _on_machines(dialing, machines))


async def _named(engine: Engine, organization_id: str, given: Given[Any], numbers: Sequence[Weighted] | None) -> _Named:
    """What the body names. Raises `NotFound`, `RefusedHere` (company) and `ValuesInvalid` (assistant)."""
    body = given.value
    company_id = await company_named(engine, organization_id, body.company_id)
    agent = None
    if body.assistant_id is not None:
        agent = await find_agent(engine, organization_id, body.assistant_id)
    found = await find_numbers(engine, organization_id, [one.id for one in numbers or ()])
    if agent is not None and not (agent.active and agent.outbound_enabled):
        raise given.bad("The assistant is not enabled for outbound calls", "assistant_id")
    if len({number.entry.id for number in found}) < len(found):
        raise given.bad("Name each number once", "from_number_ids")
    return _Named(agent, company_id, found)


async def _machines(engine: Engine, organization_id: str, agent: Agent | None, campaign: Campaign) -> Machines:
    if agent is None and campaign.agent_id is not None:
        agent = (await agents_by_id(engine, organization_id, [campaign.agent_id])).get(campaign.agent_id)
    return machines_of(agent)


async def moved(engine: Engine, caller: Caller, campaign: Campaign, move: CampaignMove, now: datetime) -> Campaign:
    """The campaign after a move; one that is there already stays as it is. Raises `WrongState`."""
    if is_so_already(move, campaign.shown(now).state):
        return campaign
    changes = {"max_calls": None} if move is CampaignMove.START else {}
    try:
        return await campaigns.move_campaign(
            engine, caller.organization_id, campaign.id, move, now, changes, caller.actor, ALLOWED_FROM[move]
        )
    except WrongState as refused:
        # Another request has asked for the same since the campaign was read.
        if not is_so_already(move, refused.state):
            raise
        return await campaigns.get_campaign(engine, caller.organization_id, campaign.id)


def _will_start(campaign: Campaign, wanted: Wanted) -> bool:
    if wanted.starts:
        return wanted.start_at is not None
    return campaign.course.intent is Intent.SCHEDULED and campaign.course.start_at is not None


def _schedule(move: CampaignMove | None, wanted: Wanted, campaign: Campaign) -> ScheduleChange | None:
    """When the campaign shall start by itself, where the body says something of it."""
    if move is CampaignMove.UNSCHEDULE and campaign.course.intent is Intent.SCHEDULED:
        return ScheduleChange(None)
    if not wanted.starts or move in {CampaignMove.PAUSE, CampaignMove.CANCEL, CampaignMove.UNSCHEDULE}:
        return None
    is_waiting = campaign.course.intent in {Intent.SCHEDULED, Intent.RUNNING}
    return ScheduleChange(wanted.start_at) if wanted.start_at is not None or is_waiting else None


def _references(body: CampaignFields, named: _Named) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if named.agent is not None:
        changes["agent_id"] = named.agent.id
    if named.company_id is not None:
        changes["company_id"] = named.company_id
    if isinstance(body, EditCampaign) and body.from_number_ids is not None:
        changes["caller_numbers"] = translate.listed_numbers(body.from_number_ids, named.numbers)
    return changes


def _on_machines(dialing: Dialing, machines: Machines) -> list[str]:
    silent = says_nothing_to_machines(dialing, machines)
    return [_NOTHING_TO_SAY] if silent and dialing.voicemail_action is not None else []
