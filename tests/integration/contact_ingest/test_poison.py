"""Messages nobody can use: set aside with their story, counted, and never in the way of the next one."""

import asyncio
import json
import os
import sys
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from deploy.replay import run as run_replay
from services.contact_ingest.app import running
from services.contact_ingest.rows import MAX_BATCH_BYTES
from services.contact_ingest.settings import IngestSettings
from shared.clock import utc_now
from shared.domain.campaign import CampaignMove
from shared.errors import NotFound
from shared.settings import KafkaSettings
from shared.store.catalog.campaigns import NewCampaign, create_campaign, move_campaign
from shared.store.catalog.keys import KeyKind, Scope
from shared.store.catalog.organizations import create_organization
from shared.store.contacts.ingest_batches import BatchStatus, get_ingest_batch
from tests.integration.contact_ingest.customer import Customer, Headers, new_customer, new_key

ADA = {"external_id": "ada", "phone_numbers": ["+14155550100"]}


@dataclass(frozen=True)
class Poison:
    """One unusable message and the name of its error."""

    value: bytes | None
    error: str
    headers: Headers = ()


async def poisons(customer: Customer, store: Any) -> list[Poison]:
    """Every kind of message that must not get through."""

    def of(error: str, **fields: Any) -> Poison:
        return Poison(json.dumps(customer.batch(ADA) | fields).encode(), error)

    now = utc_now()
    good = json.dumps(customer.batch(ADA, credential=None)).encode()
    key_header, signature_header = customer.signed(good)
    stranger = await create_organization(store, name="stranger", default_agent_number=None, now=now)
    strangers_key = await new_key(store, stranger.id)
    configuration = await store["configurations"].find_one({"organization_id": customer.organization_id})
    mine = customer.organization_id
    over = {}
    for name, moves in {"closed": [CampaignMove.CANCEL], "deleted": [CampaignMove.CANCEL, CampaignMove.DELETE]}.items():
        new = NewCampaign(name, configuration["_id"], name, 1, None, None, None)
        over[name] = (await create_campaign(store, mine, new, now)).id
        for move in moves:
            await move_campaign(store, mine, over[name], move, now)
    unproven = "UnprovenOrganization"
    return [
        Poison(None, "UnreadableBatch"),
        Poison(b"", "UnreadableBatch"),
        Poison(b"\x00\xff\xfe garbage \x80", "UnreadableBatch"),
        Poison(b'{"schema_version": 1, "batch_id": "\xff"}', "UnreadableBatch"),
        Poison(b"[1, 2, 3]", "UnreadableBatch"),
        Poison(b"null", "UnreadableBatch"),
        Poison(b"[" * 100_000, "UnreadableBatch"),
        Poison(b'{"a":' * 5000 + b"1" + b"}" * 5000, "UnreadableBatch"),
        Poison(b"9" * 10_000, "UnreadableBatch"),
        Poison(b"x" * 10_000_000, "BatchTooLarge"),
        Poison(good.ljust(MAX_BATCH_BYTES + 1), "BatchTooLarge"),
        of("UnreadableBatch", schema_version=2),
        of("UnreadableBatch", schema_version="1"),
        of("UnreadableBatch", surprise=1),
        of("UnreadableBatch", batch_id=""),
        of("UnreadableBatch", batch_id="nul\x00"),
        of("UnreadableBatch", batch_id="half \ud800"),
        of("UnreadableBatch", campaign={"$gt": ""}),
        of("UnreadableBatch", organization_id={"$ne": None}),
        of("UnreadableBatch", contacts=[]),
        of("UnreadableBatch", contacts=[ADA] * 1001),
        of("UnreadableBatch", contacts={"0": ADA}),
        of(unproven, credential=None),
        of(unproven, credential="nonsense"),
        of(unproven, credential=customer.credential[:-2]),
        of(unproven, credential=f"ak_{uuid.uuid4()}.secret"),
        of(unproven, credential=strangers_key),
        of(unproven, organization_id=stranger.id),
        of(unproven, organization_id=str(uuid.uuid4())),
        of(unproven, credential=await new_key(store, mine, scopes=[Scope.CAMPAIGNS_READ])),
        of(unproven, credential=await new_key(store, mine, kind=KeyKind.PERSONAL)),
        of(unproven, credential=await new_key(store, mine, expires_at=now - timedelta(seconds=1))),
        Poison(good, unproven, [key_header]),
        Poison(good, unproven, [signature_header]),
        Poison(good + b" ", unproven, [key_header, signature_header]),
        Poison(good, unproven, [key_header, signature_header, signature_header]),
        Poison(good, unproven, [("dialstream-key", b"\xff\x00"), signature_header]),
        Poison(good, unproven, [("dialstream-key", str(uuid.uuid4()).encode()), signature_header]),
        Poison(good, unproven, [key_header, ("dialstream-signature", "v1=é".encode())]),
        Poison(b"garbage", "UnreadableBatch", [("trace", b"\xff\xfe"), ("reply_to", b"\x80"), ("empty", b"")]),
        of("CampaignNotUsable", campaign=str(uuid.uuid4()), batch_id="no-such-campaign"),
        of("CampaignNotUsable", campaign="closed", batch_id="closed-campaign"),
        of("CampaignNotUsable", campaign="deleted", batch_id="external-id-of-a-deleted-campaign"),
        of("CampaignNotUsable", campaign=over["deleted"], batch_id="deleted-campaign"),
    ]


