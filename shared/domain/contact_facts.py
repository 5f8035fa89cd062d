"""What is told of a contact that has moved: it is done with a call, or for good; what has become of its callback."""

from dataclasses import dataclass
from typing import Final

from shared.domain.callbacks import CallbackType
from shared.domain.contact import FINAL, ContactStatus
from shared.domain.facts import FactType
from shared.domain.reasons import EndReason

# Contacts that have ended so were not called, or not to the end: `contact.skipped` tells of them.
_SKIPPED: Final = ContactStatus.SKIPPED


@dataclass(frozen=True, slots=True)
class Standing:
    """A contact before or after a move: its status, the number of its waiting, and the callback that it waits for.

    A contact that is on a call has the callback that the call is for.
    """

    status: ContactStatus
    waiting: int
    callback: CallbackType | None


def facts_of_contact(after: ContactStatus, *, was_called: bool, is_same_end: bool) -> list[FactType]:
    """What is told of the contact itself after a move; `was_called`: by the end of a call.

    A contact is completed with every call that has ended, whether or not it is called again, and once more where it
    ends otherwise; `is_same_end`: it had ended so before, with this status and for this reason.
    """
    if after is _SKIPPED:
        return [FactType.CONTACT_SKIPPED]
    if was_called or (after in FINAL and not is_same_end):
        return [FactType.CONTACT_COMPLETED]
    return []


def callback_before(
    before: Standing, after: Standing, *, was_called: bool, because: EndReason | None
) -> FactType | None:
    """What has become of the callback that the contact waited for; None: nothing, or there was none."""
    still_waits = after.status is ContactStatus.PENDING and after.waiting == before.waiting
    if before.callback is None or before.status in FINAL or still_waits:
        return None
    is_done = was_called or because is EndReason.DONE
    return FactType.CALLBACK_DONE if is_done else FactType.CALLBACK_CANCELLED


def is_scheduled(before: Standing, after: Standing, *, was_moved: bool) -> bool:
    """Whether the contact waits for a callback since this move, or (`was_moved`, on request) at another time."""
    if after.callback is None or after.status is not ContactStatus.PENDING:
        return False
    return was_moved or before.status in FINAL or after.waiting != before.waiting
