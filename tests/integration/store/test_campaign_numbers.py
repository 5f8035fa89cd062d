"""Campaigns are numbered in their organization, in order of creation; those of earlier releases by the migration."""

import asyncio
from datetime import timedelta

import pytest

from shared.clock import utc_now
from shared.store.catalog.campaigns import NewCampaign, create_campaign
from shared.store.client import Document, Store
from shared.store.migrations import numbering
from shared.store.migrations.campaign_numbers import CAMPAIGN_NUMBERS
from tests.factories import add_campaign, add_configuration, add_organization

NOW = utc_now()


async def made(store: Store, organization: Document, configuration: Document) -> int | None:
    new = NewCampaign("Spring", configuration["_id"], None, 1, None, None, None)
    return (await create_campaign(store, organization["_id"], new, utc_now())).number


async def test_each_new_campaign_has_the_next_number_of_its_organization(store: Store) -> None:
    acme, beta = await add_organization(store), await add_organization(store)
    of_acme, of_beta = await add_configuration(store, acme), await add_configuration(store, beta)
    assert [await made(store, acme, of_acme) for _ in range(3)] == [1, 2, 3]
    assert await made(store, beta, of_beta) == 1
    at_once = await asyncio.gather(*(made(store, acme, of_acme) for _ in range(8)))
    assert sorted(number or 0 for number in at_once) == list(range(4, 12))


async def unnumbered(store: Store, organization: Document, count: int) -> list[str]:
    """Campaigns as an earlier release has left them, ids in order of creation."""
    configuration = await add_configuration(store, organization)
    ids = []
    for place in range(count):
        campaign = await add_campaign(store, organization, configuration)
        created_at = NOW - timedelta(days=count - place)
        await store["campaigns"].update_one(
            {"_id": campaign["_id"]}, {"$set": {"created_at": created_at}, "$unset": {"number": ""}}
        )
        ids.append(campaign["_id"])
    return ids


async def run(store: Store) -> int:
    found = 0
    while some := await CAMPAIGN_NUMBERS.change_some(store):
        found += some
    return found


async def test_campaigns_without_a_number_get_theirs_in_order_of_creation(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbering, "BATCH", 3)
    acme, beta = await add_organization(store), await add_organization(store)
    of_acme, of_beta = await unnumbered(store, acme, 7), await unnumbered(store, beta, 2)
    assert await CAMPAIGN_NUMBERS.count(store) == 9
    await asyncio.gather(run(store), run(store), run(store))
    for ids in (of_acme, of_beta):
        numbers = {d["_id"]: d["number"] async for d in store["campaigns"].find({"_id": {"$in": ids}})}
        assert [numbers[campaign_id] for campaign_id in ids] == list(range(1, len(ids) + 1))
    assert await CAMPAIGN_NUMBERS.count(store) == 0
    assert await run(store) == 0, "twice is once"
    assert await made(store, acme, await add_configuration(store, acme)) == 8
