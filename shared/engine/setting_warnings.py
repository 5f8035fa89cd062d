"""Remarks on a campaign's settings, said when they were made or changed."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.limit_warnings import CallLimits, limits_above
from shared.domain.setting_faults import SettingWarning, warnings_on
from shared.store.catalog.organizations import get_organization
from shared.store.catalog.stored_campaign import Campaign
from shared.store.client import Store
from shared.store.contacts.upload_remarks import read_rules
from shared.store.reports.counters import campaign_counts


async def warnings_of(store: Store, campaign: Campaign, now: datetime) -> Sequence[SettingWarning]:
    """What there is to say of the campaign's settings as they are now: it calls nobody, or not as they say."""
    counts = await campaign_counts(store, campaign.id)
    rules = await read_rules(store, campaign.organization_id, campaign.id)
    organization = await get_organization(store, campaign.organization_id)
    own = CallLimits(campaign.concurrency_limit, campaign.calls_per_second)
    above = CallLimits(organization.calls_at_once, organization.calls_per_second)
    return [*warnings_on(rules, counts.ended, now), *limits_above(own, above, rules)]
