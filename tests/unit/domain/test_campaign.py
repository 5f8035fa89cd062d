"""A campaign's states and moves: every state with every move, and every intent with every run."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.campaign import (
    CAMPAIGN_MOVES,
    DIALED,
    CampaignMove,
    CampaignState,
    Course,
    Intent,
    Run,
    RunState,
    ShownState,
    drafted,
    moved,
    opened,
    scheduled,
    shown_state,
    started,
)

NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
DRAFT, SCHEDULED, SYNCING, RUNNING, PAUSED, COMPLETED, CANCELLED, FAILED = CampaignState
OPENED, DONE, HALTED, BROKEN = RunState


def run(state: RunState, generation: int = 2, reason: str | None = None) -> Run:
    return Run(generation, state, NOW - HOUR, reason)


def course(intent: Intent, its_run: Run | None = None, **more: Any) -> Course:
    return replace(Course(intent, 2, run=its_run), **more)


SHOWN = [
    pytest.param(course(Intent.DRAFT), DRAFT, None, id="draft"),
    pytest.param(course(Intent.SCHEDULED, start_at=NOW + HOUR), SCHEDULED, None, id="its time has not come"),
    pytest.param(course(Intent.SCHEDULED, start_at=NOW), RUNNING, None, id="its time has come"),
    pytest.param(course(Intent.SCHEDULED), SCHEDULED, None, id="scheduled for no time"),
    pytest.param(
        course(Intent.SCHEDULED, run(OPENED), start_at=NOW + HOUR), RUNNING, None, id="opened by a fast clock"
    ),
    pytest.param(
        course(Intent.SCHEDULED, run(OPENED, 1), start_at=NOW + HOUR), SCHEDULED, None, id="an earlier run was opened"
    ),
    pytest.param(course(Intent.SCHEDULED, run(DONE), start_at=NOW), COMPLETED, None, id="scheduled, completed"),
    pytest.param(course(Intent.RUNNING), RUNNING, None, id="running"),
    pytest.param(course(Intent.RUNNING, run(OPENED)), RUNNING, None, id="opened"),
    pytest.param(course(Intent.RUNNING, run(OPENED), imports=1), SYNCING, None, id="an import is under way"),
    pytest.param(course(Intent.SCHEDULED, start_at=NOW - HOUR, imports=2), SYNCING, None, id="scheduled, importing"),
    pytest.param(course(Intent.RUNNING, run(DONE)), COMPLETED, None, id="completed"),
    pytest.param(course(Intent.RUNNING, run(BROKEN, reason="job")), FAILED, "job", id="failed"),
    pytest.param(course(Intent.RUNNING, run(HALTED, reason="max_calls")), PAUSED, "max_calls", id="halted"),
    pytest.param(course(Intent.RUNNING, run(HALTED, 1)), RUNNING, None, id="an earlier run was halted"),
    pytest.param(course(Intent.RUNNING, run(DONE, 1)), RUNNING, None, id="an earlier run was completed"),
    pytest.param(course(Intent.PAUSED, run(OPENED)), PAUSED, None, id="paused"),
    pytest.param(course(Intent.PAUSED, run(OPENED), imports=1), PAUSED, None, id="paused, importing"),
    pytest.param(course(Intent.CANCELLED, run(DONE)), CANCELLED, None, id="cancelled"),
]


@pytest.mark.parametrize(("its", "state", "reason"), SHOWN)
def test_a_campaign_shows_its_intent_and_what_came_of_it(its: Course, state: CampaignState, reason: str | None) -> None:
    assert shown_state(its, NOW) == ShownState(state, reason)


AN_EXAMPLE = {
    DRAFT: course(Intent.DRAFT),
    SCHEDULED: course(Intent.SCHEDULED, start_at=NOW + HOUR),
    SYNCING: course(Intent.RUNNING, run(OPENED), imports=1),
    RUNNING: course(Intent.RUNNING, run(OPENED)),
    PAUSED: course(Intent.PAUSED, run(OPENED)),
    COMPLETED: course(Intent.RUNNING, run(DONE)),
    CANCELLED: course(Intent.CANCELLED, run(OPENED)),
    FAILED: course(Intent.RUNNING, run(BROKEN)),
}
LEADS_TO = {
    (DRAFT, CampaignMove.SCHEDULE): SCHEDULED,
    (DRAFT, CampaignMove.START): RUNNING,
    (DRAFT, CampaignMove.CANCEL): CANCELLED,
    (DRAFT, CampaignMove.DELETE): DRAFT,
    (SCHEDULED, CampaignMove.SCHEDULE): SCHEDULED,
    (SCHEDULED, CampaignMove.UNSCHEDULE): DRAFT,
    (SCHEDULED, CampaignMove.START): RUNNING,
    (SCHEDULED, CampaignMove.PAUSE): PAUSED,
    (SCHEDULED, CampaignMove.CANCEL): CANCELLED,
    (SYNCING, CampaignMove.START): SYNCING,
    (SYNCING, CampaignMove.PAUSE): PAUSED,
    (SYNCING, CampaignMove.CANCEL): CANCELLED,
    (RUNNING, CampaignMove.START): RUNNING,
    (RUNNING, CampaignMove.PAUSE): PAUSED,
    (RUNNING, CampaignMove.CANCEL): CANCELLED,
    (PAUSED, CampaignMove.START): RUNNING,
    (PAUSED, CampaignMove.CANCEL): CANCELLED,
    (COMPLETED, CampaignMove.START): RUNNING,
    (CANCELLED, CampaignMove.DELETE): CANCELLED,
}


@pytest.mark.parametrize(("state", "move"), list(product(CampaignState, CampaignMove)))
def test_every_move_from_every_state(state: CampaignState, move: CampaignMove) -> None:
    before = AN_EXAMPLE[state]
    assert shown_state(before, NOW).state is state
    after = moved(before, move, NOW, NOW + 2 * HOUR)
    assert (None if after is None else shown_state(after, NOW).state) == LEADS_TO.get((state, move))
    assert (after is not None) == (state in CAMPAIGN_MOVES[move][0])
    if after is not None:
        assert after.generation == before.generation + (move in (CampaignMove.START, CampaignMove.SCHEDULE))
        assert after.imports == before.imports
        assert after.deleted_at == (NOW if move is CampaignMove.DELETE else None)
        assert after.is_over == (move in (CampaignMove.CANCEL, CampaignMove.DELETE))


def test_a_start_ends_what_has_come_of_the_run_before() -> None:
    for state in (HALTED, DONE):
        again = moved(course(Intent.RUNNING, run(state)), CampaignMove.START, NOW)
        assert again is not None
        assert again.current_run == Run(3, OPENED, NOW)


def test_a_move_after_a_scheduled_campaigns_time_opens_its_run_first() -> None:
    due = course(Intent.SCHEDULED, start_at=NOW - HOUR)
    for move in (CampaignMove.PAUSE, CampaignMove.CANCEL):
        after = moved(due, move, NOW)
        assert after is not None
        assert after.current_run == Run(2, OPENED, NOW)
        before_its_time = moved(due, move, NOW - 2 * HOUR)
        assert before_its_time is not None
        assert before_its_time.current_run is None


def test_a_scheduled_campaign_that_is_opened_is_taken_back_by_no_clock() -> None:
    opened_early = course(Intent.SCHEDULED, run(OPENED), start_at=NOW + HOUR)
    assert moved(opened_early, CampaignMove.UNSCHEDULE, NOW) is None
    assert moved(opened_early, CampaignMove.SCHEDULE, NOW, NOW + 2 * HOUR) is None


def test_a_new_campaign_starts_waits_or_is_a_draft() -> None:
    assert shown_state(started(NOW), NOW).state is RUNNING
    assert shown_state(drafted(), NOW).state is DRAFT
    assert shown_state(scheduled(NOW), NOW - HOUR).state is SCHEDULED
    assert shown_state(scheduled(NOW), NOW).state is RUNNING


@pytest.mark.parametrize(
    ("its", "is_wrong"),
    [
        pytest.param(course(Intent.SCHEDULED, start_at=NOW, end_at=NOW + HOUR), False, id="after"),
        pytest.param(course(Intent.SCHEDULED, start_at=NOW, end_at=NOW), True, id="at the same time"),
        pytest.param(course(Intent.SCHEDULED, start_at=NOW, end_at=NOW - HOUR), True, id="before"),
        pytest.param(course(Intent.SCHEDULED, start_at=NOW), False, id="no end"),
        pytest.param(course(Intent.DRAFT, end_at=NOW - HOUR), False, id="no start"),
        pytest.param(
            course(Intent.RUNNING, start_at=NOW, end_at=NOW - HOUR), False, id="started by hand before its time"
        ),
    ],
)
def test_a_scheduled_campaign_must_end_after_it_starts(its: Course, is_wrong: bool) -> None:
    assert its.ends_before_it_starts is is_wrong


def test_a_campaign_has_ended_from_its_end_date_on() -> None:
    ends = course(Intent.RUNNING, end_at=NOW)
    assert [ends.has_ended(at) for at in (NOW - HOUR, NOW, NOW + HOUR)] == [False, True, True]
    assert not course(Intent.RUNNING).has_ended(NOW)


courses = st.builds(
    Course,
    intent=st.sampled_from(list(Intent)),
    generation=st.integers(1, 3),
    start_at=st.sampled_from([None, NOW - HOUR, NOW, NOW + HOUR]),
    run=st.one_of(st.none(), st.builds(Run, st.integers(1, 3), st.sampled_from(list(RunState)), st.just(NOW))),
    imports=st.integers(0, 1),
    deleted_at=st.sampled_from([None, NOW]),
).filter(lambda its: its.run is None or its.run.generation <= its.generation)


@given(courses, st.sampled_from(list(CampaignMove)))
def test_what_is_refused_changes_nothing_and_what_is_over_stays_so(its: Course, move: CampaignMove) -> None:
    after = moved(its, move, NOW, NOW + HOUR)
    if its.is_over and its.deleted_at is None:
        assert shown_state(its, NOW).state not in DIALED
    if shown_state(its, NOW).state is CANCELLED:
        assert after is None or (after.is_over and move is CampaignMove.DELETE)
    if its.deleted_at is not None or shown_state(its, NOW).state is FAILED:
        assert after is None
    if after is not None and after.is_opened and not its.is_opened:
        assert move is CampaignMove.START or shown_state(its, NOW).state in DIALED


@given(courses)
def test_opening_twice_is_opening_once(its: Course) -> None:
    once = replace(its, run=opened(its, NOW))
    assert opened(once, NOW + HOUR) == once.run
