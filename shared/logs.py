"""Structured JSON logs. Secrets never enter; phone numbers are masked whatever field they stand in."""

import logging
import math
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog

from shared.clock import monotonic
from shared.domain.phone import mask_phone

# While Kafka is away, aiokafka says so ten times a second for each of its clients: once in so long is told, and how
# often it was said.
REPEATED_SECONDS: Final = 10.0
# Formats that are remembered; a library that fills in its texts itself has a new one each time.
_MOST_FORMATS: Final = 500

# A run of digits long enough to be a whole number, with a plus as we write them everywhere.
_E164 = re.compile(r"\+[1-9]\d{6,14}(?!\d)")
_SECRET_FIELDS = frozenset({"authorization", "credential", "key", "secret", "token", "auth_token", "password"})
_API_SECRET = re.compile(r"\b((?:ak|pat)_[A-Za-z0-9-]+)\.[A-Za-z0-9_-]+")


def configure_logs(level: str, service: str) -> None:
    """Send every log line of this process to standard error as JSON. Call once, at start."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _masked,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(handlers=[LibraryRecords()], level=logging.WARNING, force=True)


def get_logger() -> Any:  # structlog's bound logger has no useful static type
    """A logger; pass an `event` in words and the facts as keywords."""
    return structlog.get_logger()


class LibraryRecords(logging.Handler):
    """Lets libraries' log records leave in our format, masked like our own.

    Of records of one logger with one format, whatever they are filled in with, one leaves in ten seconds, and says as
    `left_out` how many did not since the last one. A record with a traceback always leaves.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told_at: dict[tuple[str, object], float] = {}
        self._left_out: dict[tuple[str, object], int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        facts: dict[str, Any] = {"logger": record.name}
        if record.exc_info:
            facts["exc_info"] = record.exc_info
        else:
            kind, now = (record.name, record.msg), monotonic()
            if now - self._told_at.get(kind, -math.inf) < REPEATED_SECONDS:
                self._left_out[kind] = self._left_out.get(kind, 0) + 1
                return
            if len(self._told_at) >= _MOST_FORMATS:
                self._told_at.clear()
                self._left_out.clear()
            self._told_at[kind] = now
            if left_out := self._left_out.pop(kind, 0):
                facts["left_out"] = left_out
        structlog.get_logger().log(record.levelno, record.getMessage(), **facts)


def _masked(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {name: "***" if name.lower() in _SECRET_FIELDS else masked(value) for name, value in event.items()}


def masked(value: Any) -> Any:
    """The value with every phone number shortened and every API secret cut off, however deep."""
    if isinstance(value, str):
        return _API_SECRET.sub(r"\1.***", _E164.sub(lambda found: mask_phone(found.group()), value))
    if isinstance(value, Mapping):
        return {name: masked(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(inner) for inner in value]
    return value
