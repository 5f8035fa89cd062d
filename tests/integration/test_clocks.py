"""Clocks of machines that disagree a little."""

from datetime import timedelta

from shared.clock import utc_now
from shared.events import DialJob
from shared.store.client import Store
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_contacts, add_organization, new_id, open_limits


async def test_an_executor_whose_clock_is_ahead_still_starts_what_is_claimed(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    now = utc_now()
    organization = await add_organization(store)
    await open_limits(store, organization["shard"], 10)
    campaign = await add_campaign(store, organization)
    lock = {
        "claim": new_id(),
        "attempt": new_id(),
        "attempt_number": 1,
        "phone": "+14152000000",
        "caller_number": "+14155550100",
        "exclusive": False,
        "agent_id": "agent-1",
        "agent_version": None,
        "expires_at": now + timedelta(seconds=30),
    }
    [contact] = await add_contacts(store, organization, campaign, 1, status="locked", lock=lock)
    job = DialJob(
        attempt_id=lock["attempt"],
        claim_id=lock["claim"],
        organization_id=organization["_id"],
        shard=organization["shard"],
        campaign_id=campaign["_id"],
        contact_id=contact["_id"],
        # What an executor sees whose clock is 20 s ahead of the scheduler's.
        not_after=now - timedelta(seconds=20),
    )
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        await engine.start_executor()
        assert await (await engine.producer()).publish_jobs([job]) == []
        await eventually(lambda: engine.carriers[0].placed == 1, timeout=20)
