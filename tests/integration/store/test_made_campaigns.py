"""Campaigns that are made with a configuration of their own, moved from some states alone, and found by their agent."""

import asyncio
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.campaign import CampaignMove, CampaignState
from shared.domain.configuration import Configuration
from shared.errors import WrongState
from shared.store.catalog.campaign_lists import CampaignsOf, campaigns_by_id, numbered_campaigns
from shared.store.catalog.campaigns import NewCampaign, create_campaign, move_campaign
from shared.store.catalog.configurations import configurations_by_id, list_configurations
from shared.store.catalog.stored_campaign import Campaign
from shared.store.client import Document, Store
from tests.factories import add_configuration, add_organization

OWN: dict[str, Any] = {"name": "Spring", **Configuration(max_attempts=7).model_dump(mode="json")}


async def made(store: Store, organization: Document, agent_id: str | None = None) -> Campaign:
    new = NewCampaign("Spring", "", None, 1, agent_id, None, None, is_draft=True)
    return await create_campaign(store, organization["_id"], new, utc_now(), own_configuration=OWN)


async def test_a_campaign_is_made_with_a_configuration_of_its_own(store: Store) -> None:
    acme = await add_organization(store)
    campaign = await made(store, acme)
    found = await configurations_by_id(store, acme["_id"], [campaign.configuration_id, "nothing"])
    assert list(found) == [campaign.configuration_id]
    own = found[campaign.configuration_id]
    assert (own.campaign_id, own.values["max_attempts"], own.values["name"]) == (campaign.id, 7, "Spring")
    assert not (await list_configurations(store, acme["_id"], cursor=None, limit=10)).rows, "it is nobody else's"
    other = await add_organization(store)
    assert await configurations_by_id(store, other["_id"], [campaign.configuration_id]) == {}
    assert await campaigns_by_id(store, other["_id"], [campaign.id]) == {}
    assert (await campaigns_by_id(store, acme["_id"], [campaign.id]))[campaign.id].name == "Spring"


async def test_of_two_starts_at_once_one_is_refused_where_a_dialect_starts_drafts_alone(store: Store) -> None:
    acme = await add_organization(store)
    campaign = await made(store, acme)

    async def start() -> CampaignState:
        try:
            moved = await move_campaign(
                store, acme["_id"], campaign.id, CampaignMove.START, utc_now(), only_in={CampaignState.DRAFT}
            )
        except WrongState as refused:
            return refused.state
        assert moved.course.generation == 1
        return CampaignState.DRAFT

    results = await asyncio.gather(*(start() for _ in range(5)))
    assert sorted(results) == [CampaignState.DRAFT, *[CampaignState.RUNNING] * 4]
    with pytest.raises(WrongState):
        await move_campaign(
            store, acme["_id"], campaign.id, CampaignMove.CANCEL, utc_now(), only_in={CampaignState.DRAFT}
        )


async def test_campaigns_are_found_by_the_agent_that_they_name(store: Store) -> None:
    acme = await add_organization(store)
    await add_configuration(store, acme)
    wanted = [await made(store, acme, "ada") for _ in range(3)]
    await made(store, acme, "bob")
    await made(store, acme)
    page = await numbered_campaigns(
        store, acme["_id"], name_contains="", states=(), now=utc_now(), offset=1, limit=1, only=CampaignsOf("ada")
    )
    assert page.total == 3
    assert page.rows[0].id in {campaign.id for campaign in wanted}
