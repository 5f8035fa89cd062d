"""Campaigns between this dialect and the engine, purely: bodies to what use cases take, their values to the wire."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from services.campaign_api.http.faults import BadValue, ValuesInvalid
from services.campaign_api.smartalex.schemas.campaigns import (
    CreateCampaign,
    EditCampaign,
)
from services.campaign_api.smartalex.translate_hours import (
    AskedHours,
    week_after,
    windows_of,
)
from shared.domain.campaign import DEFAULT_PRIORITY
from shared.domain.configuration import Configuration
from shared.domain.outcome import Outcome
from shared.engine.agents import Agent
from shared.engine.campaigns import Campaign, NewCampaign
from shared.engine.configurations import StoredConfiguration
from shared.rendering.smartalex.week import week_of

DEFAULT_TIMEZONE: Final = "UTC"
DEFAULT_RETRIES: Final = 3
DEFAULT_CALLS: Final = 1
_HOUR: Final = 3600
# The product's table of retries: which outcomes are called again, and after how long. How often is one number for all
# of them together, so no outcome has a limit of its own.
RETRY_DELAYS: Final[Mapping[Outcome, int | None]] = MappingProxyType(
    {
        Outcome.VOICEMAIL: 24 * _HOUR,
        Outcome.NO_ANSWER: 24 * _HOUR,
        Outcome.BUSY: _HOUR,
        Outcome.FAILED: _HOUR // 2,
        Outcome.INTERRUPTED: _HOUR // 2,
        Outcome.UNKNOWN: None,
        Outcome.INVALID_NUMBER: None,
        Outcome.DECLINED: None,
        Outcome.DO_NOT_CALL: None,
    }
)
_AS_GIVEN: Final = ("name", "description", "objective")


def new_campaign(body: CreateCampaign) -> NewCampaign:
    """The campaign that the body asks for, as a draft; what else it says is for its own configuration."""
    calls = None if body.settings is None else body.settings.concurrent_calls
    return NewCampaign(
        name=body.name,
        configuration_id="",
        external_id=None,
        priority=DEFAULT_PRIORITY,
        agent_id=body.agent_id,
        agent_version=None,
        agent_number=body.phone_number_id,
        concurrency_limit=DEFAULT_CALLS if calls is None else calls,
        is_draft=True,
        auto_complete=True,
        description=body.description,
        objective=body.objective,
    )


def own_configuration(body: CreateCampaign, asked: AskedHours, agent: Agent) -> dict[str, Any]:
    """The configuration of a new campaign of this agent, in JSON values."""
    retries = None if body.settings is None else body.settings.max_retries
    week = week_after(asked, None)
    assert week is not None
    return {
        "name": body.name,
        **Configuration().model_dump(mode="json"),
        "default_timezone": asked.timezone or DEFAULT_TIMEZONE,
        "default_windows": windows_of(week),
        "use_contact_timezone": False,
        "max_attempts": (DEFAULT_RETRIES if retries is None else retries) + 1,
        "retry_rules": retry_rules(),
        "agent_number": first_number(agent),
    }


def first_number(agent: Agent) -> str | None:
    """The number that campaigns of the agent call from, unless they name one."""
    return next(iter(agent.phone_numbers), None)


def retry_rules() -> dict[str, Any]:
    """The rules of retries of a new campaign, in JSON values."""
    return {
        outcome.value: {"retry": False} if delay is None else {"retry": True, "delay_seconds": delay}
        for outcome, delay in RETRY_DELAYS.items()
    }


def is_made_here(campaign: Campaign, configuration: StoredConfiguration) -> bool:
    """Whether the campaign is one that a dialect with a registry of agents has made: its agent must be there."""
    return campaign.auto_complete and configuration.campaign_id == campaign.id and campaign.agent_id is not None


def campaign_changes(body: EditCampaign, campaign: Campaign, calls_shown: int) -> dict[str, Any]:
    """The campaign's own fields that the body changes; one that says what is shown already changes nothing.

    Raises `ValuesInvalid` for an agent that is to be taken away.
    """
    given = body.model_fields_set
    if "agent_id" in given and body.agent_id is None and campaign.agent_id is not None:
        raise ValuesInvalid([BadValue(("body", "agent_id"), "must not be null; leave it out to keep it", "null")])
    changes: dict[str, Any] = {name: getattr(body, name) for name in _AS_GIVEN if name in given}
    if body.agent_id is not None:
        changes["agent_id"] = body.agent_id
    if "phone_number_id" in given:
        changes["agent_number"] = body.phone_number_id
    calls = None if body.settings is None else body.settings.concurrent_calls
    if calls is not None and calls != calls_shown:
        changes["concurrency_limit"] = calls
    return {name: value for name, value in changes.items() if value != getattr(campaign, name)}


def configuration_changes(
    body: EditCampaign, asked: AskedHours, before: StoredConfiguration, agent: Agent | None
) -> dict[str, Any]:
    """The fields of the campaign's configuration that the body changes, in JSON values.

    With `agent` its first number is called from. Raises `ValuesInvalid` for hours that would be empty.
    """
    values, changes = before.values, dict[str, Any]()
    week_before = week_of(values["default_windows"])
    week = week_after(asked, week_before)
    if week is not None and week != week_before:
        changes["default_windows"] = windows_of(week)
    if asked.timezone is not None:
        changes["default_timezone"] = asked.timezone
    retries = None if body.settings is None else body.settings.max_retries
    if retries is not None:
        changes["max_attempts"] = retries + 1
    if agent is not None and before.campaign_id is not None:
        changes["agent_number"] = first_number(agent)
    if body.name is not None and before.campaign_id is not None:
        changes["name"] = body.name
    return {name: value for name, value in changes.items() if value != values[name]}
