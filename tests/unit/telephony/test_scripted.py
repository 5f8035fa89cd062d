import asyncio
from dataclasses import replace

import pytest

from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal, RefusalSubject
from shared.domain.voicemail import Voicemail
from shared.errors import OutcomeUnknown
from shared.telephony.provider import (
    CallEnded,
    CallLive,
    CallMode,
    CallNotFound,
    CallPlaced,
    CallReference,
    CallReport,
    PlaceCall,
)
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import Placement, ScriptedCall, always, seeded_mix
from tests.eventually import eventually


def an_order(n: int = 0, number: str = "+12025550123") -> PlaceCall:
    return PlaceCall(
        attempt_id=f"attempt-{n}",
        organization_id="organization",
        shard=0,
        contact_id="contact",
        campaign_id="campaign",
        phone_number=number,
        caller_number="+12025550100",
        conversation_id="conversation",
        ring_timeout_seconds=30,
        max_call_seconds=600,
    )


def a_reference(order: PlaceCall, provider: ScriptedProvider) -> CallReference:
    return CallReference(
        attempt_id=order.attempt_id,
        phone_number=order.phone_number,
        caller_number=order.caller_number,
        started_at=provider.now(),
    )


def test_seeded_mix_depends_on_seed_and_attempt_alone() -> None:
    weights = {Outcome.ANSWERED: 0.5, Outcome.BUSY: 0.5}
    first, second = seeded_mix(1, weights, talk_seconds=(1, 9)), seeded_mix(1, weights, talk_seconds=(1, 9))
    orders = [an_order(n) for n in range(200)]
    assert [first(order) for order in orders] == [second(order) for order in reversed(orders)][::-1]
    assert [first(order) for order in orders] != [seeded_mix(2, weights)(order) for order in orders]


def test_seeded_mix_keeps_the_proportions() -> None:
    script = seeded_mix(1, {Outcome.ANSWERED: 3, Outcome.BUSY: 1, Outcome.FAILED: 0})
    outcomes = [script(an_order(n)).outcome for n in range(4000)]
    assert outcomes.count(Outcome.ANSWERED) / 4000 == pytest.approx(0.75, abs=0.03)
    assert Outcome.FAILED not in outcomes


@pytest.mark.parametrize("weights", [{}, {Outcome.BUSY: 0}, {Outcome.BUSY: 2, Outcome.FAILED: -1}])
def test_mix_without_sense_is_refused(weights: dict[Outcome, float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        seeded_mix(1, weights)


async def test_books_of_the_carrier() -> None:
    reports: list[CallReport] = []
    provider = ScriptedProvider(always(ScriptedCall(talk_seconds=600)), reports.append)
    assert provider.mode is CallMode.IN_PROCESS
    for n in range(5):
        await provider.place(an_order(n), 1)
    await provider.hang_up("scripted-1")
    assert (provider.placed, provider.live, provider.peak_live) == (5, 4, 5)
    assert [order.attempt_id for order in provider.placements] == [f"attempt-{n}" for n in range(5)]
    await provider.close()


async def test_closing_ends_and_reports_what_is_up() -> None:
    reports: list[CallReport] = []
    provider = ScriptedProvider(always(ScriptedCall(talk_seconds=600)), reports.append)
    order = an_order()
    await provider.place(order, 1)
    assert isinstance(await provider.look_up(a_reference(order, provider)), CallLive)
    await provider.close()
    assert [report.outcome for report in reports] == [Outcome.INTERRUPTED]
    assert isinstance(await provider.look_up(a_reference(order, provider)), CallEnded)
    await provider.close()
    assert len(reports) == 1


async def test_slow_carrier_is_unknown_after_the_callers_patience() -> None:
    provider = ScriptedProvider(always(ScriptedCall(latency_seconds=60)), lambda report: None)
    before = asyncio.get_running_loop().time()
    with pytest.raises(OutcomeUnknown):
        await provider.place(an_order(), 0.05)
    assert asyncio.get_running_loop().time() - before < 5
    assert provider.placed == 0


async def test_memory_of_ended_calls_is_bounded() -> None:
    reports: list[CallReport] = []
    provider = ScriptedProvider(always(ScriptedCall()), reports.append, finished_kept=2, keep_placements=False)
    for n in range(5):
        await provider.place(an_order(n), 1)
    await eventually(lambda: len(reports) == 5)
    found = [await provider.look_up(a_reference(an_order(n), provider)) for n in range(5)]
    assert sum(answer == CallNotFound() for answer in found) == 3
    assert provider.placements == []


def test_plan_that_contradicts_itself_is_refused() -> None:
    refusal = Refusal(subject=RefusalSubject.ACCOUNT)
    with pytest.raises(ValueError, match="what it speaks of"):
        ScriptedCall(placement=Placement.DENIED)
    with pytest.raises(ValueError, match="has failed"):
        ScriptedCall(outcome=Outcome.BUSY, refusal=refusal)


async def test_hanging_up_a_call_that_would_have_failed_for_our_sake_says_nothing_of_us() -> None:
    reports: list[CallReport] = []
    plan = ScriptedCall(outcome=Outcome.FAILED, refusal=Refusal(subject=RefusalSubject.COUNTRY), ring_seconds=600)
    carrier = ScriptedProvider(always(plan), reports.append)
    placed = await carrier.place(an_order(), 1)
    assert isinstance(placed, CallPlaced)
    await carrier.hang_up(placed.call_id)
    [report] = reports
    assert (report.outcome, report.refusal) == (Outcome.INTERRUPTED, None)


@pytest.mark.parametrize(
    ("voicemail", "left"),
    [
        (Voicemail.model_validate({"action": "leave_message", "message": "Call us."}), True),
        (Voicemail(), False),
        (Voicemail(detect=False), False),
        (None, False),
    ],
)
async def test_a_machine_is_handled_as_its_order_says(voicemail: Voicemail | None, left: bool) -> None:
    reports: list[CallReport] = []
    script = always(ScriptedCall(outcome=Outcome.VOICEMAIL, talk_seconds=0.01))
    provider = ScriptedProvider(script, reports.append)
    await provider.place(replace(an_order(), voicemail=voicemail), 1)
    await eventually(lambda: reports)
    assert (reports[0].outcome, reports[0].message_left) == (Outcome.VOICEMAIL, left)
    assert [message for _, message in provider.messages] == (["Call us."] if left else [])


async def test_a_machine_that_is_hung_up_on_says_no_more() -> None:
    reports: list[CallReport] = []
    provider = ScriptedProvider(always(ScriptedCall(outcome=Outcome.VOICEMAIL, talk_seconds=600)), reports.append)
    await provider.place(replace(an_order(), voicemail=Voicemail()), 1)
    await eventually(lambda: reports)
    assert reports[0].outcome is Outcome.VOICEMAIL
