"""The engine end to end inside one process: contacts in MongoDB become calls at a scripted carrier."""

from datetime import timedelta
from typing import Any

from deploy.local.home import free_port
from shared.clock import utc_now
from shared.domain.ids import organization_budget
from shared.domain.outcome import Outcome
from shared.store.client import Store
from shared.telephony.scripts import ScriptedCall, always
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_configuration, add_contacts, add_organization


async def count(store: Store, **query: object) -> int:
    return await store["contacts"].count_documents(query)


async def test_every_contact_is_called_once_and_completed(store: Store, kafka_address: str, topic_prefix: str) -> None:
    organization = await add_organization(store, concurrency_limit=25)
    campaign = await add_campaign(store, organization)
    await add_contacts(store, organization, campaign, 200)
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        executor = await engine.start_executor(calls_per_second=1000)
        await engine.start_scheduler()

        async def all_completed() -> bool:
            assert not engine.failures()
            return await count(store, status="completed") == 200

        await eventually(all_completed, timeout=30)
        carrier = engine.carriers[0]
        assert executor.provider is carrier
        assert carrier.placed == 200
        assert len({call.contact_id for call in carrier.placements}) == 200
        assert carrier.peak_live <= 25
    assert await store["attempts"].count_documents({"outcome": "answered"}) == 200
    budget = await store["budgets"].find_one({"_id": organization_budget(organization["_id"])})
    assert budget is not None
    assert budget["held"] == 0


async def test_of_several_bootstrap_servers_one_may_be_away(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    organization = await add_organization(store)
    await add_contacts(store, organization, await add_campaign(store, organization), 3)
    async with running_engine(store, f"127.0.0.1:{free_port()}, {kafka_address}", topic_prefix) as engine:
        await engine.start_executor()
        await engine.start_scheduler()

        async def all_completed() -> bool:
            assert not engine.failures()
            return await count(store, status="completed") == 3

        await eventually(all_completed, timeout=30)


async def test_busy_contacts_are_called_again_until_their_attempts_are_used_up(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    organization = await add_organization(store)
    rules = {"busy": {"retry": True, "max_attempts": 2, "delay_seconds": 0}}
    configuration = await add_configuration(store, organization, retry_rules=rules)
    campaign = await add_campaign(store, organization, configuration)
    await add_contacts(store, organization, campaign, 10)
    script = always(ScriptedCall(outcome=Outcome.BUSY))
    async with running_engine(store, kafka_address, topic_prefix, script=script) as engine:
        await engine.start_executor()
        await engine.start_scheduler()

        async def all_exhausted() -> bool:
            assert not engine.failures()
            return await count(store, status="exhausted") == 10

        await eventually(all_exhausted, timeout=30)
        assert engine.carriers[0].placed == 20


async def test_a_scheduled_campaign_starts_by_itself_at_its_time(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    organization = await add_organization(store)
    start_at = utc_now() + timedelta(seconds=6)
    course: dict[str, Any] = {"intent": "scheduled", "start_at": start_at, "run": None}
    campaign = await add_campaign(store, organization, **course)
    await add_contacts(store, organization, campaign, 3)
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        await engine.start_executor()
        await engine.start_scheduler()

        async def all_completed() -> bool:
            assert not engine.failures()
            return await count(store, status="completed") == 3

        await eventually(all_completed, timeout=30)
    attempts = await store["attempts"].find().to_list()
    assert min(attempt["started_at"] for attempt in attempts) >= start_at
    opened = await store["campaigns"].find_one({"_id": campaign["_id"]})
    assert opened is not None
    assert (opened["run"]["state"], opened["run"]["generation"]) == ("opened", 1)
    assert start_at <= opened["started_at"] < start_at + timedelta(seconds=5)
