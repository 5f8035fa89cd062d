"""A customer of contact-ingest: an organization with a key and a campaign, who publishes batches."""

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from shared.clock import utc_now
from shared.domain.configuration import Configuration
from shared.errors import NotFound
from shared.store.catalog.campaigns import NewCampaign, create_campaign
from shared.store.catalog.configurations import FIELDS, create_configuration
from shared.store.catalog.keys import KeyKind, Scope, create_key, digest_of
from shared.store.catalog.organizations import create_organization
from shared.store.catalog.signatures import signature_of
from shared.store.client import Store
from shared.store.contacts.ingest_batches import BatchResult, BatchStatus, get_ingest_batch
from tests.eventually import eventually
from tests.factories import ALWAYS_OPEN

Headers = Sequence[tuple[str, bytes]]


@dataclass
class Customer:
    """One organization and the Kafka client it publishes with."""

    store: Store
    producer: AIOKafkaProducer
    kafka_address: str
    topic: str
    organization_id: str
    campaign_id: str
    credential: str

    def batch(self, *contacts: Any, batch_id: str | None = None, **fields: Any) -> dict[str, Any]:
        """A valid batch, unless told otherwise."""
        return {
            "schema_version": 1,
            "batch_id": batch_id or str(uuid.uuid4()),
            "organization_id": self.organization_id,
            "credential": self.credential,
            "campaign": self.campaign_id,
            "contacts": list(contacts),
        } | fields

    async def publish(self, batch: dict[str, Any], headers: Headers = (), partition: int = 0) -> str:
        """Publish a batch; its id."""
        await self.publish_bytes(json.dumps(batch).encode(), headers, partition)
        return str(batch["batch_id"])

    async def publish_bytes(self, value: bytes | None, headers: Headers = (), partition: int = 0) -> None:
        """Publish anything at all."""
        await self.producer.send_and_wait(self.topic, value, key=b"a key", partition=partition, headers=list(headers))

    def signed(self, value: bytes) -> Headers:
        """The headers that prove the organization without sending the secret."""
        key_id, _, secret = self.credential.removeprefix("ak_").partition(".")
        signature = signature_of(value, digest_of(secret))
        return [("dialstream-key", key_id.encode()), ("dialstream-signature", signature.encode())]

    async def result(self, batch_id: str, *, timeout: float = 20) -> BatchResult:
        """The batch's result, once it has one."""

        async def look() -> BatchResult | None:
            try:
                return await get_ingest_batch(self.store, self.organization_id, batch_id)
            except NotFound:
                return None

        result = await eventually(look, timeout=timeout, saying=f"the result of {batch_id}")
        assert result is not None
        return result

    async def done(self, batch_id: str, *, timeout: float = 20) -> BatchResult:
        """The batch's result, once it is done."""
        await eventually(lambda: self._is_done(batch_id), timeout=timeout, saying=f"{batch_id}")
        return await self.result(batch_id)

    async def _is_done(self, batch_id: str) -> bool:
        return (await self.result(batch_id)).status == BatchStatus.DONE

    async def contacts(self) -> int:
        """How many contacts the organization has."""
        return await self.store["contacts"].count_documents({"organization_id": self.organization_id})

    async def dead_letters(self, expected: int) -> list[ConsumerRecord[bytes, bytes]]:
        """All dead letters, once there are so many."""
        where = TopicPartition(f"{self.topic}.dlq", 0)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka_address,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=20_000_000,
        )
        await consumer.start()
        try:
            consumer.assign([where])
            letters: list[ConsumerRecord[bytes, bytes]] = []

            async def look() -> bool:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    letters.extend(records)
                return len(letters) >= expected

            await eventually(look, timeout=20, saying=f"{expected} dead letters (there are {len(letters)})")
            return letters
        finally:
            await consumer.stop()


async def new_key(
    store: Store,
    organization_id: str,
    *,
    kind: KeyKind = KeyKind.ORGANIZATION,
    scopes: Sequence[Scope] = (Scope.CAMPAIGNS_MANAGE,),
    expires_at: datetime | None = None,
) -> str:
    """The full text of a new key."""
    _, credential = await create_key(
        store,
        kind=kind,
        name="k",
        person=None,
        organization_ids=[organization_id],
        scopes=scopes,
        expires_at=expires_at,
        now=utc_now(),
    )
    return credential


@asynccontextmanager
async def new_customer(store: Store, kafka_address: str, topic_prefix: str) -> AsyncIterator[Customer]:
    """An organization with an active campaign, numbers read as German ones."""
    organization = await create_organization(store, name="o", default_agent_number="+14155550100", now=utc_now())
    settings = {"default_windows": ALWAYS_OPEN, "agent_id": "agent-1", "default_country_code": "+49"}
    values: dict[str, Any] = dict.fromkeys(FIELDS) | Configuration.from_document(settings).model_dump(mode="json")
    configuration = await create_configuration(store, organization_id=organization.id, values=values, now=utc_now())
    new = NewCampaign("c", configuration.id, "spring", 1, None, None, None)
    campaign = await create_campaign(store, organization.id, new, utc_now())
    producer = AIOKafkaProducer(bootstrap_servers=kafka_address, max_request_size=16_000_000)
    await producer.start()
    try:
        yield Customer(
            store,
            producer,
            kafka_address,
            f"{topic_prefix}contact.batches",
            organization.id,
            campaign.id,
            await new_key(store, organization.id),
        )
    finally:
        await producer.stop()
