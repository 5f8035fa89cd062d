"""What is Twilio's alone: its guesses, its errors, its callbacks."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.carrier_simulator.settings import CallbackFault, Ending, Fault, OrderRefusal, Rule
from shared.clock import monotonic, utc_now
from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal, RefusalSubject
from shared.errors import OutcomeUnknown, TemporaryError, Unavailable
from shared.telephony.provider import CallDenied, CallEnded, CallNotFound, CallPlaced, CallReference, CallRefused
from shared.telephony.twilio import TwilioProvider
from tests.contract.carriers import CALLER, Twilio, a_plan, a_reference, an_order, twilio_carrier, twilio_settings
from tests.eventually import eventually

NUMBER = "+12025559000"
PATIENCE = 5.0


@pytest.fixture
async def twilio() -> AsyncIterator[Twilio]:
    async with twilio_carrier() as carrier:
        yield carrier


def a_later_reference(**by: float) -> CallReference:
    order = an_order(NUMBER)
    return CallReference(
        attempt_id=order.attempt_id,
        phone_number=NUMBER,
        caller_number=order.caller_number,
        started_at=utc_now() + timedelta(**by),
    )


async def test_two_calls_that_fit_cannot_be_told_apart(twilio: Twilio) -> None:
    twilio.fate(NUMBER, a_plan(talk=600))
    await twilio.provider.place(an_order(NUMBER), PATIENCE)
    second = an_order(NUMBER)
    await twilio.provider.place(second, PATIENCE)
    with pytest.raises(TemporaryError, match="2 calls fit"):
        await twilio.provider.look_up(a_reference(second))


async def test_call_older_than_the_start_is_not_ours(twilio: Twilio) -> None:
    twilio.fate(NUMBER, a_plan(Outcome.BUSY))
    await twilio.provider.place(an_order(NUMBER), PATIENCE)
    assert await twilio.provider.look_up(a_later_reference(seconds=60)) == CallNotFound()


async def test_carriers_clock_may_be_behind(twilio: Twilio) -> None:
    twilio.fate(NUMBER, a_plan(Outcome.BUSY))
    await twilio.provider.place(an_order(NUMBER), PATIENCE)
    await eventually(lambda: twilio.live == 0)
    found = await twilio.provider.look_up(a_later_reference(seconds=20))
    assert isinstance(found, CallEnded)


async def test_a_call_that_is_another_attempts_is_not_taken_for_a_retry_that_came_soon(twilio: Twilio) -> None:
    twilio.fate(NUMBER, a_plan(Outcome.BUSY))
    await twilio.provider.place(an_order(NUMBER), PATIENCE)
    await eventually(lambda: twilio.live == 0)
    retry = a_later_reference(seconds=5)
    first = await twilio.provider.look_up(retry)
    assert isinstance(first, CallEnded)
    assert first.report.call_id is not None
    known = replace(retry, other_calls=frozenset({first.report.call_id}))
    assert await twilio.provider.look_up(known) == CallNotFound()


async def test_look_up_reads_every_page(twilio: Twilio) -> None:
    twilio.fate(NUMBER, a_plan(Outcome.BUSY))
    for _ in range(201):
        await twilio.provider.place(an_order(NUMBER), PATIENCE)
    assert await twilio.provider.look_up(a_later_reference(seconds=60)) == CallNotFound()
    with pytest.raises(TemporaryError, match="201 calls fit"):
        await twilio.provider.look_up(a_later_reference(seconds=0))


@pytest.mark.parametrize("odd", ["Fri, 31 Dec 9999 23:59:59 -0100", "Fri, 01 Jan 0100 00:00:00 +1400", 5, ["now"], {}])
async def test_a_call_with_times_that_no_clock_shows_is_found_all_the_same(odd: object) -> None:
    call = {"sid": "CA1", "status": "completed", "duration": 49, "answered_by": odd}
    call |= dict.fromkeys(["end_time", "date_updated", "date_created", "start_time"], odd)
    page = {"calls": ["no call", call], "next_page_uri": 7}

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(page if request.path.endswith("/Calls.json") else call)

    carrier = web.Application()
    carrier.router.add_get("/{path:.*}", answer)
    async with TestServer(carrier) as server:
        provider = TwilioProvider(twilio_settings(str(server.make_url("/")), "http://127.0.0.1:9"))
        await provider.start()
        began = utc_now()
        by_numbers = a_later_reference(seconds=0)
        for reference in (by_numbers, replace(by_numbers, call_id="CA1")):
            found = await provider.look_up(reference)
            assert isinstance(found, CallEnded)
            assert began <= found.report.ended_at <= utc_now()
            assert (found.report.outcome, found.report.duration_seconds) == (Outcome.ANSWERED, 49)
        await provider.close()


@pytest.mark.parametrize("code", [-1, 2**31, 2**70, "21210", 21210.5, True, [21210], None])
async def test_refusal_with_a_code_that_can_be_none_speaks_of_the_account(code: object) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"code": code, "message": "Something new"}, status=400)

    carrier = web.Application()
    carrier.router.add_post("/{path:.*}", answer)
    async with TestServer(carrier) as server:
        provider = TwilioProvider(twilio_settings(str(server.make_url("/")), "http://127.0.0.1:9"))
        await provider.start()
        denied = await provider.place(an_order(NUMBER), PATIENCE)
        await provider.close()
    assert isinstance(denied, CallDenied)
    assert denied.refusal == Refusal(subject=RefusalSubject.ACCOUNT, message="Something new")


async def test_calls_to_other_numbers_do_not_fit(twilio: Twilio) -> None:
    await twilio.provider.place(an_order("+12025559001"), PATIENCE)
    assert await twilio.provider.look_up(a_later_reference(seconds=0)) == CallNotFound()


@pytest.mark.parametrize(
    ("fault", "exists"),
    [
        pytest.param(Fault.ERROR_BEFORE, False, id="503 and no call"),
        pytest.param(Fault.ERROR_AFTER, True, id="503 and a call"),
        pytest.param(Fault.DROPPED_AFTER, True, id="connection lost and a call"),
    ],
)
async def test_unclear_answers_are_unknown(twilio: Twilio, fault: Fault, exists: bool) -> None:
    twilio.rule(NUMBER, Rule(pattern="", fault=fault))
    with pytest.raises(OutcomeUnknown):
        await twilio.provider.place(an_order(NUMBER), PATIENCE)
    assert twilio.placed == int(exists)


async def test_slow_carrier_makes_the_call_after_we_gave_up(twilio: Twilio) -> None:
    twilio.behave(latency_min_seconds=0.4, latency_max_seconds=0.4)
    order = an_order(NUMBER)
    with pytest.raises(OutcomeUnknown):
        await twilio.provider.place(order, 0.1)
    # This is why "not found" counts only after PLACE and SETTLE.
    assert await twilio.provider.look_up(a_reference(order)) == CallNotFound()
    await eventually(lambda: twilio.placed)
    assert not isinstance(await twilio.provider.look_up(a_reference(order)), CallNotFound)


async def test_nobody_listening_is_a_certain_no() -> None:
    provider = TwilioProvider(twilio_settings("http://127.0.0.1:9", "http://127.0.0.1:9"))
    await provider.start()
    with pytest.raises(TemporaryError):
        await provider.place(an_order(NUMBER), PATIENCE)
    with pytest.raises(TemporaryError):
        await provider.look_up(a_later_reference(seconds=0))
    with pytest.raises(TemporaryError):
        await provider.hang_up("CA1")
    await provider.close()


async def test_waiting_in_vain_for_a_free_connection_is_a_certain_no(twilio: Twilio) -> None:
    settings = twilio_settings(twilio.settings.twilio_base_url, "http://127.0.0.1:9", carrier_connections=1)
    provider = TwilioProvider(settings)
    await provider.start()
    twilio.rule(NUMBER, Rule(pattern="", fault=Fault.SILENT_BEFORE))
    holding = asyncio.create_task(provider.place(an_order(NUMBER), PATIENCE))
    await eventually(lambda: twilio.simulator.book.counts["fault:silent_before"])
    with pytest.raises(TemporaryError):
        await provider.place(an_order("+12025559002"), 0.1)
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    await provider.close()
    assert twilio.placed == 0


async def test_an_order_whose_process_stood_still_on_its_way_does_not_leave_any_more(twilio: Twilio) -> None:
    order = replace(an_order(NUMBER), send_by=monotonic() + 0.3)
    placing = asyncio.create_task(twilio.provider.place(order, PATIENCE))
    await asyncio.sleep(0)  # it connects
    time.sleep(0.4)  # noqa: ASYNC251 - as in a frozen process nothing else runs meanwhile, no timer either.
    with pytest.raises(Unavailable, match="too late"):
        await placing
    assert twilio.placed == 0


async def test_an_order_in_time_leaves(twilio: Twilio) -> None:
    twilio.fate(NUMBER, a_plan(Outcome.BUSY))
    placed = await twilio.provider.place(replace(an_order(NUMBER), send_by=monotonic() + 5), PATIENCE)
    assert isinstance(placed, CallPlaced)


async def test_an_order_that_is_too_late_never_leaves(twilio: Twilio) -> None:
    with pytest.raises(Unavailable, match="too late"):
        await twilio.provider.place(replace(an_order(NUMBER), send_by=monotonic() - 0.001), PATIENCE)
    assert twilio.placed == 0


async def test_wrong_token_costs_no_attempt(twilio: Twilio) -> None:
    settings = twilio_settings(twilio.settings.twilio_base_url, "http://127.0.0.1:9", twilio_auth_token="wrong")
    provider = TwilioProvider(settings)
    await provider.start()
    denied = await provider.place(an_order(NUMBER), PATIENCE)
    assert isinstance(denied, CallDenied)
    assert (denied.refusal.subject, denied.refusal.code) == (RefusalSubject.ACCOUNT, 20003)
    assert denied.refusal.message == "Authenticate"
    await provider.close()


async def test_what_is_no_twilio_at_all_costs_no_attempt(twilio: Twilio) -> None:
    provider = TwilioProvider(twilio_settings(f"{twilio.settings.twilio_base_url}/elsewhere", "http://127.0.0.1:9"))
    await provider.start()
    denied = await provider.place(an_order(NUMBER), PATIENCE)
    assert isinstance(denied, CallDenied)
    assert denied.refusal == Refusal(subject=RefusalSubject.ACCOUNT, code=None, message="HTTP 404")
    await provider.close()


@pytest.mark.parametrize(
    ("refusal", "subject"),
    [
        (OrderRefusal(code=10001, status=403), RefusalSubject.ACCOUNT),
        (OrderRefusal(code=20003, status=401), RefusalSubject.ACCOUNT),
        (OrderRefusal(code=21210, caller=CALLER), RefusalSubject.CALLER_NUMBER),
        (OrderRefusal(code=21215, country="US"), RefusalSubject.COUNTRY),
        (OrderRefusal(code=13227, to_prefix="+1202"), RefusalSubject.COUNTRY),
        (OrderRefusal(code=29999, status=400), RefusalSubject.ACCOUNT),
    ],
)
async def test_refusal_is_lifted_when_the_carrier_lifts_it(
    twilio: Twilio, refusal: OrderRefusal, subject: RefusalSubject
) -> None:
    twilio.refuse(refusal)
    denied = await twilio.provider.place(an_order(NUMBER), PATIENCE)
    assert isinstance(denied, CallDenied)
    assert (denied.refusal.subject, denied.refusal.code) == (subject, refusal.code)
    twilio.refuse()
    assert isinstance(await twilio.provider.place(an_order(NUMBER), PATIENCE), CallPlaced)
    assert twilio.placed == 1


async def test_account_limit_costs_no_attempt(twilio: Twilio) -> None:
    twilio.rule(NUMBER, Rule(pattern="", ending=Ending.REFUSED, code=10004))
    with pytest.raises(TemporaryError, match="10004"):
        await twilio.provider.place(an_order(NUMBER), PATIENCE)


async def test_unsubscribed_person_is_not_called_again(twilio: Twilio) -> None:
    twilio.rule(NUMBER, Rule(pattern="", ending=Ending.REFUSED, code=21610))
    refused = await twilio.provider.place(an_order(NUMBER), PATIENCE)
    assert isinstance(refused, CallRefused)
    assert refused.outcome is Outcome.DO_NOT_CALL
    assert "21610" in refused.error


async def test_fax_line_is_a_failure(twilio: Twilio) -> None:
    twilio.rule(NUMBER, Rule(pattern="", ending=Ending.FAX, ring_seconds=0, talk_seconds=0))
    await twilio.provider.place(an_order(NUMBER), PATIENCE)
    await eventually(lambda: twilio.reports)
    assert twilio.reports[0].outcome is Outcome.FAILED


async def test_answer_is_reported_while_the_call_is_up(twilio: Twilio) -> None:
    twilio.fate(NUMBER, a_plan(talk=600))
    order = an_order(NUMBER)
    placed = await twilio.provider.place(order, PATIENCE)
    await eventually(lambda: twilio.pick_ups)
    assert isinstance(placed, CallPlaced)
    assert (twilio.pick_ups[0].attempt_id, twilio.pick_ups[0].call_id) == (order.attempt_id, placed.call_id)
    assert twilio.live == 1


async def test_doubled_callbacks_say_the_same_twice(twilio: Twilio) -> None:
    twilio.rule(NUMBER, Rule(pattern="", ending=Ending.BUSY, ring_seconds=0, callback_fault=CallbackFault.DOUBLED))
    await twilio.provider.place(an_order(NUMBER), PATIENCE)
    await eventually(lambda: len(twilio.reports) == 2)
    assert twilio.reports[0] == twilio.reports[1]


async def test_callback_refused_with_503_is_repeated(twilio: Twilio) -> None:
    twilio.refuse_callbacks = 3
    twilio.fate(NUMBER, a_plan(Outcome.BUSY))
    await twilio.provider.place(an_order(NUMBER), PATIENCE)
    await eventually(lambda: twilio.reports)
    assert twilio.simulator.book.counts["callbacks_sent"] == 4


async def test_late_callback_arrives_after_the_end(twilio: Twilio) -> None:
    twilio.behave(callback_late_seconds=0.3)
    twilio.rule(NUMBER, Rule(pattern="", ending=Ending.BUSY, ring_seconds=0, callback_fault=CallbackFault.LATE))
    await twilio.provider.place(an_order(NUMBER), PATIENCE)
    await eventually(lambda: twilio.simulator.book.by_outcome["busy"])
    assert twilio.reports == []
    await eventually(lambda: twilio.reports)


async def test_order_carries_ids_limits_and_the_wish_for_repeats(twilio: Twilio) -> None:
    twilio.fate(NUMBER, a_plan(talk=600))
    order = replace(an_order(NUMBER, ring_timeout_seconds=20.5, max_call_seconds=90), result_token="rt_a&b")
    await twilio.provider.place(order, PATIENCE)
    (call,) = twilio.simulator.book.calls.values()
    assert (call.ring_limit_seconds, call.talk_limit_seconds, call.detect_machines) == (21, 90, True)
    assert call.events == {"answered", "completed"}
    callback = urlsplit(call.status_callback)
    assert callback.path == "/callbacks/twilio"
    assert callback.fragment == "rc=5&rp=ct,rt,5xx"
    assert parse_qs(callback.query) == {
        "attempt_id": [order.attempt_id],
        "organization_id": [order.organization_id],
        "contact_id": [order.contact_id],
        "shard": ["7"],
    }
    answer = urlsplit(call.answer_url)
    assert parse_qs(answer.query) == {
        "lang": ["en"],
        "attempt_id": [order.attempt_id],
        "conversation_id": [order.conversation_id],
        "contact_id": [order.contact_id],
        "campaign_id": [order.campaign_id],
        "agent_id": ["agent & sons"],
        "result_token": ["rt_a&b"],
    }


async def test_a_thousand_orders_share_the_connections(twilio: Twilio) -> None:
    twilio.behave(ring_min_seconds=0, ring_max_seconds=0, talk_min_seconds=0, talk_max_seconds=0)
    orders = [an_order(f"+1202556{n:04}") for n in range(1000)]
    placed = await asyncio.gather(*(twilio.provider.place(order, 30) for order in orders))
    assert all(isinstance(one, CallPlaced) for one in placed)
    await eventually(lambda: len(twilio.reports) == 1000)
    assert twilio.forged == 0
    assert {report.attempt_id for report in twilio.reports} == {order.attempt_id for order in orders}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_whatever_goes_wrong_a_no_means_no_call_and_a_yes_means_one(twilio: Twilio, seed: int) -> None:
    faults = ("rate_limited", "error_before", "error_after", "silent_before", "silent_after", "dropped_after")
    twilio.behave(
        seed=seed,
        latency_max_seconds=0.6,  # some answers come after the caller's patience
        callback_early_rate=0.1,
        talk_min_seconds=60,
        **{f"{fault}_rate": 0.08 for fault in faults},
    )
    settings = twilio_settings(twilio.simulator.url, twilio.settings.callback_base_url, carrier_connections=40)
    provider = TwilioProvider(settings)
    await provider.start()
    orders = [an_order(f"+1202557{n:04}") for n in range(150)]
    answers = await asyncio.gather(*(provider.place(order, 0.5) for order in orders), return_exceptions=True)
    await provider.close()
    await eventually(lambda: twilio.simulator.book.counts["orders_open"] == 0)
    calls = Counter(call.attempt_id for call in twilio.simulator.book.calls.values())
    kinds: Counter[str] = Counter(type(answer).__name__ for answer in answers)
    for order, answer in zip(orders, answers, strict=True):
        match answer:
            case CallPlaced():
                assert calls[order.attempt_id] == 1
            case CallRefused() | TemporaryError():
                assert calls[order.attempt_id] == 0
            case OutcomeUnknown():
                assert calls[order.attempt_id] <= 1
            case _:
                pytest.fail(f"neither yes, no nor unknown: {answer!r}")
    # All three kinds have been seen, or this proves nothing.
    assert min(kinds["CallPlaced"], kinds["OutcomeUnknown"], kinds["Unavailable"] + kinds["TemporaryError"]) > 0, kinds
