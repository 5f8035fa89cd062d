"""No organization starves: a large one leaves room for small ones that come later (I12)."""

from shared.store.client import Store
from shared.telephony.scripts import ScriptedCall, always
from tests.engine import Engine, running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_contacts, add_organization

LARGE = 4000
SMALL = 20
GLOBAL_LIMIT = 40


def first_calls(engine: Engine) -> dict[str, int]:
    """Each organization's first call: its place among all calls."""
    calls = [call for carrier in engine.carriers for call in carrier.placements]
    return {call.organization_id: n for n, call in reversed(list(enumerate(calls)))}


async def test_small_organizations_are_dialed_while_a_large_one_has_thousands_waiting(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    large = await add_organization(store, concurrency_limit=1000)
    await add_contacts(store, large, await add_campaign(store, large), LARGE)
    script = always(ScriptedCall(talk_seconds=0.1))
    async with running_engine(store, kafka_address, topic_prefix, script=script) as engine:
        await engine.start_executor(calls_per_second=1000)
        await engine.start_scheduler(global_concurrency_limit=GLOBAL_LIMIT)
        await eventually(lambda: engine.carriers[0].placed > 3 * GLOBAL_LIMIT, timeout=30)
        before = engine.carriers[0].placed
        small = [await add_organization(store, concurrency_limit=10) for _ in range(SMALL)]
        for organization in small:
            await add_contacts(store, organization, await add_campaign(store, organization), 3)
            # As whoever adds contacts does, so that the scheduler looks.
            await store["organizations"].update_one(
                {"_id": organization["_id"]}, {"$currentDate": {"changed_at": True}}
            )

        def all_were_called() -> bool:
            assert not engine.failures()
            return all(organization["_id"] in first_calls(engine) for organization in small)

        await eventually(all_were_called, timeout=60)
        order = first_calls(engine)
        latest = max(order[organization["_id"]] for organization in small)
        assert latest < LARGE, f"the last small organization waited for call {latest}, from {before} on"
        assert await store["contacts"].count_documents({"organization_id": large["_id"], "status": "pending"}) > 0
        assert engine.carriers[0].peak_live <= GLOBAL_LIMIT
