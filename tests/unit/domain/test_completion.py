"""When a run is completed: every state of a campaign with every kind of work left."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.campaign import (
    CAMPAIGN_MOVES,
    CampaignMove,
    CampaignState,
    Course,
    Intent,
    Run,
    RunState,
    moved,
    shown_state,
)
from shared.domain.completion import WorkLeft, completed, is_completed, may_complete

NOW: Final = datetime(2026, 11, 18, 15, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
NOTHING: Final = WorkLeft(contacts=0, wishes=False, ever=True)
NEVER_ANYTHING: Final = WorkLeft(contacts=0, wishes=False, ever=False)
WORK: Final = [
    NOTHING,
    NEVER_ANYTHING,
    WorkLeft(contacts=1, wishes=False, ever=True),
    WorkLeft(contacts=0, wishes=True, ever=True),
]


def course(intent: Intent, state: RunState | None = RunState.OPENED, reason: str | None = None, **more: Any) -> Course:
    run = None if state is None else Run(2, state, NOW - HOUR, reason)
    return Course(intent, 2, run=run, **more)


RUNNING: Final = course(Intent.RUNNING)


@pytest.mark.parametrize(
    ("its", "by_itself", "by_its_end"),
    [
        pytest.param(RUNNING, True, True, id="running"),
        pytest.param(course(Intent.RUNNING, None), True, True, id="running, nothing written yet"),
        pytest.param(course(Intent.SCHEDULED, None, start_at=NOW), True, True, id="its time has come"),
        pytest.param(course(Intent.SCHEDULED, start_at=NOW + HOUR), True, True, id="opened by a fast clock"),
        pytest.param(course(Intent.SCHEDULED, None, start_at=NOW + HOUR), False, False, id="its time has not come"),
        pytest.param(course(Intent.RUNNING, RunState.HALTED, "max_calls"), True, True, id="all calls made"),
        pytest.param(course(Intent.RUNNING, RunState.HALTED, "circuit_breaker"), False, True, id="halted for failures"),
        pytest.param(course(Intent.RUNNING, imports=1), False, False, id="an import is under way"),
        pytest.param(
            course(Intent.RUNNING, RunState.HALTED, "max_calls", imports=1),
            False,
            False,
            id="all calls made, importing",
        ),
        pytest.param(course(Intent.PAUSED), False, False, id="paused"),
        pytest.param(course(Intent.PAUSED, RunState.HALTED, "max_calls"), False, False, id="halted, then paused"),
        pytest.param(course(Intent.DRAFT, None), False, False, id="draft"),
        pytest.param(course(Intent.CANCELLED), False, False, id="cancelled"),
        pytest.param(course(Intent.RUNNING, RunState.COMPLETED), False, False, id="completed already"),
        pytest.param(course(Intent.RUNNING, RunState.FAILED), False, False, id="failed"),
    ],
)
def test_a_run_is_completed_by_itself_or_by_its_end_date(its: Course, by_itself: bool, by_its_end: bool) -> None:
    assert is_completed(its, True, NOTHING, NOW) is by_itself
    assert is_completed(its, False, NOTHING, NOW) is False, "evergreen"
    for auto_complete in (True, False):
        assert is_completed(replace(its, end_at=NOW), auto_complete, NOTHING, NOW) is by_its_end
        assert is_completed(replace(its, end_at=NOW), auto_complete, NEVER_ANYTHING, NOW) is by_its_end


def test_only_nothing_left_after_somebody_was_there_completes_a_run() -> None:
    assert [is_completed(RUNNING, True, left, NOW) for left in WORK] == [True, False, False, False]


def test_an_end_date_waits_for_what_is_left() -> None:
    ended = replace(RUNNING, end_at=NOW)
    assert [is_completed(ended, False, left, NOW) for left in WORK] == [True, True, False, False]
    assert not is_completed(ended, False, NOTHING, NOW - timedelta(seconds=1))


def test_what_was_known_of_an_earlier_run_completes_no_later_one() -> None:
    halted = Course(Intent.RUNNING, 3, run=Run(2, RunState.HALTED, NOW, "circuit_breaker"))
    assert is_completed(halted, True, NOTHING, NOW), "the run before was halted, this one goes on"
    done = Course(Intent.RUNNING, 3, run=Run(2, RunState.COMPLETED, NOW))
    assert is_completed(done, True, NOTHING, NOW)


def test_a_completed_campaign_shows_it_and_can_be_started_again_and_nothing_else() -> None:
    after = completed(RUNNING, NOW)
    assert after.current_run == Run(2, RunState.COMPLETED, NOW)
    assert shown_state(after, NOW).state is CampaignState.COMPLETED
    assert not may_complete(after, NOW)
    possible = [move for move in CampaignMove if CampaignState.COMPLETED in CAMPAIGN_MOVES[move][0]]
    assert possible == [CampaignMove.START]
    again = moved(after, CampaignMove.START, NOW)
    assert again is not None
    assert again.current_run == Run(3, RunState.OPENED, NOW)


courses = st.builds(
    Course,
    intent=st.sampled_from(Intent),
    generation=st.just(2),
    start_at=st.sampled_from([None, NOW - HOUR, NOW + HOUR]),
    run=st.none() | st.builds(Run, st.integers(1, 2), st.sampled_from(RunState), st.just(NOW), st.just("max_calls")),
    imports=st.integers(0, 1),
    end_at=st.sampled_from([None, NOW - HOUR, NOW + HOUR]),
)


@given(courses, st.booleans(), st.sampled_from(WORK))
def test_completion_moves_only_what_runs_or_was_halted_and_happens_once(
    its: Course, auto_complete: bool, left: WorkLeft
) -> None:
    if not is_completed(its, auto_complete, left, NOW):
        return
    assert shown_state(its, NOW).state in (CampaignState.RUNNING, CampaignState.PAUSED)
    assert its.intent in (Intent.RUNNING, Intent.SCHEDULED)
    assert left.contacts == 0
    after = completed(its, NOW)
    assert shown_state(after, NOW).state is CampaignState.COMPLETED
    assert not is_completed(after, auto_complete, left, NOW)
