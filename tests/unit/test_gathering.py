"""When a step that serves ends of calls waits behind the one before, and when it never does."""

import pytest

from shared.domain.turnover import AT_MOST, ENOUGH, LONGEST_SECONDS, PART_OF_SHARD, SHARE, Gathering

HELD = 1000
LONGEST_PAUSE = AT_MOST * LONGEST_SECONDS


def after_one_end(claimed: int = 1) -> Gathering:
    gathering = Gathering()
    gathering.served(ended=1, events=1, claimed=claimed, began=100.0)
    return gathering


def after_ends(per_second: int, gathering: Gathering, until: float = 100.0) -> Gathering:
    """The gathering once it has served so many ends a second, each in a step of its own, the last at `until`."""
    for number in range(-2 * per_second, 1):
        gathering.served(ended=1, events=1, claimed=1, began=until + number / per_second)
    return gathering


def test_the_next_step_waits_behind_one_that_served_a_few_ends() -> None:
    gathering = after_one_end()
    assert gathering.pause(HELD, 0, 100.0) == pytest.approx(LONGEST_PAUSE)
    assert gathering.pause(HELD, 1, 100.01) == pytest.approx(LONGEST_PAUSE - 0.01)


def test_what_comes_long_after_the_last_step_is_served_at_once() -> None:
    assert after_one_end().pause(HELD, 1, 100.0 + LONGEST_PAUSE) == 0.0
    assert Gathering().pause(HELD, 1, 100.0) == 0.0


@pytest.mark.parametrize(("per_second", "enough"), [(2, 2), (25, 2), (60, 3), (95, 4), (330, 11), (2000, ENOUGH)])
def test_a_step_begins_with_as_many_as_usually_come_in_that_time_and_one(per_second: int, enough: int) -> None:
    gathering = after_ends(per_second, Gathering())
    held = 10 * per_second
    assert gathering.pause(held, enough - 1, 100.0) > 0.0
    assert gathering.enough == enough
    assert gathering.pause(held, enough, 100.0) == 0.0


def test_nothing_waits_once_enough_are_in_hand_or_the_last_step_had_enough_to_do() -> None:
    assert after_one_end().pause(HELD, ENOUGH, 100.0) == 0.0
    assert after_one_end(claimed=ENOUGH).pause(HELD, 0, 100.0) == 0.0
    many = Gathering()
    many.served(ended=ENOUGH, events=ENOUGH, claimed=0, began=100.0)
    assert many.pause(HELD, 0, 100.0) == 0.0


def test_a_step_in_which_nothing_came_is_followed_at_once() -> None:
    gathering = after_one_end()
    gathering.served(ended=0, events=0, claimed=0, began=100.01)
    assert gathering.pause(HELD, 1, 100.01) == 0.0


def test_short_calls_on_few_slots_are_not_held_up() -> None:
    gathering = Gathering()
    for number in range(300):
        gathering.served(ended=1, events=1, claimed=1, began=100.0 + number / 300)
    assert gathering.pause(10, 1, 101.0) < 0.001


def test_where_answers_are_reported_too_a_step_waits_for_as_many_more() -> None:
    gathering = Gathering()
    for number in range(-200, 1):
        gathering.served(ended=1, events=3, claimed=1, began=100.0 + number / 95)
    assert gathering.pause(950, 0, 100.0) == pytest.approx(AT_MOST * SHARE * 950 / 97.5, rel=0.02)
    assert gathering.enough == 10


@pytest.mark.parametrize("per_second", [2, 25, 60, 95, 200, 330, 2000])
def test_a_shard_does_not_wait_behind_an_executor_that_has_waited(per_second: int) -> None:
    executor, shard = after_ends(per_second, Gathering()), after_ends(per_second, Gathering(PART_OF_SHARD))
    held = 10 * per_second
    longest = executor.pause(held, 0, 100.0)
    # What an executor sends with enough, and what it sends with fewer, as late as may be.
    assert shard.pause(held, executor.enough, 100.0) == 0.0
    assert shard.pause(held, 1, 100.0 + longest) == 0.0
    # Of several executors' the shard waits for more than one sends.
    assert shard.pause(held, 1, 100.0) > 0.0


def test_a_shard_that_is_out_of_step_with_an_executor_comes_into_step() -> None:
    """An executor sends as often as its ends gather; a shard that waited as long would keep it waiting each time."""
    executor, shard = Gathering(), Gathering(PART_OF_SHARD)
    shard.served(ended=1, events=1, claimed=1, began=100.0)
    sent, waited = 100.0, []
    for _ in range(6):
        executor.served(ended=1, events=1, claimed=0, began=sent)
        sent += executor.pause(HELD, 1, sent)
        # Out of step by three quarters of a wait, at first.
        came = sent - 0.75 * LONGEST_PAUSE
        waited.append(shard.pause(HELD, 1, came))
        shard.served(ended=1, events=1, claimed=1, began=came + waited[-1])
    assert waited[-1] == 0.0
    assert 0.0 < sum(waited) < LONGEST_PAUSE
