"""Campaigns: list, create, read, change."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.credentials import Caller
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.faults import BadValue, ValuesInvalid
from services.campaign_api.sysevo import translate
from services.campaign_api.sysevo.auth import Manager, Reader
from services.campaign_api.sysevo.csv_sentences import NO_FILE, refusal_sentence
from services.campaign_api.sysevo.errors import NO_TELEPHONY, Declined
from services.campaign_api.sysevo.schemas.campaigns import (
    CampaignList,
    CampaignView,
    CreateCampaign,
    LogView,
    PatchCampaign,
)
from services.campaign_api.sysevo.schemas.problems import body_problems, problems
from services.campaign_api.sysevo.states import CHANGED_IN
from services.campaign_api.sysevo.translate_settings import (
    SlotsMissing,
    breaker_field,
    breaker_view,
    hours_fields,
    kept_words,
    patched_hours,
    retry_fields,
    retry_view,
    shown_hours,
)
from services.campaign_api.sysevo.values import MAX_BODY_BYTES, Id
from shared.clock import utc_now
from shared.domain.breaker import FAILURES
from shared.domain.campaign import CampaignUse
from shared.engine import campaigns, configurations
from shared.engine.agents import Agent, agent_of_number
from shared.engine.calling_numbers import CallFrom, has_number_to_call_with
from shared.engine.calls import CallFilter, CallOrder, list_calls
from shared.engine.calls import Reader as ResultReader
from shared.engine.campaign_log import numbered_log
from shared.engine.campaigns import Campaign
from shared.engine.engine import Engine
from shared.engine.file_campaigns import Refusal, create_file_campaign
from shared.engine.overviews import Overview, overviews
from shared.engine.telephony_accounts import list_accounts, outgoing_account
from shared.errors import Kind, NotFound, WrongState

router = APIRouter(prefix="/api/v1/campaign", tags=["Campaigns"], route_class=BodyRoute)
AT_ONCE: Final = 200
MAX_LOGS: Final = 200
_RECENT: Final = 20
# Entries of a breaker whose calls are looked up; older ones are shown without.
_EXPLAINED: Final = 10


@router.get("", include_in_schema=False)
@router.get("/", responses=problems())
async def list_all(engine: ThisEngine, caller: Reader) -> CampaignList:
    """List all campaigns of the organization, newest first."""
    now = utc_now()
    found: list[CampaignView] = []
    cursor: str | None = None
    while True:
        page = await campaigns.list_campaigns(
            engine, caller.organization_id, name_contains="", states=(), now=now, cursor=cursor, limit=AT_ONCE
        )
        shown = await overviews(engine, caller.organization_id, page.rows)
        found += [translate.campaign_view(one, now) for one in shown]
        cursor = page.next_cursor
        if cursor is None:
            return CampaignList(campaigns=found)


@router.post("/create", responses=body_problems(400, 404))
async def create(
    engine: ThisEngine, caller: Manager, body: Annotated[CreateCampaign, json_body(CreateCampaign, MAX_BODY_BYTES)]
) -> CampaignView:
    """Create a campaign of an uploaded list: a draft. The import begins at once, and nobody is called."""
    agent = await _workflow(engine, caller, body.workflow_id)
    account_id = await _account(engine, caller, body.telephony_configuration_id)
    new = translate.new_campaign(body, agent, account_id)
    try:
        made = await create_file_campaign(engine, caller.organization_id, new, utc_now(), caller.actor)
    except NotFound as error:
        if error.kind is Kind.FILE:
            raise Declined(400, NO_FILE) from None
        raise
    if isinstance(made, Refusal):
        raise Declined(400, refusal_sentence(made))
    return await shown_campaign(engine, caller, made)


@router.get("/{campaign_id}", responses=problems(404))
async def get_one(engine: ThisEngine, caller: Reader, campaign_id: Id) -> CampaignView:
    """Get one campaign, with its log."""
    found = await campaigns.campaign_of_number(engine, caller.organization_id, campaign_id)
    return await shown_campaign(engine, caller, found)


@router.patch("/{campaign_id}", responses=body_problems(400, 404))
async def change(
    engine: ThisEngine,
    caller: Manager,
    campaign_id: Id,
    body: Annotated[PatchCampaign, json_body(PatchCampaign, MAX_BODY_BYTES)],
) -> CampaignView:
    """Change a campaign; what is sent is in force for the next call within a second."""
    before = await campaigns.campaign_of_number(engine, caller.organization_id, campaign_id)
    state = before.shown(utc_now()).state
    if state not in CHANGED_IN:
        raise WrongState(Kind.CAMPAIGN, before.id, state, CampaignUse.CHANGE)
    return await shown_campaign(engine, caller, await changed_campaign(engine, caller, before, body))


async def changed_campaign(engine: Engine, caller: Caller, before: Campaign, body: PatchCampaign) -> Campaign:
    """The campaign with what is sent changed. Raises `ValuesInvalid` (hours without slots) and `WrongState`."""
    now = utc_now()
    stored = await configurations.configuration_of(engine, caller.organization_id, before.id)
    fields, rules = _changes(body, before, stored.values)
    if fields:
        await campaigns.edit_campaign(
            engine, caller.organization_id, before.id, fields, None, now, None, caller.actor, CHANGED_IN
        )
    if rules:
        await configurations.change_configuration_of(engine, caller.organization_id, before.id, rules, now)
    return await campaigns.get_campaign(engine, caller.organization_id, before.id)


def _changes(body: PatchCampaign, before: Campaign, values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of the campaign that change, and those of its configuration."""
    fields: dict[str, Any] = {}
    rules: dict[str, Any] = {}
    hours = shown_hours(values, before.kept_words)
    retry = retry_view(values, before.kept_words)
    breaker = breaker_view(before.circuit_breaker, before.kept_words)
    try:
        wanted = patched_hours(body, hours)
    except SlotsMissing:
        place = "calling_hours" if body.calling_hours is not None else "schedule_config"
        missing = BadValue(("body", place, "slots"), "Send slots: there are none to keep", "missing")
        raise ValuesInvalid([missing]) from None
    if wanted != hours:
        hours, rules = wanted, hours_fields(wanted)
    if body.retry_config is not None:
        retry = retry.model_copy(update=body.retry_config.model_dump(exclude_unset=True))
        rules |= retry_fields(retry)
    if body.circuit_breaker is not None:
        breaker = breaker.model_copy(update=body.circuit_breaker.model_dump(exclude_unset=True))
        fields["circuit_breaker"] = breaker_field(breaker)
    if body.name is not None:
        fields["name"] = body.name
    if body.max_concurrency is not None:
        fields["concurrency_limit"] = body.max_concurrency
    if "rate_limit_per_second" in body.model_fields_set:
        rate = body.rate_limit_per_second
        fields["calls_per_second"] = None if rate is None else float(rate)
    kept = kept_words(hours, retry, breaker)
    if kept != before.kept_words and (rules or "circuit_breaker" in fields):
        fields["kept_words"] = kept
    return fields, rules


