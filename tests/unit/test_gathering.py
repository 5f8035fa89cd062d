"""When a step that serves ends of calls waits behind the one before, and when it never does."""

import pytest

from shared.domain.turnover import ENOUGH, LONGEST_SECONDS, PART_OF_SHARD, Gathering

HELD = 1000


def after_one_end(claimed: int = 1) -> Gathering:
    gathering = Gathering()
    gathering.served(ended=1, events=1, claimed=claimed, began=100.0)
    return gathering


def test_the_next_step_waits_behind_one_that_served_a_few_ends() -> None:
    gathering = after_one_end()
    assert gathering.pause(HELD, 0, 100.0) == pytest.approx(LONGEST_SECONDS)
    assert gathering.pause(HELD, 3, 100.01) == pytest.approx(LONGEST_SECONDS - 0.01)


def test_what_comes_long_after_the_last_step_is_served_at_once() -> None:
    assert after_one_end().pause(HELD, 1, 100.0 + LONGEST_SECONDS) == 0.0
    assert Gathering().pause(HELD, 1, 100.0) == 0.0


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


def test_a_shard_that_is_out_of_step_with_an_executor_comes_into_step() -> None:
    """An executor sends as often as its ends gather; a shard that waited as long would keep it waiting each time."""
    executor, shard = Gathering(), Gathering(PART_OF_SHARD)
    shard.served(ended=3, events=3, claimed=3, began=100.0)
    sent, waited = 100.0, []
    for _ in range(6):
        executor.served(ended=3, events=3, claimed=0, began=sent)
        sent += executor.pause(HELD, 3, sent)
        # Out of step by three quarters of a wait, at first.
        came = sent - 0.75 * LONGEST_SECONDS
        waited.append(shard.pause(HELD, 3, came))
        shard.served(ended=3, events=3, claimed=3, began=came + waited[-1])
    assert waited[-1] == 0.0
    assert 0.0 < sum(waited) < LONGEST_SECONDS
