"""Records of libraries: in our format, and not ten times a second."""

import logging
from collections.abc import Iterable, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared import logs
from shared.logs import REPEATED_SECONDS, LibraryRecords
from tests.seconds_clock import SecondsClock

LIBRARY = "aiokafka.client"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SecondsClock:
    clock = SecondsClock()
    monkeypatch.setattr(logs, "monotonic", clock)
    return clock


def a_library(handler: logging.Handler) -> logging.Logger:
    library = logging.Logger(LIBRARY)
    library.addHandler(handler)
    return library


def told(lines: Iterable[MutableMapping[str, Any]]) -> list[tuple[str, int | None]]:
    """What each line says, and how many like it were left out before."""
    return [(line["event"], line.get("left_out")) for line in lines]


def test_what_a_library_repeats_is_told_once_in_ten_seconds_with_how_often(clock: SecondsClock) -> None:
    library = a_library(LibraryRecords())
    with capture_logs() as lines:
        for port in range(9000, 9030):
            library.error("Unable connect to node with port %s", port)
            clock.now += 0.1
        library.error("Unable to update metadata")
        clock.now += REPEATED_SECONDS
        library.error("Unable connect to node with port %s", 9030)
        clock.now += REPEATED_SECONDS
        library.error("Unable connect to node with port %s", 9031)
    assert told(lines) == [
        ("Unable connect to node with port 9000", None),
        ("Unable to update metadata", None),
        ("Unable connect to node with port 9030", 29),
        ("Unable connect to node with port 9031", None),
    ]
    assert {(line["logger"], line["log_level"]) for line in lines} == {(LIBRARY, "error")}


def test_a_record_with_a_traceback_always_leaves(clock: SecondsClock) -> None:
    library = a_library(LibraryRecords())
    with capture_logs() as lines:
        for number in range(3):
            try:
                raise ValueError(number)
            except ValueError:
                library.exception("surprise")
    assert [str(line["exc_info"][1]) for line in lines] == ["0", "1", "2"]


def test_formats_that_are_new_each_time_leave_and_are_not_all_remembered(clock: SecondsClock) -> None:
    handler = LibraryRecords()
    library = a_library(handler)
    with capture_logs() as lines:
        for number in range(1200):
            library.warning(f"node {number}")
    assert len(lines) == 1200
    assert len(handler._told_at) <= 500
