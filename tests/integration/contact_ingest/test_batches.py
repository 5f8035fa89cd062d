"""Contact batches on a real Kafka: good and bad rows, repeats, proof of organization."""

import asyncio
import json

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.home import free_port
from services.contact_ingest.app import running
from services.contact_ingest.settings import IngestSettings
from shared.clock import utc_now
from shared.domain.ids import default_campaign_id
from shared.domain.row_remarks import RemarkCode
from shared.events import ORG_EVENT, ContactsAdded
from shared.health import HealthServer
from shared.store.catalog.do_not_call import add_numbers
from shared.store.catalog.organizations import edit_organization
from shared.store.contacts.ingest_batches import BatchStatus
from shared.store.contacts.matching import ContactsOf
from shared.store.reports.counters import campaign_counts
from tests.eventually import eventually
from tests.integration.contact_ingest.customer import Customer

ADA = {"external_id": "ada", "phone_numbers": ["030 901820"], "data": {"name": "Ada"}}
BOB = {"external_id": "bob", "phone_numbers": ["+14155550123"], "timezone": "America/New_York"}


async def test_of_several_bootstrap_servers_one_may_be_away(customer: Customer, settings: IngestSettings) -> None:
    several = settings.model_copy(update={"kafka": f"127.0.0.1:{free_port()}, {settings.kafka}"})
    async with running(several):
        result = await customer.done(await customer.publish(customer.batch(BOB)))
    assert result.inserted == 1


@pytest.mark.usefixtures("ingest")
async def test_a_number_of_a_type_the_organization_refuses_costs_its_row(customer: Customer) -> None:
    await edit_organization(customer.store, customer.organization_id, {"refused_number_types": ["satellite"]})
    costly = {"external_id": "satellite", "phone_numbers": ["+881612345678"]}
    premium = {"external_id": "premium", "phone_numbers": ["+19002345678"]}
    result = await customer.done(await customer.publish(customer.batch(costly, premium, BOB)))
    assert result.inserted == 2
    assert [(row.external_id, row.field) for row in result.failed] == [("satellite", "phone_numbers[0]")]
    assert "refused_number_types" in (result.failed[0].reason or "")
    assert [row.external_id for row in result.warnings] == ["premium"]


@pytest.mark.usefixtures("ingest")
async def test_good_rows_land_and_bad_rows_are_reported(customer: Customer) -> None:
    listed = {"external_id": "listed", "phone_numbers": ["+4930901820"]}
    await add_numbers(customer.store, customer.organization_id, ["+4930901820"], None, utc_now())
    contacts = [
        ADA | {"phone_numbers": ["030 901821"]},
        "no object",
        {"external_id": "typo", "phone_number": "+14155550123"},
        {"external_id": 7, "phone_numbers": [1]},
        BOB | {"external_id": "zone", "timezone": "Mars/Olympus"},
        BOB | {"external_id": "number", "phone_numbers": ["+14155550123", "call me"]},
        BOB | {"data": {"deep": float("inf")}},
        BOB | {"external_id": "half \ud83d pair"},
        BOB | {"external_id": "nul\x00"},
        BOB,
        listed,
    ]
    result = await customer.done(await customer.publish(customer.batch(*contacts)))

    assert (result.status, result.received, result.inserted, result.updated) == (BatchStatus.DONE, 11, 3, 0)
    assert {(row.index, row.field) for row in result.failed} == {
        (1, None),
        (2, "phone_numbers"),
        (2, "phone_number"),
        (3, "external_id"),
        (3, "phone_numbers[0]"),
        (4, "timezone"),
        (5, "phone_numbers[1]"),
        (6, "data"),
        (7, "external_id"),
        (8, "external_id"),
    }
    assert all(row.reason and "ContactInput" not in row.reason for row in result.failed)
    assert {row.external_id for row in result.failed if row.index == 4} == {"zone"}
    assert [row.external_id for row in result.warnings] == ["listed"]
    scope = ContactsOf(customer.organization_id, 0, customer.campaign_id)
    ada = await customer.store["contacts"].find_one({"_id": scope.derived_id("ada")})
    assert ada is not None
    assert (ada["phone_numbers"], ada["status"]) == (["+4930901821"], "pending")
    counts = await campaign_counts(customer.store, customer.campaign_id)
    assert (counts.pending, counts.skipped) == (2, 1)


@pytest.mark.usefixtures("ingest")
async def test_the_same_batch_again_changes_nothing(customer: Customer) -> None:
    batch = customer.batch(ADA, BOB, {"phone_numbers": ["+14155550199"]})
    first = await customer.done(await customer.publish(batch))
    await customer.publish(batch)
    # A later message of the same partition is done, so the repeat was as well.
    other = await customer.done(await customer.publish(customer.batch(BOB)))
    assert (other.inserted, other.updated) == (0, 1)
    assert await customer.result(first.batch_id) == first
    assert await customer.contacts() == 3
    assert (await campaign_counts(customer.store, customer.campaign_id)).pending == 3


