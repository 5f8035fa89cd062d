"""Campaigns with what stands about them elsewhere: counts, configuration, agent, account; some questions for all."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.counts import CampaignCounts
from shared.domain.jobs import Job
from shared.engine.campaigns import Campaign
from shared.engine.engine import Engine
from shared.engine.telephony_accounts import outgoing_account
from shared.store.catalog.agents import Agent, agents_by_id
from shared.store.catalog.campaign_lists import campaigns_by_id
from shared.store.catalog.configurations import StoredConfiguration, configurations_by_id
from shared.store.catalog.organizations import get_organization
from shared.store.catalog.telephony_accounts import TelephonyAccount, list_accounts
from shared.store.jobs.jobs import last_job_of
from shared.store.reports import counters
from shared.store.reports.counters import counts_of

__all__ = ["Overview", "attempts_by_agent", "last_import_of", "overviews"]


@dataclass(frozen=True, slots=True)
class Overview:
    """A campaign as lists show it.

    `agent` None: it has none that is registered. `account` places its calls: None where that is the operator's.
    `calls_at_once` is the organization's limit. `parent` and `child` are the numbers of the campaign that it calls
    again, and of the one that calls it again.
    """

    campaign: Campaign
    counts: CampaignCounts
    configuration: StoredConfiguration
    agent: Agent | None
    account: TelephonyAccount | None
    calls_at_once: int
    parent: int | None
    child: int | None


async def overviews(engine: Engine, organization_id: str, campaigns: Sequence[Campaign]) -> list[Overview]:
    """The overviews of some of the organization's campaigns, in their order; at most a page of them at a time."""
    if not campaigns:
        return []
    store = engine.store
    organization = await get_organization(store, organization_id)
    accounts = await list_accounts(store, organization_id)
    by_id = {account.id: account for account in accounts}
    default = outgoing_account(accounts)
    configurations = await configurations_by_id(
        store, organization_id, {campaign.configuration_id for campaign in campaigns}
    )
    agent_ids = {agent_id for each in campaigns if (agent_id := _agent_id(each, configurations)) is not None}
    agents = await agents_by_id(store, organization_id, agent_ids)
    kin = {other for each in campaigns for other in (each.redial_of, each.redialed_as) if other is not None}
    numbers = {key: each.number for key, each in (await campaigns_by_id(store, organization_id, kin)).items()}
    counts = await counts_of(store, [campaign.id for campaign in campaigns])
    return [
        Overview(
            campaign=each,
            counts=counts[each.id],
            configuration=configurations[each.configuration_id],
            agent=agents.get(_agent_id(each, configurations) or ""),
            account=by_id.get(each.telephony_account_id) if each.telephony_account_id is not None else default,
            calls_at_once=organization.calls_at_once,
            parent=numbers.get(each.redial_of or ""),
            child=numbers.get(each.redialed_as or ""),
        )
        for each in campaigns
    ]


async def attempts_by_agent(engine: Engine, organization_id: str) -> dict[str, int]:
    """How many attempts were made with each agent, by its id, in the campaigns that name it themselves."""
    return await counters.attempts_by_agent(engine.store, organization_id)


async def last_import_of(engine: Engine, campaign: Campaign) -> Job | None:
    """The newest job that brings contacts into a campaign; None: there was none."""
    return await last_job_of(engine.store, campaign.organization_id, campaign.id)


def _agent_id(campaign: Campaign, configurations: dict[str, StoredConfiguration]) -> str | None:
    agent_id: str | None = campaign.agent_id or configurations[campaign.configuration_id].values.get("agent_id")
    return agent_id
