"""What a pause cannot stop, pinned to its exact extent (docs/reliability.md, "What cannot be had").

A call that has passed the gate is placed, however long its process stands still before the request goes out: no other
is, its slot stays held until it has ended, and it is recorded like any other.
"""

from shared.clock import utc_now
from shared.domain.campaign import CampaignMove
from shared.domain.ids import organization_budget
from shared.store.catalog.campaigns import move_campaign
from shared.store.client import Store
from shared.telephony.provider import PlaceCall
from shared.telephony.scripts import ScriptedCall
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_contacts, add_organization

LIMIT = 3
# The stretch between the last check and the write to the carrier's socket: within PLACE, far beyond GATE.
STANDS_STILL_SECONDS = 2.0


async def test_calls_past_the_gate_when_a_pause_is_acknowledged_are_placed_once_and_no_others(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    organization = await add_organization(store, concurrency_limit=LIMIT)
    campaign = await add_campaign(store, organization)
    await add_contacts(store, organization, campaign, 4 * LIMIT)
    past_the_gate: list[str] = []

    def script(call: PlaceCall) -> ScriptedCall:
        past_the_gate.append(call.attempt_id)
        return ScriptedCall(latency_seconds=STANDS_STILL_SECONDS)

    async def held() -> int:
        budget = await store["budgets"].find_one({"_id": organization_budget(organization["_id"])})
        return int(budget["held"]) if budget else 0

    async with running_engine(store, kafka_address, topic_prefix, script=script) as engine:
        await engine.start_executor()
        await engine.start_scheduler()
        await eventually(lambda: len(past_the_gate) == LIMIT, timeout=30)
        carrier = engine.carriers[0]
        await move_campaign(store, organization["_id"], campaign["_id"], CampaignMove.PAUSE, utc_now())
        assert carrier.placed == 0
        assert await held() == LIMIT

        async def all_over() -> bool:
            assert not engine.failures()
            recorded = await store["attempts"].count_documents({"outcome": "answered"})
            return recorded == LIMIT and await held() == 0

        await eventually(all_over, timeout=30)
        placed = [call.attempt_id for call in carrier.placements]
    assert sorted(placed) == sorted(past_the_gate)
    assert len(set(placed)) == LIMIT
    assert carrier.peak_live <= LIMIT
    assert await store["contacts"].count_documents({"status": "pending"}) == 3 * LIMIT
