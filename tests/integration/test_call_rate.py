"""Calls a second of an organization and its campaigns by the carrier's books, while executors come and go."""

import asyncio
from bisect import bisect_right
from dataclasses import dataclass, field

from shared.clock import monotonic, utc_now
from shared.domain.call_rate import most_in_window
from shared.store.catalog.caller_numbers import NewNumber, register_number
from shared.store.client import Store
from shared.telephony.provider import PlaceCall
from shared.telephony.scripts import ScriptedCall
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_contacts, add_organization

RATE, SLOW = 10.0, 0.5
SECONDS = 24.0


FAST_NUMBER, SLOW_NUMBER = "+14155550111", "+14155550112"


@dataclass
class BooksOfNumbers:
    """When the carrier was asked for each call, by the number called from."""

    times: dict[str, list[float]] = field(default_factory=dict)

    def __call__(self, call: PlaceCall) -> ScriptedCall:
        """The script: every call is answered and ends at once."""
        self.times.setdefault(call.caller_number, []).append(monotonic())
        return ScriptedCall()


@dataclass
class Books:
    """When the carrier was asked for each call, by campaign."""

    times: dict[str, list[float]] = field(default_factory=dict)

    def __call__(self, call: PlaceCall) -> ScriptedCall:
        """The script: every call is answered and ends at once."""
        self.times.setdefault(call.campaign_id, []).append(monotonic())
        return ScriptedCall()

    def of(self, *campaign_ids: str) -> list[float]:
        """The times of these campaigns' calls, in order."""
        return sorted(at for campaign_id in campaign_ids for at in self.times.get(campaign_id, ()))


def most_in_ten_seconds(times: list[float]) -> int:
    return max(bisect_right(times, at + 10) - n for n, at in enumerate(times))


async def test_the_rates_are_kept_and_reached_while_executors_and_schedulers_come_and_go(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    paced = await add_organization(store, calls_per_second=RATE, concurrency_limit=1000)
    free = await add_organization(store, concurrency_limit=1000)
    slow = await add_campaign(store, paced, calls_per_second=SLOW, priority=5)
    fast, unpaced = await add_campaign(store, paced), await add_campaign(store, free)
    await add_contacts(store, paced, fast, 1000)
    for contact in await add_contacts(store, paced, slow, 50):
        # Numbers of their own, so that none is busy.
        own = contact["phone_numbers"][0].replace("+1415", "+1212")
        await store["contacts"].update_one({"_id": contact["_id"]}, {"$set": {"phone_numbers": [own]}})
    await add_contacts(store, free, unpaced, 1000)
    books = Books()
    async with running_engine(store, kafka_address, topic_prefix, script=books) as engine:
        await engine.start_executor(calls_per_second=50)
        await engine.start_scheduler()
        of_organization = slow["_id"], fast["_id"]
        await eventually(lambda: books.of(*of_organization), timeout=60, saying="the first paced call")
        began = monotonic()
        await engine.start_executor("executor-1", calls_per_second=50)
        await asyncio.sleep(SECONDS / 3)
        await engine.stop_member("executor-0")
        await asyncio.sleep(SECONDS / 3)
        await engine.start_executor("executor-2", calls_per_second=50)
        await engine.stop_member("scheduler-0")
        await engine.start_scheduler("scheduler-1")
        await asyncio.sleep(SECONDS / 3)
        assert not engine.failures()
        seconds = monotonic() - began
    together, alone = books.of(*of_organization), books.of(slow["_id"])
    assert most_in_ten_seconds(together) <= most_in_window(RATE)
    assert most_in_ten_seconds(alone) <= most_in_window(SLOW)
    # Nothing is placed while Kafka assigns the jobs anew, several seconds each time on a busy machine.
    assert len(together) >= 0.25 * RATE * seconds
    assert len(alone) >= 0.25 * SLOW * seconds
    assert most_in_ten_seconds(books.of(unpaced["_id"])) > 2 * most_in_window(RATE), "who has no rate is not paced"


async def test_undisturbed_the_mean_is_within_a_tenth_of_the_rate(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    organization = await add_organization(store, concurrency_limit=1000)
    campaign = await add_campaign(store, organization, calls_per_second=RATE)
    await add_contacts(store, organization, campaign, 1000)
    books = Books()
    async with running_engine(store, kafka_address, topic_prefix, script=books) as engine:
        await engine.start_executor(calls_per_second=100)
        await engine.start_scheduler()
        await eventually(lambda: len(books.of(campaign["_id"])) > RATE, timeout=60, saying="paced calls")
        times = books.of(campaign["_id"])
        await asyncio.sleep(SECONDS)
        assert not engine.failures()
    times = books.of(campaign["_id"])[len(times) :]
    assert 0.9 * RATE <= (len(times) - 1) / (times[-1] - times[0]) <= 1.1 * RATE
    assert most_in_ten_seconds(times) <= most_in_window(RATE)


async def test_a_number_is_called_from_at_its_rate_by_two_campaigns_and_beside_others(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    organization = await add_organization(store, concurrency_limit=1000)
    for number, rate in ((FAST_NUMBER, 4.0), (SLOW_NUMBER, SLOW)):
        new = NewNumber(number, "", 1, None, None, True, ["pool"], rate)
        await register_number(store, organization["_id"], new, utc_now())
    # One campaign calls from both, and one from the slow number alone.
    pool = await add_campaign(store, organization, caller_number_pool="pool", caller_number_choice="weighted_sticky")
    lonely = await add_campaign(store, organization, agent_number=SLOW_NUMBER)
    for contact in await add_contacts(store, organization, lonely, 50):
        own = contact["phone_numbers"][0].replace("+1415", "+1212")
        await store["contacts"].update_one({"_id": contact["_id"]}, {"$set": {"phone_numbers": [own]}})
    await add_contacts(store, organization, pool, 500)
    books = BooksOfNumbers()
    async with running_engine(store, kafka_address, topic_prefix, script=books) as engine:
        await engine.start_executor(calls_per_second=100)
        await engine.start_scheduler()
        await eventually(lambda: len(books.times.get(FAST_NUMBER, ())) > 4, timeout=60, saying="paced calls")
        before = len(books.times[FAST_NUMBER])
        await asyncio.sleep(SECONDS)
        assert not engine.failures()
    fast, slow = books.times[FAST_NUMBER], books.times[SLOW_NUMBER]
    assert most_in_ten_seconds(fast) <= most_in_window(4.0)
    assert most_in_ten_seconds(slow) <= most_in_window(SLOW)
    fast = fast[before:]
    assert 0.9 * 4.0 <= (len(fast) - 1) / (fast[-1] - fast[0]) <= 1.1 * 4.0
    assert 0.9 * SLOW <= (len(slow) - 1) / (slow[-1] - slow[0]) <= 1.1 * SLOW
    assert await store["attempts"].count_documents({"campaign_id": lonely["_id"]}) >= len(slow) - 2, "it was due first"
