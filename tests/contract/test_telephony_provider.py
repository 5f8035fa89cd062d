"""What every telephony provider must do, whatever is behind it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import Final

import pytest

from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal, RefusalSubject
from shared.errors import OutcomeUnknown, TemporaryError
from shared.telephony.provider import (
    CallDenied,
    CallEnded,
    CallLive,
    CallNotFound,
    CallPlaced,
    CallRefused,
    CallReport,
)
from shared.telephony.scripts import Placement, ScriptedCall
from tests.contract.carriers import (
    Carrier,
    a_plan,
    a_reference,
    an_order,
    held_line_carrier,
    scripted_carrier,
    twilio_carrier,
)
from tests.eventually import eventually

PATIENCE = 5.0
_numbers = count(2025551000)


CARRIERS: Final[dict[str, Callable[[], AbstractAsyncContextManager[Carrier]]]] = {
    "scripted": scripted_carrier,
    "twilio": twilio_carrier,
    "held line": held_line_carrier,
}
# A held line ends with the answer that was lost on it, and nobody but its holder knows of it.
IN_THE_DARK = ["held line"]


@pytest.fixture(params=CARRIERS)
async def carrier(request: pytest.FixtureRequest) -> AsyncIterator[Carrier]:
    """Every carrier."""
    async with CARRIERS[request.param]() as one:
        yield one


@pytest.fixture(params=[name for name in CARRIERS if name not in IN_THE_DARK])
async def known_carrier(request: pytest.FixtureRequest) -> AsyncIterator[Carrier]:
    """Those that can be asked about any call, and report on calls whose placement was unclear."""
    async with CARRIERS[request.param]() as one:
        yield one


@pytest.fixture
def number() -> str:
    return f"+1{next(_numbers)}"


async def the_report(carrier: Carrier) -> CallReport:
    await eventually(lambda: carrier.reports)
    return carrier.reports[0]


async def test_answered_call_is_reported_with_its_times(carrier: Carrier, number: str) -> None:
    carrier.fate(number, a_plan(talk=1))
    order = an_order(number)
    placed = await carrier.provider.place(order, PATIENCE)
    report = await the_report(carrier)
    assert isinstance(placed, CallPlaced)
    assert (report.attempt_id, report.outcome, report.call_id) == (order.attempt_id, Outcome.ANSWERED, placed.call_id)
    assert report.duration_seconds == pytest.approx(1, abs=0.3)
    assert report.answered_at is not None
    assert (report.ended_at - report.answered_at).total_seconds() == pytest.approx(report.duration_seconds, abs=0.01)
    assert report.ended_at.utcoffset() is not None
    assert report.error is None


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.VOICEMAIL,
        Outcome.BUSY,
        Outcome.NO_ANSWER,
        Outcome.DECLINED,
        Outcome.INVALID_NUMBER,
        Outcome.FAILED,
    ],
)
async def test_every_ending_is_told_apart(carrier: Carrier, number: str, outcome: Outcome) -> None:
    carrier.fate(number, a_plan(outcome))
    await carrier.provider.place(an_order(number), PATIENCE)
    report = await the_report(carrier)
    assert report.outcome is outcome
    assert (report.answered_at is not None) == (outcome is Outcome.VOICEMAIL)
    assert (report.duration_seconds is not None) == (outcome is Outcome.VOICEMAIL)


async def test_refused_call_does_not_exist(carrier: Carrier, number: str) -> None:
    carrier.fate(number, ScriptedCall(placement=Placement.REFUSED, outcome=Outcome.INVALID_NUMBER))
    order = an_order(number)
    refused = await carrier.provider.place(order, PATIENCE)
    assert isinstance(refused, CallRefused)
    assert refused.outcome is Outcome.INVALID_NUMBER
    assert refused.error
    assert carrier.placed == 0


async def test_refused_call_is_not_found(known_carrier: Carrier, number: str) -> None:
    known_carrier.fate(number, ScriptedCall(placement=Placement.REFUSED, outcome=Outcome.INVALID_NUMBER))
    order = an_order(number)
    await known_carrier.provider.place(order, PATIENCE)
    assert await known_carrier.provider.look_up(a_reference(order)) == CallNotFound()


# One code for each thing that a refusal may speak of.
REFUSALS: Final = [
    Refusal(subject=RefusalSubject.ACCOUNT, code=20003, message="said by the carrier"),
    Refusal(subject=RefusalSubject.CALLER_NUMBER, code=21210, message="said by the carrier"),
    Refusal(subject=RefusalSubject.COUNTRY, code=21215, message="said by the carrier"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=[refusal.subject for refusal in REFUSALS])
async def test_call_refused_for_a_reason_of_ours_does_not_exist_and_has_no_outcome(
    carrier: Carrier, number: str, refusal: Refusal
) -> None:
    carrier.fate(number, ScriptedCall(placement=Placement.DENIED, refusal=refusal))
    denied = await carrier.provider.place(an_order(number), PATIENCE)
    assert isinstance(denied, CallDenied)
    assert (denied.refusal.subject, denied.refusal.code) == (refusal.subject, refusal.code)
    assert denied.refusal.message
    assert denied.error
    assert carrier.placed == 0
    assert carrier.reports == []


@pytest.mark.parametrize("refusal", REFUSALS, ids=[refusal.subject for refusal in REFUSALS])
async def test_call_that_fails_for_a_reason_of_ours_says_so_in_its_report(
    carrier: Carrier, number: str, refusal: Refusal
) -> None:
    carrier.fate(number, ScriptedCall(outcome=Outcome.FAILED, refusal=refusal))
    placed = await carrier.provider.place(an_order(number), PATIENCE)
    assert isinstance(placed, CallPlaced)
    report = await the_report(carrier)
    assert (report.outcome, report.call_id) == (Outcome.FAILED, placed.call_id)
    assert report.refusal is not None
    assert (report.refusal.subject, report.refusal.code) == (refusal.subject, refusal.code)


async def test_call_that_fails_for_a_reason_of_the_person_says_nothing_of_us(carrier: Carrier, number: str) -> None:
    carrier.fate(number, a_plan(Outcome.FAILED))
    await carrier.provider.place(an_order(number), PATIENCE)
    assert (await the_report(carrier)).refusal is None


async def test_rate_limited_call_may_be_tried_again(carrier: Carrier, number: str) -> None:
    carrier.fate(number, ScriptedCall(placement=Placement.RATE_LIMITED))
    order = an_order(number)
    with pytest.raises(TemporaryError):
        await carrier.provider.place(order, PATIENCE)
    assert carrier.placed == 0
    carrier.fate(number, a_plan())
    assert isinstance(await carrier.provider.place(order, PATIENCE), CallPlaced)


async def test_request_lost_before_the_carrier_is_unknown_and_then_not_found(
    known_carrier: Carrier, number: str
) -> None:
    known_carrier.fate(number, ScriptedCall(placement=Placement.LOST_BEFORE))
    order = an_order(number)
    with pytest.raises(OutcomeUnknown):
        await known_carrier.provider.place(order, 0.2)
    assert await known_carrier.provider.look_up(a_reference(order)) == CallNotFound()


async def test_answer_lost_after_the_carrier_is_unknown_and_then_found(known_carrier: Carrier, number: str) -> None:
    known_carrier.fate(number, ScriptedCall(placement=Placement.LOST_AFTER, talk_seconds=600))
    order = an_order(number)
    with pytest.raises(OutcomeUnknown):
        await known_carrier.provider.place(order, 0.2)
    await eventually(lambda: known_carrier.answered)
    found = await known_carrier.provider.look_up(a_reference(order))
    assert isinstance(found, CallLive)
    assert known_carrier.placed == 1
    await known_carrier.provider.hang_up(found.call_id)
    ended = await known_carrier.provider.look_up(a_reference(order))
    assert isinstance(ended, CallEnded)
    assert (ended.report.attempt_id, ended.report.outcome) == (order.attempt_id, Outcome.ANSWERED)


async def test_answer_lost_and_report_kept_still_brings_the_report(known_carrier: Carrier, number: str) -> None:
    known_carrier.fate(number, ScriptedCall(placement=Placement.LOST_AFTER, outcome=Outcome.BUSY))
    order = an_order(number)
    with pytest.raises(OutcomeUnknown):
        await known_carrier.provider.place(order, 0.2)
    report = await the_report(known_carrier)
    assert (report.attempt_id, report.outcome) == (order.attempt_id, Outcome.BUSY)


async def test_call_whose_report_was_lost_can_be_looked_up(known_carrier: Carrier, number: str) -> None:
    known_carrier.fate(number, ScriptedCall(outcome=Outcome.BUSY, lose_report=True))
    order = an_order(number)
    placed = await known_carrier.provider.place(order, PATIENCE)
    assert isinstance(placed, CallPlaced)
    await eventually(lambda: known_carrier.live == 0)
    ended = await known_carrier.provider.look_up(a_reference(order, placed.call_id))
    assert isinstance(ended, CallEnded)
    assert (ended.report.outcome, ended.report.call_id) == (Outcome.BUSY, placed.call_id)
    assert known_carrier.reports == []


async def test_live_call_is_found_by_its_id(carrier: Carrier, number: str) -> None:
    carrier.fate(number, a_plan(talk=600))
    order = an_order(number)
    placed = await carrier.provider.place(order, PATIENCE)
    assert isinstance(placed, CallPlaced)
    found = await carrier.provider.look_up(a_reference(order, placed.call_id))
    assert isinstance(found, CallLive)
    assert found.call_id == placed.call_id


async def test_report_may_be_older_than_the_answer_to_the_order(carrier: Carrier, number: str) -> None:
    carrier.fate(number, ScriptedCall(report_early=True))
    order = an_order(number)
    placed = await carrier.provider.place(order, PATIENCE)
    assert isinstance(placed, CallPlaced)
    assert [report.attempt_id for report in carrier.reports] == [order.attempt_id]


async def test_hanging_up_an_answered_call_ends_it_as_answered(carrier: Carrier, number: str) -> None:
    carrier.fate(number, a_plan(talk=600))
    placed = await carrier.provider.place(an_order(number), PATIENCE)
    assert isinstance(placed, CallPlaced)
    await eventually(lambda: carrier.answered)
    await carrier.provider.hang_up(placed.call_id)
    report = await the_report(carrier)
    assert report.outcome is Outcome.ANSWERED
    assert carrier.live == 0


async def test_hanging_up_a_ringing_call_interrupts_it(carrier: Carrier, number: str) -> None:
    carrier.fate(number, a_plan(ring=600))
    placed = await carrier.provider.place(an_order(number), PATIENCE)
    assert isinstance(placed, CallPlaced)
    await carrier.provider.hang_up(placed.call_id)
    report = await the_report(carrier)
    assert report.outcome is Outcome.INTERRUPTED
    assert report.answered_at is None


async def test_hanging_up_twice_or_nothing_is_no_error(carrier: Carrier, number: str) -> None:
    carrier.fate(number, a_plan(talk=600))
    placed = await carrier.provider.place(an_order(number), PATIENCE)
    assert isinstance(placed, CallPlaced)
    await carrier.provider.hang_up(placed.call_id)
    await carrier.provider.hang_up(placed.call_id)
    await carrier.provider.hang_up("CAnobody")
    await the_report(carrier)
    assert len(carrier.reports) == 1


async def test_carrier_enforces_the_ring_timeout(carrier: Carrier, number: str) -> None:
    carrier.fate(number, a_plan(ring=600))
    await carrier.provider.place(an_order(number, ring_timeout_seconds=1), PATIENCE)
    report = await the_report(carrier)
    assert report.outcome is Outcome.NO_ANSWER


async def test_carrier_enforces_the_time_limit(carrier: Carrier, number: str) -> None:
    carrier.fate(number, a_plan(talk=600))
    await carrier.provider.place(an_order(number, max_call_seconds=1), PATIENCE)
    report = await the_report(carrier)
    assert report.outcome is Outcome.ANSWERED
    assert report.duration_seconds == pytest.approx(1, abs=0.3)


async def test_attempts_on_the_same_number_keep_their_own_reports(carrier: Carrier, number: str) -> None:
    carrier.fate(number, a_plan(Outcome.BUSY))
    orders = [an_order(number) for _ in range(3)]
    for order in orders:
        await carrier.provider.place(order, PATIENCE)
    await eventually(lambda: len(carrier.reports) == 3)
    assert {report.attempt_id for report in carrier.reports} == {order.attempt_id for order in orders}


async def test_closing_twice_is_harmless(carrier: Carrier) -> None:
    await carrier.provider.close()
    await carrier.provider.close()
