"""The objects of this API, purely: what answers and webhooks show of campaigns, their contacts, and calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from shared.domain.calls import CallStatus
from shared.domain.campaign import Intent
from shared.domain.contact import ContactStatus
from shared.domain.contact_name import name_in
from shared.domain.contact_record import Contact
from shared.domain.counts import CampaignCounts
from shared.domain.ids import is_default_campaign
from shared.domain.preview import PreviewedCall
from shared.engine.agents import Agent
from shared.engine.caller_numbers import RegisteredNumber
from shared.engine.calls import CalledContact, ListedCall
from shared.engine.campaigns import Campaign
from shared.engine.configurations import StoredConfiguration
from shared.engine.organizations import Organization
from shared.rendering.talkturo.ids import Prefix, run_id, shown_id
from shared.rendering.talkturo.settings import KEPT, Dialing, Machines, dialing_of
from shared.rendering.talkturo.times import said
from shared.rendering.talkturo.words import (
    STATUS_OF,
    CallOutcome,
    Status,
    contact_state,
    outcome_of,
    skip_reason,
)

ALL_EVENTS: Final = (
    "call.initiated",
    "call.answered",
    "call.machine_detection.ended",
    "call.hangup",
    "call.completed",
    "contact.completed",
    "campaign.started",
    "campaign.paused",
    "campaign.completed",
    "campaign.cancelled",
)
_SHOWN_OF_DIALING: Final = (
    "call_window_start",
    "call_window_end",
    "call_window_timezone",
    "use_contact_timezone_for_call_window",
    "max_attempts_per_contact",
    "retry_delay_minutes",
    "retry_delay_minutes_no_answer",
    "retry_delay_minutes_busy",
    "retry_delay_minutes_error",
    "retry_on_error",
    "retry_backoff_mode",
    "retry_backoff_multiplier",
    "retry_backoff_max_minutes",
    "voicemail_detection_enabled",
    "voicemail_action",
    "voicemail_drop_message",
    "unavailable_action",
)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where a campaign's events go, and which; `events` empty: all."""

    id: str
    url: str
    active: bool
    events: Sequence[str]


@dataclass(frozen=True, slots=True)
class Names:
    """What objects refer to, by our ids: external_ids of campaigns, companies and people; agents and numbers."""

    organization: Organization
    campaigns: Mapping[str, str | None] = field(default_factory=dict)
    agents: Mapping[str, Agent] = field(default_factory=dict)
    companies: Mapping[str, str | None] = field(default_factory=dict)
    people: Mapping[str, str | None] = field(default_factory=dict)
    numbers: Mapping[str, RegisteredNumber] = field(default_factory=dict)
    receivers: Mapping[str, Receiver] = field(default_factory=dict)

    @property
    def team(self) -> str:
        """The id of the team."""
        return shown_id(Prefix.TEAM, self.organization.id, self.organization.external_id)

    def campaign(self, campaign_id: str | None) -> str | None:
        """The id of a campaign (in its stored form); None: of none."""
        if campaign_id is None or is_default_campaign(campaign_id):
            return None
        return shown_id(Prefix.CAMPAIGN, campaign_id, self.campaigns.get(campaign_id))

    def assistant(self, agent_id: str | None) -> str | None:
        """The id of an assistant; one that is not registered is shown as it is."""
        agent = self.agents.get(agent_id or "")
        return agent_id if agent is None else shown_id(Prefix.ASSISTANT, agent.id, agent.external_id)

    def company(self, company_id: str | None) -> str | None:
        """The id of a company."""
        return None if company_id is None else shown_id(Prefix.COMPANY, company_id, self.companies.get(company_id))

    def contact(self, person_id: str | None) -> str | None:
        """The id of a contact of the contact book."""
        return None if person_id is None else shown_id(Prefix.CONTACT, person_id, self.people.get(person_id))

    def machines(self, agent_id: str | None) -> Machines:
        """What an assistant does about answering machines."""
        return machines_of(self.agents.get(agent_id or ""))


def machines_of(agent: Agent | None) -> Machines:
    """What an assistant does about answering machines; None: one that is not registered."""
    return Machines() if agent is None else Machines(agent.voicemail_detection, agent.voicemail_action)


def words_of(campaign: Campaign) -> Mapping[str, Any] | None:
    """What this API was told of a campaign beside what the engine reads; None: it was made in another."""
    return (campaign.kept_words or {}).get(KEPT)


def dialing_of_campaign(campaign: Campaign, configuration: StoredConfiguration, names: Names) -> Dialing:
    """The settings of dialing of a campaign."""
    words = words_of(campaign)
    kept = None if words is None else words["set"]
    return dialing_of(configuration.values, kept, names.machines(campaign.agent_id))


