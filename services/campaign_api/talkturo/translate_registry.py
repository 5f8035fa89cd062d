"""Companies, assistants and phone numbers between this API and the engine, purely."""

from typing import Any, Final

from services.campaign_api.talkturo.schemas.registry import AssistantFields, CompanyFields, RegisterNumber
from shared.domain.voicemail import VoicemailAction
from shared.engine.agents import Agent, NewAgent
from shared.engine.caller_numbers import NewNumber, RegisteredNumber
from shared.engine.companies import Company
from shared.rendering.talkturo.ids import Prefix, shown_id
from shared.rendering.talkturo.settings import HANG_UP, LEAVE
from shared.rendering.talkturo.times import said

_COMPANY: Final = (
    "name",
    "website",
    "industry",
    "company_size",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "postal_code",
    "country",
    "phone",
    "notes",
    "custom_fields",
)
_ACTIONS: Final = {LEAVE: VoicemailAction.LEAVE_MESSAGE, HANG_UP: VoicemailAction.HANG_UP}
CUSTOM: Final = "custom"
_OUTBOUND: Final = {"outbound_enabled": "outbound_enabled", "voicemail_detection_enabled": "voicemail_detection"}


def company_values(body: CompanyFields) -> dict[str, Any]:
    """The fields of a company that the body names."""
    values: dict[str, Any] = {name: getattr(body, name) for name in _COMPANY if name in body.model_fields_set}
    return values | ({"custom_fields": body.custom_fields or {}} if "custom_fields" in values else {})


def company_object(company: Company, team: str) -> dict[str, Any]:
    """The company."""
    return {
        "id": shown_id(Prefix.COMPANY, company.id, company.external_id),
        "external_id": company.external_id,
        "team_id": team,
        **{name: getattr(company, name) for name in _COMPANY},
        "custom_fields": dict(company.custom_fields),
        "contact_count": company.contact_count,
        "created_at": said(company.created_at),
        "updated_at": said(company.updated_at),
    }


def new_agent(body: AssistantFields, name: str) -> NewAgent:
    """The assistant that the body asks for."""
    detects = body.voicemail_detection_enabled
    return NewAgent(
        name=name,
        external_id=body.external_id,
        outbound_enabled=body.outbound_enabled is not False,
        voicemail_detection=detects is not False,
        voicemail_action=_ACTIONS[body.voicemail_action or LEAVE],
        attributes={"template_id": body.template_id or CUSTOM},
    )


def agent_changes(body: AssistantFields, name: str | None, before: Agent) -> dict[str, Any]:
    """The fields of an assistant that the body names."""
    given = body.model_fields_set
    changes: dict[str, Any] = {
        ours: getattr(body, theirs) is not False for theirs, ours in _OUTBOUND.items() if theirs in given
    }
    if "voicemail_action" in given:
        changes["voicemail_action"] = _ACTIONS[body.voicemail_action or LEAVE]
    if "template_id" in given:
        changes["attributes"] = {**before.attributes, "template_id": body.template_id or CUSTOM}
    return changes if name is None else {**changes, "name": name}


def agent_object(agent: Agent, team: str) -> dict[str, Any]:
    """The assistant."""
    return {
        "id": shown_id(Prefix.ASSISTANT, agent.id, agent.external_id),
        "external_id": agent.external_id,
        "account_id": team,
        "team_id": team,
        "name": agent.name,
        "type": agent.attributes.get("template_id") or CUSTOM,
        "outbound_enabled": agent.active and agent.outbound_enabled,
        "voicemail_detection_enabled": agent.voicemail_detection,
        "voicemail_action": HANG_UP if agent.voicemail_action is VoicemailAction.HANG_UP else LEAVE,
        "created_at": said(agent.created_at),
        "updated_at": said(agent.updated_at),
    }


def new_number(body: RegisterNumber) -> NewNumber:
    """The caller number that the body asks for."""
    return NewNumber(
        number=body.phone_number,
        label="",
        weight=body.weight or 1,
        max_calls=None,
        daily_limit=None,
        active=True,
        pools=(),
        external_id=body.external_id,
    )


def number_object(number: RegisteredNumber, team: str) -> dict[str, Any]:
    """The caller number."""
    return {
        "id": shown_id(Prefix.NUMBER, number.entry.id, number.external_id),
        "external_id": number.external_id,
        "team_id": team,
        "phone_number": number.entry.number,
        "phoneNumber": number.entry.number,
        "weight": number.entry.weight,
        "status": "active" if number.entry.active else "inactive",
        "created_at": said(number.created_at),
    }
