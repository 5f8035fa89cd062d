import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import pytest
from pymongo import AsyncMongoClient

from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.events import CallAnswered, CallFinished
from shared.store.client import Document, Store
from shared.telephony.twilio_callback import CALLBACK_PATH
from shared.telephony.twilio_signature import sign
from tests.integration.campaign_api.client import Answer, Api, unique
from tests.integration.campaign_api.conftest import AUTH_TOKEN, PUBLIC_URL, EventsOf, Stack, serving

ENDED = {"CallSid": "CA1", "CallStatus": "busy", "Timestamp": "Sat, 21 Nov 2026 12:00:00 +0000"}


def address(**ids: Any) -> str:
    known = {
        "attempt_id": str(uuid.uuid4()),
        "organization_id": str(uuid.uuid4()),
        "contact_id": str(uuid.uuid4()),
        "shard": 5,
    }
    return f"{CALLBACK_PATH}?{urlencode({**known, **ids})}"


async def call_back(
    api: Api, path: str, form: Mapping[str, str], *, token: str = AUTH_TOKEN, url: str = PUBLIC_URL
) -> Answer:
    body = urlencode(form)
    headers = {
        "X-Twilio-Signature": sign(token, url + path, parse_qsl(body, keep_blank_values=True)),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return await api.call("POST", path, raw=body.encode(), headers=headers)


async def test_the_end_of_a_call_reaches_the_scheduler_of_its_shard(api: Api, events: EventsOf) -> None:
    path = address(organization_id="org-1", attempt_id="attempt-1", contact_id="contact-1")
    assert (await call_back(api, path, ENDED)).status == 200
    told = await events("org-1", CallFinished)
    assert [(event.shard, event.attempt_id, event.contact_id) for event in told] == [(5, "attempt-1", "contact-1")]
    assert (told[0].outcome, told[0].proven, told[0].provider_call_id) == (Outcome.BUSY, True, "CA1")


async def test_an_answer_is_told_while_the_call_is_up(api: Api, events: EventsOf) -> None:
    path = address(organization_id="org-2")
    assert (await call_back(api, path, {**ENDED, "CallStatus": "in-progress"})).status == 200
    assert len(await events("org-2", CallAnswered)) == 1


async def test_a_replayed_callback_says_the_same_again(api: Api, events: EventsOf) -> None:
    path = address(organization_id="org-3")
    assert [(await call_back(api, path, ENDED)).status for _ in range(3)] == [200] * 3
    assert len(set(await events("org-3", CallFinished, at_least=3))) == 1


async def test_ringing_is_taken_and_is_no_news(api: Api) -> None:
    assert (await call_back(api, address(), {**ENDED, "CallStatus": "ringing"})).status == 200


async def test_a_forged_callback_is_403(api: Api) -> None:
    path = address()
    assert (await call_back(api, path, ENDED, token="guessed")).status == 403
    assert (await call_back(api, path, ENDED, url="https://elsewhere.example.com")).status == 403
    assert (await api.call("POST", path, raw=urlencode(ENDED).encode())).status == 403
    signed = sign(AUTH_TOKEN, PUBLIC_URL + path, ENDED.items())
    other_end = urlencode({**ENDED, "CallStatus": "completed"}).encode()
    assert (await api.call("POST", path, raw=other_end, headers={"X-Twilio-Signature": signed})).status == 403
    other_contact = path.replace("shard=5", "shard=6")
    forged = await api.call(
        "POST", other_contact, raw=urlencode(ENDED).encode(), headers={"X-Twilio-Signature": signed}
    )
    assert forged.status == 403


async def test_without_a_secret_every_callback_is_403(stack: Stack) -> None:
    settings = stack.settings.model_copy(update={"twilio_auth_token": type(stack.settings.twilio_auth_token)("")})
    async with serving(settings, stack.store, stack.producer) as api:
        assert (await call_back(api, address(), ENDED, token="")).status == 403


@pytest.mark.parametrize(
    "odd",
    [
        {"Timestamp": "Fri, 31 Dec 9999 23:59:59 -0100"},
        {"Timestamp": "Fri, 01 Jan 0100 00:00:00 +1400"},
        {"Timestamp": "\ud7ff\x00"},
    ],
)
@pytest.mark.parametrize("duration", ["49", "-49", "999999999", "9" * 400])
async def test_a_time_that_no_clock_shows_is_taken_as_now(
    api: Api, events: EventsOf, odd: dict[str, str], duration: str
) -> None:
    path, began = address(organization_id=unique("org")), utc_now()
    form = {**ENDED, "CallStatus": "completed", "CallDuration": duration, **odd}
    assert (await call_back(api, path, form)).status == 200
    organization_id = parse_qs(path.partition("?")[2])["organization_id"][0]
    [told] = await events(organization_id, CallFinished)
    assert began <= told.ended_at <= utc_now()
    assert told.duration_seconds >= 0


@pytest.mark.parametrize(
    ("ids", "form"),
    [
        ({"shard": 16}, ENDED),
        ({"shard": "x"}, ENDED),
        ({"attempt_id": ""}, ENDED),
        ({"attempt_id": "x" * 256}, ENDED),
        ({"organization_id": "x" * 256}, {**ENDED, "CallStatus": "in-progress"}),
        ({}, {"CallSid": "CA1"}),
    ],
)
async def test_a_signed_callback_that_makes_no_sense_is_400(
    api: Api, ids: dict[str, Any], form: dict[str, str]
) -> None:
    assert (await call_back(api, address(**ids), form)).status == 400


async def test_a_huge_callback_is_413(api: Api) -> None:
    assert (await call_back(api, address(), {"x": "y" * 70_000})).status == 413


async def test_many_callbacks_at_once_are_all_kept(api: Api, events: EventsOf) -> None:
    paths = [address(organization_id="org-4", attempt_id=f"attempt-{number}") for number in range(100)]
    answers = await asyncio.gather(*(call_back(api, path, ENDED) for path in paths))
    assert {answer.status for answer in answers} == {200}
    told = await events("org-4", CallFinished, at_least=100)
    assert {event.attempt_id for event in told} == {f"attempt-{number}" for number in range(100)}


@pytest.fixture
async def no_kafka(stack: Stack) -> AsyncIterator[Producer]:
    """A producer whose Kafka does not answer."""
    producer = Producer(stack.settings.model_copy(update={"kafka": "127.0.0.1:1"}))
    yield producer
    await producer.stop()


async def test_without_kafka_an_end_goes_to_results_once_and_an_answer_is_asked_for_again(
    stack: Stack, no_kafka: Producer
) -> None:
    async with serving(stack.settings, stack.store, no_kafka) as api:
        path = address(attempt_id="attempt-5")
        for _ in range(2):
            assert (await call_back(api, path, ENDED)).status == 200
        stored = await stack.store["results"].find({"_id": "attempt-5"}).to_list()
        assert [(result["shard"], result["event"]["outcome"]) for result in stored] == [(5, "busy")]
        answered = await call_back(api, address(), {**ENDED, "CallStatus": "in-progress"})
        assert (answered.status, answered.headers["Retry-After"]) == (503, "1")


async def test_with_no_sink_at_all_the_carrier_is_told_to_repeat(stack: Stack, no_kafka: Producer) -> None:
    client: AsyncMongoClient[Document] = AsyncMongoClient("mongodb://127.0.0.1:1", serverSelectionTimeoutMS=100)
    async with serving(stack.settings, Store(client, client["away"]), no_kafka) as api:
        assert (await call_back(api, address(), ENDED)).status == 503
    await client.close()
