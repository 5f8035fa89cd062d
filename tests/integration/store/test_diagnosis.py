"""Who is looked at to say why a campaign's contacts wait."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.contact import Tier
from shared.domain.diagnosis import Finding
from shared.domain.reasons import WaitReason
from shared.domain.timezones import known_timezones
from shared.store.client import Document, Store
from shared.store.dialing.shards import ensure_shards
from shared.store.reports.diagnosis import SAMPLE, diagnose
from tests.factories import add_campaign, add_configuration, add_organization, contact_document, open_limits


async def waiting(store: Store, campaign: Document, contacts: Iterable[Document]) -> None:
    """Store these, counted as an ingest counts them."""
    documents = list(contacts)
    await store["contacts"].insert_many(documents)
    zones = list({document["timezone"] for document in documents})
    noted = {"campaign_id": campaign["_id"], "added": len(documents), "zones": zones, "own_numbers": False}
    await store["counters_in"].insert_one({"_id": f"{campaign['_id']}/test-0", **noted})


@pytest.mark.parametrize("tier", [pytest.param(tier, id=tier.name.lower()) for tier in Tier])
async def test_whoever_waits_is_found_in_whichever_of_many_zones_and_whatever_for(store: Store, tier: Tier) -> None:
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    await open_limits(store, organization["shard"], 10)
    later = utc_now() + timedelta(hours=1)
    held: dict[str, Any] = {"due_at": later, "tier": int(tier), "put_off": {"reason": "number_busy", "until": later}}
    zones = known_timezones()[::4]
    assert len(zones) > 100
    contacts = [contact_document(organization, campaign, n, timezone=zone, **held) for n, zone in enumerate(zones)]
    await waiting(store, campaign, contacts)
    found = await diagnose(store, organization["_id"], campaign["_id"], utc_now())
    assert found.findings == [Finding(WaitReason.NUMBER_BUSY, len(zones), False, later)]


async def test_without_a_living_executor_everybody_waits_for_one(store: Store) -> None:
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    await ensure_shards(store)
    await waiting(store, campaign, [contact_document(organization, campaign, 1)])
    found = await diagnose(store, organization["_id"], campaign["_id"], utc_now())
    assert found.findings == [Finding(WaitReason.NO_EXECUTOR, 1, False, None)]


async def test_a_thousand_are_all_looked_at_however_uneven_their_zones(store: Store) -> None:
    organization = await add_organization(store)
    configuration = await add_configuration(store, organization, default_windows=[])
    campaign = await add_campaign(store, organization, configuration)
    await ensure_shards(store)
    zones = ["America/Denver", *["America/Chicago"] * (SAMPLE - 1)]
    contacts = (contact_document(organization, campaign, n, timezone=zone) for n, zone in enumerate(zones))
    await waiting(store, campaign, contacts)
    found = await diagnose(store, organization["_id"], campaign["_id"], utc_now())
    assert found.findings == [Finding(WaitReason.NO_WINDOWS, SAMPLE, False, None)]


async def test_more_who_wait_than_are_looked_at_are_estimated(store: Store) -> None:
    organization = await add_organization(store)
    configuration = await add_configuration(store, organization, default_windows=[])
    campaign = await add_campaign(store, organization, configuration)
    await ensure_shards(store)
    count = SAMPLE + 500
    await waiting(store, campaign, (contact_document(organization, campaign, number) for number in range(count)))
    found = await diagnose(store, organization["_id"], campaign["_id"], utc_now())
    assert found.findings == [Finding(WaitReason.NO_WINDOWS, count, True, None)]
