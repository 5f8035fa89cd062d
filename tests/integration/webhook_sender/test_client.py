"""One request to receivers that behave and that do not."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.webhook_sender import client as module
from services.webhook_sender.client import KEPT_BYTES, Client
from shared.domain.webhooks import Answer, DeliveryError
from tests.integration.webhook_sender.receiver import Receiver

SHORT_SECONDS = 0.3


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Client(connections=10, private_allowed=True) as up:
        yield up


async def post(client: Client, url: str) -> Answer:
    return await client.post(url, {"webhook-id": "evt_1"}, b'{"id": "evt_1"}')


async def test_an_accepted_body_is_delivered_as_it_is(client: Client, receiver: Receiver) -> None:
    answer = await post(client, f"{receiver.url}/ok")
    assert (answer.status, answer.error, answer.text, answer.delivered) == (200, None, "thanks", True)
    [got] = receiver.got
    assert got.raw == b'{"id": "evt_1"}'
    assert (got.headers["Content-Type"], got.headers["webhook-id"]) == ("application/json", "evt_1")


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
async def test_a_refusal_keeps_what_was_said(client: Client, receiver: Receiver, status: int) -> None:
    answer = await post(client, f"{receiver.url}/status/{status}")
    assert (answer.status, answer.error, answer.text) == (status, DeliveryError.STATUS, "no, thank you")
    assert answer.gone is (status == 410)


async def test_a_redirect_is_not_followed(client: Client, receiver: Receiver) -> None:
    answer = await post(client, f"{receiver.url}/to")
    assert (answer.status, answer.error) == (307, DeliveryError.STATUS)
    assert receiver.at("/ok") == []


async def test_a_receiver_that_hangs_is_left(
    client: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", SHORT_SECONDS)
    answer = await post(client, f"{receiver.url}/hang")
    assert (answer.status, answer.error) == (None, DeliveryError.TIMEOUT)
    assert SHORT_SECONDS * 900 <= answer.milliseconds < 3000


async def test_of_an_answer_of_a_gigabyte_only_the_beginning_is_read(client: Client, receiver: Receiver) -> None:
    answer = await post(client, f"{receiver.url}/large")
    assert (answer.status, answer.delivered, answer.text) == (200, True, "x" * KEPT_BYTES)
    async with asyncio.timeout(10):
        await receiver.large_left.wait()
    # What the two kernels hold between them; then the connection was gone.
    assert receiver.sent_bytes < 32 * 1024 * 1024


async def test_a_receiver_that_is_not_there_is_no_error_of_ours(client: Client) -> None:
    answer = await post(client, "http://127.0.0.1:1/")
    assert (answer.status, answer.error) == (None, DeliveryError.CONNECTION)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:{port}/ok", "http://127.0.0.1:{port}/ok", "https://0x7f.1:{port}/ok", "https://[::1]/ok"]
)
async def test_a_private_address_gets_no_connection(receiver: Receiver, url: str) -> None:
    async with Client(connections=10, private_allowed=False) as client:
        answer = await post(client, url.format(port=receiver.port))
    assert answer.error is DeliveryError.ADDRESS
    assert receiver.got == []


@pytest.mark.parametrize(
    "addresses",
    [("127.0.0.1",), ("8.8.8.8", "127.0.0.1"), ("::ffff:127.0.0.1",), ("169.254.169.254",), ("fe80::1%2",)],
)
async def test_a_name_that_has_come_to_mean_a_private_address_gets_no_connection(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    async def rebound(_: str, __: float) -> tuple[str, ...]:
        return addresses

    monkeypatch.setattr(module, "addresses_of", rebound)
    async with Client(connections=10, private_allowed=False) as client:
        answer = await post(client, f"https://rebinding.example:{receiver.port}/ok")
    assert answer.error is DeliveryError.ADDRESS
    assert receiver.got == []


async def test_the_address_that_was_checked_is_the_one_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def by_us(host: str, _: float) -> tuple[str, ...]:
        asked.append(host)
        return ("127.0.0.1",)

    monkeypatch.setattr(module, "addresses_of", by_us)
    async with Client(connections=10, private_allowed=True) as client:
        # No name server knows this one: only our own look-up can have led here.
        answer = await post(client, f"http://receiver.invalid:{receiver.port}/ok")
    assert (answer.delivered, asked) == (True, ["receiver.invalid"])


async def test_http_never_goes_to_the_open_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    async def public(_: str, __: float) -> tuple[str, ...]:
        return ("8.8.8.8",)

    monkeypatch.setattr(module, "addresses_of", public)
    async with Client(connections=10, private_allowed=True) as client:
        answer = await post(client, "http://hooks.example/ok")
    assert answer.error is DeliveryError.ADDRESS


async def test_a_name_without_an_address_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(_: str, __: float) -> tuple[str, ...]:
        return ()

    monkeypatch.setattr(module, "addresses_of", unknown)
    async with Client(connections=10, private_allowed=False) as client:
        answer = await post(client, "https://nobody.example/ok")
    assert (answer.status, answer.error) == (None, DeliveryError.CONNECTION)
