"""What the carrier's answer to an order becomes: an ending of the attempt, or a job that goes back without one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.call_executor.held_calls import HeldCalls
from services.call_executor.placing import TOO_LATE, Batch, Placer
from shared.clock import monotonic, utc_now
from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal, RefusalSubject
from shared.events import CallFinished, DialJob, JobReleased, ProbePlaced
from shared.settings import DialingSettings, MongoSettings
from shared.store.client import Document, connect
from shared.store.documents.contacts import contact_of
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import Placement, ScriptedCall, always
from tests.carriers import through
from tests.integration.protocol.seats import Spool

NONCE = "nonce"


class Seat:
    """A placer whose carrier follows one plan; placing itself asks no server."""

    def __init__(self, plan: ScriptedCall) -> None:
        self.spool = Spool()
        self.held = HeldCalls(self.spool)
        self.carrier = ScriptedProvider(always(plan), self.held.on_report)
        nowhere = connect(MongoSettings(mongodb="mongodb://127.0.0.1:9/?directConnection=true"))
        self._placer = Placer(
            nowhere, through(self.carrier, nowhere), self.held, self.spool, DialingSettings(), "executor"
        )

    async def place(self, place_by: datetime | None = None, **lock: Any) -> None:
        contact = a_contact(**lock)
        times = {} if place_by is None else {"attempt": place_by}
        await self._placer.place(contact, Batch(NONCE, monotonic(), [contact], times), monotonic())

    def in_time(self, *jobs: DialJob) -> list[str]:
        """The attempts of those jobs that are not given back for being late."""
        return [job.attempt_id for job in self._placer.release_late(jobs)]


def a_contact(**lock: object) -> Document:
    """A contact as START leaves it."""
    document = {
        "_id": "contact",
        "organization_id": "organization",
        "campaign_id": "campaign",
        "shard": 3,
        "start": {"at": utc_now()},
        "lock": {
            "attempt": "attempt",
            "phone": "+12025550123",
            "caller_number": "+12025550100",
            "agent_id": "agent",
            "agent_version": None,
            **lock,
        },
    }
    return contact_of({"created_at": utc_now(), **document})


def counted(name: str, **labels: str) -> Callable[[], float]:
    """By how much a metric has grown since now."""
    before = REGISTRY.get_sample_value(name, labels) or 0.0
    return lambda: (REGISTRY.get_sample_value(name, labels) or 0.0) - before


@pytest.mark.parametrize("subject", list(RefusalSubject))
async def test_refusal_that_speaks_of_us_gives_the_job_back_and_ends_nothing(subject: RefusalSubject) -> None:
    refusal = Refusal(subject=subject, code=21210, message="not verified")
    seat = Seat(ScriptedCall(placement=Placement.DENIED, refusal=refusal))
    denied = counted("dialstream_calls_denied_total", subject=subject.value)
    await seat.place()
    assert seat.spool.events == [
        JobReleased(
            organization_id="organization",
            shard=3,
            attempt_id="attempt",
            contact_id="contact",
            nonce=NONCE,
            reason=f"carrier refused: {subject.value}",
            refusal=refusal,
        )
    ]
    assert denied() == 1
    assert len(seat.held) == 0, "nobody waits for a call that there is not"


async def test_refusal_that_speaks_of_us_keeps_the_persons_number_out_of_the_log(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    refusal = Refusal(subject=RefusalSubject.COUNTRY, code=21215, message="not allowed to call +12025550123")
    await Seat(ScriptedCall(placement=Placement.DENIED, refusal=refusal)).place()
    said = "".join(capsys.readouterr()) + caplog.text
    assert "carrier refused us" in said
    assert "21215" in said
    assert "+12025550123" not in said


async def test_refusal_that_speaks_of_the_person_ends_the_attempt() -> None:
    seat = Seat(ScriptedCall(placement=Placement.REFUSED, outcome=Outcome.DO_NOT_CALL))
    denied = [counted("dialstream_calls_denied_total", subject=subject.value) for subject in RefusalSubject]
    await seat.place()
    [ended] = seat.spool.events
    assert isinstance(ended, CallFinished)
    assert (ended.outcome, ended.refusal) == (Outcome.DO_NOT_CALL, None)
    assert [growth() for growth in denied] == [0, 0, 0]


async def test_too_much_at_once_gives_the_job_back_and_lets_nothing_rest() -> None:
    seat = Seat(ScriptedCall(placement=Placement.RATE_LIMITED))
    await seat.place()
    [released] = seat.spool.events
    assert isinstance(released, JobReleased)
    assert released.refusal is None


@pytest.mark.parametrize("probing", [["account:main"], {"caller_number": "+12025550100"}])
async def test_call_that_asked_whether_a_rest_is_over_says_that_it_was_taken(probing: object) -> None:
    seat = Seat(ScriptedCall(ring_seconds=600))
    await seat.place(probing=probing)
    assert seat.spool.events == [
        ProbePlaced(organization_id="organization", shard=3, attempt_id="attempt", contact_id="contact")
    ]
    await seat.carrier.close()


@pytest.mark.parametrize("lock", [{}, {"probing": []}])
async def test_call_that_asked_nothing_says_nothing(lock: dict[str, Any]) -> None:
    seat = Seat(ScriptedCall(ring_seconds=600))
    await seat.place(**lock)
    assert seat.spool.events == []
    await seat.carrier.close()


@pytest.mark.parametrize(
    "plan",
    [
        ScriptedCall(placement=Placement.DENIED, refusal=Refusal(subject=RefusalSubject.ACCOUNT)),
        ScriptedCall(placement=Placement.REFUSED, outcome=Outcome.INVALID_NUMBER),
        ScriptedCall(placement=Placement.RATE_LIMITED),
        ScriptedCall(placement=Placement.LOST_BEFORE),
    ],
)
async def test_call_that_was_not_taken_ends_no_rest(plan: ScriptedCall) -> None:
    seat = Seat(plan)
    await seat.place(probing=["account:main"])
    assert seat.spool.events
    assert not any(isinstance(event, ProbePlaced) for event in seat.spool.events)


async def test_call_that_was_taken_and_failed_for_our_sake_says_so() -> None:
    refusal = Refusal(subject=RefusalSubject.COUNTRY, code=13227, message="geographic permissions")
    seat = Seat(ScriptedCall(outcome=Outcome.FAILED, refusal=refusal, report_early=True))
    await seat.place()
    [ended] = seat.spool.events
    assert isinstance(ended, CallFinished)
    assert (ended.outcome, ended.refusal) == (Outcome.FAILED, refusal)


def paced(attempt: str, seconds_ago: float | None) -> DialJob:
    return DialJob(
        attempt_id=attempt,
        claim_id="claim",
        organization_id="organization",
        shard=3,
        campaign_id="campaign",
        contact_id="contact",
        not_after=utc_now() + timedelta(seconds=30),
        place_at=None if seconds_ago is None else utc_now() - timedelta(seconds=seconds_ago),
    )


async def test_paced_job_more_than_a_second_late_goes_back_without_a_start() -> None:
    seat = Seat(ScriptedCall())
    assert seat.in_time(paced("late", 1.5), paced("in time", 0.2), paced("free", None)) == ["in time", "free"]
    [given_back] = seat.spool.events
    assert isinstance(given_back, JobReleased)
    assert (given_back.attempt_id, given_back.nonce, given_back.reason) == ("late", None, TOO_LATE)


async def test_paced_call_that_became_late_on_the_way_is_not_asked_for() -> None:
    seat = Seat(ScriptedCall(placement=Placement.REFUSED, outcome=Outcome.BUSY))
    await seat.place(place_by=utc_now() + timedelta(seconds=5))
    assert isinstance(seat.spool.events.pop(), CallFinished)
    await seat.place(place_by=utc_now() - timedelta(milliseconds=10))
    [given_back] = seat.spool.events
    assert isinstance(given_back, JobReleased)
    assert (given_back.nonce, given_back.reason) == (NONCE, TOO_LATE)