@pytest.mark.usefixtures("ingest")
async def test_no_poison_stops_the_consumer_and_none_is_lost(customer: Customer) -> None:
    letters_before = _counted()
    wicked = await poisons(customer, customer.store)
    for poison in wicked:
        await customer.publish_bytes(poison.value, poison.headers)
    good = await customer.publish(customer.batch(ADA))

    assert (await customer.done(good, timeout=60)).inserted == 1
    letters = await customer.dead_letters(len(wicked))
    assert len(letters) == len(wicked)
    for offset, (poison, letter) in enumerate(zip(wicked, letters, strict=True)):
        told = dict(letter.headers)
        assert (told["dialstream-error-class"].decode(), letter.value) == (poison.error, poison.value or b"")
        assert letter.key == b"a key"
        assert told["dialstream-origin-topic"].decode() == customer.topic
        assert (told["dialstream-origin-partition"], told["dialstream-origin-offset"]) == (b"0", b"%d" % offset)
        assert told["dialstream-error-message"]
        assert told["dialstream-died-at"].endswith(b"+00:00")
        assert tuple(letter.headers)[: len(poison.headers)] == tuple(poison.headers)
        assert customer.credential.encode() not in told["dialstream-error-message"]
    assert _counted() - letters_before == len(wicked)

    for batch_id in ("no-such-campaign", "closed-campaign"):
        refused = await customer.result(batch_id)
        assert (refused.status, refused.received, refused.inserted) == (BatchStatus.REFUSED, 1, 0)
        assert refused.reason
    closed = await customer.store["campaigns"].find_one({"external_id": "closed"})
    assert closed is not None
    assert (await customer.result("closed-campaign")).campaign_id == closed["_id"]
    assert await customer.contacts() == 1


