"""A connection to a broker that was closed a moment ago is an ordinary loss, under uvloop too.

The client library expects an `OSError` of a write to it. uvloop raises `RuntimeError`, and with that the library's own
tasks, heartbeats for one, end for good.
"""

from collections.abc import Callable
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_send: Callable[..., Any] = AIOKafkaConnection.send


def expect_closed_connections() -> None:
    """From now on every Kafka client of this process, consumers too, takes it for a lost one. Safe to repeat."""
    # The library makes its connections itself, so there is no subclass to give it.
    AIOKafkaConnection.send = _send_or_lose  # type: ignore[method-assign]


def _send_or_lose(connection: Any, request: Any, expect_response: bool = True) -> Any:
    try:
        return _send(connection, request, expect_response)
    except RuntimeError as error:
        if type(error) is not RuntimeError:
            raise
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"connection at {connection.host}:{connection.port} broken: {error}") from error
