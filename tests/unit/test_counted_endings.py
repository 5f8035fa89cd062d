"""How endings are counted: each attempt once under its real outcome, told again as repeated."""

from collections.abc import Callable

from prometheus_client import REGISTRY

from services.scheduler.shards.loop import _count_endings
from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.events import CallFinished
from shared.store.dialing.finish import Recorded
from shared.store.dialing.shard_work import WorkDone

REPEATED = "dialstream_endings_repeated_total"
FINISHED = "dialstream_attempts_finished_total"
UPGRADED = "dialstream_attempts_upgraded_total"


def ending(attempt_id: str, outcome: Outcome) -> CallFinished:
    ids = {"organization_id": "organization", "shard": 0, "contact_id": "contact", "attempt_id": attempt_id}
    return CallFinished.model_validate({**ids, "outcome": outcome, "ended_at": utc_now()})


def done(recorded: Recorded) -> WorkDone:
    return WorkDone([], [], recorded, released=0, held={}, due={}, given_back=0)


def risen(name: str, outcome: str | None = None) -> Callable[[], float]:
    """By how much a counter has risen since."""
    labels = {"outcome": outcome} if outcome else {}
    before = REGISTRY.get_sample_value(name, labels) or 0.0
    return lambda: (REGISTRY.get_sample_value(name, labels) or 0.0) - before


def test_an_upgraded_ending_counts_under_its_real_outcome_and_not_as_repeated() -> None:
    busy, unknown, repeated = risen(FINISHED, "busy"), risen(FINISHED, "unknown"), risen(REPEATED)
    replaced, never = risen(UPGRADED, "unknown"), risen(UPGRADED, "busy")
    _count_endings([ending("a", Outcome.BUSY)], done(Recorded(upgraded={"a": "unknown"})))
    assert (busy(), unknown(), repeated()) == (1, 0, 0)
    assert (replaced(), never()) == (1, 0)


def test_of_an_ending_and_a_better_one_in_one_batch_the_better_one_counts() -> None:
    busy, unknown, repeated = risen(FINISHED, "busy"), risen(FINISHED, "unknown"), risen(REPEATED)
    replaced = risen(UPGRADED, "unknown")
    _count_endings([ending("a", Outcome.UNKNOWN), ending("a", Outcome.BUSY)], done(Recorded(new=["a"])))
    assert (busy(), unknown(), repeated(), replaced()) == (1, 0, 1, 0)


def test_an_ending_that_is_told_again_counts_as_repeated_alone() -> None:
    busy, repeated, replaced = risen(FINISHED, "busy"), risen(REPEATED), risen(UPGRADED, "busy")
    again = [ending("a", Outcome.BUSY), ending("a", Outcome.BUSY), ending("b", Outcome.BUSY)]
    _count_endings(again, done(Recorded(new=["b"])))
    assert (busy(), repeated(), replaced()) == (1, 2, 0)
