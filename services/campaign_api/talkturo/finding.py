"""Things by any of their ids: the prefixed one, the UUID, else the external id; first come, first found."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from services.campaign_api.http.faults import Fault
from services.campaign_api.talkturo.bodies import Given, Model
from services.campaign_api.talkturo.errors import RefusedHere
from shared.domain.ids import contact_id_of_person
from shared.domain.person import Person
from shared.engine import agents, campaigns, companies, contacts, people
from shared.engine.agents import Agent
from shared.engine.caller_numbers import RegisteredNumber
from shared.engine.campaigns import Campaign
from shared.engine.companies import Company
from shared.engine.engine import Engine
from shared.errors import Flaw, Kind, NotFound
from shared.rendering.talkturo.ids import Prefix, meant_by
from shared.rendering.talkturo.reading import numbers_of

Thing = TypeVar("Thing")


async def _found(prefix: Prefix, reference: str, get: Callable[[str], Awaitable[Thing]]) -> Thing:
    """What the first meaning of a reference gets that means anything. Raises `NotFound`."""
    *likelier, last = meant_by(prefix, reference)
    for meaning in likelier:
        try:
            return await get(meaning)
        except NotFound:
            continue
    return await get(last)


async def find_campaign(engine: Engine, organization_id: str, reference: str, *, deleted: bool = False) -> Campaign:
    """The campaign; with `deleted` also a deleted one. Raises `NotFound`."""
    get = partial(campaigns.get_campaign, engine, organization_id, deleted=deleted)
    try:
        return await _found(Prefix.CAMPAIGN, reference, get)
    except NotFound:
        if not deleted:
            raise
    return await campaigns.deleted_campaign(engine, organization_id, reference)


async def find_agent(engine: Engine, organization_id: str, reference: str) -> Agent:
    """The assistant. Raises `NotFound`."""
    return await _found(Prefix.ASSISTANT, reference, partial(agents.get_agent, engine, organization_id))


async def find_company(engine: Engine, organization_id: str, reference: str) -> Company:
    """The company. Raises `NotFound`."""
    return await _found(Prefix.COMPANY, reference, partial(companies.get_company, engine, organization_id))


async def company_named(engine: Engine, organization_id: str, reference: str | None) -> str | None:
    """The id of a company that a body names; refused with 403 where it is not the team's."""
    if reference is None:
        return None
    try:
        return (await find_company(engine, organization_id, reference)).id
    except NotFound:
        raise RefusedHere(Fault(Flaw.UNKNOWN_COMPANY)) from None


async def find_person(engine: Engine, organization_id: str, reference: str) -> Person:
    """The contact of the contact book. Raises `NotFound`."""
    return await _found(Prefix.CONTACT, reference, partial(people.get_person, engine, organization_id))


async def people_named(
    engine: Engine, organization_id: str, references: Sequence[str], given: Given[Model], *place: str
) -> list[Person]:
    """The contacts that a body's list names, in its order; refused with 404 and each place where one is unknown.

    `place` is the list's, then what of each entry is the id.
    """
    meanings = [meant_by(Prefix.CONTACT, reference) for reference in references]
    found = await people.people_of(engine, organization_id, {one for meaning in meanings for one in meaning})
    named = [next((found[one] for one in meaning if one in found), None) for meaning in meanings]
    unknown = [at for at, person in enumerate(named) if person is None]
    if unknown:
        values = [given.bad_value("Contact not found", place[0], at, *place[1:]) for at in unknown]
        raise RefusedHere(Fault(Kind.PERSON, values=values))
    return [person for person in named if person is not None]


async def find_number(engine: Engine, organization_id: str, reference: str) -> RegisteredNumber:
    """The caller number of this id, external id, or E.164. Raises `NotFound`."""
    return (await find_numbers(engine, organization_id, [reference]))[0]


async def find_numbers(engine: Engine, organization_id: str, references: Sequence[str]) -> list[RegisteredNumber]:
    """The caller numbers, in this order. Raises `NotFound` for the first that is not registered."""
    by_id = await numbers_of(engine, organization_id) if references else {}
    numbers = by_id.values()
    named = {number.entry.number: number for number in numbers}
    named |= {number.external_id: number for number in numbers if number.external_id is not None}
    found = []
    for reference in references:
        meanings = meant_by(Prefix.NUMBER, reference)
        known = next((by_id[one.lower()] for one in meanings if one.lower() in by_id), named.get(reference))
        if known is None:
            raise NotFound(Kind.CALLER_NUMBER, reference)
        found.append(known)
    return found


async def contact_id_in(engine: Engine, organization_id: str, campaign: Campaign, reference: str, now: datetime) -> str:
    """The id of a contact in a campaign, by its own or by that of the contact book. Raises `NotFound`."""
    meanings = [meaning.lower() for meaning in meant_by(Prefix.CAMPAIGN_CONTACT, reference)]
    try:
        person = await find_person(engine, organization_id, reference)
        meanings.append(contact_id_of_person(campaign.id, person.id))
    except NotFound:
        pass
    found = await contacts.contacts_by_id(engine, organization_id, campaign.id, meanings, now)
    if not found:
        raise NotFound(Kind.CONTACT, reference)
    return found[0].id
