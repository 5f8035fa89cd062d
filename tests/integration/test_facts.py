"""Facts end to end: what calls, contacts and campaigns are told as on `org.facts`, by a whole engine."""

from collections import defaultdict
from collections.abc import Sequence

import pytest
from aiokafka import AIOKafkaConsumer

from services.scheduler.shards.relay import Relay
from shared.clock import utc_now
from shared.domain.campaign import CampaignMove
from shared.domain.facts import FactType
from shared.domain.outcome import Outcome
from shared.events import ORG_FACT, OrgFact
from shared.store.catalog.campaigns import move_campaign
from shared.store.client import Store
from shared.telephony.scripts import ScriptedCall, always
from shared.topics import ORG_FACTS
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_configuration, add_contacts, add_organization

PLACED, ANSWERED, ENDED = FactType.CALL_PLACED, FactType.CALL_ANSWERED, FactType.CALL_ENDED
DONE = FactType.CONTACT_COMPLETED


class Reader:
    """A reader of the topic that ignores what it has handled."""

    def __init__(self, kafka: str, topic_prefix: str) -> None:
        name = topic_prefix + ORG_FACTS.name
        self._consumer = AIOKafkaConsumer(name, bootstrap_servers=kafka, auto_offset_reset="earliest")
        self.facts: list[OrgFact] = []
        self._highest: dict[int, int] = defaultdict(int)

    async def __aenter__(self) -> "Reader":
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def read(self) -> None:
        """Take what there is."""
        for partition, records in (await self._consumer.getmany(timeout_ms=200)).items():
            for fact in (ORG_FACT.validate_json(record.value or b"") for record in records):
                assert fact.shard == partition.partition
                if fact.n > self._highest[fact.shard]:
                    assert fact.n == self._highest[fact.shard] + 1
                    self._highest[fact.shard] = fact.n
                    self.facts.append(fact)

    def of(self, contact_id: str | None = None) -> Sequence[FactType]:
        """The types of a contact's facts, or of those of no contact, in order."""
        return [fact.type for fact in self.facts if fact.contact_id == contact_id]


async def test_calls_contacts_and_campaigns_are_told_of_in_order(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    organization = await add_organization(store, fact_types=list(FactType))
    deaf = await add_organization(store, fact_types=[FactType.CAMPAIGN_PAUSED])
    campaign = await add_campaign(store, organization, auto_complete=True, external_id="spring")
    contacts = await add_contacts(store, organization, campaign, 5)
    await add_contacts(store, deaf, await add_campaign(store, deaf), 2)
    async with (
        running_engine(store, kafka_address, topic_prefix) as engine,
        Reader(kafka_address, topic_prefix) as reader,
    ):
        await engine.start_executor()
        await engine.start_scheduler()

        async def completed() -> bool:
            assert not engine.failures()
            await reader.read()
            return FactType.CAMPAIGN_COMPLETED in reader.of()

        await eventually(completed, timeout=30)
        assert reader.of() == [FactType.CAMPAIGN_STARTED, FactType.CAMPAIGN_COMPLETED]
        for contact in contacts:
            assert reader.of(contact["_id"]) == [PLACED, ANSWERED, ENDED, DONE]
        assert {fact.organization_id for fact in reader.facts} == {organization["_id"]}
        ended = next(fact for fact in reader.facts if fact.type is ENDED)
        attempt = await store["attempts"].find_one({"_id": ended.attempt_id})
        assert attempt is not None
        assert ended.facts["outcome"] == "answered"
        assert ended.facts["phone_number"] == attempt["phone_number"]
        assert ended.facts["conversation_id"] == attempt["conversation_id"]
        done = next(fact for fact in reader.facts if fact.type is DONE)
        assert done.facts == {
            "status": "completed",
            "reason": "answered",
            "outcome": "answered",
            "attempts_made": 1,
            "called_again": False,
        }
        [_, told] = [fact for fact in reader.facts if fact.contact_id is None]
        assert told.campaign_id == campaign["_id"]
        assert told.facts == {"name": "Spring", "external_id": "spring", "generation": 1, "state": "completed"}


async def test_a_relay_that_fails_for_no_reason_of_the_servers_ends_the_scheduler_for_another_to_take_over(
    store: Store, kafka_address: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> bool:
        raise LookupError("a bug")

    monkeypatch.setattr(Relay, "relay_batch", fails)
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        await engine.start_scheduler()
        with pytest.raises(ExceptionGroup) as failed:
            await engine.ended("scheduler-0")
        assert failed.group_contains(LookupError)


async def test_a_retry_is_told_as_a_callback_and_what_the_api_does_as_well(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    organization = await add_organization(store, fact_types=list(FactType))
    rules = {"busy": {"retry": True, "max_attempts": 2, "delay_seconds": 0}}
    configuration = await add_configuration(store, organization, retry_rules=rules)
    campaign = await add_campaign(store, organization, configuration)
    [contact] = await add_contacts(store, organization, campaign, 1)
    script = always(ScriptedCall(outcome=Outcome.BUSY))
    async with (
        running_engine(store, kafka_address, topic_prefix, script=script) as engine,
        Reader(kafka_address, topic_prefix) as reader,
    ):
        await engine.start_executor()
        await engine.start_scheduler()

        async def exhausted() -> bool:
            assert not engine.failures()
            await reader.read()
            return reader.of(contact["_id"]).count(DONE) == 2

        await eventually(exhausted, timeout=30)
        await move_campaign(store, organization["_id"], campaign["_id"], CampaignMove.PAUSE, utc_now())

        async def paused() -> bool:
            await reader.read()
            return reader.of() == [FactType.CAMPAIGN_STARTED, FactType.CAMPAIGN_PAUSED]

        await eventually(paused, timeout=10)
    scheduled, called_back = FactType.CALLBACK_SCHEDULED, FactType.CALLBACK_DONE
    assert [kind for kind in reader.of(contact["_id"]) if kind not in (PLACED, ANSWERED)] == [
        *(ENDED, DONE, scheduled),
        *(ENDED, DONE, called_back),
    ]
    first, last = (fact.facts for fact in reader.facts if fact.type is DONE)
    assert (first["called_again"], first["status"], "next_attempt_at" in first) == (True, "pending", True)
    assert (last["called_again"], last["status"], last["reason"]) == (False, "exhausted", "busy")
    [one] = [fact for fact in reader.facts if fact.type is scheduled]
    [other] = [fact for fact in reader.facts if fact.type is called_back]
    assert one.callback_id == other.callback_id == f"{contact['_id']}-1"
    assert (one.facts["type"], other.facts["outcome"]) == ("retry", "busy")
