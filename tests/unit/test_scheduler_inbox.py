"""What a shard's loop may commit to Kafka: all that is done and nothing else."""

from services.scheduler.shards.inbox import Inbox
from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.events import AnyOrgEvent, CallAnswered, CallFinished, JobReleased, LimitsChanged

IDS = {"organization_id": "organization", "shard": 0}
CALL = {**IDS, "attempt_id": "attempt", "contact_id": "contact"}
ENDED = CallFinished.model_validate({**CALL, "outcome": Outcome.BUSY, "ended_at": utc_now()})
RELEASED = JobReleased.model_validate({**CALL, "nonce": None, "reason": "test"})
ANSWERED = CallAnswered.model_validate({**CALL, "answered_at": utc_now()})
HINT = LimitsChanged.model_validate(IDS)


def read(inbox: Inbox, *events: AnyOrgEvent, offset: int) -> None:
    for event in events:
        inbox.add(event)
    inbox.read_up_to(offset)


def test_what_is_done_is_committed_while_newer_events_wait() -> None:
    inbox = Inbox()
    read(inbox, ENDED, RELEASED, offset=2)
    ended, released = inbox.next_batch()
    read(inbox, ENDED, offset=3)
    inbox.done_with(len(ended), len(released))
    assert inbox.take_offset() == 2
    inbox.done_with(1)
    assert inbox.take_offset() == 3
    assert inbox.take_offset() is None


def test_nothing_is_committed_before_all_kinds_of_events_up_to_it_are_done() -> None:
    inbox = Inbox()
    read(inbox, ENDED, RELEASED, ANSWERED, offset=3)
    inbox.done_with(ended=1)
    assert inbox.take_offset() is None
    inbox.done_with(released=1)
    assert inbox.take_offset() is None
    inbox.done_with(answered=1)
    assert inbox.take_offset() == 3


def test_hints_hold_up_no_offset() -> None:
    inbox = Inbox()
    read(inbox, HINT, offset=1)
    assert inbox.take_offset() == 1
    # Found at the carrier, not in Kafka: it belongs to no offset before it.
    inbox.add(ENDED)
    read(inbox, HINT, offset=2)
    assert inbox.take_offset() is None
    inbox.done_with(1)
    assert inbox.take_offset() == 2
