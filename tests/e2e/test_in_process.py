"""One campaign, two executors: the carrier holds the calls of one and reports back, the other holds its own calls."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

import pytest

from deploy.demo.dial import new_campaign
from deploy.local.lineup import Counts
from deploy.local.servers import Addresses
from shared.clock import utc_now
from shared.settings import MongoSettings
from shared.store.client import Store, connect
from tests.chaos.record import CarrierCall, calls_of
from tests.e2e.system import System, SystemCustomer, system_on
from tests.e2e.test_one_contact import EVERYBODY_ANSWERS
from tests.eventually import eventually
from tests.integration.protocol.promises import check_at_rest

IN_PROCESS: Final = "executor-1"
INSTEAD: Final = {IN_PROCESS: "tests.chaos.in_process_executor"}
LIMIT: Final = 20
# Calls last long enough to be up when their executor is ended, and end a second before the time limit.
SETTINGS: Final = {
    **EVERYBODY_ANSWERS,
    "DIALSTREAM_SIMULATOR_TALK_MIN_SECONDS": "2",
    "DIALSTREAM_SIMULATOR_TALK_MAX_SECONDS": "3",
    "DIALSTREAM_MAX_CALL_SECONDS": "4",
}


@pytest.fixture(scope="module")
async def system(servers: Addresses, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """Both kinds of executors; every test brings an organization of its own."""
    logs = tmp_path_factory.mktemp("logs")
    async with system_on(servers, logs, Counts(executors=2), settings=SETTINGS, instead=INSTEAD) as system:
        await system.start()
        yield system


class Mixed:
    """A campaign on the system of both kinds of executors."""

    def __init__(self, system: System, store: Store, customer: SystemCustomer, campaign: str) -> None:
        self.system, self.store, self.customer, self.campaign = system, store, customer, campaign
        self.numbers: list[str] = []

    async def add(self, contacts: int) -> None:
        """Load so many more contacts, with numbers of their own."""
        numbers = [f"+44207946{len(self.numbers) + n:04}" for n in range(contacts)]
        rows = [{"external_id": f"lead{number}", "phone_numbers": [number]} for number in numbers]
        await self.customer.api.post(f"/campaign/campaigns/{self.campaign}/contacts", {"contacts": rows})
        self.numbers += numbers

    async def calls(self, *, held: bool) -> list[CarrierCall]:
        """The carrier's record of calls that their executor holds, or of those that the carrier holds."""
        record = await self.system.carrier_record()
        mine = [entry for entry in record if entry["organization_id"] == self.customer.organization_id]
        return calls_of(entry for entry in mine if entry["held"] is held)

    async def held_now(self) -> list[CarrierCall]:
        """Calls that the in-process executor holds, by the carrier's record."""
        return [call for call in await self.calls(held=True) if call.ended_at is None]

    async def some_are_held(self) -> bool:
        """Whether a few of them are up at once."""
        self.system.check("executor-0", "scheduler-0", "campaign-api-0")
        return len(await self.held_now()) >= 3

    async def all_final(self) -> bool:
        """Whether nobody waits or is called any more."""
        contacts = (await self.customer.statistics(self.campaign))["contacts"]
        return bool(contacts["pending"] == contacts["in_progress"] == 0 and contacts["total"] == len(self.numbers))

    async def attempts(self) -> dict[str, dict[str, Any]]:
        """Every attempt of the system's own documents, by id."""
        mine = {"organization_id": self.customer.organization_id}
        return {attempt["_id"]: attempt async for attempt in self.store["attempts"].find(mine)}

    async def judge(self) -> dict[str, dict[str, Any]]:
        """What holds at rest, whatever happened; the attempts."""
        calls = [*await self.calls(held=True), *await self.calls(held=False)]
        attempts = await self.attempts()
        assert max(Counter(call.to for call in calls).values()) == 1, "somebody was called twice"
        assert {call.attempt_id for call in calls} <= attempts.keys()
        assert Counter(attempt["contact_id"] for attempt in attempts.values()).most_common(1)[0][1] == 1
        summary = await self.system.carrier_summary()
        assert summary["peak_live_by_organization"][self.customer.organization_id] <= LIMIT
        assert (await self.customer.api.get("/campaign/concurrency-settings"))["active_calls"] == 0
        await check_at_rest(self.store)
        return attempts


