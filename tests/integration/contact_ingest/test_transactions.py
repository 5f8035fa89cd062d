"""Batches that a customer publishes in Kafka transactions: those of an aborted one never become contacts."""

import json
from typing import Any

import pytest

from services.contact_ingest.app import running
from services.contact_ingest.settings import IngestSettings
from shared.errors import NotFound
from shared.store.contacts.ingest_batches import get_ingest_batch
from tests.integration.contact_ingest.customer import Customer
from tests.integration.topic_fuzz.wire import Message, unreadable
from tests.integration.transactions import sender

OPEN, BESIDE = 1, 2


def batch_of(customer: Customer, name: str) -> dict[str, Any]:
    return customer.batch({"external_id": name, "phone_numbers": ["+14155550100"]}, batch_id=name)


def message(customer: Customer, name: str, partition: int = 0) -> Message:
    return Message(name, json.dumps(batch_of(customer, name)).encode(), b"a key", partition=partition)


async def names(customer: Customer) -> set[str]:
    return set(await customer.store["contacts"].distinct("external_id"))


async def is_unknown(customer: Customer, batch_id: str) -> bool:
    try:
        await get_ingest_batch(customer.store, customer.organization_id, batch_id)
    except NotFound:
        return True
    return False


@pytest.mark.usefixtures("ingest")
async def test_an_aborted_batch_is_never_stored_and_a_committed_one_is(customer: Customer) -> None:
    async with sender(customer.kafka_address) as transactions:
        await transactions.aborted(customer.topic, message(customer, "aborted"))
        await transactions.committed(customer.topic, message(customer, "committed"))
        await transactions.aborted(customer.topic, message(customer, "aborted too"))
    await customer.done(await customer.publish(batch_of(customer, "plain")))
    assert (await customer.result("committed")).inserted == 1
    assert await names(customer) == {"committed", "plain"}
    assert await is_unknown(customer, "aborted")
    assert await is_unknown(customer, "aborted too")


@pytest.mark.usefixtures("ingest")
async def test_an_open_batch_is_stored_once_it_is_committed_and_holds_its_own_partition_alone(
    customer: Customer,
) -> None:
    async with sender(customer.kafka_address) as transactions:
        await transactions.producer.begin_transaction()
        await transactions.send(customer.topic, message(customer, "open", OPEN))
        await customer.publish(batch_of(customer, "behind"), partition=OPEN)
        for beside in ("beside", "beside again"):
            # What is stored in a later read: all that an earlier one brought is stored by then.
            await customer.done(await customer.publish(batch_of(customer, beside), partition=BESIDE))
        assert await names(customer) == {"beside", "beside again"}
        await transactions.producer.commit_transaction()
    await customer.done("open")
    await customer.done("behind")
    assert await names(customer) == {"open", "behind", "beside", "beside again"}


async def test_an_unreadable_record_of_a_transaction_costs_itself_alone(
    customer: Customer, settings: IngestSettings
) -> None:
    """It stands right behind aborted records and a marker, whose offsets are no records at all."""
    async with sender(customer.kafka_address) as transactions:
        await transactions.aborted(customer.topic, message(customer, "aborted"), unreadable("aborted too", 0))
        sent = await transactions.committed(
            customer.topic,
            unreadable("bad", 0),
            message(customer, "between"),
            unreadable("bad too", 0),
            message(customer, "last"),
        )
        await transactions.aborted(customer.topic, message(customer, "aborted at the end"))
        async with running(settings):
            for batch_id in ("between", "last", await customer.publish(batch_of(customer, "plain"))):
                await customer.done(batch_id)
            letters = await customer.dead_letters(2)
    told = [int(dict(letter.headers)["dialstream-origin-offset"]) for letter in letters]
    assert told == [one.offset for one in sent if one.message.unreadable]
    assert await names(customer) == {"between", "last", "plain"}
