from collections import Counter
from pathlib import Path

from deploy.demo.dial import new_campaign
from deploy.local.lineup import Counts
from deploy.local.servers import Addresses
from shared.clock import utc_now
from tests.e2e.system import system_on
from tests.e2e.test_one_contact import EVERYBODY_ANSWERS
from tests.eventually import eventually

CONTACTS = 150
LIMIT = 20


async def test_a_campaign_survives_kill_9_of_executor_and_scheduler_and_calls_nobody_twice(
    servers: Addresses, tmp_path: Path
) -> None:
    async with system_on(servers, tmp_path, Counts(executors=2), settings=EVERYBODY_ANSWERS) as system:
        await system.start()
        customer = await system.new_customer()
        campaign = await new_campaign(customer.api, utc_now())
        await customer.api.put("/campaign/concurrency-settings", {"concurrency_limit": LIMIT})
        contacts = [{"external_id": f"lead-{n}", "phone_numbers": [f"+44207946{n:04}"]} for n in range(CONTACTS)]
        await customer.api.post(f"/campaign/campaigns/{campaign}/contacts", {"contacts": contacts})

        async def placed(at_least: int) -> bool:
            return int((await system.carrier_summary())["placed"]) >= at_least

        await eventually(lambda: placed(30), timeout=30, saying="30 calls")
        await system.kill("executor-0")
        await eventually(lambda: placed(60), timeout=30, saying="60 calls by the other executor")
        await system.kill("scheduler-0")
        await system.start("scheduler-0", "executor-0")

        async def ended() -> bool:
            system.check()
            return bool((await customer.statistics(campaign))["contacts"]["completed"] == CONTACTS)

        await eventually(ended, timeout=60, every=0.2, saying="every contact completed")
        summary = await system.carrier_summary()
        calls = Counter(entry["to"] for entry in await system.carrier_record() if entry["event"] == "placed")
        assert calls == {contact["phone_numbers"][0]: 1 for contact in contacts}
        assert summary["attempts_placed_twice"] == 0
        assert 0 < summary["peak_live_by_organization"][customer.organization_id] <= LIMIT
        assert (await customer.api.get("/campaign/concurrency-settings"))["active_calls"] == 0
