"""Workflows, telephony configurations and their numbers."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.campaign_api.sysevo.schemas.settings import Given
from services.campaign_api.sysevo.values import Body, Name
from shared.domain.fields import E164
from shared.domain.json_rules import Definition, Text
from shared.domain.telephony_accounts import MAX_ACCOUNT_NAME


class NewWorkflow(Body):
    """A voice agent; its definition is kept for its template variables, and not run here."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        json_schema_extra={
            "examples": [{"name": "Outreach", "workflow_definition": {"nodes": [{"prompt": "Hello {{name}}"}]}}]
        },
    )

    name: Name
    workflow_definition: Definition = Field(description="At most 256 KiB.")


class WorkflowRow(BaseModel):
    """A workflow as the list has it."""

    id: int
    name: str
    status: Literal["active", "archived"]
    created_at: datetime
    total_runs: int
    folder_id: None
    workflow_uuid: str


class WorkflowName(BaseModel):
    """A workflow's id and name."""

    id: int
    name: str


class WorkflowView(BaseModel):
    """A workflow with its definition."""

    id: int
    name: str
    status: Literal["active", "archived"]
    created_at: datetime
    workflow_definition: dict[str, Any]
    current_definition_id: int
    template_context_variables: dict[str, str]
    call_disposition_codes: dict[str, Any]
    workflow_configurations: dict[str, Any]
    workflow_uuid: str


class Credentials(Body):
    """What the carrier's account needs; what it does not is ignored."""

    provider: Annotated[str, Field(max_length=64)] | None = None
    account_sid: Annotated[Text, Field(min_length=1, max_length=255)] | None = None
    auth_token: Annotated[Text, Field(min_length=1, max_length=255)] | None = None
    base_url: Annotated[Text, Field(max_length=255)] | None = None


class NewConfig(Body):
    """A telephony configuration: an account of a carrier."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", json_schema_extra={"examples": [{"name": "Main", "provider": "dialstream"}]}
    )

    name: Annotated[Name, Field(max_length=MAX_ACCOUNT_NAME)]
    provider: Annotated[str, Field(max_length=64)] | None = None
    config: Annotated[Credentials, Given] | None = None
    is_default_outbound: bool | None = None


class ConfigRow(BaseModel):
    """A telephony configuration as the list has it."""

    id: int
    name: str
    provider: str
    connectivity: Literal["api"]
    is_default_outbound: bool
    inactive: bool
    phone_number_count: int
    is_ready_for_outbound: bool
    outbound_blocked_reason: str | None
    created_at: datetime
    updated_at: datetime


class ConfigView(ConfigRow):
    """A telephony configuration; secrets are never shown."""

    credentials: dict[str, str]


class ConfigList(BaseModel):
    """All telephony configurations, in order of creation."""

    configurations: list[ConfigRow]


class Message(BaseModel):
    """The answer to what was done."""

    message: str


def _not_null(value: Any) -> Any:
    return "" if value is None else value


class NewNumberBody(Body):
    """A number to call from."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", json_schema_extra={"examples": [{"address": "+14155550100", "label": "Main"}]}
    )

    address: E164
    label: Annotated[Text, BeforeValidator(_not_null), Field(max_length=255)] = ""
    is_active: bool | None = None
    is_default_caller_id: bool | None = Field(
        None, description="Not kept: a free number of the configuration is taken at random."
    )


class NumberView(BaseModel):
    """A number of a telephony configuration."""

    id: int
    telephony_configuration_id: int
    address: str
    address_normalized: str
    address_type: Literal["pstn"]
    country_code: str | None
    label: str
    is_active: bool
    is_default_caller_id: bool
    created_at: datetime
    updated_at: datetime


class NumberList(BaseModel):
    """All numbers of a telephony configuration."""

    phone_numbers: list[NumberView]
