"""The calls of the last minute, as the loop of a shard writes them into the counters."""

from shared.clock import utc_now
from shared.domain.counts import MINUTE, CampaignCounts
from shared.domain.refusal import Refusal, RefusalSubject
from shared.store.client import Store
from shared.store.reports.counters import campaign_counts
from shared.telephony.scripts import Placement, ScriptedCall, always
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_contacts, add_organization

NO_MORE = Refusal(subject=RefusalSubject.ACCOUNT, code=20003, message="no more")
REFUSED = ScriptedCall(placement=Placement.DENIED, refusal=NO_MORE)


async def test_calls_of_the_last_minute_are_in_the_counters_a_second_later(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    organization = await add_organization(store, concurrency_limit=10)
    campaign = await add_campaign(store, organization)
    await add_contacts(store, organization, campaign, 30)
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        await engine.start_executor(calls_per_second=1000)
        await engine.start_scheduler()

        async def told() -> CampaignCounts | None:
            assert not engine.failures()
            counts = await campaign_counts(store, campaign["_id"])
            return counts if counts.minute is not None and counts.minute.ended == 30 else None

        counts = await eventually(told, timeout=30)
    assert counts is not None
    minute = counts.last_minute(utc_now())
    assert (minute.claimed, minute.ended) == (30, 30)
    assert (counts.called, counts.answered, counts.outcomes, counts.calls_of_run(1)) == (30, 30, {"answered": 30}, 30)
    assert counts.last_minute(minute.at + MINUTE).ended == 0


async def test_a_call_that_came_back_was_not_made(store: Store, kafka_address: str, topic_prefix: str) -> None:
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    await add_contacts(store, organization, campaign, 1)
    async with running_engine(store, kafka_address, topic_prefix, script=always(REFUSED)) as engine:
        await engine.start_executor()
        await engine.start_scheduler()

        async def given_back() -> CampaignCounts | None:
            assert not engine.failures()
            counts = await campaign_counts(store, campaign["_id"])
            refused = await store["budgets"].find_one({"refusals": {"$exists": True}})
            return counts if refused is not None and counts.active == 0 and counts.minute is not None else None

        counts = await eventually(given_back, timeout=30)
    assert counts is not None
    assert (counts.called, counts.attempts, counts.calls_of_run(1)) == (0, 0, 0)
