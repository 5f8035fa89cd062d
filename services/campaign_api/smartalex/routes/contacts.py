"""The contact book, and adding contacts to a campaign."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.credentials import Caller
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.faults import BadValue, ValuesInvalid
from services.campaign_api.http.paths import OurRef
from services.campaign_api.smartalex import sentences
from services.campaign_api.smartalex.auth import Manager, Reader
from services.campaign_api.smartalex.paging import EMPTY_IS_NONE, IdFilter, Page, TextFilter, ThisPage
from services.campaign_api.smartalex.paths import campaign_of, person_of
from services.campaign_api.smartalex.schemas.common import Deleted, Many, One, many, one, unknown_fields
from services.campaign_api.smartalex.schemas.contacts import (
    SHOWN_CALLS,
    AddContacts,
    AddedContacts,
    ContactWithHistory,
    CreateContact,
    EditContact,
)
from services.campaign_api.smartalex.schemas.problems import body_problems, problems
from services.campaign_api.smartalex.translate_contacts import (
    added_contacts,
    contact_with_history,
    persons_fields,
    read_phone,
    read_rows,
)
from shared.clock import utc_now
from shared.domain.campaign import OVER, CampaignUse
from shared.domain.contact_input import NumberRules
from shared.domain.enrolment import Enrolled, Enrolment
from shared.domain.json_rules import check_text
from shared.domain.person import Person, PersonStatus
from shared.engine import calls, do_not_call, enrolment, people
from shared.engine.calls import CallFilter, CallOrder, CallStatus
from shared.engine.contacts import number_rules
from shared.engine.engine import Engine
from shared.engine.enrolment import Terms, ToEnrol
from shared.engine.people import PeopleFilter
from shared.errors import Kind, WrongState
from shared.rendering.smartalex.contacts import ContactView, company_of, contact_view
from shared.rendering.smartalex.reading import names_of_companies, read_contact
from shared.rendering.smartalex.words import STATUS_OF

router = APIRouter(prefix="/v1", route_class=BodyRoute)
# What the do-not-call list says of its entries that this API has made.
SOURCE: Final = "smartalex"
_TERMS: Final = Terms(without_phone=False, call_again=False, one_per_phone=True)
Search = Annotated[
    str,
    Query(max_length=255, description="Part of a name, a phone or an e-mail address, in any case."),
    AfterValidator(check_text),
]
Status = Annotated[PersonStatus | None, EMPTY_IS_NONE, Query(description="active, inactive or dnc.")]


@router.post(
    "/campaigns/{campaign}/contacts",
    tags=["Campaigns"],
    responses=body_problems(404, 409),
    response_model_exclude_unset=True,
)
async def add(
    engine: ThisEngine, caller: Manager, campaign: OurRef, body: Annotated[AddContacts, json_body(AddContacts)]
) -> One[AddedContacts]:
    """Add contacts to a campaign. Each row finds or makes the contact of its phone in the contact book."""
    now, organization_id = utc_now(), caller.organization_id
    found = await campaign_of(engine, organization_id, campaign)
    state = found.shown(now).state
    if state in OVER:
        raise WrongState(Kind.CAMPAIGN, found.id, state, CampaignUse.ADD_CONTACTS)
    read = read_rows(body.contacts or (), await _rules(engine, organization_id))
    stored = await people.upsert_by_phone(engine, organization_id, list(read.people.values()), now)
    ids = dict(zip(read.people, (each.person.id for each in stored), strict=True))
    ids |= {place: person_id for place, person_id in enumerate(body.contact_ids or (), len(body.contacts or ()))}
    enrolled = await _enrolled(engine, organization_id, found.id, ids)
    result = added_contacts(found.id, STATUS_OF[state], body, read, enrolled)
    return one(result, *unknown_fields(body))


@router.get(
    "/campaigns/{campaign}/contacts", tags=["Campaigns"], responses=problems(404), response_model_exclude_unset=True
)
async def list_of_campaign(
    engine: ThisEngine,
    caller: Reader,
    campaign: OurRef,
    asked: ThisPage,
    status: Status = None,
    search: Search = "",
    tag: TextFilter = "",
) -> Many[ContactView]:
    """List the contacts of the book that are in a campaign, newest first."""
    found = await campaign_of(engine, caller.organization_id, campaign)
    which = _filter(status, search, tag, found.id)
    return await _listed(engine, caller.organization_id, which, asked)


@router.get("/contacts", tags=["Contacts"], responses=problems(), response_model_exclude_unset=True)
async def list_all(
    engine: ThisEngine,
    caller: Reader,
    asked: ThisPage,
    status: Status = None,
    search: Search = "",
    campaign_id: IdFilter = "",
    tag: TextFilter = "",
) -> Many[ContactView]:
    """List contacts, newest first."""
    which = _filter(status, search, tag, campaign_id or None)
    return await _listed(engine, caller.organization_id, which, asked)


@router.post(
    "/contacts",
    tags=["Contacts"],
    status_code=201,
    responses={
        200: {"description": "The phone was in the book already.", "model": One[ContactView]},
        **body_problems(),
    },
    response_model_exclude_unset=True,
)
async def create(
    engine: ThisEngine,
    caller: Manager,
    response: Response,
    body: Annotated[CreateContact, json_body(CreateContact)],
) -> One[ContactView]:
    """Put a contact into the book; one whose phone is there already gets the given fields instead."""
    organization_id, fields = caller.organization_id, persons_fields(body)
    if body.phone:
        fields["phone"] = read_phone(body.phone, await _rules(engine, organization_id))
    _require_phone(body.status, fields.get("phone"))
    [stored] = await people.upsert_by_phone(engine, organization_id, [fields], utc_now())
    if not stored.is_new:
        response.status_code = 200
    warnings = await _with_status(engine, caller, stored.person, body.status)
    person = await person_of(engine, organization_id, stored.person.id)
    return one(await read_contact(engine, person), *unknown_fields(body), *warnings)


@router.get("/contacts/{contact}", tags=["Contacts"], responses=problems(404), response_model_exclude_unset=True)
async def get_one(engine: ThisEngine, caller: Reader, contact: OurRef) -> One[ContactWithHistory]:
    """Get one contact, with its newest calls and its campaigns."""
    person = await person_of(engine, caller.organization_id, contact)
    found = await people.person_with_history(engine, caller.organization_id, person.id, utc_now(), most_calls=0)
    contacts = [each.contact.id for each in found.history]
    newest: Sequence[calls.ListedCall] = ()
    if contacts:
        page = await calls.numbered_calls(
            engine,
            caller.organization_id,
            CallFilter(contact_ids=contacts, status=CallStatus.ENDED),
            order=CallOrder.NEWEST,
            offset=0,
            limit=SHOWN_CALLS,
            reader=calls.Reader(caller.reads_sensitive),
        )
        newest = page.rows
    return one(contact_with_history(found, newest, await names_of_companies(engine, [person])))


@router.patch("/contacts/{contact}", tags=["Contacts"], responses=body_problems(404), response_model_exclude_unset=True)
@router.put("/contacts/{contact}", tags=["Contacts"], responses=body_problems(404), response_model_exclude_unset=True)
async def edit(
    engine: ThisEngine, caller: Manager, contact: OurRef, body: Annotated[EditContact, json_body(EditContact)]
) -> One[ContactView]:
    """Change a contact; what waits for a call follows."""
    organization_id, fields = caller.organization_id, persons_fields(body, nulls=True)
    if "phone" in body.model_fields_set:
        rules = await _rules(engine, organization_id)
        fields["phone"] = None if body.phone is None else read_phone(body.phone, rules)
    person = await person_of(engine, organization_id, contact)
    if fields.get("phone", person.phone) == person.phone:
        # What was read is sent back, also where another API has given this phone to two people.
        fields.pop("phone", None)
    if "phone" in fields or person.status is not PersonStatus.DNC:
        _require_phone(body.status, fields.get("phone", person.phone))
    fields = await _with_company(engine, person, fields)
    if fields:
        person = await people.edit_person(
            engine, organization_id, person.id, fields, utc_now(), phone_is_unique="phone" in fields
        )
    warnings = await _with_status(engine, caller, person, body.status)
    person = await person_of(engine, organization_id, person.id)
    return one(await read_contact(engine, person), *unknown_fields(body), *warnings)


@router.delete("/contacts/{contact}", tags=["Contacts"], responses=problems(404), response_model_exclude_unset=True)
async def delete(engine: ThisEngine, caller: Manager, contact: OurRef) -> One[Deleted]:
    """Take a contact out of the book, and out of all waiting; a call that is up goes on."""
    person = await person_of(engine, caller.organization_id, contact)
    await people.delete_person(engine, caller.organization_id, person.id, utc_now())
    return one(Deleted(id=person.id, deleted=True))


async def _rules(engine: Engine, organization_id: str) -> NumberRules:
    """How phones are read: a national form with +1, whatever a campaign's configuration says."""
    return replace(await number_rules(engine, organization_id, None), strict_e164=False)