def campaign_object(
    campaign: Campaign, configuration: StoredConfiguration, counts: CampaignCounts, names: Names, now: datetime
) -> dict[str, Any]:
    """The campaign at `now`."""
    shown = campaign.shown(now)
    status = STATUS_OF[shown.state]
    words = words_of(campaign)
    dialing = dialing_of_campaign(campaign, configuration, names)
    start = campaign.course.start_at if campaign.course.intent is Intent.SCHEDULED else None
    listed = [(one, names.numbers[one.id]) for one in campaign.caller_numbers if one.id in names.numbers]
    numbers = [
        {
            "id": shown_id(Prefix.NUMBER, number.entry.id, number.external_id),
            "phone_number": number.entry.number,
            "weight": number.entry.weight if one.weight is None else one.weight,
        }
        for one, number in listed
    ]
    receiver = names.receivers.get(campaign.id)
    of_configuration = configuration.values.get("agent_number")
    settings = {name: getattr(dialing, name) for name in _SHOWN_OF_DIALING}
    agent_id = campaign.agent_id or configuration.values.get("agent_id")
    final_called = counts.called - counts.active - counts.retrying - counts.called_back
    return {
        "id": names.campaign(campaign.id),
        "external_id": campaign.external_id,
        "team_id": names.team,
        "assistant_id": names.assistant(agent_id),
        "company_id": names.company(campaign.company_id),
        "name": campaign.name,
        "description": campaign.description,
        "from_number": numbers[0]["phone_number"] if numbers else campaign.agent_number or of_configuration,
        "from_number_ids": [number["id"] for number in numbers],
        "from_numbers": numbers,
        "status": status.value,
        "pause_reason": (shown.reason or "user") if status is Status.PAUSED else None,
        "scheduled_start_at": said(start),
        "schedule": {"timezone": dialing.call_window_timezone, "start_at": said(start)},
        **settings,
        "max_concurrent_calls": campaign.concurrency_limit,
        "no_auto_complete": not campaign.auto_complete,
        "webhook_enabled": receiver is not None and receiver.active,
        "webhook_url": None if receiver is None else receiver.url,
        "webhook_events": list(ALL_EVENTS) if receiver is None else list(receiver.events),
        "settings": {} if words is None else words["settings"],
        "total_contacts": counts.total,
        "contacts_called": counts.called,
        "contacts_completed": max(0, final_called),
        "contacts_answered": counts.answered,
        "started_at": said(campaign.started_at),
        "completed_at": said(campaign.completed_at),
        "deleted_at": said(campaign.course.deleted_at),
        "created_at": said(campaign.created_at),
        "updated_at": said(campaign.updated_at),
    }


def contact_object(contact: Contact, names: Names, *, running: bool) -> dict[str, Any]:
    """The contact of a campaign, which is `running` or is not."""
    data = contact.data or {}
    reason = skip_reason(contact)
    ended = [attempt for attempt in contact.attempts if attempt.ended and attempt.outcome is not None]
    last = ended[-1] if ended else None
    outcome = None if last is None else outcome_of(last.outcome, opted_out=last.opted_out)
    if reason in {"no_phone", "invalid_number"}:
        outcome = CallOutcome.INVALID_NUMBER
    started = [attempt.started_at for attempt in contact.attempts if attempt.started_at is not None]
    return {
        "id": shown_id(Prefix.CAMPAIGN_CONTACT, contact.id),
        "campaign_id": names.campaign(contact.campaign_id),
        "contact_id": names.contact(contact.person_id),
        "first_name": data.get("first_name"),
        "last_name": data.get("last_name"),
        "name": name_in(data),
        "email": data.get("email"),
        "phone": contact.phone_numbers[0] if contact.phone_numbers else None,
        "timezone": contact.timezone,
        "status": contact_state(contact, running=running).value,
        "outcome": outcome,
        "skip_reason": reason,
        "priority": contact.priority,
        "attempts": contact.attempts_made + (contact.status is ContactStatus.IN_PROGRESS),
        "last_attempt_at": said(max(started, default=None)),
        "next_attempt_at": said(contact.standing.next_call),
        "created_at": said(contact.created_at),
        "updated_at": said(contact.updated_at),
    }


def call_object(listed: ListedCall, person_id: str | None, names: Names, *, sensitive: bool) -> dict[str, Any]:
    """The call; `person_id` is whom it was made to. What was said needs a credential that reads it (`sensitive`)."""
    call, result = listed.call, listed.result
    in_campaign = call.campaign_id is not None and not is_default_campaign(call.campaign_id)
    run = None
    if call.campaign_id is not None and in_campaign and call.generation is not None:
        run = run_id(call.campaign_id, call.generation)
    recording = sensitive and result.get("recording_url") is not None
    return {
        "id": shown_id(Prefix.CALL, call.id),
        "campaign_id": names.campaign(call.campaign_id),
        "campaign_contact_id": shown_id(Prefix.CAMPAIGN_CONTACT, call.contact_id) if in_campaign else None,
        "contact_id": names.contact(person_id),
        "contact_name": call.contact_name,
        "assistant_id": names.assistant(call.agent_id),
        "direction": "outbound",
        "from_number": call.caller_number,
        "to_number": call.phone_number,
        "attempt": call.attempt_number,
        "status": "ended" if call.status is CallStatus.ENDED else "in_progress",
        "outcome": outcome_of(call.outcome, opted_out=bool(result.get("opt_out"))),
        "started_at": said(call.started_at or call.created_at),
        "answered_at": said(call.answered_at),
        "ended_at": said(call.ended_at),
        "duration_seconds": call.duration_seconds,
        "ended_reason": call.error,
        "recording_available": recording,
        "transcript": result.get("transcript"),
        "summary": result.get("summary"),
        "extracted_data": result.get("extracted"),
        "run_id": run,
    }


def planned_call(call: PreviewedCall, campaign_id: str, contact: CalledContact | None, names: Names) -> dict[str, Any]:
    """A call that would be made to a contact (None: deleted meanwhile) now, in the form of one that is."""
    unknown = ("outcome", "started_at", "answered_at", "ended_at", "duration_seconds", "ended_reason")
    return {
        "id": None,
        "campaign_id": names.campaign(campaign_id),
        "campaign_contact_id": shown_id(Prefix.CAMPAIGN_CONTACT, call.contact.id),
        "contact_id": None if contact is None else names.contact(contact.person_id),
        "contact_name": None if contact is None else name_in(contact.data),
        "assistant_id": names.assistant(call.agent_id),
        "direction": "outbound",
        "from_number": call.caller_number,
        "to_number": call.phone_number,
        "attempt": call.attempt_number,
        "status": "planned",
        **dict.fromkeys(unknown),
        "recording_available": False,
        **dict.fromkeys(("transcript", "summary", "extracted_data", "run_id")),
    }
