"""How long the queue of dial jobs may be, and what a bucket of tokens lets through."""

import pytest

from shared.domain.pacing import Bucket, count_again_after, portion, queue_length, queue_seconds


@pytest.mark.parametrize(("lock_seconds", "seconds"), [(1.2, 0.4), (6, 2), (10, 10 / 3), (30, 10), (60, 10)])
def test_a_third_of_a_claims_life_may_wait_and_ten_seconds_at_most(lock_seconds: float, seconds: float) -> None:
    assert queue_seconds(lock_seconds) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("lock_seconds", "calls_per_second", "part", "length"),
    [(30, 30, 1, 301), (10, 30, 1, 101), (10, 30, 0.5, 51), (10, 30, 0.001, 1), (2, 0.5, 1, 1), (30, 0, 1, 1)],
)
def test_the_queue_is_as_long_as_its_seconds_at_the_shards_part_of_the_rate(
    lock_seconds: float, calls_per_second: float, part: float, length: int
) -> None:
    assert queue_length(lock_seconds, calls_per_second, part) == length


@pytest.mark.parametrize(
    ("length", "calls_per_second", "seconds"),
    [(301, 30, 1), (30, 30, 0.5), (4, 30, 4 / 60), (1, 200, 0.05), (1, 0.5, 1), (1, 0, 1)],
)
def test_a_full_queue_is_counted_again_when_half_of_it_may_have_gone(
    length: int, calls_per_second: float, seconds: float
) -> None:
    assert count_again_after(length, calls_per_second) == pytest.approx(seconds)


@pytest.mark.parametrize(("calls_per_second", "together"), [(0.5, 1), (9, 1), (30, 6), (1000, 200)])
def test_calls_are_placed_a_fifth_of_a_second_together(calls_per_second: float, together: int) -> None:
    assert portion(calls_per_second) == together


def test_a_bucket_keeps_a_seconds_worth_and_not_more() -> None:
    bucket = Bucket.full(30, now=0)
    assert bucket.take(100, now=60) == (30, Bucket(30, 0, 60))


def test_a_slow_bucket_keeps_one_token() -> None:
    taken, bucket = Bucket.full(0.5, now=0).take(5, now=10)
    assert taken == 1
    assert bucket.take(5, now=11.9)[0] == 0
    assert bucket.seconds_until(1, now=11) == pytest.approx(1)
    assert bucket.take(5, now=12)[0] == 1


def test_what_is_waited_for_is_there_afterwards() -> None:
    bucket, now, taken = Bucket.full(7.3, now=0), 0.0, 0
    while now < 100:
        now += bucket.seconds_until(1, now)
        one, bucket = bucket.take(1, now)
        assert one == 1, "the wait was too short"
        taken += one
    assert taken == pytest.approx(7.3 + 730, abs=1)


def test_tokens_given_back_can_be_taken_at_once() -> None:
    _, empty = Bucket.full(30, now=0).take(30, now=0)
    assert empty.filled(0, given_back=7).take(30, now=0)[0] == 7


def test_tokens_given_back_fill_a_bucket_no_further_than_it_keeps() -> None:
    taken, bucket = Bucket.full(30, now=0).take(30, now=0)
    assert bucket.filled(10, given_back=taken).take(100, now=10)[0] == 30
