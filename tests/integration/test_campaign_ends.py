"""Completion and end dates by running schedulers: in time, without a hint, and after a take-over."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.store.client import Document, Store
from shared.store.contacts.counting_in import register_source
from shared.store.contacts.matching import ContactsOf
from shared.telephony.scripts import ScriptedCall, always
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_configuration, add_contacts, add_organization

# The last contact's end, by its document, to the completion, by its own.
IN_TIME = timedelta(seconds=2)
# On a machine whose cores are busy with other tests.
PATIENCE = 20.0


async def campaign_of(store: Store, campaign: Document) -> Document:
    found = await store["campaigns"].find_one({"_id": campaign["_id"]})
    assert found is not None
    return found


async def is_completed(store: Store, campaign: Document) -> datetime | None:
    at: datetime | None = (await campaign_of(store, campaign)).get("completed_at")
    return at


async def ended(store: Store, campaign: Document) -> Counter[str | None]:
    found = await store["contacts"].find({"campaign_id": campaign["_id"]}).to_list()
    return Counter(contact.get("ended_because") for contact in found)


async def test_a_campaign_completes_within_two_seconds_of_its_last_call_and_an_evergreen_one_never(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    organization = await add_organization(store, concurrency_limit=25)
    rules = {"busy": {"retry": True, "max_attempts": 2, "delay_seconds": 1}}
    configuration = await add_configuration(store, organization, retry_rules=rules)
    campaign, evergreen, empty = [
        await add_campaign(store, organization, configuration, auto_complete=auto) for auto in (True, False, True)
    ]
    for each in (campaign, evergreen):
        await add_contacts(store, organization, each, 30, agent_number=f"+1415555010{each is campaign:d}")
    script = always(ScriptedCall(outcome=Outcome.BUSY))
    async with running_engine(store, kafka_address, topic_prefix, script=script) as engine:
        await engine.start_executor(calls_per_second=1000)
        await engine.start_scheduler()
        completed_at = await eventually(lambda: is_completed(store, campaign), timeout=PATIENCE)
        assert not engine.failures()

        async def all_exhausted() -> bool:
            return await store["contacts"].count_documents({"status": "exhausted"}) == 60

        await eventually(all_exhausted, timeout=PATIENCE)
    ends = await store["attempts"].find({"campaign_id": campaign["_id"]}).sort("ended_at", -1).to_list()
    assert len(ends) == 60, "nobody's retry was left behind"
    assert ends[0]["ended_at"] <= completed_at <= ends[0]["ended_at"] + IN_TIME
    for other in (evergreen, empty):
        assert await is_completed(store, other) is None
    run = (await campaign_of(store, campaign))["run"]
    assert (run["state"], run["generation"], run["at"]) == ("completed", 1, completed_at)


@pytest.mark.parametrize("state", ["running", "paused", "halted"])
async def test_at_its_end_date_a_campaign_ends_with_all_who_wait_in_it(
    store: Store, kafka_address: str, topic_prefix: str, state: str
) -> None:
    organization = await add_organization(store)
    closed = await add_configuration(store, organization, default_windows=[])
    end_at = utc_now() + timedelta(seconds=3)
    course: dict[str, Any] = {"intent": "paused"} if state == "paused" else {}
    if state == "halted":
        course["run"] = {"generation": 1, "state": "halted", "reason": "circuit_breaker", "at": utc_now()}
    campaign = await add_campaign(store, organization, closed, end_at=end_at, **course)
    await add_contacts(store, organization, campaign, 1200)
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        await engine.start_executor()
        await engine.start_scheduler()

        async def all_skipped() -> bool:
            assert not engine.failures()
            return await ended(store, campaign) == {"campaign_ended": 1200}

        await eventually(all_skipped, timeout=PATIENCE, every=0.2)
        assert utc_now() >= end_at
        if state != "paused":
            await eventually(lambda: is_completed(store, campaign), timeout=PATIENCE)
    after = await campaign_of(store, campaign)
    assert (after.get("completed_at") is None) == (state == "paused")
    assert await store["attempts"].count_documents({}) == 0


async def test_contacts_that_come_into_a_campaign_that_has_ended_end_though_its_hours_are_closed(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    organization = await add_organization(store)
    closed = await add_configuration(store, organization, default_windows=[])
    campaign = await add_campaign(store, organization, closed, end_at=utc_now() - timedelta(days=9))
    await register_source(store, ContactsOf(organization["_id"], organization["shard"], campaign["_id"]), "api-0")
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        await engine.start_scheduler()
        await eventually(lambda: is_completed(store, campaign), timeout=PATIENCE)
        await add_contacts(store, organization, campaign, 3)

        async def all_skipped() -> bool:
            assert not engine.failures()
            return await ended(store, campaign) == {"campaign_ended": 3}

        await eventually(all_skipped, timeout=PATIENCE)


async def test_a_scheduler_that_comes_later_completes_what_was_left(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    """Nothing tells it: the contacts ended while nobody was there, and an import without contacts ends unheard."""
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization, auto_complete=True, imports=1)
    await add_contacts(store, organization, campaign, 2, status="completed", ended_because="answered")
    await store["counters"].insert_one(
        {"_id": campaign["_id"], "organization_id": organization["_id"], "shard": organization["shard"]}
        | {"pending": -2, "completed": 2, "ended": {"answered": 2}}
    )
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        await engine.start_scheduler()

        async def is_taken_over() -> bool:
            shard = await store["shards"].find_one({"_id": organization["shard"]})
            return shard is not None and shard["epoch"] > 0

        await eventually(is_taken_over, timeout=PATIENCE)
        assert await is_completed(store, campaign) is None
        await store["campaigns"].update_one({"_id": campaign["_id"]}, {"$inc": {"imports": -1}})
        await eventually(lambda: is_completed(store, campaign), timeout=PATIENCE)
        assert not engine.failures()
