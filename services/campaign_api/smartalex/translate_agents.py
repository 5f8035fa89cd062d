"""Agents between this dialect and the engine, purely: fields that the engine has no name for are its attributes."""

from typing import Any, Final

from services.campaign_api.http.faults import BadValue, ValuesInvalid
from services.campaign_api.smartalex.schemas.agents import OWN, AgentView, CreateAgent, EditAgent
from shared.domain.json_rules import check_json
from shared.engine.agents import Agent, NewAgent

DEFAULT_LANGUAGE: Final = "en-US"
_AS_ATTRIBUTES: Final[tuple[str, ...]] = ("language", "voice")


def new_agent(body: CreateAgent) -> NewAgent:
    """The agent that the body asks for. Raises `ValuesInvalid` without a name."""
    name = body.name or body.assistant_name
    if name is None:
        raise ValuesInvalid([BadValue(("body", "name"), "Add this field: it is required", "missing")])
    return NewAgent(
        name=name,
        id=body.id,
        active=body.is_active is not False,
        phone_numbers=body.phone_numbers or (),
        attributes=_checked({**body.given, "language": body.language or DEFAULT_LANGUAGE, "voice": body.voice}),
    )


def agent_changes(body: EditAgent, before: Agent) -> dict[str, Any]:
    """The fields that the body changes; what it gives besides is laid over what was given before."""
    # An agent that was read is sent back with both names; the one that differs is the new one.
    name = next((name for name in (body.name, body.assistant_name) if name not in (None, before.name)), None)
    named = {"name": name, "active": body.is_active, "phone_numbers": body.phone_numbers}
    changes: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    attributes = {name: getattr(body, name) for name in _AS_ATTRIBUTES if name in body.model_fields_set}
    if attributes or body.given:
        changes["attributes"] = _checked({**before.attributes, **body.given, **attributes})
    return changes


def agent_view(agent: Agent) -> AgentView:
    """An agent, with the fields that were given."""
    given = {name: value for name, value in agent.attributes.items() if name not in OWN}
    language, voice = agent.attributes.get("language"), agent.attributes.get("voice")
    return AgentView(
        **given,
        id=agent.id,
        name=agent.name,
        assistant_name=agent.name,
        language=language if isinstance(language, str) else DEFAULT_LANGUAGE,
        voice=voice if isinstance(voice, str) else None,
        status="ready" if agent.active else "inactive",
        is_active=agent.active,
        phone_numbers=list(agent.phone_numbers),
        created_at=agent.created_at,
        updated_at=agent.updated_at,
    )


def _checked(attributes: dict[str, Any]) -> dict[str, Any]:
    try:
        check_json(attributes)
    except ValueError as error:
        raise ValuesInvalid([BadValue(("body",), str(error), "json_value")]) from None
    return attributes
