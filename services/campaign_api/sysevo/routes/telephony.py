"""Telephony configurations, the accounts of carriers, and the numbers of each; what a campaign's form begins with."""

from typing import Annotated, Any, Final

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.sysevo import translate_companions as translate
from services.campaign_api.sysevo.auth import Manager, Reader
from services.campaign_api.sysevo.errors import Declined
from services.campaign_api.sysevo.schemas.campaigns import Defaults, RetryView
from services.campaign_api.sysevo.schemas.companions import (
    ConfigList,
    ConfigView,
    Message,
    NewConfig,
    NewNumberBody,
    NumberList,
    NumberView,
)
from services.campaign_api.sysevo.schemas.problems import body_problems, problems
from services.campaign_api.sysevo.schemas.settings import ABSENT_RETRY
from services.campaign_api.sysevo.translate import campaign_view
from services.campaign_api.sysevo.values import MAX_BODY_BYTES, Id
from shared.clock import utc_now
from shared.domain.caller_numbers import MAX_REGISTERED
from shared.engine import caller_numbers, campaigns
from shared.engine import telephony_accounts as accounts
from shared.engine.engine import Engine
from shared.engine.limits import get_limits
from shared.engine.overviews import overviews
from shared.errors import BadSetting, Kind, NotFound

router = APIRouter(prefix="/api/v1/organizations", tags=["Telephony"], route_class=BodyRoute)
CONFIGS: Final = "/telephony-configs"
_SHOWN_SETTINGS: Final = {"retry_config", "max_concurrency", "schedule_config", "circuit_breaker"}
ConfigBody = Annotated[NewConfig, json_body(NewConfig, MAX_BODY_BYTES)]
NumberBody = Annotated[NewNumberBody, json_body(NewNumberBody, MAX_BODY_BYTES)]


@router.get("/campaign-defaults", responses=problems())
async def defaults(engine: ThisEngine, caller: Reader) -> Defaults:
    """Get what a form for a new campaign begins with."""
    organization_id, now = caller.organization_id, utc_now()
    organization = await get_limits(engine, organization_id)
    account = accounts.outgoing_account(await accounts.list_accounts(engine, organization_id))
    newest = await campaigns.list_campaigns(
        engine, organization_id, name_contains="", states=(), now=now, cursor=None, limit=1
    )
    last: dict[str, Any] | None = None
    for overview in await overviews(engine, organization_id, newest.rows):
        last = campaign_view(overview, now).model_dump(mode="json", include=_SHOWN_SETTINGS)
    return Defaults(
        concurrent_call_limit=organization.calls_at_once,
        from_numbers_count=0 if account is None else account.active_numbers,
        default_retry_config=RetryView(**ABSENT_RETRY.model_dump()),
        last_campaign_settings=last,
    )


@router.get(CONFIGS, responses=problems())
async def list_configs(engine: ThisEngine, caller: Reader) -> ConfigList:
    """List all telephony configurations, in order of creation."""
    found = await accounts.list_accounts(engine, caller.organization_id)
    default_number = await _default_number(engine, caller.organization_id)
    return ConfigList(configurations=[translate.config_row(each, default_number) for each in found])


@router.post(CONFIGS, responses=body_problems(400, 409))
async def create_config(engine: ThisEngine, caller: Manager, body: ConfigBody) -> ConfigView:
    """Add a telephony configuration: `dialstream` is the carrier that the operator has set up."""
    try:
        new = translate.new_account(body)
    except translate.UnknownProvider as error:
        raise Declined(400, f"There is no driver for the provider {error}; use dialstream or twilio") from None
    try:
        made = await accounts.create_account(engine, caller.organization_id, new, utc_now())
    except BadSetting as error:
        raise BadSetting(error.flaw, ["config", *error.place], error.reference, error.value) from None
    return translate.config_view(made, await _default_number(engine, caller.organization_id))


@router.get(f"{CONFIGS}/{{config_id}}", responses=problems(404))
async def get_config(engine: ThisEngine, caller: Reader, config_id: Id) -> ConfigView:
    """Get one telephony configuration, without its secrets."""
    found = await accounts.numbered_account(engine, caller.organization_id, config_id)
    return translate.config_view(found, await _default_number(engine, caller.organization_id))


@router.delete(f"{CONFIGS}/{{config_id}}", responses=problems(404, 409))
async def delete_config(engine: ThisEngine, caller: Manager, config_id: Id) -> Message:
    """Delete a telephony configuration with its numbers, unless a campaign that is not over uses it."""
    found = await accounts.numbered_account(engine, caller.organization_id, config_id)
    await accounts.delete_account(engine, caller.organization_id, found.id, utc_now())
    return Message(message="Telephony configuration deleted")


@router.post(f"{CONFIGS}/{{config_id}}/set-default-outbound", responses=problems(404))
async def set_default(engine: ThisEngine, caller: Manager, config_id: Id) -> ConfigView:
    """Have campaigns that name no configuration call through this one."""
    found = await accounts.numbered_account(engine, caller.organization_id, config_id)
    chosen = await accounts.choose_default(engine, caller.organization_id, found.id)
    return translate.config_view(chosen, await _default_number(engine, caller.organization_id))


@router.get(f"{CONFIGS}/{{config_id}}/phone-numbers", responses=problems(404))
async def list_numbers(engine: ThisEngine, caller: Reader, config_id: Id) -> NumberList:
    """List the numbers of a telephony configuration, newest first."""
    account = await accounts.numbered_account(engine, caller.organization_id, config_id)
    page = await caller_numbers.numbered_numbers(
        engine, caller.organization_id, pool=None, offset=0, limit=MAX_REGISTERED, account_id=account.id
    )
    return NumberList(phone_numbers=[translate.number_view(each, account.number) for each in page.rows])


@router.post(f"{CONFIGS}/{{config_id}}/phone-numbers", responses=body_problems(404, 409))
async def add_number(engine: ThisEngine, caller: Manager, config_id: Id, body: NumberBody) -> NumberView:
    """Add a number to a telephony configuration; it carries one call at a time."""
    account = await accounts.numbered_account(engine, caller.organization_id, config_id)
    new = translate.new_number(body, account.id)
    made = await caller_numbers.register_number(engine, caller.organization_id, new, utc_now())
    return translate.number_view(made, account.number)


@router.delete(f"{CONFIGS}/{{config_id}}/phone-numbers/{{number_id}}", responses=problems(404, 409))
async def delete_number(engine: ThisEngine, caller: Manager, config_id: Id, number_id: Id) -> Message:
    """Delete a number of a telephony configuration."""
    account = await accounts.numbered_account(engine, caller.organization_id, config_id)
    found = await caller_numbers.get_number_by_serial(engine, caller.organization_id, number_id)
    if found.entry.account_id != account.id:
        raise NotFound(Kind.CALLER_NUMBER, str(number_id))
    await caller_numbers.delete_number(engine, caller.organization_id, found.entry.id, utc_now())
    return Message(message="Phone number deleted")


async def _default_number(engine: Engine, organization_id: str) -> str | None:
    return (await get_limits(engine, organization_id)).default_agent_number
