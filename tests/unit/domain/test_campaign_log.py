"""What a campaign's moves are told as."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.campaign import (
    CampaignMove,
    CampaignState,
    Course,
    Intent,
    drafted,
    moved,
    scheduled,
    shown_state,
    started,
)
from shared.domain.campaign_log import LogEvent, LogLevel, events_of_making, events_of_move, level_of

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
PAUSED = moved(started(EARLIER), CampaignMove.PAUSE, EARLIER)
NEVER_STARTED = moved(scheduled(LATER), CampaignMove.PAUSE, NOW)
assert PAUSED is not None
assert NEVER_STARTED is not None


@pytest.mark.parametrize(
    ("before", "move", "was_started", "told"),
    [
        (drafted(), CampaignMove.START, False, [LogEvent.STARTED]),
        (scheduled(LATER), CampaignMove.START, False, [LogEvent.STARTED]),
        (PAUSED, CampaignMove.START, True, [LogEvent.RESUMED]),
        (NEVER_STARTED, CampaignMove.START, False, [LogEvent.STARTED]),
        (started(EARLIER), CampaignMove.START, True, [LogEvent.STARTED]),
        (started(EARLIER), CampaignMove.PAUSE, True, [LogEvent.PAUSED]),
        (scheduled(LATER), CampaignMove.PAUSE, False, [LogEvent.PAUSED]),
        (scheduled(EARLIER), CampaignMove.PAUSE, False, [LogEvent.STARTED, LogEvent.PAUSED]),
        (scheduled(EARLIER), CampaignMove.CANCEL, False, [LogEvent.STARTED, LogEvent.CANCELLED]),
        (PAUSED, CampaignMove.CANCEL, True, [LogEvent.CANCELLED]),
        (drafted(), CampaignMove.SCHEDULE, False, [LogEvent.SCHEDULED]),
        (scheduled(LATER), CampaignMove.UNSCHEDULE, False, [LogEvent.UNSCHEDULED]),
        (drafted(), CampaignMove.DELETE, False, [LogEvent.DELETED]),
    ],
)
def test_a_move_is_told_as_what_it_is_and_first_that_the_campaign_has_started(
    before: Course, move: CampaignMove, was_started: bool, told: list[LogEvent]
) -> None:
    after = moved(before, move, NOW, LATER)
    assert after is not None
    shown = shown_state(before, NOW).state
    assert events_of_move(before, after, move, shown, was_started=was_started) == told


def test_a_halted_campaign_is_resumed() -> None:
    before = started(EARLIER)
    after = moved(before, CampaignMove.START, NOW)
    assert after is not None
    events = events_of_move(before, after, CampaignMove.START, CampaignState.PAUSED, was_started=True)
    assert events == [LogEvent.RESUMED]


def test_what_is_made_is_told_with_how_it_begins() -> None:
    assert events_of_making(drafted()) == [LogEvent.CREATED]
    assert events_of_making(scheduled(LATER)) == [LogEvent.CREATED, LogEvent.SCHEDULED]
    assert events_of_making(started(NOW)) == [LogEvent.CREATED, LogEvent.STARTED]
    assert events_of_making(Course(Intent.DRAFT)) == [LogEvent.CREATED]


@pytest.mark.parametrize(
    ("event", "reason", "level"),
    [
        (LogEvent.STARTED, None, LogLevel.INFO),
        (LogEvent.HALTED, "max_calls", LogLevel.WARNING),
        (LogEvent.HALTED, "circuit_breaker", LogLevel.ERROR),
        (LogEvent.RESTING, "account", LogLevel.WARNING),
        (LogEvent.IMPORT_FAILED, "unreadable", LogLevel.ERROR),
        (LogEvent.IMPORT_CANCELLED, "cancelled", LogLevel.INFO),
    ],
)
def test_what_keeps_calls_from_being_made_wants_to_be_looked_at(
    event: LogEvent, reason: str | None, level: LogLevel
) -> None:
    assert level_of(event, reason) is level
