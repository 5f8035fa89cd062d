"""Contacts between this dialect and the engine, purely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from services.campaign_api.http.faults import BadValue, ValuesInvalid
from services.campaign_api.smartalex.schemas.contacts import (
    AddContacts,
    AddedContacts,
    ContactFields,
    ContactRow,
    ContactsCall,
    ContactsCampaign,
    ContactWithHistory,
    InvalidRow,
)
from shared.domain.contact_input import NumberRules
from shared.domain.enrolment import Enrolled, Enrolment
from shared.domain.outcome import Outcome
from shared.domain.phone import InvalidPhoneNumber
from shared.domain.reasons import EndReason
from shared.domain.repeating import repeated
from shared.engine.calls import ListedCall
from shared.engine.people import PersonWithHistory
from shared.rendering.smartalex.calls import seconds_of
from shared.rendering.smartalex.contacts import contact_fields
from shared.rendering.smartalex.words import RESULT_OF, STATUS_OF, CampaignStatus

# Fields of a person by their names here.
FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "first_name": "first_name",
        "last_name": "last_name",
        "email": "email",
        "company": "company",
        "title": "job_title",
        "tags": "tags",
        "metadata": "custom_fields",
    }
)
_WHY_INVALID: Final[Mapping[Enrolment, str]] = MappingProxyType(
    {
        Enrolment.UNKNOWN: "There is no such contact; GET /contacts lists yours",
        Enrolment.INACTIVE: "The contact is inactive: it is not added to campaigns any more",
        Enrolment.NO_PHONE: "The contact has no phone; set it: PATCH /contacts/{id}",
    }
)


@dataclass(frozen=True, slots=True)
class ReadRows:
    """The rows of a request: people's fields by the place of each row that can be read, and why others cannot."""

    people: Mapping[int, Mapping[str, Any]]
    errors: Sequence[InvalidRow]


def persons_fields(body: ContactFields, *, nulls: bool = False) -> dict[str, Any]:
    """The person's fields that a body gives, but phone and status; with `nulls` also those that it clears."""
    given = {theirs: getattr(body, ours) for ours, theirs in FIELDS.items() if ours in body.model_fields_set}
    return given if nulls else {name: value for name, value in given.items() if value is not None}


def read_phone(raw: str, rules: NumberRules) -> str:
    """The phone in E.164. Raises `ValuesInvalid`."""
    try:
        return rules.e164(raw)
    except InvalidPhoneNumber as error:
        raise ValuesInvalid([BadValue(("body", "phone"), str(error), "phone_number")]) from None


def read_rows(rows: Sequence[ContactRow], rules: NumberRules) -> ReadRows:
    """The rows with their phones read."""
    people: dict[int, Mapping[str, Any]] = {}
    errors: list[InvalidRow] = []
    for place, row in enumerate(rows):
        try:
            people[place] = {"phone": rules.e164(row.phone), **persons_fields(row)}
        except InvalidPhoneNumber as error:
            errors.append(InvalidRow(index=place, phone=repeated(row.phone), message=str(error)))
    return ReadRows(people, errors)


def added_contacts(
    campaign_id: str, status: CampaignStatus, body: AddContacts, read: ReadRows, enrolled: Mapping[int, Enrolled]
) -> AddedContacts:
    """What became of a request's rows; `enrolled` by their places, rows before contact_ids."""
    rows = body.contacts or ()
    count = len(rows) + len(body.contact_ids or ())
    errors = list(read.errors)
    for place, each in enrolled.items():
        if (why := _WHY_INVALID.get(each.enrolment)) is not None:
            phone = rows[place].phone if place < len(rows) else None
            errors.append(InvalidRow(index=place, phone=phone, message=why))
    added = [each for each in enrolled.values() if each.enrolment in {Enrolment.ADDED, Enrolment.SKIPPED}]
    known = {place: each for place, each in enrolled.items() if each.contact_id is not None}
    return AddedContacts(
        campaign_id=campaign_id,
        campaign_status=status,
        added=len(added),
        duplicates=len(known) - len(added),
        invalid=len(errors),
        dnc=sum(each.because is EndReason.DO_NOT_CALL for each in added),
        contact_ids=[known[place].person_id if place in known else None for place in range(count)],
        errors=sorted(errors, key=lambda error: error.index),
    )


def contact_with_history(
    found: PersonWithHistory, calls: Sequence[ListedCall], names: Mapping[str, str]
) -> ContactWithHistory:
    """A contact with its newest calls, which have ended, and its campaigns."""
    campaigns = [
        ContactsCampaign(id=each.campaign_id, name=each.campaign_name, status=STATUS_OF[each.state])
        for each in found.history
    ]
    shown = [_call(each) for each in calls]
    return ContactWithHistory.model_validate(
        {**contact_fields(found.person, found.calls, names), "calls": shown, "campaigns": campaigns}
    )


def _call(listed: ListedCall) -> ContactsCall:
    call = listed.call
    return ContactsCall(
        id=call.id,
        direction="outbound",
        status=RESULT_OF[call.outcome or Outcome.UNKNOWN],
        duration=seconds_of(call),
        sentiment=listed.result.get("sentiment"),
        created_at=call.created_at,
    )
