"""Enrolling contacts of the contact book in a campaign."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from services.campaign_api.http.credentials import Caller
from services.campaign_api.http.faults import BadValue, Fault, ValuesInvalid
from services.campaign_api.talkturo.auth import confirm_team
from services.campaign_api.talkturo.bodies import Given
from services.campaign_api.talkturo.errors import RefusedHere
from services.campaign_api.talkturo.finding import company_named, people_named
from services.campaign_api.talkturo.lifecycle import MAY_ENROL
from services.campaign_api.talkturo.schemas.campaigns import Enrol, EnrolledContact
from services.campaign_api.talkturo.translate_people import new_person
from shared.domain.campaign import CampaignUse
from shared.domain.enrolment import Enrolled
from shared.domain.person import Person, PersonStatus
from shared.engine import contacts, enrolment, people
from shared.engine.campaigns import Campaign
from shared.engine.engine import Engine
from shared.engine.enrolment import ToEnrol, counts_of
from shared.engine.people import PeopleFilter
from shared.errors import Kind, WrongState
from shared.rendering.talkturo.ids import Prefix, shown_id
from shared.rendering.talkturo.reading import contact_objects

MOST_BY_AUDIENCE: Final = 10_000
SHOWN_OF_AUDIENCE: Final = 100
_WAYS: Final = ("contact_ids", "contacts", "audience")
_OF_ENROLMENT: Final = frozenset({"contact_id", "id", "priority", "team_id", "account_slug"})
_BESIDE_ID: Final = "What is known of a contact that is named by its id was not changed"


def require_enrollable(campaign: Campaign, now: datetime) -> None:
    """Raises `WrongState` where the campaign takes no contacts."""
    state = campaign.shown(now).state
    if state not in MAY_ENROL:
        raise WrongState(Kind.CAMPAIGN, campaign.id, state, CampaignUse.ADD_CONTACTS)


def check_ways(given: Given[Enrol]) -> None:
    """Raises `ValuesInvalid` unless exactly one way is named, and new contacts have their names."""
    body = given.value
    ways = [way for way in _WAYS if getattr(body, way) is not None]
    if len(ways) != 1:
        where = ways[1] if ways else "contactIds"
        raise given.bad("Send exactly one of contactIds, contacts and audience", where)
    missing: list[BadValue] = []
    for at, contact in enumerate(body.contacts or ()):
        if _reference(contact) is None:
            missing += [
                given.bad_value("Add this field: it is required", "contacts", at, name)
                for name, value in (("firstName", contact.first_name), ("lastName", contact.last_name))
                if value is None
            ]
    if missing:
        raise ValuesInvalid(missing)


def ignored_beside_ids(given: Given[Enrol]) -> list[str]:
    """A sentence where contacts that are named by their ids have other fields, which are ignored."""
    named = [contact for contact in given.value.contacts or () if _reference(contact) is not None]
    return [_BESIDE_ID] if any(contact.model_fields_set - _OF_ENROLMENT for contact in named) else []


async def enrol(
    engine: Engine, caller: Caller, campaign: Campaign, given: Given[Enrol], now: datetime
) -> dict[str, Any]:
    """Enrol whom the body names; three counts and the contacts of the campaign."""
    body, organization_id = given.value, caller.organization_id
    if body.audience is not None:
        wanted = [ToEnrol(each, priority=body.priority) for each in await _audience(engine, caller, campaign, given)]
    elif body.contact_ids is not None:
        persons = await people_named(engine, organization_id, body.contact_ids, given, "contact_ids")
        require_enrollable(campaign, now)
        wanted = [to_enrol(person, body.priority) for person in persons]
    else:
        wanted = await _contacts(engine, caller, campaign, given, now)
    require_enrollable(campaign, now)
    enrolled = await enrolment.enrol(engine, organization_id, campaign.id, wanted, now)
    shown = await _shown(engine, campaign, enrolled, now, most=SHOWN_OF_AUDIENCE if body.audience else len(enrolled))
    counts = counts_of(enrolled)
    return {
        "added": counts.added,
        "skipped": counts.skipped + counts.refused,
        "already_enrolled": counts.duplicates,
        "contacts": shown,
    }


def to_enrol(person: Person, priority: int | None) -> ToEnrol:
    """A person that is to be enrolled; the contact's external_id in the campaign is the person's id as it is shown."""
    return ToEnrol(person.id, shown_id(Prefix.CONTACT, person.id, person.external_id), priority)


async def _audience(engine: Engine, caller: Caller, campaign: Campaign, given: Given[Enrol]) -> list[str]:
    audience = given.value.audience
    assert audience is not None
    company_id = await company_named(engine, caller.organization_id, audience.company_id)
    which = PeopleFilter(
        status=PersonStatus.ACTIVE if audience.exclude_dnc is not False else None,
        tags=tuple(audience.tags or ()),
        company_id=company_id or campaign.company_id,
        has_phone=True,
    )
    found = await people.people_ids(engine, caller.organization_id, which, MOST_BY_AUDIENCE)
    if len(found) > MOST_BY_AUDIENCE:
        count = await people.count_people(engine, caller.organization_id, which)
        raise given.bad(
            f"These are {count} contacts, and an audience may have {MOST_BY_AUDIENCE}; use import", "audience"
        )
    return found


async def _contacts(
    engine: Engine, caller: Caller, campaign: Campaign, given: Given[Enrol], now: datetime
) -> list[ToEnrol]:
    """Those named by id are looked up, the others made, in the order of the request."""
    organization_id = caller.organization_id
    body, rows = given.value, given.value.contacts or []
    named = [(at, reference) for at, row in enumerate(rows) if (reference := _reference(row)) is not None]
    known = await _known(engine, organization_id, named, given)
    for team, slug in {(row.team_id, row.account_slug) for row in rows}:
        await confirm_team(engine, caller, team, slug)
    companies = {row.company_id for row in rows if row.company_id is not None}
    ours = {one: await company_named(engine, organization_id, one) for one in companies}
    require_enrollable(campaign, now)
    fresh = [(at, row) for at, row in enumerate(rows) if at not in known]
    new = [new_person(row, ours.get(row.company_id or "")) for _, row in fresh]
    made = await people.create_people(engine, organization_id, new, now) if new else []
    persons = known | {at: person for (at, _), person in zip(fresh, made, strict=True)}
    priorities = [body.priority if row.priority is None else row.priority for row in rows]
    return [to_enrol(persons[at], priorities[at]) for at in range(len(rows))]


async def _known(
    engine: Engine, organization_id: str, named: Sequence[tuple[int, str]], given: Given[Enrol]
) -> dict[int, Person]:
    places = [at for at, _ in named]
    try:
        found = await people_named(engine, organization_id, [one for _, one in named], given, "contacts")
    except RefusedHere as refusal:
        at = [places[int(value.loc[-1])] for value in refusal.fault.values]
        values = [given.bad_value("Contact not found", "contacts", each) for each in at]
        raise RefusedHere(Fault(Kind.PERSON, values=values)) from None
    return dict(zip(places, found, strict=True))


async def _shown(
    engine: Engine, campaign: Campaign, enrolled: Sequence[Enrolled], now: datetime, most: int
) -> list[dict[str, Any]]:
    ids = [each.contact_id for each in enrolled if each.contact_id is not None]
    unique = list(dict.fromkeys(ids))[:most]
    found = await contacts.contacts_by_id(engine, campaign.organization_id, campaign.id, unique, now)
    return await contact_objects(engine, campaign, found, now)


def _reference(row: EnrolledContact) -> str | None:
    return row.contact_id if row.contact_id is not None else row.id
