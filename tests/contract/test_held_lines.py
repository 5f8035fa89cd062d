"""Calls that live on their client's connection: the simulated carrier's side, and the provider that holds them."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import pytest

from services.carrier_simulator.settings import CallbackFault, Ending, Fault, Rule
from shared.domain.outcome import Outcome
from shared.domain.refusal import RefusalSubject
from shared.errors import OutcomeUnknown, TemporaryError, Unavailable
from shared.telephony.provider import CallDenied, CallLive, CallPlaced, CallRefused, CallReport, PlaceAnswer, PlaceCall
from tests.chaos.held_line import HeldLineProvider
from tests.contract.carriers import (
    ACCOUNT,
    CALLER,
    TOKEN,
    HeldLine,
    a_plan,
    a_reference,
    an_order,
    held_line_carrier,
    twilio_settings,
)
from tests.eventually import eventually
from tests.proxy import line_to

NUMBER: Final = "+12025559000"
PATIENCE: Final = 5.0
ORDER: Final = {
    "attempt_id": "a",
    "organization_id": "o",
    "contact_id": "c",
    "to": NUMBER,
    "from": CALLER,
    "ring_limit_seconds": 30,
    "talk_limit_seconds": 600,
}


@pytest.fixture
async def carrier() -> AsyncIterator[HeldLine]:
    async with held_line_carrier() as one:
        yield one


@pytest.fixture
async def client(carrier: HeldLine) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    async with aiohttp.ClientSession(carrier.simulator.url, headers=headers) as session:
        yield session


def endings(carrier: HeldLine) -> list[dict[str, Any]]:
    """What the carrier has written down of calls that are over."""
    entries = [json.loads(line) for line in carrier.simulator.book.record_after(0, 10_000)]
    return [entry for entry in entries if entry["event"] == "ended"]


async def test_the_line_tells_of_a_call_from_its_placing_to_its_end(
    carrier: HeldLine, client: aiohttp.ClientSession
) -> None:
    carrier.fate(NUMBER, a_plan(ring=0.05, talk=0.1))
    async with client.post("/held-lines", json=ORDER) as response:
        placed, answered, ended = [json.loads(line) async for line in response.content]
    assert (placed["event"], answered["event"], ended["event"]) == ("placed", "answered", "ended")
    [entry] = endings(carrier)
    assert (
        (ended["outcome"], ended["ended_at"])
        == (entry["outcome"], entry["ended_at"])
        == ("answered", ended["ended_at"])
    )
    assert (placed["call_id"], placed["placed_at"]) == (entry["call_id"], entry["placed_at"])
    assert ended["answered_at"] == answered["answered_at"] == entry["answered_at"]
    ids = {name: entry[name] for name in ("attempt_id", "organization_id", "contact_id", "to", "from")}
    assert ids == {name: ORDER[name] for name in ids}
    assert entry["held"] is True


@pytest.mark.parametrize("given", ["", "Bearer x", aiohttp.encode_basic_auth(ACCOUNT, "wrong")])
async def test_a_line_needs_the_account_s_token(carrier: HeldLine, client: aiohttp.ClientSession, given: str) -> None:
    async with client.post("/held-lines", json=ORDER, headers={"Authorization": given}) as response:
        assert (response.status, (await response.json())["code"]) == (401, 20003)
    assert carrier.placed == 0


@pytest.mark.parametrize(
    "changes", [{"to": "12025550123"}, {"from": "me"}, {"ring_limit_seconds": 0}, {"talk_limit_seconds": None}]
)
async def test_a_bad_order_makes_no_call(
    carrier: HeldLine, client: aiohttp.ClientSession, changes: dict[str, object]
) -> None:
    async with client.post("/held-lines", json={**ORDER, **changes}) as response:
        assert response.status == 400
    assert carrier.placed == 0


@pytest.mark.parametrize(("ring", "answered"), [(600.0, False), (0.0, True)], ids=["while it rings", "while it is up"])
async def test_a_call_ends_with_its_client(
    carrier: HeldLine, client: aiohttp.ClientSession, ring: float, answered: bool
) -> None:
    carrier.fate(NUMBER, a_plan(ring=ring, talk=600))
    response = await client.post("/held-lines", json=ORDER)
    await eventually(lambda: carrier.answered == int(answered))
    response.close()
    await eventually(lambda: carrier.live == 0)
    [entry] = endings(carrier)
    assert entry["outcome"] == "interrupted"
    assert (entry["answered_at"] is not None) == answered
    assert carrier.simulator.book.summary()["by_outcome"] == {"interrupted": 1}


async def test_held_calls_count_with_all_others(carrier: HeldLine) -> None:
    carrier.behave(rules=[Rule(pattern="", ring_seconds=0, talk_seconds=600).model_dump()])
    for n in range(3):
        await carrier.provider.place(an_order(f"+1202555900{n}"), PATIENCE)
    summary = carrier.simulator.book.summary()
    assert (summary["live"], summary["peak_live"], summary["peak_live_by_organization"]) == (3, 3, {"organization": 3})
    await carrier.provider.place(an_order(NUMBER), PATIENCE)
    assert carrier.simulator.book.summary()["phones_called_at_once"] == 1


async def test_lines_a_second_are_limited(carrier: HeldLine) -> None:
    carrier.behave(calls_per_second=5, ring_min_seconds=0, ring_max_seconds=0, talk_min_seconds=0, talk_max_seconds=0)
    orders = [an_order(f"+1202555{n:04}") for n in range(40)]
    answers = await asyncio.gather(
        *(carrier.provider.place(order, PATIENCE) for order in orders), return_exceptions=True
    )
    kinds = Counter(type(answer) for answer in answers)
    assert kinds[CallPlaced] <= 10  # the second may turn once in between
    assert kinds[TemporaryError] >= 30
    assert carrier.placed == kinds[CallPlaced]


@pytest.mark.parametrize(
    ("fault", "exists"),
    [
        pytest.param(Fault.ERROR_BEFORE, False, id="503 and no call"),
        pytest.param(Fault.ERROR_AFTER, True, id="503 and a call"),
        pytest.param(Fault.SILENT_BEFORE, False, id="silence and no call"),
        pytest.param(Fault.SILENT_AFTER, True, id="silence and a call"),
        pytest.param(Fault.DROPPED_AFTER, True, id="connection lost and a call"),
    ],
)
async def test_an_unclear_answer_is_unknown_and_its_call_ends_with_the_line(
    carrier: HeldLine, fault: Fault, exists: bool
) -> None:
    carrier.rule(NUMBER, Rule(pattern="", fault=fault, ring_seconds=0, talk_seconds=600))
    with pytest.raises(OutcomeUnknown):
        await carrier.provider.place(an_order(NUMBER), 0.5)
    await eventually(lambda: carrier.live == 0)
    assert [entry["outcome"] for entry in endings(carrier)] == ["interrupted"] * exists
    await carrier.provider.close()
    assert carrier.reports == [], "nobody here has heard how it ended"


async def test_an_order_dies_with_its_client_while_the_carrier_takes_its_time(carrier: HeldLine) -> None:
    carrier.behave(latency_min_seconds=60, latency_max_seconds=60)
    placing = asyncio.create_task(carrier.provider.place(an_order(NUMBER), PATIENCE))
    await eventually(lambda: carrier.simulator.book.counts["orders_open"])
    placing.cancel()
    await eventually(lambda: carrier.simulator.book.counts["orders_open"] == 0)
    assert carrier.placed == 0


async def test_closing_ends_the_calls_that_are_up_and_reports_them_first(carrier: HeldLine) -> None:
    carrier.behave(
        rules=[
            Rule(pattern="1$", ring_seconds=600).model_dump(),
            Rule(pattern="", ring_seconds=0, talk_seconds=600).model_dump(),
        ]
    )
    ringing, answered = an_order("+12025559001"), an_order("+12025559002")
    for order in (ringing, answered):
        await carrier.provider.place(order, PATIENCE)

    async def heard_of_the_answer() -> bool:
        found = await carrier.provider.look_up(a_reference(answered))
        assert isinstance(found, CallLive)
        return found.answered_at is not None

    await eventually(heard_of_the_answer)
    await carrier.provider.close()
    reports = {report.attempt_id: report for report in carrier.reports}
    assert [report.outcome for report in reports.values()] == [Outcome.INTERRUPTED] * 2
    assert reports[ringing.attempt_id].duration_seconds is None
    assert reports[answered.attempt_id].answered_at is not None
    assert reports[answered.attempt_id].error == "the process that held the call has stopped"
    await eventually(lambda: carrier.live == 0)
    assert [entry["outcome"] for entry in endings(carrier)] == ["interrupted"] * 2


async def test_a_line_lost_in_the_middle_is_an_interrupted_call_by_our_own_word(carrier: HeldLine) -> None:
    carrier.fate(NUMBER, a_plan(talk=600))
    reports: list[CallReport] = []
    async with line_to(("127.0.0.1", urlsplit(carrier.simulator.url).port or 0)) as line:
        provider = HeldLineProvider(twilio_settings(f"http://127.0.0.1:{line.listening_on}", ""), reports.append)
        await provider.start()
        placed = await provider.place(an_order(NUMBER), PATIENCE)
        await eventually(lambda: carrier.answered)
        line.reset()
        await eventually(lambda: reports)
        await eventually(lambda: carrier.live == 0)
        await provider.close()
    assert isinstance(placed, CallPlaced)
    [report] = reports
    assert (report.outcome, report.call_id) == (Outcome.INTERRUPTED, placed.call_id)
    assert endings(carrier)[0]["outcome"] == "interrupted"


async def test_a_carrier_that_stops_ends_its_lines(carrier: HeldLine) -> None:
    carrier.fate(NUMBER, a_plan(talk=600))
    await carrier.provider.place(an_order(NUMBER), PATIENCE)
    await carrier.simulator.stop()
    await eventually(lambda: carrier.reports)
    assert [report.outcome for report in carrier.reports] == [Outcome.INTERRUPTED]


async def test_nobody_listening_is_a_certain_no() -> None:
    reports: list[CallReport] = []
    provider = HeldLineProvider(twilio_settings("http://127.0.0.1:9", ""), reports.append)
    await provider.start()
    with pytest.raises(Unavailable):
        await provider.place(an_order(NUMBER), PATIENCE)
    with pytest.raises(TemporaryError):
        await provider.hang_up("CA1")
    await provider.close()
    assert reports == []


async def test_a_wrong_token_costs_no_attempt(carrier: HeldLine) -> None:
    settings = twilio_settings(carrier.simulator.url, "", twilio_auth_token="wrong")
    provider = HeldLineProvider(settings, carrier.reports.append)
    await provider.start()
    denied = await provider.place(an_order(NUMBER), PATIENCE)
    await provider.close()
    assert isinstance(denied, CallDenied)
    assert (denied.refusal.subject, denied.refusal.code) == (RefusalSubject.ACCOUNT, 20003)


async def test_a_call_held_elsewhere_cannot_be_looked_up(carrier: HeldLine) -> None:
    assert not carrier.provider.can_look_up
    with pytest.raises(TemporaryError):
        await carrier.provider.look_up(a_reference(an_order(NUMBER)))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_whatever_goes_wrong_a_yes_has_one_report_and_a_no_means_no_call(carrier: HeldLine, seed: int) -> None:
    faults = ("rate_limited", "error_before", "error_after", "silent_before", "silent_after", "dropped_after")
    carrier.behave(
        seed=seed,
        latency_max_seconds=1.2,  # some answers come after the caller's patience
        callback_early_rate=0.1,
        ring_min_seconds=0,
        ring_max_seconds=0.1,
        talk_min_seconds=0,
        talk_max_seconds=0.2,
        **{f"{fault}_rate": 0.08 for fault in faults},
    )
    orders = [an_order(f"+1202557{n:04}") for n in range(100)]
    # Not all at once: on a busy machine no connection would be made in time.
    places = asyncio.Semaphore(30)

    async def place(order: PlaceCall) -> PlaceAnswer:
        async with places:
            return await carrier.provider.place(order, 1.0)

    answers = await asyncio.gather(*(place(order) for order in orders), return_exceptions=True)
    await eventually(lambda: carrier.live == carrier.simulator.book.counts["orders_open"] == 0)
    yes = {order.attempt_id for order, answer in zip(orders, answers, strict=True) if isinstance(answer, CallPlaced)}
    await eventually(lambda: {report.attempt_id for report in carrier.reports} == yes)
    assert len(carrier.reports) == len(yes)
    written = {entry["attempt_id"]: entry["outcome"] for entry in endings(carrier)}
    assert {report.attempt_id: report.outcome for report in carrier.reports}.items() <= written.items()
    assert len(written) == carrier.placed
    kinds = Counter(type(answer).__name__ for answer in answers)
    for order, answer in zip(orders, answers, strict=True):
        if isinstance(answer, (CallRefused, TemporaryError)):
            assert order.attempt_id not in written
        else:
            assert isinstance(answer, CallPlaced | OutcomeUnknown), repr(answer)
    # All three kinds have been seen, or this proves nothing.
    assert min(kinds["CallPlaced"], kinds["OutcomeUnknown"], kinds["TemporaryError"]) > 0, kinds


async def test_a_short_call_s_report_is_told_once(carrier: HeldLine) -> None:
    carrier.rule(NUMBER, Rule(pattern="", ending=Ending.BUSY, callback_fault=CallbackFault.EARLY))
    await carrier.provider.place(an_order(NUMBER), PATIENCE)
    await carrier.provider.close()
    assert [report.outcome for report in carrier.reports] == [Outcome.BUSY]