@pytest.mark.usefixtures("ingest")
async def test_a_signed_batch_needs_no_secret(customer: Customer) -> None:
    batch = customer.batch(ADA, credential=None, campaign="spring")
    value = json.dumps(batch).encode()
    await customer.publish_bytes(value, customer.signed(value))
    result = await customer.done(batch["batch_id"])
    assert (result.inserted, result.campaign_id) == (1, customer.campaign_id)


@pytest.mark.usefixtures("ingest")
async def test_contacts_of_no_campaign(customer: Customer) -> None:
    batch = customer.batch(ADA, BOB, BOB | {"external_id": "c", "timezone": None}, campaign="default")
    result = await customer.done(await customer.publish(batch))
    assert (result.campaign_id, result.inserted) == ("default", 2)
    assert [(row.index, row.field) for row in result.failed] == [(0, "phone_numbers[0]")]
    said = [(row.index, row.remark.code, row.remark.facts.get("names")) for row in result.warnings if row.remark]
    assert said == [
        (1, RemarkCode.SHARES_PHONE, ["c"]),
        (2, RemarkCode.NO_TIMEZONE, None),
        (2, RemarkCode.SHARES_PHONE, ["bob"]),
    ]
    stored = await customer.store["contacts"].distinct("campaign_id")
    assert stored == [default_campaign_id(customer.organization_id)]


async def test_the_schedulers_are_told(customer: Customer, ingest: HealthServer, kafka_address: str) -> None:
    await customer.done(await customer.publish(customer.batch(ADA)))
    organization = await customer.store["organizations"].find_one({"_id": customer.organization_id})
    assert organization is not None
    where = TopicPartition(customer.topic.replace("contact.batches", "org.events"), organization["shard"])
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([where])
        async with asyncio.timeout(10):
            record = await consumer.getone()
    finally:
        await consumer.stop()
    assert record.value is not None
    assert ORG_EVENT.validate_json(record.value) == ContactsAdded(
        organization_id=customer.organization_id, shard=organization["shard"], campaign_id=customer.campaign_id
    )
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{ingest.port}/health/ready") as ready:
            assert ready.status == 200
        async with session.get(f"http://127.0.0.1:{ingest.port}/metrics") as metrics:
            assert 'dialstream_ingested_contacts_total{result="inserted"}' in await metrics.text()


async def test_two_processes_share_the_work_and_store_each_contact_once(
    customer: Customer, settings: IngestSettings
) -> None:
    contacts = [{"external_id": f"c{n}", "phone_numbers": ["+14155550123"]} for n in range(200)]
    batches = [customer.batch(*contacts, {"phone_numbers": ["+14155550199"]}) for _ in range(4)]
    async with running(settings), running(settings):
        for partition in range(8):
            for batch in batches:
                await customer.publish(batch, partition=partition)
        for batch in batches:
            await customer.done(batch["batch_id"], timeout=40)
        await eventually(lambda: _all_read(customer, settings), timeout=40, saying="everything read")
    assert await customer.contacts() == 200 + len(batches)
    assert (await campaign_counts(customer.store, customer.campaign_id)).pending == 200 + len(batches)


async def _all_read(customer: Customer, settings: IngestSettings) -> bool:
    """Whether the group has committed everything that stands in the topic."""
    partitions = [TopicPartition(customer.topic, partition) for partition in range(8)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka, group_id=f"{settings.topic_prefix}contact-ingest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(partitions)
        return all([(await consumer.committed(where) or 0) == ends[where] for where in partitions])
    finally:
        await consumer.stop()


async def test_a_batch_that_comes_again_after_a_crash_before_the_commit_changes_nothing(
    customer: Customer, settings: IngestSettings
) -> None:
    batch = customer.batch(ADA, BOB, {"phone_numbers": ["+14155550199"]})
    async with running(settings):
        first = await customer.done(await customer.publish(batch))
        await eventually(lambda: _all_read(customer, settings), timeout=20)
    # As if the process had died after the write: nothing of what it did is committed.
    await _forget_commits(customer, settings)
    async with running(settings):
        await customer.done(await customer.publish(customer.batch(BOB)))
    assert await customer.result(first.batch_id) == first
    assert await customer.contacts() == 3
    assert (await campaign_counts(customer.store, customer.campaign_id)).pending == 3


async def _forget_commits(customer: Customer, settings: IngestSettings) -> None:
    where = TopicPartition(customer.topic, 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka, group_id=f"{settings.topic_prefix}contact-ingest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([where])
        await consumer.commit({where: 0})
    finally:
        await consumer.stop()
