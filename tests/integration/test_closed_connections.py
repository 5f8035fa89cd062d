"""A broker's connection that closes between a look at it and a write to it."""

import asyncio

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from shared.bus.closed_connections import expect_closed_connections


class BrokenRequest:
    """No fault of the connection's."""

    def prepare(self, _: object) -> object:
        raise RecursionError


@pytest.fixture(autouse=True)
def expected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AIOKafkaConnection, "send", AIOKafkaConnection.send)
    expect_closed_connections()
    expect_closed_connections()


def test_a_request_on_a_connection_that_was_just_closed_is_a_lost_connection() -> None:
    async def send_too_late() -> AIOKafkaConnection:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            connection = AIOKafkaConnection("127.0.0.1", port)
            connection._reader, connection._writer = await asyncio.open_connection("127.0.0.1", port)
            connection._read_task = asyncio.create_task(connection._reader.read())
            await connection._read_task
            connection._writer.close()
            await connection._writer.wait_closed()
            with pytest.raises(RuntimeError, match="closed"):
                connection._writer.write(b"uvloop refuses it in its own words")
            with pytest.raises(KafkaConnectionError, match="closed"):
                connection.send(ApiVersionRequest())
            return connection

    assert not uvloop.run(send_too_late()).connected()


async def test_any_other_error_stays_what_it_is() -> None:
    connection = AIOKafkaConnection("127.0.0.1", 9)
    connection._writer = object()
    with pytest.raises(RecursionError):
        connection.send(BrokenRequest())
    connection._writer = None
