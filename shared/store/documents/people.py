"""The registries of an organization: agents, companies and people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDocument:
    """`agents`: one registered voice agent. `id` is made of the organization and `agent_id`, which may be chosen.

    `external_id` is absent, never null, where there is none: it has a unique index.
    """

    id: str
    organization_id: str
    agent_id: str
    number: int
    name: str
    created_at: datetime
    updated_at: datetime
    external_id: str | None = None
    active: bool = True
    outbound_enabled: bool = True
    voicemail_detection: bool = True
    voicemail_action: str | None = None
    phone_numbers: Sequence[str] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    definition: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyDocument:
    """`companies`: one company that people of the contact book are at. `external_id` as an agent's.

    `search` is its name, folded; `named_at` is written by those who name it, so that it cannot vanish beside them.
    """

    id: str
    organization_id: str
    name: str
    search: str
    created_at: datetime
    updated_at: datetime
    external_id: str | None = None
    website: str | None = None
    industry: str | None = None
    company_size: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None
    notes: str | None = None
    custom_fields: Mapping[str, Any] = field(default_factory=dict)
    named_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDocument:
    """`people`: one person of the contact book. `external_id` as an agent's.

    `campaigns` are those it was enrolled in: its contacts are found by the ids that derive from them. `search` and
    `keys` are made of its names, e-mail and numbers (shared/domain/person.py).
    """

    id: str
    organization_id: str
    created_at: datetime
    updated_at: datetime
    search: str
    keys: Sequence[str]
    external_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    phone_secondary: str | None = None
    email: str | None = None
    company_id: str | None = None
    company: str | None = None
    job_title: str | None = None
    timezone: str | None = None
    lead_status: str | None = None
    source: str | None = None
    preferred_contact_method: str | None = None
    notes: str | None = None
    tags: Sequence[str] = ()
    custom_fields: Mapping[str, Any] = field(default_factory=dict)
    do_not_call: bool = False
    inactive: bool = False
    campaigns: Sequence[str] = ()
