"""Workflows, telephony configurations and numbers on this API's wire, purely."""

from services.campaign_api.sysevo.schemas.companions import (
    ConfigRow,
    ConfigView,
    NewConfig,
    NewNumberBody,
    NewWorkflow,
    NumberView,
    WorkflowName,
    WorkflowRow,
    WorkflowView,
)
from services.campaign_api.sysevo.values import NOBODYS
from shared.domain.csv_check import variables_of
from shared.domain.number_places import country_of
from shared.engine.agents import Agent, NewAgent
from shared.engine.caller_numbers import NewNumber, RegisteredNumber
from shared.engine.telephony_accounts import AccountProvider, NewTelephonyAccount, TelephonyAccount


class UnknownProvider(ValueError):
    """There is no driver for this carrier."""


def new_agent(body: NewWorkflow) -> NewAgent:
    """The agent that the body registers."""
    return NewAgent(name=body.name, definition=body.workflow_definition)


def workflow_row(agent: Agent, runs: int) -> WorkflowRow:
    """An agent as the list has it, with how many attempts were made with it."""
    return WorkflowRow(
        id=agent.number,
        name=agent.name,
        status="active" if agent.active else "archived",
        created_at=agent.created_at,
        total_runs=runs,
        folder_id=None,
        workflow_uuid=agent.id,
    )


def workflow_name(agent: Agent) -> WorkflowName:
    """An agent's number and name."""
    return WorkflowName(id=agent.number, name=agent.name)


def workflow_view(agent: Agent) -> WorkflowView:
    """An agent with its definition."""
    return WorkflowView(
        id=agent.number,
        name=agent.name,
        status="active" if agent.active else "archived",
        created_at=agent.created_at,
        workflow_definition=dict(agent.definition or {}),
        current_definition_id=agent.number,
        template_context_variables=dict.fromkeys(variables_of(agent.definition), ""),
        call_disposition_codes={},
        workflow_configurations={},
        workflow_uuid=agent.id,
    )


def new_account(body: NewConfig) -> NewTelephonyAccount:
    """The account that the body adds. Raises `UnknownProvider`."""
    config = body.config
    name = (body.provider or (config.provider if config is not None else None) or "").strip().lower()
    try:
        provider = AccountProvider(name)
    except ValueError:
        raise UnknownProvider(name[:64]) from None
    own = config if provider is AccountProvider.TWILIO else None
    return NewTelephonyAccount(
        name=body.name,
        provider=provider,
        account_sid=own.account_sid if own is not None else None,
        auth_token=own.auth_token if own is not None else None,
        base_url=own.base_url if own is not None else None,
        is_default=bool(body.is_default_outbound),
    )


def blocked_reason(account: TelephonyAccount, default_number: str | None) -> str | None:
    """Why no call can be placed through an account; None: calls can."""
    if not account.active:
        return "inactive"
    if not account.active_numbers and default_number is None:
        return "no_active_phone_number"
    return None


def config_row(account: TelephonyAccount, default_number: str | None) -> ConfigRow:
    """An account as the list has it."""
    return ConfigRow.model_validate(_fields(account, default_number))


def config_view(account: TelephonyAccount, default_number: str | None) -> ConfigView:
    """An account without its secrets."""
    credentials = {} if account.account_sid is None else {"account_sid": account.account_sid}
    return ConfigView.model_validate({**_fields(account, default_number), "credentials": credentials})


def _fields(account: TelephonyAccount, default_number: str | None) -> dict[str, object]:
    reason = blocked_reason(account, default_number)
    return {
        "id": account.number,
        "name": account.name,
        "provider": account.provider.value,
        "connectivity": "api",
        "is_default_outbound": account.is_default,
        "inactive": not account.active,
        "phone_number_count": account.numbers,
        "is_ready_for_outbound": reason is None,
        "outbound_blocked_reason": reason,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    }


def new_number(body: NewNumberBody, account_id: str) -> NewNumber:
    """The number that the body registers: it carries one call at a time."""
    return NewNumber(
        number=body.address,
        label=body.label,
        weight=1,
        max_calls=1,
        daily_limit=None,
        active=body.is_active is not False,
        pools=(),
        telephony_account_id=account_id,
    )


def number_view(number: RegisteredNumber, account: int) -> NumberView:
    """A number of an account."""
    country = country_of(number.entry.number)
    return NumberView(
        id=number.entry.serial or NOBODYS,
        telephony_configuration_id=account,
        address=number.entry.number,
        address_normalized=number.entry.number,
        address_type="pstn",
        country_code=country if country.isalpha() else None,
        label=number.label,
        is_active=number.entry.active,
        is_default_caller_id=False,
        created_at=number.created_at,
        updated_at=number.updated_at,
    )