@asynccontextmanager
async def mixed(system: System) -> AsyncIterator[Mixed]:
    """More contacts than can be called at once, and calls of both kinds up."""
    if system.processes[IN_PROCESS].returncode is not None:
        await system.start(IN_PROCESS)
    customer = await system.new_customer()
    campaign = await new_campaign(customer.api, utc_now())
    await customer.api.put("/campaign/concurrency-settings", {"concurrency_limit": LIMIT})
    store = connect(MongoSettings(mongodb=system.addresses.mongodb, mongodb_database=system.database))
    try:
        one = Mixed(system, store, customer, campaign)
        await one.add(2 * LIMIT)
        await eventually(one.some_are_held, timeout=30, saying="calls held in process")
        yield one
    finally:
        await store.close()


async def test_an_in_process_executor_asked_to_end_finishes_its_calls_first(system: System) -> None:
    async with mixed(system) as one:
        up = await one.held_now()
        assert await one.system.stop(IN_PROCESS) == 0
        assert await one.held_now() == []
        ended = {call.attempt_id: call.outcome for call in await one.calls(held=True)}
        assert {call.attempt_id for call in up} <= ended.keys()
        assert set(ended.values()) == {"answered"}, "none was cut short"
        await eventually(one.all_final, timeout=60, every=0.2, saying="every contact final")
        attempts = await one.judge()
        calls = [*await one.calls(held=True), *await one.calls(held=False)]
        assert {call.attempt_id: call.outcome for call in calls} == {
            attempt_id: attempt["outcome"] for attempt_id, attempt in attempts.items()
        }
        assert {call.call_id for call in calls} == {attempt["provider_call_id"] for attempt in attempts.values()}
        assert await one.calls(held=False), "both kinds have been at work"
        assert (await one.customer.statistics(one.campaign))["contacts"]["completed"] == len(one.numbers)


async def test_a_killed_in_process_executor_s_calls_end_and_are_not_repeated(system: System) -> None:
    async with mixed(system) as one:
        await one.system.kill(IN_PROCESS)
        await eventually(lambda: none_held(one), saying="the carrier has ended every call of the killed process")
        lost = {call.attempt_id for call in await one.calls(held=True) if call.outcome == "interrupted"}
        assert lost, "calls were up when it was killed"
        # Its jobs that were started and not yet placed are held in the same way; nobody can know.
        held_until = await started_in_process(one)
        assert lost <= held_until.keys(), "their slots are held"
        await eventually(one.all_final, timeout=90, every=0.2, saying="every contact final")
        attempts = await one.judge()
        unknown = {attempt_id for attempt_id, attempt in attempts.items() if attempt["outcome"] == "unknown"}
        assert lost <= unknown <= held_until.keys()
        for attempt_id in unknown:
            assert attempts[attempt_id]["ended_at"] >= held_until[attempt_id], "not given up before its time limit"
        others = {
            call.attempt_id: call.outcome
            for call in [*await one.calls(held=True), *await one.calls(held=False)]
            if call.attempt_id not in unknown
        }
        assert others == {a: attempt["outcome"] for a, attempt in attempts.items() if a not in unknown}
        contacts = (await one.customer.statistics(one.campaign))["contacts"]
        assert (contacts["error"], contacts["completed"]) == (len(unknown), len(one.numbers) - len(unknown))


async def none_held(one: Mixed) -> bool:
    """Whether no call is up that an executor holds."""
    return await one.held_now() == []


async def started_in_process(one: Mixed) -> dict[str, datetime]:
    """Attempts that are in progress with an in-process executor, and until when their slots are held."""
    query = {"status": "in_progress", "start.mode": "in_process"}
    return {
        contact["lock"]["attempt"]: contact["start"]["hold_until"]
        async for contact in one.store["contacts"].find(query)
    }
