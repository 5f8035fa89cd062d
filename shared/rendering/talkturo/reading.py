"""Objects with everything they refer to, read by use cases: some questions for a whole page."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from shared.domain.contact_record import Contact
from shared.domain.ids import is_default_campaign
from shared.engine.agents import agents_by_id
from shared.engine.caller_numbers import RegisteredNumber, numbered_numbers
from shared.engine.calls import CalledContact, ListedCall, called_contacts
from shared.engine.campaigns import Campaign, campaigns_by_id, counts_by_id
from shared.engine.companies import company_external_ids
from shared.engine.configurations import configurations_by_id
from shared.engine.engine import Engine
from shared.engine.organizations import Organization, get_organization
from shared.engine.people import external_ids_of
from shared.engine.webhooks import Dialect, webhooks_of
from shared.rendering.talkturo.objects import Names, Receiver, call_object, campaign_object, contact_object
from shared.rendering.talkturo.words import STATUS_OF, Status

# As many as the registry holds.
_ALL_NUMBERS: Final = 1000


async def numbers_of(engine: Engine, organization_id: str) -> dict[str, RegisteredNumber]:
    """All caller numbers of the organization, by id."""
    page = await numbered_numbers(engine, organization_id, pool=None, offset=0, limit=_ALL_NUMBERS)
    return {number.entry.id: number for number in page.rows}


async def receivers_of(engine: Engine, organization_id: str, campaign_ids: Collection[str]) -> dict[str, Receiver]:
    """Where the events of campaigns go that were given a URL here, by the campaign's id."""
    found = await webhooks_of(engine, organization_id, campaign_ids, Dialect.TALKTURO)
    return {
        webhook.campaign_id: Receiver(webhook.id, webhook.url, webhook.active, webhook.events)
        for webhook in found
        if webhook.campaign_id is not None
    }


async def campaign_objects(
    engine: Engine, organization_id: str, campaigns: Sequence[Campaign], now: datetime
) -> list[dict[str, Any]]:
    """The campaigns at `now`, in their order."""
    ids = [campaign.id for campaign in campaigns]
    configurations = await configurations_by_id(engine, organization_id, {c.configuration_id for c in campaigns})
    counts = await counts_by_id(engine, ids)
    agents = {campaign.agent_id for campaign in campaigns} | {
        one.values.get("agent_id") for one in configurations.values()
    }
    names = Names(
        await get_organization(engine, organization_id),
        campaigns={campaign.id: campaign.external_id for campaign in campaigns},
        agents=await agents_by_id(engine, organization_id, {agent for agent in agents if agent is not None}),
        companies=await company_external_ids(
            engine, organization_id, {c.company_id for c in campaigns if c.company_id is not None}
        ),
        numbers=await numbers_of(engine, organization_id) if any(c.caller_numbers for c in campaigns) else {},
        receivers=await receivers_of(engine, organization_id, ids),
    )
    return [
        campaign_object(campaign, configurations[campaign.configuration_id], counts[campaign.id], names, now)
        for campaign in campaigns
    ]


async def contact_objects(
    engine: Engine, campaign: Campaign, contacts: Sequence[Contact], now: datetime
) -> list[dict[str, Any]]:
    """Contacts of a campaign, in their order."""
    people = {contact.person_id for contact in contacts if contact.person_id is not None}
    names = Names(
        await get_organization(engine, campaign.organization_id),
        campaigns={campaign.id: campaign.external_id},
        people=await external_ids_of(engine, campaign.organization_id, people),
    )
    running = STATUS_OF[campaign.shown(now).state] is Status.RUNNING
    return [contact_object(contact, names, running=running) for contact in contacts]


async def call_objects(
    engine: Engine, organization_id: str, calls: Sequence[ListedCall], *, sensitive: bool
) -> list[dict[str, Any]]:
    """Calls, in their order."""
    if not calls:
        return []
    persons = persons_of(await called_contacts(engine, organization_id, {listed.call.contact_id for listed in calls}))
    in_campaigns = {listed.call.campaign_id for listed in calls}
    names = await names_of_calls(
        engine,
        await get_organization(engine, organization_id),
        {one for one in in_campaigns if one is not None and not is_default_campaign(one)},
        {listed.call.agent_id for listed in calls if listed.call.agent_id is not None},
        set(persons.values()),
    )
    return [call_object(each, persons.get(each.call.contact_id), names, sensitive=sensitive) for each in calls]


def persons_of(contacts: Mapping[str, CalledContact]) -> dict[str, str]:
    """The people of the contact book that contacts of campaigns are, by the contact's id."""
    return {one.id: one.person_id for one in contacts.values() if one.person_id is not None}


async def names_of_calls(
    engine: Engine,
    organization: Organization,
    campaign_ids: Collection[str],
    agent_ids: Collection[str],
    person_ids: Collection[str],
) -> Names:
    """What calls refer to."""
    campaigns = await campaigns_by_id(engine, organization.id, campaign_ids)
    return Names(
        organization,
        campaigns={campaign.id: campaign.external_id for campaign in campaigns.values()},
        agents=await agents_by_id(engine, organization.id, agent_ids),
        people=await external_ids_of(engine, organization.id, person_ids),
    )
