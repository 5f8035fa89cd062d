"""Where contacts of a path belong: a campaign, or `default` for those of no campaign."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.campaign_api.gateway import Gateway
from services.campaign_api.native.contact_drafts import NumberRules
from services.campaign_api.native.schemas.contacts import ContactsResult
from shared.clock import utc_now
from shared.domain.campaign import CampaignStatus
from shared.domain.contact import DEFAULT_CAMPAIGN, default_campaign_id
from shared.domain.contact_input import PreparedContacts
from shared.events import ContactsAdded
from shared.store.catalog.campaigns import Campaign, get_campaign
from shared.store.catalog.configurations import get_configuration
from shared.store.catalog.organizations import get_organization
from shared.store.contacts.queries import upsert_contacts


@dataclass(frozen=True, slots=True)
class ContactTarget:
    """A campaign as the contacts collection knows it; `campaign_id` in its stored form."""

    organization_id: str
    shard: int
    campaign_id: str
    configuration_id: str | None
    is_closed: bool = False

    @classmethod
    def of(cls, campaign: Campaign) -> "ContactTarget":
        """The target for a campaign's contacts."""
        closed = campaign.status is CampaignStatus.CLOSED
        return cls(campaign.organization_id, campaign.shard, campaign.id, campaign.configuration_id, closed)

    @property
    def hint(self) -> ContactsAdded:
        """What the scheduler is told about a change of these contacts."""
        return ContactsAdded(organization_id=self.organization_id, shard=self.shard, campaign_id=self.campaign_id)


async def contact_target(gateway: Gateway, organization_id: str, reference: str) -> ContactTarget:
    """The target a path names. Raises `NotFound`."""
    if reference == DEFAULT_CAMPAIGN:
        organization = await get_organization(gateway.store, organization_id)
        return ContactTarget(organization_id, organization.shard, default_campaign_id(organization_id), None)
    return ContactTarget.of(await get_campaign(gateway.store, organization_id, reference))


async def number_rules(gateway: Gateway, organization_id: str, configuration_id: str | None) -> NumberRules:
    """How numbers are read: with the configuration's country code; without one, E.164 only. Raises `NotFound`."""
    refused = (await get_organization(gateway.store, organization_id)).refused_number_types
    if configuration_id is None:
        return NumberRules(None, strict_e164=True, refused_types=refused)
    configuration = await get_configuration(gateway.store, organization_id, configuration_id)
    values: Mapping[str, Any] = configuration.values
    return NumberRules(values["default_country_code"], refused_types=refused)


async def store_contacts(gateway: Gateway, target: ContactTarget, prepared: PreparedContacts) -> ContactsResult:
    """Upsert the contacts and tell the scheduler. Raises `NotFound`, `WrongState` (closed), `TemporaryError`."""
    result = await upsert_contacts(
        gateway.store,
        organization_id=target.organization_id,
        shard=target.shard,
        campaign_id=target.campaign_id,
        rows=prepared.rows,
        source=gateway.source,
        now=utc_now(),
        warnings=prepared.warnings,
    )
    gateway.hints.give(target.hint)
    return ContactsResult.of(result)
