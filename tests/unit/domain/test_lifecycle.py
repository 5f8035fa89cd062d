from itertools import product

import pytest

from shared.domain.contact import ACTIVE, FINAL, ContactStatus
from shared.domain.lifecycle import may_move

ALLOWED = {
    ("pending", "locked"),
    ("pending", "error"),
    ("pending", "skipped"),
    ("locked", "in_progress"),
    ("locked", "pending"),
    ("locked", "skipped"),
    ("in_progress", "pending"),
    ("in_progress", "completed"),
    ("in_progress", "exhausted"),
    ("in_progress", "error"),
    ("in_progress", "skipped"),
}
ALLOWED_AS_UPGRADE = set(
    product(("pending", "exhausted", "error"), ("pending", "completed", "exhausted", "error", "skipped"))
)
PAIRS = list(product(ContactStatus, repeat=2))


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_every_move_is_in_the_table_or_refused(before: ContactStatus, after: ContactStatus) -> None:
    assert may_move(before, after) == ((before, after) in ALLOWED)
    assert may_move(before, after, upgrade=True) == ((before, after) in ALLOWED_AS_UPGRADE)


def test_a_final_contact_moves_only_when_a_real_outcome_replaces_a_provisional_one() -> None:
    assert not any(may_move(before, after) for before, after in PAIRS if before in FINAL)
    assert not any(may_move(ContactStatus.COMPLETED, after, upgrade=True) for after in ContactStatus)


def test_no_upgrade_takes_or_returns_a_slot() -> None:
    assert not any(may_move(*pair, upgrade=True) for pair in PAIRS if ACTIVE & set(pair))
