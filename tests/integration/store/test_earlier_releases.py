"""The engine works on what an earlier release has left, once it is migrated."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from shared.clock import utc_now
from shared.domain.campaign import CampaignState
from shared.domain.contact import ContactStatus, Tier
from shared.domain.counts import CallsOfRun
from shared.domain.organization_hours import NO_ORGANIZATION_HOURS
from shared.domain.outcome import Outcome
from shared.domain.queue_order import tier_in
from shared.events import CallFinished
from shared.store.catalog.campaign_lists import list_campaigns
from shared.store.catalog.configurations import list_configurations
from shared.store.catalog.do_not_call import list_numbers
from shared.store.catalog.keys import KeyKind, list_keys
from shared.store.catalog.organizations import get_organization
from shared.store.catalog.stored_campaign import Campaign
from shared.store.client import Document, Store
from shared.store.contacts.ingest_batches import list_ingest_batches
from shared.store.contacts.queries import list_contacts
from shared.store.contacts.wishes import carry_out
from shared.store.dialing.campaign_reader import CampaignReader
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.deletions import remove_deleted
from shared.store.dialing.results import unapplied_results
from shared.store.dialing.shard_catalog import read_campaigns, read_organizations
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work, expire_claims, skip_closed
from shared.store.dialing.shards import read_global, take_over
from shared.store.migrations.schema import VERSION, check_version, migrate, read_version
from shared.store.reports.counters import campaign_counts
from shared.store.reports.diagnosis import diagnose
from tests.released.reading import RELEASES, read_release, restore

pytestmark = pytest.mark.parametrize(
    ("release", "oldest_form"),
    [(release, oldest) for release in RELEASES for oldest in (False, True)],
)


NOW = utc_now()


async def left_by(store: Store, release: str, *, oldest_form: bool) -> tuple[str, int, datetime]:
    """A migrated database: its organization, that one's shard, and a time at which all that waits is due."""
    documents = read_release(release, oldest_form=oldest_form)
    await restore(store, documents)
    for _ in range(2):
        async for _ in migrate(store):
            pass
    version = await read_version(store)
    assert version == VERSION
    check_version(version)
    organization = documents["organizations"][0]
    latest: datetime = max(contact["updated_at"] for contact in documents["contacts"])
    return organization["_id"], organization["shard"], latest + timedelta(hours=1)


async def campaigns_of(store: Store, organization_id: str) -> dict[str, Campaign]:
    page = await list_campaigns(store, organization_id, name_contains="", states=(), now=NOW, cursor=None, limit=100)
    return {campaign.name: campaign for campaign in page.rows}


async def contact(store: Store, campaign: Campaign, external_id: str) -> Document:
    found = await store["contacts"].find_one({"campaign_id": campaign.id, "external_id": external_id})
    assert found is not None
    return found


def ending(found: Document, outcome: Outcome, now: datetime) -> CallFinished:
    return CallFinished(
        organization_id=found["organization_id"],
        shard=found["shard"],
        attempt_id=found["lock"]["attempt"],
        contact_id=found["_id"],
        outcome=outcome,
        ended_at=now,
    )


async def test_lists_show_what_was_there(store: Store, release: str, oldest_form: bool) -> None:
    organization_id, _, now = await left_by(store, release, oldest_form=oldest_form)
    organization = await get_organization(store, organization_id)
    assert organization.exclusive_caller_numbers == ("+12025550101",)
    campaigns = await campaigns_of(store, organization_id)
    assert {name: campaign.shown(now).state for name, campaign in campaigns.items()} == {
        "Spring": CampaignState.RUNNING,
        "Summer": CampaignState.PAUSED,
        "Autumn": CampaignState.CANCELLED,
    }
    keys = [await list_keys(store, kind, organization_id=None, cursor=None, limit=9) for kind in KeyKind]
    assert [len(page.rows) for page in keys] == [1, 1]
    configurations = await list_configurations(store, organization_id, cursor=None, limit=9)
    assert [configuration.values["max_attempts"] for configuration in configurations.rows] == [1]
    numbers = await list_numbers(store, organization_id, cursor=None, limit=9)
    assert [(entry.phone_number, entry.source) for entry in numbers.rows] == [("+14152000900", "native")]
    batches = await list_ingest_batches(store, organization_id, cursor=None, limit=9)
    assert [(batch.batch_id, batch.inserted) for batch in batches.rows] == [("batch-1", 1)]
    spring = campaigns["Spring"]
    page = await list_contacts(store, organization_id, spring.id, status=None, limit=100, offset=0, now=now)
    assert page.total == 12
    # Of those that have ended; three more are on a call.
    assert sum(attempt.ended for contact in page.rows for attempt in contact.attempts) == 4
    # Ten that wait, or will as they were asked to, less one to be deleted; four are on a call or were answered.
    assert sum(contact.standing.waits is not None for contact in page.rows) == 6
    diagnosis = await diagnose(store, organization_id, spring.id, now)
    assert (diagnosis.counts.pending, diagnosis.counts.active) == (6, 3)
    assert len(diagnosis.refusals) == len(diagnosis.rests) == 1


