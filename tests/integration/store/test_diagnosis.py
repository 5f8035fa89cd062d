"""Who is looked at to say why a campaign's contacts wait."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.contact import Tier
from shared.domain.counts import Minute
from shared.domain.diagnosis import Finding, LimitUse, NamedLimit
from shared.domain.queue_order import queue_of
from shared.domain.reasons import WaitReason
from shared.domain.timezones import known_timezones
from shared.store.client import Document, Store
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from shared.store.dialing.shards import ensure_shards, take_over
from shared.store.reports.diagnosis import SAMPLE, diagnose
from tests.factories import add_campaign, add_configuration, add_organization, contact_document, open_limits


async def waiting(store: Store, campaign: Document, contacts: Iterable[Document]) -> None:
    """Store these, counted as an ingest counts them."""
    documents = list(contacts)
    await store["contacts"].insert_many(documents)
    zones = list({document["timezone"] for document in documents})
    noted = {"campaign_id": campaign["_id"], "added": len(documents), "zones": zones}
    await store["counters_in"].insert_one({"_id": f"{campaign['_id']}/test-0", **noted})


@pytest.mark.parametrize("tier", [pytest.param(tier, id=tier.name.lower()) for tier in Tier])
async def test_whoever_waits_is_found_in_whichever_of_many_zones_and_whatever_for(store: Store, tier: Tier) -> None:
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    await open_limits(store, organization["shard"], 10)
    later = utc_now() + timedelta(hours=1)
    busy = {"put_off": {"reason": "number_busy", "until": later}}
    held: dict[str, Any] = {"due_at": later, "tier": queue_of(0, tier), **busy}
    zones = known_timezones()[::4]
    assert len(zones) > 100
    contacts = [contact_document(organization, campaign, n, timezone=zone, **held) for n, zone in enumerate(zones)]
    await waiting(store, campaign, contacts)
    await store["counters_in"].update_one({}, {"$set": {"prioritized": tier is Tier.REQUESTED}})
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


async def test_retries_are_counted_and_not_estimated_by_those_looked_at_among_all_others(store: Store) -> None:
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    await open_limits(store, organization["shard"], 10)
    later, retries, fresh = utc_now() + timedelta(hours=1), 40, 2 * SAMPLE
    again = {"tier": int(Tier.RETRY), "due_at": later, "attempts_made": 1}
    held = {"put_off": {"reason": "number_busy", "until": later}, "due_at": later}
    contacts = [contact_document(organization, campaign, n, **held) for n in range(fresh)]
    contacts += [contact_document(organization, campaign, n, **again) for n in range(fresh, fresh + retries)]
    await waiting(store, campaign, contacts)
    await store["counters"].insert_one({"_id": campaign["_id"], "retrying": retries})
    found = await diagnose(store, organization["_id"], campaign["_id"], utc_now())
    assert found.findings == [
        Finding(WaitReason.NUMBER_BUSY, fresh, True, later),
        Finding(WaitReason.RETRY, retries, False, later),
    ]


async def test_the_calls_of_the_last_minute_stand_beside_the_rates(store: Store) -> None:
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization, calls_per_second=2.5)
    now = utc_now().replace(microsecond=0)
    minute = {"at": now, "claimed": 150, "ended": 140}
    await store["counters"].insert_one({"_id": campaign["_id"], "minute": minute})
    found = await diagnose(store, organization["_id"], campaign["_id"], now)
    assert (found.rates, found.minute) == ({"campaign": 2.5}, Minute(now, 150, 140))
    later = await diagnose(store, organization["_id"], campaign["_id"], now + timedelta(seconds=60))
    assert (later.minute.claimed, later.minute.ended) == (0, 0)


async def test_the_limits_above_a_campaign_are_named_with_their_use(store: Store) -> None:
    organization = await add_organization(store, concurrency_limit=5)
    campaign = await add_campaign(store, organization, concurrency_limit=2)
    other = await add_campaign(store, organization)
    await open_limits(store, organization["shard"], 10)
    contacts = [contact_document(organization, campaign, number) for number in range(4)]
    others = [contact_document(organization, other, number) for number in range(10, 11)]
    await waiting(store, campaign, contacts)
    await waiting(store, other, others)
    owner = Ownership(organization["shard"], await take_over(store, organization["shard"]))
    order = ClaimOrder([contact["_id"] for contact in (*contacts, *others)])
    assert len((await do_shard_work(store, owner, ShardWork(claim=order), utc_now())).jobs) == 3
    above = [NamedLimit("global", LimitUse(3, 10)), NamedLimit("organization", LimitUse(3, 5))]
    found = await diagnose(store, organization["_id"], campaign["_id"], utc_now())
    assert found.limits == [*above, NamedLimit("campaign", LimitUse(2, 2))]
    assert found.findings == [Finding(WaitReason.CAMPAIGN_LIMIT, 2, False, None)]
    assert (await diagnose(store, organization["_id"], other["_id"], utc_now())).limits == above, "it has none"