async def _enrolled(
    engine: Engine, organization_id: str, campaign_id: str, ids: Mapping[int, str]
) -> dict[int, Enrolled]:
    """What became of people by the place of each; one that is named by something else than its id is unknown."""
    known = await people.people_of(engine, organization_id, set(ids.values()))
    there = {
        place: person_id for place, person_id in ids.items() if person_id in known and known[person_id].id == person_id
    }
    wanted = [ToEnrol(person_id, external_id=person_id) for person_id in there.values()]
    done = await enrolment.enrol(engine, organization_id, campaign_id, wanted, utc_now(), _TERMS)
    unknown = {place: Enrolled(person_id, None, Enrolment.UNKNOWN) for place, person_id in ids.items()}
    return unknown | dict(zip(there, done, strict=True))


def _filter(status: PersonStatus | None, search: str, tag: str, campaign_id: str | None) -> PeopleFilter:
    return PeopleFilter(
        search=search or None,
        status=status,
        tags=(tag,) if tag else (),
        campaign_id=campaign_id,
    )


async def _listed(engine: Engine, organization_id: str, which: PeopleFilter, asked: Page) -> Many[ContactView]:
    page = await people.numbered_people(engine, organization_id, which, offset=asked.offset, limit=asked.per_page)
    names = await names_of_companies(engine, [each.person for each in page.rows])
    return many([contact_view(each.person, each.calls, names) for each in page.rows], page.total, asked)