async def test_calls_go_on(store: Store, release: str, oldest_form: bool) -> None:
    organization_id, shard, now = await left_by(store, release, oldest_form=oldest_form)
    campaigns = await campaigns_of(store, organization_id)
    spring = campaigns["Spring"]
    owner = Ownership(shard, await take_over(store, shard))
    assert [entry.held for entry in await read_organizations(store, {"_id": organization_id})] == [3]
    entries = {e.campaign_id: e for e in await read_campaigns(store, {organization_id: NO_ORGANIZATION_HOURS})}
    assert entries.keys() == {spring.id, f"default:{organization_id}"}
    assert (await expire_claims(store, owner, now)).moved == 1
    assert (await remove_deleted(store, owner, now)).moved == 1
    assert (await carry_out(store, owner, now)).moved == 1
    assert (await skip_closed(store, owner, campaigns["Autumn"].id, now)).moved == 2
    endings = await unapplied_results(store, shard)
    running = await contact(store, spring, "lead-5")
    finished = await do_shard_work(
        store, owner, ShardWork(ended=[*endings, ending(running, Outcome.ANSWERED, now)]), now
    )
    assert len(finished.recorded.new) == 2
    paused = await contact(store, campaigns["Summer"], "lead-40")
    ready = (await CampaignReader(store, entries[spring.id], now).read(100, crowded=False)).waiting
    claimed = await do_shard_work(
        store, owner, ShardWork(claim=ClaimOrder([*(each.contact_id for each in ready), paused["_id"]])), now
    )
    calls = {job.contact_id for job in claimed.jobs}
    assert len(calls) == len(ready) == 7
    assert paused["_id"] not in calls
    locked = store["contacts"].find({"_id": {"$in": list(calls)}})
    endings = [ending(found, Outcome.ANSWERED, now) async for found in locked]
    await do_shard_work(store, owner, ShardWork(ended=endings), now)
    assert await read_global(store) == (100, 80)
    await assert_sums(store, spring.id, organization_id)


async def test_counters_are_counts_once_they_are_filled(store: Store, release: str, oldest_form: bool) -> None:
    organization_id, _, _ = await left_by(store, release, oldest_form=oldest_form)
    spring = (await campaigns_of(store, organization_id))["Spring"]
    counts = await campaign_counts(store, spring.id)
    contacts = await store["contacts"].find({"campaign_id": spring.id}).to_list()
    attempts = await store["attempts"].find({"campaign_id": spring.id}).to_list()
    called = {contact["_id"] for contact in contacts if contact["status"] in ("locked", "in_progress")}
    there = {contact["_id"] for contact in contacts}
    assert counts.called == len(called | {attempt["contact_id"] for attempt in attempts} & there) > 3
    assert counts.outcomes == Counter(attempt["outcome"] for attempt in attempts)
    assert counts.outcomes["busy"] > 0
    assert counts.answered == sum(contact["status"] == "completed" for contact in contacts) == 1
    assert counts.opted_out == 0
    assert counts.retrying == sum(c["status"] == "pending" and tier_in(c["tier"]) is Tier.RETRY for c in contacts)
    assert counts.run == CallsOfRun(1, len(attempts) + len(called))


async def assert_sums(store: Store, campaign_id: str, organization_id: str) -> None:
    """Counters are counts, and nothing is held any more."""
    counts = await campaign_counts(store, campaign_id)
    for status in ContactStatus:
        there = await store["contacts"].count_documents({"campaign_id": campaign_id, "status": status})
        if status in (ContactStatus.LOCKED, ContactStatus.IN_PROGRESS):
            assert there == 0
        else:
            assert there == getattr(counts, status), status
    budget = await store["budgets"].find_one({"_id": f"org:{organization_id}"})
    assert budget is not None
    assert budget["held"] == 0
