"""Contacts of the contact book between this API and the engine, purely."""

from collections.abc import Mapping
from typing import Any, Final

from services.campaign_api.talkturo.schemas.contacts import ContactFields
from shared.domain.json_rules import check_json
from shared.domain.person import Person
from shared.engine.people import NewPerson, Participation, PersonWithHistory
from shared.rendering.talkturo.ids import Prefix, shown_id
from shared.rendering.talkturo.objects import Names, contact_object
from shared.rendering.talkturo.times import said
from shared.rendering.talkturo.words import STATUS_OF, Status

_AS_GIVEN: Final = (
    "first_name",
    "last_name",
    "phone",
    "phone_secondary",
    "email",
    "job_title",
    "lead_status",
    "source",
    "preferred_contact_method",
    "timezone",
    "notes",
    "tags",
)
_NEW: Final = "new"


def new_person(body: ContactFields, company_id: str | None) -> NewPerson:
    """The contact that the body asks for."""
    values = {name: value for name in _AS_GIVEN if (value := getattr(body, name)) is not None}
    values |= {
        "lead_status": body.lead_status or _NEW,
        "company_id": company_id,
        "do_not_call": bool(body.do_not_call),
        "custom_fields": _without_nulls(body.custom_fields or {}),
    }
    return NewPerson({name: value for name, value in values.items() if value is not None}, body.external_id)


def person_changes(body: ContactFields, before: Person, company_id: str | None) -> dict[str, Any]:
    """The fields that a change names; custom fields are merged, and null removes one.

    Raises `PydanticCustomError`: all custom fields together are too large.
    """
    given = body.model_fields_set
    changes: dict[str, Any] = {
        name: getattr(body, name) for name in (*_AS_GIVEN, "do_not_call", "custom_fields") if name in given
    }
    if "company_id" in given:
        changes["company_id"] = company_id
    if body.custom_fields is not None:
        changes["custom_fields"] = check_json(_without_nulls({**before.custom_fields, **body.custom_fields}))
    return changes


def person_object(person: Person, names: Names) -> dict[str, Any]:
    """The contact."""
    return {
        "id": shown_id(Prefix.CONTACT, person.id, person.external_id),
        "external_id": person.external_id,
        "team_id": names.team,
        "company_id": names.company(person.company_id),
        **{name: getattr(person, name) for name in _AS_GIVEN},
        "lead_source": person.source,
        "do_not_call": person.do_not_call,
        "custom_fields": dict(person.custom_fields),
        "tags": list(person.tags),
        "created_at": said(person.created_at),
        "updated_at": said(person.updated_at),
    }


def history(found: PersonWithHistory, names: Names) -> list[dict[str, Any]]:
    """The campaigns that the contact is or was in."""
    return [_participation(each, names) for each in found.history]


def _participation(each: Participation, names: Names) -> dict[str, Any]:
    shown = contact_object(each.contact, names, running=STATUS_OF[each.state] is Status.RUNNING)
    there = {name: shown[name] for name in ("status", "outcome", "attempts", "last_attempt_at")}
    return {"campaign_id": names.campaign(each.campaign_id), "campaign_name": each.campaign_name, **there}


def _without_nulls(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