async def _with_company(engine: Engine, person: Person, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, so that a company that is written is shown: one of the registry is let go by another name."""
    if "company" not in fields or person.company_id is None:
        return fields
    if fields["company"] == company_of(person, await names_of_companies(engine, [person])):
        return {name: value for name, value in fields.items() if name != "company"}
    return {**fields, "company_id": None}


def _require_phone(status: PersonStatus | None, phone: str | None) -> None:
    if status is PersonStatus.DNC and phone is None:
        message = "Only a phone can be put on the do-not-call list, and this contact has none"
        raise ValuesInvalid([BadValue(("body", "status"), message, "no_phone")])


async def _with_status(engine: Engine, caller: Caller, person: Person, status: PersonStatus | None) -> list[str]:
    """Write a status, if one is given; what there is to say of it."""
    if status is None:
        return []
    organization_id, now = caller.organization_id, utc_now()
    if status is PersonStatus.DNC:
        if person.phone is not None:
            await do_not_call.stop_numbers(engine, organization_id, [person.phone], None, now, SOURCE)
        return []
    inactive = status is PersonStatus.INACTIVE
    if inactive != person.inactive:
        await people.edit_person(engine, organization_id, person.id, {"inactive": inactive}, now)
    phones = [phone for phone in (person.phone, person.phone_secondary) if phone is not None]
    left = await do_not_call.take_off_listed_by(engine, organization_id, phones, SOURCE) if phones else set()
    warnings = [sentences.still_listed(phone) for phone in sorted(left)]
    return [*warnings, sentences.FLAGGED] if person.do_not_call else warnings
