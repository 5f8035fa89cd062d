"""Whose a batch_id is: the message's that was stored under it, told by the digest of its bytes."""

from datetime import UTC, datetime

import pytest

from shared.errors import Clash, Conflict
from shared.store.contacts.ingest_batches import BatchResult, BatchStatus, IngestBatch

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ARRIVED = IngestBatch("b", "c", 1, (), NOW, "mine")


def stored(status: BatchStatus, digest: str | None) -> BatchResult:
    return BatchResult("b", "c", status, 1, 1, 0, (), (), None, NOW, NOW, digest)


@pytest.mark.parametrize(
    ("status", "digest", "repeated"),
    [
        (BatchStatus.DONE, "mine", True),
        (BatchStatus.DONE, None, True),  # stored by a version that kept no digest
        (BatchStatus.ACCEPTED, "mine", False),  # its process died before the end
        (BatchStatus.REFUSED, "mine", False),
        (BatchStatus.REFUSED, "another", False),
        (BatchStatus.REFUSED, None, False),
    ],
)
def test_a_message_is_repeated_or_still_to_be_stored(status: BatchStatus, digest: str | None, repeated: bool) -> None:
    assert stored(status, digest).is_repeated_by(ARRIVED) is repeated


@pytest.mark.parametrize("status", [BatchStatus.DONE, BatchStatus.ACCEPTED])
def test_another_message_does_not_get_the_id(status: BatchStatus) -> None:
    with pytest.raises(Conflict) as refused:
        stored(status, "another").is_repeated_by(ARRIVED)
    assert (refused.value.clash, refused.value.reference) == (Clash.BATCH_ID_REUSED, "b")
