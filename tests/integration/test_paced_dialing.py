"""The rate of an executor by its carrier's books, on real servers."""

from dataclasses import dataclass, field

import pytest
from prometheus_client import REGISTRY

from services.call_executor.held_calls import HeldCalls
from services.call_executor.placing import Placer
from shared.clock import monotonic, utc_now
from shared.domain.contact import ContactStatus
from shared.events import DialJob
from shared.settings import DialingSettings
from shared.store.client import Store
from shared.telephony.provider import PlaceCall
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import ScriptedCall, always
from tests.carriers import through
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_contacts, add_organization, new_id
from tests.integration.protocol.seats import Spool

RATE = 30


@dataclass
class Books:
    """When the carrier was asked for each call."""

    times: list[float] = field(default_factory=list)

    def __call__(self, call: PlaceCall) -> ScriptedCall:
        """The script: every call is answered and ends at once."""
        self.times.append(monotonic())
        return ScriptedCall()

    @property
    def seconds(self) -> float:
        """How long calls have been placed."""
        return monotonic() - self.times[0] if self.times else 0.0


def claims_expired() -> float | None:
    return REGISTRY.get_sample_value("dialstream_claims_expired_total")


# Of the executor's 1,000 slots the small organization has few, and of its calls it has all: nobody else dials.
# The large one is dialed for longer than a claim lives.
@pytest.mark.parametrize(("concurrency_limit", "seconds"), [(1000, 12), (30, 6)])
async def test_the_rate_that_is_set_is_reached_and_no_claim_expires(
    store: Store, kafka_address: str, topic_prefix: str, concurrency_limit: int, seconds: float
) -> None:
    organization = await add_organization(store, concurrency_limit=concurrency_limit)
    await add_contacts(store, organization, await add_campaign(store, organization), 2000)
    expired = claims_expired()
    settings = {"lock_seconds": 10, "place_seconds": 5}
    books = Books()
    async with running_engine(store, kafka_address, topic_prefix, script=books, settings=settings) as engine:
        await engine.start_executor(calls_per_second=RATE)
        await engine.start_scheduler()

        def long_enough() -> bool:
            assert not engine.failures()
            return books.seconds >= seconds

        await eventually(long_enough, timeout=seconds + 30)
        placed = sum(at < books.times[0] + seconds for at in books.times)
    # A noisy machine may be late, but can never have more tokens than there are.
    assert 0.8 * RATE * seconds <= placed <= RATE * seconds + RATE
    assert claims_expired() == expired


async def test_jobs_that_nobody_can_start_any_more_are_dropped_together(store: Store) -> None:
    organization = await add_organization(store)
    contacts = await add_contacts(store, organization, await add_campaign(store, organization), 6)
    jobs = [
        DialJob(
            attempt_id=new_id(),
            claim_id="claim",
            organization_id=organization["_id"],
            shard=organization["shard"],
            campaign_id=contact["campaign_id"],
            contact_id=contact["_id"],
            not_after=utc_now(),
        )
        for contact in contacts
    ]
    for job, status, attempt_id in (
        (jobs[1], ContactStatus.LOCKED, jobs[1].attempt_id),
        (jobs[2], ContactStatus.LOCKED, "a later one"),
        (jobs[3], ContactStatus.IN_PROGRESS, jobs[3].attempt_id),
        (jobs[4], ContactStatus.LOCKED, jobs[4].attempt_id),
    ):
        lock = {"attempt": attempt_id, "claim": "claim"}
        await store["contacts"].update_one({"_id": job.contact_id}, {"$set": {"status": status, "lock": lock}})
    held = HeldCalls(Spool())
    carrier = ScriptedProvider(always(ScriptedCall()), held.on_report)
    placer = Placer(store, through(carrier, store), held, Spool(), DialingSettings(), "executor-0")
    assert await placer.without_stale(jobs) == [jobs[1], jobs[4]]
    assert await placer.without_stale([]) == []
