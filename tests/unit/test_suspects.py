"""Which slots wait for evidence, for what reason, and when the log says so."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.scheduler.evidence.suspects import (
    LONGEST_PAUSE,
    REMEMBERED,
    SHORTEST_PAUSE,
    UNANSWERED,
    UNTOLD,
    Announcements,
    Reason,
    Suspects,
    SuspectSlots,
    facts,
)
from shared.store.dialing.in_progress import RunningAttempt

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DEAD = {"dead"}
A_MOMENT = timedelta(milliseconds=1)


def attempt(attempt_id: str = "a", **fields: Any) -> RunningAttempt:
    values: dict[str, Any] = {
        "contact_id": f"contact of {attempt_id}",
        "organization_id": "organization",
        "shard": 3,
        "attempt_id": attempt_id,
        "phone_number": "+14152000000",
        "caller_number": "+14155550100",
        "executor": "alive",
        "mode": "callback",
        "started_at": NOW - timedelta(seconds=60),
        "hold_until": NOW + timedelta(seconds=1800),
        "call_id": None,
    }
    return RunningAttempt(**values | fields)


def suspected(*attempts: RunningAttempt) -> Suspects:
    suspects = Suspects()
    suspects.add(attempts, NOW)
    return suspects


def why(suspects: Suspects, now: datetime = NOW) -> Counter[Reason]:
    waiting = suspects.suspect_slots(now, DEAD)
    return waiting.reasons if waiting else Counter()


def test_a_call_waits_from_when_the_carrier_could_not_tell_until_it_says_that_it_is_up() -> None:
    suspects = suspected(attempt())
    assert why(suspects) == {}, "the question is on its way"
    suspects.is_untold("a")
    assert why(suspects) == {Reason.NOT_REPORTED: 1}
    suspects.add([attempt()], NOW + timedelta(seconds=30))
    assert why(suspects, NOW + timedelta(seconds=30)) == {Reason.NOT_REPORTED: 1}, "also while it is asked again"
    suspects.is_up("a", NOW + timedelta(seconds=31))
    assert why(suspects, NOW + timedelta(seconds=31)) == {}


def test_a_call_waits_until_its_ending_is_known() -> None:
    suspects = suspected(attempt("a"), attempt("b"))
    suspects.is_untold("a")
    suspects.is_untold("b")
    suspects.forget(["a", "never heard of"])
    assert why(suspects) == {Reason.NOT_REPORTED: 1}


@pytest.mark.parametrize(("executor", "patience"), [("dead", UNTOLD), ("alive", UNANSWERED)])
def test_a_carrier_that_does_not_answer_makes_a_call_wait(executor: str, patience: timedelta) -> None:
    suspects = suspected(attempt(executor=executor))
    assert suspects.next_to_ask(1)
    assert why(suspects, NOW + patience - A_MOMENT) == {}
    reason = Reason.EXECUTOR_DEAD if executor == "dead" else Reason.NOT_REPORTED
    assert why(suspects, NOW + patience) == {reason: 1}


def test_a_call_read_again_in_every_round_has_waited_for_its_answer_since_the_first() -> None:
    suspects = suspected(attempt())
    for second in range(int(UNANSWERED.total_seconds()) + 1):
        suspects.add([attempt()], NOW + timedelta(seconds=second))
    assert why(suspects, NOW + UNANSWERED) == {Reason.NOT_REPORTED: 1}


def test_a_call_that_is_up_does_not_wait_while_it_is_asked_about_again_and_again() -> None:
    suspects, now = suspected(attempt(executor="dead")), NOW
    suspects.is_up("a", now)
    for _ in range(20):
        now += timedelta(seconds=10)
        suspects.tidy({3}, now)
        suspects.add([attempt(executor="dead")], now)
        assert why(suspects, now + UNANSWERED - A_MOMENT) == {}, "asked again and on its way"
        suspects.is_up("a", now)
    suspects.add([attempt(executor="dead")], now)
    assert why(suspects, now + UNANSWERED) == {Reason.EXECUTOR_DEAD: 1}


def test_a_call_past_the_longest_call_waits_even_if_the_carrier_says_that_it_is_up() -> None:
    suspects = suspected(attempt(executor="dead", hold_until=NOW))
    suspects.is_up("a", NOW)
    assert why(suspects, NOW) == {}
    assert why(suspects, NOW + A_MOMENT) == {Reason.PAST_LONGEST_CALL: 1}


def test_a_call_that_its_executor_holds_waits_only_when_the_executor_is_dead() -> None:
    suspects = suspected(attempt("a", mode="in_process"), attempt("b", mode="in_process", executor="dead"))
    suspects.is_untold("a")
    suspects.is_untold("b")
    assert why(suspects) == {Reason.EXECUTOR_DEAD: 1}
    waiting = suspects.suspect_slots(NOW, set())
    assert waiting is None, "its executor is alive again"


def test_what_waits_is_summed_up() -> None:
    suspects = suspected(
        attempt("a", started_at=NOW - timedelta(seconds=500), hold_until=NOW + timedelta(seconds=10)),
        attempt("b", executor="dead"),
        attempt("c"),
        attempt("up", started_at=NOW - timedelta(seconds=900), hold_until=NOW + timedelta(seconds=9000)),
    )
    for attempt_id in "abc":
        suspects.is_untold(attempt_id)
    suspects.is_up("up", NOW)
    waiting = suspects.suspect_slots(NOW, DEAD)
    assert waiting is not None
    assert facts(waiting, NOW) == {
        "waiting": 3,
        "executor_dead": 1,
        "not_reported": 2,
        "past_longest_call": 0,
        "oldest_seconds": 500,
        "given_up_by": "2026-03-02T12:30:00+00:00",
    }


def test_those_asked_about_longest_ago_are_asked_about_first() -> None:
    suspects = suspected(*(attempt(str(n)) for n in range(5)))
    asked = []
    for _ in range(3):
        some = [found.attempt_id for found in suspects.next_to_ask(2)]
        for attempt_id in some:
            suspects.is_untold(attempt_id)
        suspects.add([attempt(attempt_id) for attempt_id in some], NOW)
        asked += some
    assert set(asked[:5]) == {"0", "1", "2", "3", "4"}
    assert asked[5] in asked[:2]


def test_who_was_answered_is_not_asked_about_again_by_itself() -> None:
    suspects = suspected(attempt("a"), attempt("b"))
    suspects.is_untold("a")
    assert [found.attempt_id for found in suspects.next_to_ask(5)] == ["b"]


def test_those_longest_not_looked_at_are_looked_at_first_and_only_those_that_wait() -> None:
    suspects = suspected(*(attempt(str(n)) for n in range(4)), attempt("up"))
    for n in range(4):
        suspects.is_untold(str(n))
    suspects.is_up("up", NOW)
    looks = [[found.attempt_id for found in suspects.next_to_look_at(2, NOW, DEAD)] for _ in range(4)]
    assert looks[0] == looks[2]
    assert looks[1] == looks[3]
    assert sorted(looks[0] + looks[1]) == ["0", "1", "2", "3"]


def test_calls_of_other_shards_and_old_news_are_forgotten() -> None:
    suspects = suspected(attempt("ours"), attempt("theirs", shard=4), attempt("up"))
    suspects.is_untold("ours")
    suspects.is_up("up", NOW)
    suspects.tidy({3}, NOW + REMEMBERED)
    assert len(suspects) == 2
    suspects.tidy({3}, NOW + REMEMBERED + A_MOMENT)
    assert [found.attempt_id for found in suspects.next_to_look_at(9, NOW, DEAD)] == ["ours"]
    assert len(suspects) == 1


def said(numbers: dict[float, int]) -> dict[float, int]:
    """Of these numbers, by the second at which they are so, those that the log says."""
    announcements = Announcements()
    return {at: n for at, n in numbers.items() if announcements.is_due(n, NOW + timedelta(seconds=at))}


def test_the_begin_and_the_end_are_said_and_what_stays_now_and_then() -> None:
    numbers = {float(second): 7 if 10 <= second < 95 else 0 for second in range(200)}
    assert said(numbers) == {10: 7, 40: 7, 70: 7, 95: 0}
    assert timedelta(seconds=30) == LONGEST_PAUSE


def test_a_noticeable_change_is_said_at_once() -> None:
    assert said({0: 100, 10: 124, 11: 125, 20: 131, 21: 60}) == {0: 100, 11: 125, 21: 60}
    assert said({0: 4, 10: 13, 11: 14}) == {0: 4, 11: 14}


def test_a_number_that_comes_and_goes_does_not_fill_the_log() -> None:
    lines = list(said({second / 2: second % 2 for second in range(120)}))
    pauses = [later - earlier for earlier, later in itertools.pairwise(lines)]
    assert lines[0] == 0.5
    assert min(pauses) >= SHORTEST_PAUSE.total_seconds()


def test_as_long_as_nothing_has_waited_nothing_is_said() -> None:
    assert said({0: 0, 100: 0}) == {}


def test_the_facts_are_of_the_moment() -> None:
    waiting = SuspectSlots(Counter({Reason.EXECUTOR_DEAD: 2}), NOW - timedelta(seconds=41.6), NOW)
    assert facts(waiting, NOW)["oldest_seconds"] == 42
    assert waiting.slots == 2
