"""Contact batches: as messages for contact-ingest, and as documents made ready for a bare insert."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.clock import utc_now
from shared.store.catalog.keys import KeyKind, Scope, create_key
from shared.store.client import Document, Store
from shared.topics import CONTACT_BATCHES, partition_for
from tests.bench.stage import Stage
from tests.factories import contact_document

ROWS = 1000
# The first number of each country's, and its zone; the next ten million are numbers as well.
_COUNTRIES = (
    (1_415_2000000, "America/Los_Angeles"),
    (44_207_0000000, "Europe/London"),
    (49_30_0000000, "Europe/Berlin"),
    (33_14_0000000, "Europe/Paris"),
    (34_91_0000000, "Europe/Madrid"),
    (39_06_0000000, "Europe/Rome"),
    (61_29_0000000, "Australia/Sydney"),
    (91_981_0000000, "Asia/Kolkata"),
    (81_33_0000000, "Asia/Tokyo"),
    (55_1198_0000000, "America/Sao_Paulo"),
)
_NOTES = "Asked for an offer in spring, and to be called after work. " * 4


@dataclass(frozen=True, slots=True)
class Order:
    """An organization with its key and the campaigns that the batches go to in turn.

    `mixed`: contacts of ten countries and zones, with 300 bytes of data.
    """

    organization: Document
    campaigns: list[Document]
    credential: str
    batches: int
    mixed: bool = False


async def new_credential(store: Store, organization: Document) -> str:
    """An organization key that may add contacts."""
    _, credential = await create_key(
        store,
        kind=KeyKind.ORGANIZATION,
        name="bench",
        person=None,
        organization_ids=[organization["_id"]],
        scopes=[Scope.CAMPAIGNS_MANAGE],
        expires_at=None,
        now=utc_now(),
    )
    return credential


def target(order: Order, number: int) -> Document:
    """The campaign that this batch goes to."""
    return order.campaigns[number % len(order.campaigns)]


def row_of(number: int, row: int, *, mixed: bool = False) -> Document:
    """A row of this batch, as its customer sends it."""
    place = (number + 1) * ROWS + row
    if mixed:
        first, zone = _COUNTRIES[place % len(_COUNTRIES)]
        return {
            "external_id": f"crm-{place}",
            "phone_numbers": [f"+{first + place}"],
            "timezone": zone,
            "data": {"first_name": "Anna", "last_name": f"Lee {place}", "notes": _NOTES},
        }
    return {
        "external_id": f"crm-{place}",
        "phone_numbers": [f"+1415{2000000 + place:07d}"],
        "timezone": "America/New_York",
        "data": {"first_name": "Anna", "last_name": f"Lee {place}", "plan": "gold", "balance": 12.5},
    }


def message(order: Order, number: int) -> tuple[bytes, bytes]:
    """Key and value of this batch; -1 is one before the first, for the warm-up."""
    campaign = target(order, max(number, 0))
    batch = {
        "schema_version": 1,
        "batch_id": f"batch {number}",
        "organization_id": order.organization["_id"],
        "credential": order.credential,
        "campaign": campaign["_id"],
        "contacts": [row_of(number, row, mixed=order.mixed) for row in range(ROWS)],
    }
    return f"{order.organization['_id']}/{campaign['_id']}".encode(), json.dumps(batch).encode()


def stored(order: Order, number: int, row: int) -> Document:
    """One row of this batch as contact-ingest stores it."""
    campaign, fields = target(order, number), row_of(number, row, mixed=order.mixed)
    contact_id = str(uuid.uuid5(uuid.UUID(campaign["_id"]), fields["external_id"]))
    return contact_document(order.organization, campaign, row, _id=contact_id, **fields)


async def send(producer: AIOKafkaProducer, stage: Stage, key: bytes, value: bytes) -> None:
    """Publish one message and wait until it is acknowledged."""
    topic = stage.kafka_settings.topic_prefix + CONTACT_BATCHES.name
    await producer.send_and_wait(topic, value, key=key, partition=partition_for(CONTACT_BATCHES, key))


async def insert_batch(store: Store, campaign: Document, documents: Sequence[Document]) -> None:
    """Bare: these documents in one transaction, with their counter and a result."""

    async def work(session: AsyncClientSession) -> None:
        await store["contacts"].insert_many(documents, session=session)
        await store["ingest_batches"].insert_one({"_id": str(uuid.uuid4()), "inserted": ROWS}, session=session)
        await store["counters_in"].update_one(
            {"_id": f"{campaign['_id']}/bare"},
            {"$inc": {"added": ROWS}, "$addToSet": {"zones": None}, "$set": {"campaign_id": campaign["_id"]}},
            upsert=True,
            session=session,
        )

    await store.in_transaction(work)
