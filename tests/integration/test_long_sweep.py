"""Closing a large campaign takes long; the shard's other work goes on meanwhile."""

from datetime import timedelta

from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.events import CallFinished
from shared.store.client import Store
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_contacts, add_organization, new_id

WAITING = 10_000


async def test_a_call_ends_while_a_closed_campaign_is_swept(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    now = utc_now()
    organization = await add_organization(store)
    closed = await add_campaign(store, organization, intent="cancelled")
    await add_contacts(store, organization, closed, WAITING)
    campaign = await add_campaign(store, organization)
    numbers = {"phone": "+14152000000", "caller_number": "+14155550100", "exclusive": False, "agent_id": "agent-1"}
    lock = {"claim": new_id(), "attempt": new_id(), "attempt_number": 1, "expires_at": now, **numbers}
    start = {"nonce": new_id(), "executor": "gone", "mode": "callback", "at": now}
    start["hold_until"] = now + timedelta(hours=1)
    [called] = await add_contacts(store, organization, campaign, 1, status="in_progress", lock=lock, start=start)
    ending = CallFinished(
        organization_id=organization["_id"],
        shard=organization["shard"],
        attempt_id=lock["attempt"],
        contact_id=called["_id"],
        outcome=Outcome.ANSWERED,
        ended_at=now,
    )
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        assert await (await engine.producer()).publish_events([ending]) == []
        await engine.start_scheduler()

        async def completed() -> bool:
            return await store["contacts"].count_documents({"_id": called["_id"], "status": "completed"}) == 1

        await eventually(completed, timeout=60)
        waiting = {"campaign_id": closed["_id"], "status": "pending"}
        assert await store["contacts"].count_documents(waiting) > 0, "the call had to wait for the sweep"

        async def swept() -> bool:
            return await store["contacts"].count_documents(waiting) == 0

        await eventually(swept, timeout=60)