async def shown_campaign(engine: Engine, caller: Caller, campaign: Campaign) -> CampaignView:
    """A campaign as it is now, with its log."""
    [overview] = await overviews(engine, caller.organization_id, [campaign])
    logs = await _logs(engine, caller, overview)
    return translate.campaign_view(overview, utc_now(), logs)


async def _logs(engine: Engine, caller: Caller, overview: Overview) -> Sequence[LogView]:
    page = await numbered_log(
        engine,
        caller.organization_id,
        overview.campaign.id,
        offset=0,
        limit=MAX_LOGS,
        events=translate.SHOWN_EVENTS,
    )
    logs, explained = list[LogView](), 0
    for entry in page.rows:
        event = translate.event_of(entry)
        failures: list[dict[str, Any]] = []
        if event == "circuit_breaker_tripped" and explained < _EXPLAINED:
            explained += 1
            which = CallFilter(campaign_id=overview.campaign.id, outcomes=FAILURES, until=entry.at)
            calls = await list_calls(
                engine,
                caller.organization_id,
                which,
                order=CallOrder.NEWEST,
                cursor=None,
                limit=_RECENT,
                reader=ResultReader(sensitive=False),
            )
            failures = [translate.recent_failure(one.call) for one in calls.rows]
        logs.append(translate.log_view(entry, event, failures))
    return logs[::-1]


async def _workflow(engine: Engine, caller: Caller, number: int) -> Agent:
    agent = await agent_of_number(engine, caller.organization_id, number)
    if not agent.active:
        raise NotFound(Kind.AGENT, str(number))
    return agent


async def _account(engine: Engine, caller: Caller, number: int | None) -> str | None:
    """The account that the campaign is to call through; None: the operator's, from the organization's number."""
    accounts = await list_accounts(engine, caller.organization_id)
    if number is None:
        account = outgoing_account(accounts)
    else:
        account = next((each for each in accounts if each.number == number and each.active), None)
        if account is None:
            raise Declined(400, NO_TELEPHONY)
    account_id = None if account is None else account.id
    if not await has_number_to_call_with(engine, caller.organization_id, CallFrom(telephony_account_id=account_id)):
        raise Declined(400, NO_TELEPHONY)
    return account_id
