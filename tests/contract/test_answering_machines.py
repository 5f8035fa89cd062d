"""Answering machines: what every provider does with a message, and what Twilio says of machines."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import Final

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.carrier_simulator.settings import CallbackFault, Ending, Rule
from shared.domain.outcome import Outcome
from shared.domain.voicemail import MAX_MESSAGE, Voicemail
from shared.errors import OutcomeUnknown, TemporaryError
from shared.telephony.provider import CallEnded, CallPlaced
from shared.telephony.twilio import TwilioProvider
from shared.telephony.twilio_voicemail import spoken
from tests.contract.carriers import (
    ACCOUNT,
    TOKEN,
    Carrier,
    Twilio,
    a_plan,
    a_reference,
    an_order,
    held_line_carrier,
    scripted_carrier,
    twilio_carrier,
    twilio_settings,
)
from tests.eventually import eventually

PATIENCE = 5.0
NUMBER = "+12025559100"
MESSAGE = 'Jones & Sons: 2 < 3, and "we" call from Köln.'
LEAVE = Voicemail.model_validate({"action": "leave_message", "message": MESSAGE, "language": "en-GB"})
HANG_UP = Voicemail()
CARRIERS: Final[dict[str, Callable[[], AbstractAsyncContextManager[Carrier]]]] = {
    "scripted": scripted_carrier,
    "twilio": twilio_carrier,
    "held line": held_line_carrier,
}
_numbers = count(2025552000)


@pytest.fixture(params=CARRIERS)
async def carrier(request: pytest.FixtureRequest) -> AsyncIterator[Carrier]:
    """Every carrier."""
    async with CARRIERS[request.param]() as one:
        yield one


@pytest.fixture
async def twilio() -> AsyncIterator[Twilio]:
    async with twilio_carrier() as carrier:
        carrier.behave(time_scale=0.01, detection_seconds=1, greeting_seconds=10)
        yield carrier


@pytest.fixture
def number() -> str:
    return f"+1{next(_numbers)}"


async def test_a_message_is_spoken_word_for_word_and_ends_the_call(carrier: Carrier, number: str) -> None:
    carrier.fate(number, a_plan(talk=600))
    placed = await carrier.provider.place(an_order(number), PATIENCE)
    assert isinstance(placed, CallPlaced)
    await eventually(lambda: carrier.answered)
    assert await carrier.provider.leave_message(placed.call_id, LEAVE)
    await eventually(lambda: carrier.live == 0, timeout=10)
    assert carrier.messages == [MESSAGE]


async def test_no_message_is_spoken_before_an_answer_or_after_the_end(carrier: Carrier, number: str) -> None:
    carrier.fate(number, a_plan(ring=600))
    placed = await carrier.provider.place(an_order(number), PATIENCE)
    assert isinstance(placed, CallPlaced)
    assert not await carrier.provider.leave_message(placed.call_id, LEAVE)
    await carrier.provider.hang_up(placed.call_id)
    await eventually(lambda: carrier.live == 0)
    assert not await carrier.provider.leave_message(placed.call_id, LEAVE)
    assert not await carrier.provider.leave_message("CAnobody", LEAVE)
    assert carrier.messages == []


async def test_a_machines_word_comes_when_its_greeting_is_over_if_a_message_is_to_be_left(twilio: Twilio) -> None:
    twilio.fate(NUMBER, a_plan(Outcome.VOICEMAIL, talk=600))
    order = an_order(NUMBER, voicemail=LEAVE)
    placed = await twilio.provider.place(order, PATIENCE)
    assert isinstance(placed, CallPlaced)
    await eventually(lambda: twilio.machines)
    [machine] = twilio.machines
    assert machine is not None
    assert (machine.attempt_id, machine.contact_id, machine.organization_id, machine.call_id) == (
        order.attempt_id,
        order.contact_id,
        order.organization_id,
        placed.call_id,
    )
    assert (machine.outcome, machine.greeting_over) == (Outcome.VOICEMAIL, True)
    (call,) = twilio.simulator.book.calls.values()
    assert call.waits_for_greeting


@pytest.mark.parametrize(("ending", "outcome"), [("voicemail", Outcome.VOICEMAIL), ("fax", Outcome.FAILED)])
async def test_where_machines_are_hung_up_on_their_word_comes_at_once(
    twilio: Twilio, ending: str, outcome: Outcome
) -> None:
    twilio.rule(NUMBER, Rule(pattern="", ending=Ending(ending), ring_seconds=0, talk_seconds=600))
    await twilio.provider.place(an_order(NUMBER, voicemail=HANG_UP), PATIENCE)
    await eventually(lambda: twilio.machines)
    [machine] = twilio.machines
    assert machine is not None
    assert (machine.outcome, machine.greeting_over) == (outcome, False)


async def test_a_person_is_no_machine(twilio: Twilio) -> None:
    twilio.fate(NUMBER, a_plan(talk=600))
    await twilio.provider.place(an_order(NUMBER, voicemail=LEAVE), PATIENCE)
    await eventually(lambda: twilio.machines)
    assert twilio.machines == [None]


@pytest.mark.parametrize(("voicemail", "detects"), [(Voicemail(detect=False), False), (None, True)])
async def test_without_handling_the_operators_setting_holds_and_no_word_comes(
    twilio: Twilio, voicemail: Voicemail | None, detects: bool
) -> None:
    twilio.fate(NUMBER, a_plan(Outcome.VOICEMAIL, talk=0.1))
    await twilio.provider.place(an_order(NUMBER, voicemail=voicemail), PATIENCE)
    await eventually(lambda: twilio.reports)
    (call,) = twilio.simulator.book.calls.values()
    assert (call.detect_machines, call.machine_callback) == (detects, "")
    assert twilio.reports[0].outcome is (Outcome.VOICEMAIL if detects else Outcome.ANSWERED)
    assert twilio.machines == []


async def test_the_status_callback_does_not_know_of_the_machine_and_a_look_up_does(twilio: Twilio) -> None:
    twilio.fate(NUMBER, a_plan(Outcome.VOICEMAIL, talk=0.5))
    order = an_order(NUMBER, voicemail=HANG_UP)
    placed = await twilio.provider.place(order, PATIENCE)
    assert isinstance(placed, CallPlaced)
    await eventually(lambda: twilio.reports)
    assert twilio.reports[0].outcome is Outcome.ANSWERED
    found = await twilio.provider.look_up(a_reference(order, placed.call_id))
    assert isinstance(found, CallEnded)
    assert found.report.outcome is Outcome.VOICEMAIL


async def test_a_doubled_word_comes_twice_and_a_lost_one_never(twilio: Twilio) -> None:
    for fault in (CallbackFault.DOUBLED, CallbackFault.LOST):
        rule = Rule(pattern="", ending=Ending.VOICEMAIL, ring_seconds=0, talk_seconds=0.5, callback_fault=fault)
        twilio.rule(NUMBER, rule)
        await twilio.provider.place(an_order(NUMBER, voicemail=HANG_UP), PATIENCE)
        await eventually(lambda: twilio.live == 0)
    assert len(twilio.machines) == 2


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"sid": "CA1"}, True),
        (404, {"code": 20404}, False),
        (400, {"code": 21220}, False),
        (503, {}, OutcomeUnknown),
        (401, {"code": 20003}, TemporaryError),
        (429, {"code": 20429}, TemporaryError),
    ],
)
async def test_what_an_answer_to_a_message_means(
    status: int, body: dict[str, object], expected: bool | type[Exception]
) -> None:
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.path, dict(await request.post())))
        return web.json_response(body, status=status)

    carrier = web.Application()
    carrier.router.add_post("/{path:.*}", answer)
    async with TestServer(carrier) as server:
        provider = TwilioProvider(twilio_settings(str(server.make_url("/")), "http://127.0.0.1:9"))
        await provider.start()
        try:
            if isinstance(expected, bool):
                assert await provider.leave_message("CA1", LEAVE) is expected
            else:
                with pytest.raises(expected):
                    await provider.leave_message("CA1", LEAVE)
        finally:
            await provider.close()
    assert asked == [(f"/2010-04-01/Accounts/{ACCOUNT}/Calls/CA1.json", {"Twiml": spoken(LEAVE)})]


async def test_a_carrier_that_cannot_be_reached_has_certainly_spoken_nothing() -> None:
    provider = TwilioProvider(twilio_settings("http://127.0.0.1:9", "http://127.0.0.1:9"))
    await provider.start()
    with pytest.raises(TemporaryError):
        await provider.leave_message("CA1", LEAVE)
    await provider.close()


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"Twiml": "<Response><Say>no end"}, 20001),
        ({"Twiml": "<Response><Dial>+12025550100</Dial></Response>"}, 20001),
        ({"Twiml": spoken(LEAVE) + " " * 4000}, 20001),
        ({"Status": "in-progress"}, 21220),
    ],
)
async def test_the_simulator_refuses_what_it_cannot_do_to_a_call(
    twilio: Twilio, form: dict[str, str], code: int
) -> None:
    twilio.fate(NUMBER, a_plan(talk=600))
    placed = await twilio.provider.place(an_order(NUMBER), PATIENCE)
    assert isinstance(placed, CallPlaced)
    url = f"{twilio.simulator.url}/2010-04-01/Accounts/{ACCOUNT}/Calls/{placed.call_id}.json"
    headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    async with aiohttp.ClientSession(headers=headers) as session, session.post(url, data=form) as response:
        assert (response.status, (await response.json())["code"]) == (400, code)
    assert twilio.live == 1


async def test_the_simulator_counts_a_second_message_in_one_call(twilio: Twilio) -> None:
    twilio.behave(time_scale=1)
    twilio.fate(NUMBER, a_plan(talk=600))
    placed = await twilio.provider.place(an_order(NUMBER), PATIENCE)
    assert isinstance(placed, CallPlaced)
    await eventually(lambda: twilio.answered)
    for _ in range(2):
        assert await twilio.provider.leave_message(placed.call_id, LEAVE)
    summary = twilio.simulator.book.summary()
    assert (summary["messages"], summary["calls_with_two_messages"]) == (1, 1)


def test_the_longest_message_fits_into_what_twilio_takes() -> None:
    for worst in ("&", "<", ">"):
        longest = Voicemail.model_validate(
            {"action": "leave_message", "message": worst * MAX_MESSAGE, "language": "yue-Hantszzz-HKxxxxxx"}
        )
        assert len(spoken(longest)) <= 4000
