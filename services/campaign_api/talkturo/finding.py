"""Things by any of their ids: the prefixed one, the UUID, else the external id; first come, first found."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
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
    """The campaign. Raises `NotFound`."""

    async def get(one: str) -> Campaign:
        return await campaigns.get_campaign(engine, organization_id, one, deleted=deleted)

    return await _found(Prefix.CAMPAIGN, reference, get)


async def find_agent(engine: Engine, organization_id: str, reference: str) -> Agent:
    """The assistant. Raises `NotFound`."""

    async def get(one: str) -> Agent:
        return await agents.get_agent(engine, organization_id, one)

    return await _found(Prefix.ASSISTANT, reference, get)


async def find_company(engine: Engine, organization_id: str, reference: str) -> Company:
    """The company. Raises `NotFound`."""

    async def get(one: str) -> Company:
        return await companies.get_company(engine, organization_id, one)

    return await _found(Prefix.COMPANY, reference, get)


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

    async def get(one: str) -> Person:
        return await people.get_person(engine, organization_id, one)

    return await _found(Prefix.CONTACT, reference, get)


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
    """The caller number of this id, or this E.164. Raises `NotFound`."""
    return (await find_numbers(engine, organization_id, [reference]))[0]


async def find_numbers(engine: Engine, organization_id: str, references: Sequence[str]) -> list[RegisteredNumber]:
    """The caller numbers, in this order. Raises `NotFound` for the first that is not registered."""
    by_id = await numbers_of(engine, organization_id)
    by_number = {number.entry.number: number for number in by_id.values()}
    found = []
    for reference in references:
        known = [by_id[one.lower()] for one in meant_by(Prefix.NUMBER, reference) if one.lower() in by_id]
        if not known and reference not in by_number:
            raise NotFound(Kind.CALLER_NUMBER, reference)
        found.append(known[0] if known else by_number[reference])
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
