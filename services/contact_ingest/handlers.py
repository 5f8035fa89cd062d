"""What contact-ingest does with a message: store its rows, or set it aside; never lose it, never stop.

Offsets are committed only when the work is in MongoDB, so a message may come twice; its batch id makes
the second time a no-op.
"""

import asyncio
import functools
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from services.contact_ingest.credential import prove_organization
from services.contact_ingest.refusals import BatchIdReused, CampaignNotUsable, UnreadableBatch, sentence_for
from services.contact_ingest.rows import read_message, read_rows
from shared.bus.dead_letters import KafkaRecord
from shared.bus.messages import set_aside, value_of
from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.domain.contact_input import PreparedContacts
from shared.domain.ids import DEFAULT_CAMPAIGN, default_campaign_id
from shared.domain.upload import UpsertResult
from shared.errors import Conflict, NotFound, PermanentError, TemporaryError, WrongState
from shared.events import ContactBatch, ContactsAdded
from shared.logs import get_logger
from shared.metrics import INGESTED
from shared.store.catalog.campaigns import get_campaign
from shared.store.catalog.configurations import get_configuration
from shared.store.catalog.organizations import Organization
from shared.store.client import Store
from shared.store.contacts.ingest_batches import BatchRow, IngestBatch, refuse_ingest_batch
from shared.store.contacts.upsert import upsert_contacts
from shared.topics import CONTACT_BATCHES

FIRST_WAIT_SECONDS: Final = 0.1
LONGEST_WAIT_SECONDS: Final = 5.0
# An error nobody expected is tried so often before the message counts as the cause.
SURPRISES: Final = 3
HINT_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Target:
    """The campaign a batch is for: as stored, as the API names it, and how its numbers are read."""

    campaign_id: str
    shown_as: str
    default_country_code: str | None
    strict_e164: bool


@dataclass(slots=True)
class Ingest:
    """The consumer's handler. `source` names the counter document that this process adds to."""

    store: Store
    producer: Producer
    source: str
    _hints: set[asyncio.Task[None]] = field(default_factory=set)

    async def on_records(self, records: Iterable[KafkaRecord]) -> None:
        """Work through what one read brought, each partition in order, the partitions side by side.

        When this returns, the effect of every record is in MongoDB or in the dead-letter topic. It waits
        as long as one of them is away.
        """
        partitions: defaultdict[int, list[KafkaRecord]] = defaultdict(list)
        for record in records:
            partitions[record.partition].append(record)
        async with asyncio.TaskGroup() as tasks:
            for in_order in partitions.values():
                tasks.create_task(self._on_partition(in_order))

    async def _on_partition(self, records: list[KafkaRecord]) -> None:
        for record in records:
            try:
                await self._surely(functools.partial(self._store_batch, record))
            except Exception as error:  # noqa: BLE001 - whatever it is, it must neither stop the others nor be lost
                await set_aside(self.producer, CONTACT_BATCHES, record, error)

    async def _surely(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work, again and again while a server is away."""
        wait = FIRST_WAIT_SECONDS
        surprises = 0
        while True:
            try:
                return await work()
            except PermanentError:
                raise
            except TemporaryError as error:
                get_logger().warning("waiting", reason=str(error), seconds=wait)
            except Exception as error:  # tried again, then handed to the caller
                surprises += 1
                get_logger().error("an error nobody expected", error=type(error).__name__, exc_info=error)
                if surprises == SURPRISES:
                    raise
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    async def _store_batch(self, record: KafkaRecord) -> None:
        value = value_of(record, UnreadableBatch)
        batch, digest = await asyncio.to_thread(read_message, value)
        organization = await prove_organization(self.store, batch, value=value, headers=record.headers, now=utc_now())
        campaign = batch.campaign
        try:
            target = await self._target(batch, organization)
            campaign = target.shown_as
            prepared = await asyncio.to_thread(
                read_rows,
                batch.contacts,
                default_country_code=target.default_country_code,
                strict_e164=target.strict_e164,
                refused_types=organization.refused_number_types,
            )
            result = await self._upsert(batch, digest, organization, target, prepared)
        except (NotFound, WrongState) as error:
            reason = sentence_for(error)
            if await self._refuse(batch, digest, campaign, organization, reason):
                raise CampaignNotUsable(reason) from error
            # Its campaign has gone since it was stored.
            _count_repeated()
            return
        except Conflict as error:
            raise BatchIdReused(sentence_for(error)) from error
        _count(result)
        if result.inserted or result.updated:
            self._hint(
                ContactsAdded(organization_id=organization.id, shard=organization.shard, campaign_id=target.campaign_id)
            )

    async def _target(self, batch: ContactBatch, organization: Organization) -> Target:
        if batch.campaign == DEFAULT_CAMPAIGN:
            return Target(default_campaign_id(organization.id), DEFAULT_CAMPAIGN, None, strict_e164=True)
        campaign = await get_campaign(self.store, organization.id, batch.campaign)
        configuration = await get_configuration(self.store, organization.id, campaign.configuration_id)
        country_code: str | None = configuration.values["default_country_code"]
        return Target(campaign.id, campaign.id, country_code, strict_e164=False)

    async def _upsert(
        self,
        batch: ContactBatch,
        digest: str,
        organization: Organization,
        target: Target,
        prepared: PreparedContacts,
    ) -> UpsertResult:
        now = utc_now()
        return await upsert_contacts(
            self.store,
            organization_id=organization.id,
            shard=organization.shard,
            campaign_id=target.campaign_id,
            rows=prepared.rows,
            warnings=prepared.warnings,
            source=self.source,
            now=now,
            batch=IngestBatch(
                batch_id=batch.batch_id,
                campaign_id=target.shown_as,
                received=len(batch.contacts),
                failed=tuple(BatchRow.of_problem(problem) for problem in prepared.problems),
                created_at=now,
                digest=digest,
            ),
        )

    async def _refuse(
        self, batch: ContactBatch, digest: str, campaign: str, organization: Organization, reason: str
    ) -> bool:
        now = utc_now()
        refused = IngestBatch(batch.batch_id, campaign, len(batch.contacts), (), now, digest)
        try:
            return await refuse_ingest_batch(self.store, organization.id, refused, reason=reason, now=now)
        except Conflict as error:
            raise BatchIdReused(sentence_for(error)) from error

    def _hint(self, event: ContactsAdded) -> None:
        # In the background: the schedulers find the contacts without it, only later.
        task = asyncio.create_task(self._publish_hint(event))
        self._hints.add(task)
        task.add_done_callback(self._hints.discard)

    async def _publish_hint(self, event: ContactsAdded) -> None:
        await self.producer.publish_events([event], timeout_seconds=HINT_SECONDS)


def _count(result: UpsertResult) -> None:
    if result.repeated:
        _count_repeated()
        return
    INGESTED.labels(result="inserted").inc(result.inserted)
    INGESTED.labels(result="updated").inc(result.updated)
    INGESTED.labels(result="failed").inc(len(result.failed))


def _count_repeated() -> None:
    INGESTED.labels(result="repeated_batch").inc()
