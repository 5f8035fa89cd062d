"""Contacts of the book in this dialect, purely."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from shared.domain.person import Person, PersonStatus
from shared.domain.shown_ids import UuidText
from shared.engine.people import PersonsCalls
from shared.rendering.smartalex.times import Time


class ContactView(BaseModel):
    """A contact of the book."""

    id: UuidText
    phone: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    company: str | None
    title: str | None
    tags: list[str]
    metadata: dict[str, Any]
    status: PersonStatus
    calls_count: int
    last_called_at: Time | None
    created_at: Time
    updated_at: Time


def company_of(person: Person, names: Mapping[str, str]) -> str | None:
    """The company that is shown; `names` are those of the registry by id."""
    return names.get(person.company_id or "") or person.company


def contact_view(person: Person, calls: PersonsCalls, names: Mapping[str, str]) -> ContactView:
    """A contact of the book."""
    return ContactView.model_validate(contact_fields(person, calls, names))


def contact_fields(person: Person, calls: PersonsCalls, names: Mapping[str, str]) -> dict[str, Any]:
    """The fields that a contact is shown with; `names` are those of companies of the registry, by id."""
    return {
        "id": person.id,
        "phone": person.phone,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "company": company_of(person, names),
        "title": person.job_title,
        "tags": list(person.tags),
        "metadata": dict(person.custom_fields),
        "status": person.status,
        "calls_count": calls.count,
        "last_called_at": calls.last_at,
        "created_at": person.created_at,
        "updated_at": person.updated_at,
    }
