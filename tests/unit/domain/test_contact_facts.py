"""What is told of a contact that has moved."""

import pytest

from shared.domain.callbacks import CallbackType
from shared.domain.contact import ContactStatus
from shared.domain.contact_facts import Standing, callback_before, facts_of_contact, is_scheduled
from shared.domain.facts import FactType
from shared.domain.reasons import EndReason

PENDING, IN_PROGRESS = ContactStatus.PENDING, ContactStatus.IN_PROGRESS
COMPLETED, EXHAUSTED, SKIPPED = ContactStatus.COMPLETED, ContactStatus.EXHAUSTED, ContactStatus.SKIPPED
RETRY, REQUESTED = CallbackType.RETRY, CallbackType.REQUESTED


@pytest.mark.parametrize(
    ("after", "was_called", "is_same_end", "told"),
    [
        (COMPLETED, True, False, [FactType.CONTACT_COMPLETED]),
        (PENDING, True, False, [FactType.CONTACT_COMPLETED]),
        (EXHAUSTED, False, False, [FactType.CONTACT_COMPLETED]),
        (EXHAUSTED, True, True, [FactType.CONTACT_COMPLETED]),
        (SKIPPED, False, False, [FactType.CONTACT_SKIPPED]),
        (SKIPPED, True, False, [FactType.CONTACT_SKIPPED]),
        (PENDING, False, False, []),
        (PENDING, False, True, []),
        (COMPLETED, False, True, []),
    ],
)
def test_a_contact_is_completed_by_each_call_and_when_it_ends(
    after: ContactStatus, was_called: bool, is_same_end: bool, told: list[FactType]
) -> None:
    assert facts_of_contact(after, was_called=was_called, is_same_end=is_same_end) == told


@pytest.mark.parametrize(
    ("before", "after", "was_called", "because", "told"),
    [
        (Standing(IN_PROGRESS, 1, RETRY), Standing(COMPLETED, 1, None), True, EndReason.ANSWERED, "done"),
        (Standing(IN_PROGRESS, 1, RETRY), Standing(PENDING, 2, RETRY), True, None, "done"),
        (Standing(PENDING, 1, REQUESTED), Standing(COMPLETED, 1, None), False, EndReason.DONE, "done"),
        (Standing(PENDING, 1, RETRY), Standing(EXHAUSTED, 1, None), False, EndReason.GIVEN_UP, "cancelled"),
        (Standing(PENDING, 1, RETRY), Standing(PENDING, 2, RETRY), False, None, "cancelled"),
        (Standing(IN_PROGRESS, 1, RETRY), Standing(PENDING, 1, RETRY), False, None, None),
        (Standing(PENDING, 1, RETRY), Standing(PENDING, 1, RETRY), False, None, None),
        (Standing(PENDING, 0, None), Standing(COMPLETED, 0, None), False, None, None),
        # What is stored of a contact that has ended looks like a callback, and is none.
        (Standing(EXHAUSTED, 2, RETRY), Standing(PENDING, 3, REQUESTED), False, None, None),
    ],
)
def test_a_callback_is_done_with_its_call_and_cancelled_otherwise(
    before: Standing, after: Standing, was_called: bool, because: EndReason | None, told: str | None
) -> None:
    kind = None if told is None else FactType(f"callback.{told}")
    assert callback_before(before, after, was_called=was_called, because=because) is kind


@pytest.mark.parametrize(
    ("before", "after", "was_moved", "told"),
    [
        (Standing(IN_PROGRESS, 0, None), Standing(PENDING, 1, RETRY), False, True),
        (Standing(EXHAUSTED, 1, RETRY), Standing(PENDING, 2, REQUESTED), False, True),
        (Standing(PENDING, 1, RETRY), Standing(PENDING, 1, RETRY), True, True),
        (Standing(PENDING, 1, RETRY), Standing(PENDING, 1, RETRY), False, False),
        (Standing(IN_PROGRESS, 1, RETRY), Standing(PENDING, 1, RETRY), False, False),
        (Standing(PENDING, 1, RETRY), Standing(PENDING, 2, None), False, False),
        (Standing(PENDING, 1, RETRY), Standing(EXHAUSTED, 1, None), False, False),
    ],
)
def test_a_callback_is_scheduled_when_the_contact_comes_to_wait_for_it_or_at_another_time(
    before: Standing, after: Standing, was_moved: bool, told: bool
) -> None:
    assert is_scheduled(before, after, was_moved=was_moved) is told
