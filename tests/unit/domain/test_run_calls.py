import pytest

from shared.domain.run_calls import NOTHING_COUNTED, RunCalls


@pytest.mark.parametrize(
    ("counted", "room", "above", "full"),
    [
        pytest.param(NOTHING_COUNTED, 3, False, False, id="nothing counted yet"),
        pytest.param(RunCalls(2, 1, 1), 2, False, False, id="one on its way"),
        pytest.param(RunCalls(2, 3, 1), 0, False, False, id="all claimed, and one may come back"),
        pytest.param(RunCalls(2, 3, 0), 0, False, True, id="all made"),
        pytest.param(RunCalls(2, 4, 2), 0, True, False, id="lowered with claims out"),
        pytest.param(RunCalls(2, 5, 0), 0, True, True, id="lowered to less than is done"),
        pytest.param(RunCalls(1, 9, 2), 3, False, False, id="of the run before"),
    ],
)
def test_what_a_run_of_three_calls_may_still_do(counted: RunCalls, room: int, above: bool, full: bool) -> None:
    assert counted.room(2, 3) == room
    assert counted.is_above(2, 3) is above
    assert counted.is_full(2, 3) is full


def test_a_claim_of_another_run_begins_a_new_count() -> None:
    assert RunCalls(1, 7, 2).claimed(2, 3) == RunCalls(2, 3, 3)
    assert RunCalls(2, 3, 3).claimed(2, 1) == RunCalls(2, 4, 4)


def test_what_comes_back_is_given_back_and_what_was_a_call_is_not() -> None:
    counted = RunCalls(2, 4, 4).ended(2, 1, returned=1).ended(2, 2, returned=0)
    assert counted == RunCalls(2, 3, 1)


def test_what_was_claimed_in_another_run_changes_nothing() -> None:
    assert RunCalls(2, 1, 1).ended(1, 1, returned=1) == RunCalls(2, 1, 1)
    assert NOTHING_COUNTED.ended(1, 1, returned=1) == NOTHING_COUNTED