# Makes a record that Kafka takes and whose header's name is no UTF-8, among others in one record batch.
BAD_HEADER_NAME = """
import asyncio, sys
from aiokafka import AIOKafkaProducer

class NotUtf8(str):
    def encode(self, *_):
        return b"\\xff\\xfe"

async def main(address, topic):
    producer = AIOKafkaProducer(bootstrap_servers=address)
    await producer.start()
    batch = producer.create_batch()
    for value, headers in ((b"before", []), (b"bad", [(NotUtf8("name"), b"")]), (b"after", [])):
        batch.append(key=b"a key", value=value, timestamp=None, headers=headers)
    batch.close()
    await (await producer.send_batch(batch, topic, partition=0))
    await producer.stop()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_record_the_client_library_cannot_read_stops_nobody(
    customer: Customer, settings: IngestSettings
) -> None:
    batches = [customer.batch(ADA) for _ in range(12)]
    await customer.publish(batches[0])
    for round_ in range(1, 3):
        # The library without its extension, because that one checks more before it sends.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            BAD_HEADER_NAME,
            customer.kafka_address,
            customer.topic,
            env=os.environ | {"AIOKAFKA_NO_EXTENSIONS": "1"},
        )
        assert await process.wait() == 0
        await customer.publish(batches[round_])
    for number, batch in enumerate(batches[3:]):
        await customer.publish(batch, partition=number % 8)
    async with running(settings):
        for batch in batches:
            await customer.done(batch["batch_id"])
        letters = await customer.dead_letters(6)
    told = [(letter.value, dict(letter.headers)["dialstream-origin-offset"]) for letter in letters]
    # What follows the bad record in its record batch cannot be read either.
    assert told == [(b"before", b"1"), (b"", b"2"), (b"", b"3"), (b"before", b"5"), (b"", b"6"), (b"", b"7")]


def _counted() -> float:
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        if metric.name == "dialstream_dead_letters"
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["topic"] == "contact.batches"
    )


@pytest.mark.usefixtures("ingest")
async def test_another_organizations_campaign_is_unknown(
    customer: Customer, kafka_address: str, topic_prefix: str
) -> None:
    async with new_customer(customer.store, kafka_address, topic_prefix) as other:
        batch = customer.batch(ADA, campaign=other.campaign_id)
        await customer.publish(batch)
        assert (await customer.result(batch["batch_id"])).status == BatchStatus.REFUSED
        with pytest.raises(NotFound):
            await get_ingest_batch(customer.store, other.organization_id, batch["batch_id"])
        assert await other.contacts() == 0


async def _replay(settings: KafkaSettings, limit: int | None = None) -> tuple[int, int]:
    result = await run_replay(settings, "contact.batches", limit)
    return result.put_back, result.left_out


@pytest.mark.usefixtures("ingest")
async def test_dead_letters_are_put_back_once_their_cause_is_mended(
    customer: Customer, settings: IngestSettings
) -> None:
    batches = [customer.batch(ADA, campaign="autumn") for _ in range(3)]
    for batch in batches:
        await customer.publish(batch, partition=3)
        assert (await customer.result(batch["batch_id"])).status == BatchStatus.REFUSED
    await customer.publish_bytes(b"garbage", [("trace", b"1")], partition=3)
    await customer.dead_letters(4)
    configuration = await customer.store["configurations"].find_one({"organization_id": customer.organization_id})
    assert configuration is not None
    autumn = NewCampaign("autumn", configuration["_id"], "autumn", 1, None, None, None)
    await create_campaign(customer.store, customer.organization_id, autumn, utc_now())

    kafka = KafkaSettings(kafka=settings.kafka, topic_prefix=settings.topic_prefix)
    assert await _replay(kafka, limit=1) == (1, 0)
    assert (await customer.done(batches[0]["batch_id"])).inserted == 1
    assert (await customer.result(batches[1]["batch_id"])).status == BatchStatus.REFUSED
    assert await _replay(kafka) == (3, 0)
    for batch in batches[1:]:
        assert (await customer.done(batch["batch_id"])).updated == 1

    # The garbage has died again, with its old headers and a count of its lives.
    again = (await customer.dead_letters(5))[4]
    told = dict(again.headers)
    assert (again.key, again.value) == (b"a key", b"garbage")
    assert (told["trace"], told["dialstream-replays"], told["dialstream-origin-partition"]) == (b"1", b"1", b"3")
    assert [name for name, _ in again.headers].count("dialstream-error-class") == 1


async def test_a_strangers_record_among_the_dead_letters_is_left_out(
    customer: Customer, settings: IngestSettings
) -> None:
    await customer.producer.send_and_wait(f"{customer.topic}.dlq", b"who am I")
    kafka = KafkaSettings(kafka=settings.kafka, topic_prefix=settings.topic_prefix)
    assert await _replay(kafka) == (0, 1)
    assert await _replay(kafka) == (0, 0)
