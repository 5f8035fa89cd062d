"""Executors, and a scheduler, that end and come back while the carrier holds as many calls as the limit allows.

Judged by the carrier's own record: what it has placed, when each call was to end by its plan, and when it did.
"""

import functools
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from deploy.demo.dial import new_campaign
from deploy.local.lineup import Counts
from deploy.local.servers import Addresses
from services.carrier_simulator.plan import plan_call
from services.carrier_simulator.settings import Behaviour
from shared.clock import utc_now
from shared.settings import MongoSettings
from shared.store.client import Store, connect
from tests.chaos.record import CarrierCall, calls_of
from tests.e2e.system import System, SystemCustomer, system_on
from tests.e2e.test_one_contact import EVERYBODY_ANSWERS
from tests.eventually import eventually
from tests.integration.protocol.promises import check_at_rest

EXECUTORS: Final = ("executor-0", "executor-1", "executor-2")
AS_PLANNED: Final = ("completed", "answered")
# The carrier's timers may fire this much before the wall clock says so.
CLOCK_GRAIN: Final = timedelta(milliseconds=50)
SETTINGS: Final = {
    **EVERYBODY_ANSWERS,
    "DIALSTREAM_MAX_CALL_SECONDS": "60",
    "DIALSTREAM_RECONCILE_SECONDS": "30",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A test's figures. The calls with which the limit is reached are `long` (seconds of talk, from and to), so that
    it is reached on a slow machine too; those ordered after that are `short`."""

    limit: int
    long: tuple[float, float]
    short: tuple[float, float]


class Dialing:
    """A campaign on a running system, dialed with `limit` calls at once."""

    def __init__(self, system: System, store: Store, plan: Plan) -> None:
        self.system, self.store, self.plan = system, store, plan
        self.numbers: list[str] = []
        self._organization: SystemCustomer | None = None
        self._campaign = ""

    @property
    def customer(self) -> SystemCustomer:
        """Whose campaign it is."""
        assert self._organization is not None, "begin() first"
        return self._organization

    async def begin(self, contacts: int) -> None:
        """Load the list; return once as many calls are up as the limit allows, by the carrier's count."""
        self._organization = await self.system.new_customer()
        api = self.customer.api
        self._campaign = await new_campaign(api, utc_now())
        await api.put("/campaign/concurrency-settings", {"concurrency_limit": self.plan.limit})
        await self.add(contacts)
        await eventually(self.is_full, timeout=60, saying=f"{self.plan.limit} calls at once")

    async def add(self, contacts: int) -> None:
        """Load so many contacts more, with numbers of their own."""
        path = f"/campaign/campaigns/{self._campaign}/contacts"
        while contacts > 0:
            first = len(self.numbers)
            some = [f"+44207946{n:04}" for n in range(first, first + min(contacts, 1000))]
            rows = [{"external_id": f"lead{number}", "phone_numbers": [number]} for number in some]
            await self.customer.api.post(path, {"contacts": rows})
            self.numbers += some
            contacts -= len(some)

    async def dial_until(self, look: Callable[[], Awaitable[bool]], saying: str) -> None:
        """Wait until `look` says so, with somebody left to call however long that takes."""

        async def once_more() -> bool:
            self.system.check()
            if (await self.customer.statistics(self._campaign))["contacts"]["pending"] == 0:
                await self.add(50)
            return await look()

        await eventually(once_more, timeout=100, every=0.1, saying=saying)

    async def is_full(self) -> bool:
        """Whether the carrier has ever had as many calls as the limit allows."""
        self.system.check()
        return bool((await self.system.carrier_summary())["peak_live"] >= self.plan.limit)

    async def new_calls_are_short(self) -> None:
        """What the carrier does with calls that are ordered from now on."""
        url = f"{self.system.lineup.carrier.url}/simulator/settings"
        async with self.system.session.put(url, json=talking(self.plan.short)) as answer:
            answer.raise_for_status()

    async def calls(self) -> list[CarrierCall]:
        """The carrier's record, read."""
        return calls_of(await self.system.carrier_record())

    async def holds_calls_of(self, name: str) -> bool:
        """Whether calls are up that a process of this executor has started."""
        starter = {"$regex": f"^{re.escape(name)}-"}
        query = {"status": "in_progress", "start.executor": starter, "start.call_id": {"$exists": True}}
        return bool(await self.store["contacts"].count_documents(query))

    async def has_begun_jobs(self, name: str) -> bool:
        """Whether this executor's present process has started a job."""
        [member] = [member for member in self.system.lineup.executors if member.name == name]
        async with self.system.session.get(f"{member.url}/metrics") as answer:
            counted = re.search(r"^dialstream_jobs_started_total (\S+)$", await answer.text(), re.MULTILINE)
        return counted is not None and float(counted[1]) > 0

    async def end(self) -> None:
        """Return once every contact has been reached."""

        async def all_completed() -> bool:
            self.system.check()
            statistics = await self.customer.statistics(self._campaign)
            return bool(statistics["contacts"]["completed"] == len(self.numbers))

        await eventually(all_completed, timeout=120, every=0.2, saying="every contact completed")

    async def outcomes(self) -> dict[str, str]:
        """The outcome of every attempt on record."""
        found = self.store["attempts"].find({}, {"outcome": 1})
        return {attempt["_id"]: attempt["outcome"] async for attempt in found}


@asynccontextmanager
async def dialing_on(servers: Addresses, logs: Path, plan: Plan, more: dict[str, str]) -> AsyncIterator[Dialing]:
    """A system with three executors, and nothing to dial yet."""
    calls = {f"DIALSTREAM_SIMULATOR_{name.upper()}": str(value) for name, value in talking(plan.long).items()}
    settings = {**SETTINGS, **calls, **more, "DIALSTREAM_GLOBAL_CONCURRENCY_LIMIT": str(plan.limit)}
    counts = Counts(schedulers=2, executors=len(EXECUTORS))
    async with system_on(servers, logs, counts, settings=settings) as system:
        await system.start()
        store = connect(MongoSettings(mongodb=servers.mongodb, mongodb_database=system.database))
        try:
            yield Dialing(system, store, plan)
        finally:
            await store.close()


def talking(seconds: tuple[float, float]) -> dict[str, object]:
    """The carrier's setting for calls that are so long."""
    return {"talk_min_seconds": seconds[0], "talk_max_seconds": seconds[1]}


async def test_a_rolling_restart_of_all_executors_with_1000_calls_up_interrupts_none(
    servers: Addresses, tmp_path: Path
) -> None:
    patient = {"DIALSTREAM_LOCK_SECONDS": "30", "DIALSTREAM_PLACE_SECONDS": "10", "DIALSTREAM_SETTLE_SECONDS": "30"}
    plan = Plan(limit=1000, long=(8, 16), short=(2, 6))
    async with dialing_on(servers, tmp_path, plan, patient) as dialing:
        await dialing.begin(contacts=2000)
        before = await dialing.calls()
        await dialing.new_calls_are_short()
        for name in EXECUTORS:
            await restart(dialing, name)
        assert len(await dialing.calls()) > len(before), "calls are placed while executors come and go"
        await dialing.end()
        await judge(dialing, before)
        await nothing_is_held(dialing)
        assert Counter((await dialing.outcomes()).values()) == {"answered": len(dialing.numbers)}


async def restart(dialing: Dialing, name: str) -> None:
    """SIGTERM with calls up that this executor has placed; its successor places some before this returns."""
    await dialing.dial_until(functools.partial(dialing.holds_calls_of, name), f"a call placed by {name}")
    assert await dialing.system.stop(name) == 0
    assert await dialing.holds_calls_of(name), "it has waited for the calls it had placed"
    await dialing.system.start(name)
    await dialing.dial_until(functools.partial(dialing.has_begun_jobs, name), f"a job started by the new {name}")


async def test_calls_go_on_and_are_recorded_when_all_executors_and_a_scheduler_are_killed_at_once(
    servers: Addresses, tmp_path: Path
) -> None:
    plan = Plan(limit=300, long=(4, 10), short=(1, 3))
    async with dialing_on(servers, tmp_path, plan, {}) as dialing:
        await dialing.begin(contacts=500)
        before = await dialing.calls()
        await dialing.new_calls_are_short()
        killed = (*EXECUTORS, "scheduler-0")
        for name in killed:
            dialing.system.processes[name].kill()
        for name in killed:
            await dialing.system.processes[name].wait()
        await dialing.system.start(*killed)
        await dialing.end()
        await judge(dialing, before)
        await nothing_is_held(dialing)
        recorded, up = await dialing.outcomes(), {call.attempt_id for call in before if call.ended_at is None}
        assert {recorded[attempt_id] for attempt_id in up} == {"answered"}


async def judge(dialing: Dialing, before: Sequence[CarrierCall]) -> None:
    """The carrier's record alone: the limit was reached and kept, nobody called twice, no call cut short.

    `before`: the calls up to the restart, which were all ordered as long ones.
    """
    entries = await dialing.system.carrier_record()
    assert most_at_once(entries) == dialing.plan.limit
    calls = {call.attempt_id: call for call in calls_of(entries)}
    assert Counter(entry["event"] for entry in entries) == {"placed": len(calls), "ended": len(calls)}
    assert Counter(call.to for call in calls.values()) == dict.fromkeys(dialing.numbers, 1)
    assert len({call.contact_id for call in calls.values()}) == len(dialing.numbers)
    assert {(entry["status"], entry["outcome"]) for entry in entries if entry["event"] == "ended"} == {AS_PLANNED}
    assert [call for call in calls.values() if cut_short(call, dialing.plan.short)] == []
    assert [call for call in before if cut_short(calls[call.attempt_id], dialing.plan.long)] == []


def most_at_once(entries: Sequence[dict[str, Any]]) -> int:
    """The peak, counted from the order in which the carrier has written down beginnings and ends."""
    live = peak = 0
    for entry in entries:
        live += 1 if entry["event"] == "placed" else -1
        peak = max(peak, live)
    return peak


def cut_short(call: CarrierCall, seconds: tuple[float, float]) -> bool:
    """Whether the talk was shorter than the carrier plans it for the first call to this number."""
    assert call.answered_at is not None
    assert call.ended_at is not None
    planned = plan_call(Behaviour().changed(talking(seconds)), call.to, 0).talk_seconds
    return call.ended_at - call.answered_at < timedelta(seconds=planned) - CLOCK_GRAIN


async def nothing_is_held(dialing: Dialing) -> None:
    """At rest the sums are right, and no slot is held."""
    await check_at_rest(dialing.store)
    assert await dialing.store["budgets"].count_documents({"held": {"$ne": 0}}) == 0
    assert await dialing.store["shards"].count_documents({"held": {"$ne": 0}}) == 0
    assert (await dialing.customer.api.get("/campaign/concurrency-settings"))["active_calls"] == 0
