"""Things as this dialect shows them, read by use cases: for its API and its webhooks alike."""

from collections.abc import Collection, Sequence
from datetime import datetime

from shared.domain.person import Person
from shared.engine import calls, campaigns, companies, configurations, limits, people
from shared.engine.engine import Engine
from shared.rendering.smartalex.campaign_views import CampaignView
from shared.rendering.smartalex.campaigns import campaign_view
from shared.rendering.smartalex.contacts import ContactView, contact_view


async def read_campaign(
    engine: Engine, organization_id: str, campaign_id: str, now: datetime, *, deleted: bool = False
) -> CampaignView:
    """The campaign with its statistics, with `deleted` also a deleted one. Raises `NotFound`."""
    numbers = await campaigns.campaign_numbers(engine, organization_id, campaign_id, now, deleted=deleted)
    campaign = numbers.campaign
    configuration = await configurations.configuration_of(engine, organization_id, campaign.id, deleted=deleted)
    at_once = (await limits.get_limits(engine, organization_id)).calls_at_once
    return campaign_view(campaign, configuration, at_once, now, numbers.counts)


async def read_contact(engine: Engine, person: Person) -> ContactView:
    """The contact of the book that a person is, with the sum of its calls."""
    [each] = await people.with_calls(engine, [person])
    return contact_view(each.person, each.calls, await names_of_companies(engine, [person]))


async def names_of_companies(engine: Engine, some: Sequence[Person]) -> dict[str, str]:
    """The names of people's companies of the registry, by id."""
    ids = {person.company_id for person in some if person.company_id is not None}
    return await companies.company_names(engine, ids)


async def called_people(engine: Engine, organization_id: str, contact_ids: Collection[str]) -> dict[str, Person]:
    """The people of the book that these contacts of campaigns are, by contact."""
    contacts = await calls.called_contacts(engine, organization_id, contact_ids)
    ids = {contact.person_id for contact in contacts.values() if contact.person_id is not None}
    found = await people.people_of(engine, organization_id, ids) if ids else {}
    return {
        contact.id: found[contact.person_id]
        for contact in contacts.values()
        if contact.person_id is not None and contact.person_id in found
    }
