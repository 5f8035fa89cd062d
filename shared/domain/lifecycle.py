"""Which moves a contact's status may make; whatever is not in these tables is refused."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.domain.contact import FINAL, ContactStatus

_PENDING, _LOCKED, _IN_PROGRESS = ContactStatus.PENDING, ContactStatus.LOCKED, ContactStatus.IN_PROGRESS
_COMPLETED, _EXHAUSTED = ContactStatus.COMPLETED, ContactStatus.EXHAUSTED
_ERROR, _SKIPPED = ContactStatus.ERROR, ContactStatus.SKIPPED

CONTACT_MOVES: Final[Mapping[ContactStatus, frozenset[ContactStatus]]] = MappingProxyType(
    {
        # claimed; no agent or caller number; campaign closed or number on the do-not-call list
        _PENDING: frozenset({_LOCKED, _ERROR, _SKIPPED}),
        # started; released or expired; campaign closed or do-not-call
        _LOCKED: frozenset({_IN_PROGRESS, _PENDING, _SKIPPED}),
        # finished by the retry rule; released at the gate; do-not-call or closed instead of a retry
        _IN_PROGRESS: frozenset({_PENDING, *FINAL}),
        _COMPLETED: frozenset(),
        _EXHAUSTED: frozenset(),
        _ERROR: frozenset(),
        _SKIPPED: frozenset(),
    }
)

# A provisional ending (`unknown`, `interrupted`) leaves a contact in one of these; the real one may move it on.
AFTER_PROVISIONAL: Final = frozenset({_PENDING, _ERROR, _EXHAUSTED})
UPGRADED_TO: Final = frozenset({_PENDING, *FINAL})


def may_move(before: ContactStatus, after: ContactStatus, *, upgrade: bool = False) -> bool:
    """Whether a contact may go from one status to another.

    `upgrade`: the move follows from a real outcome that replaces a provisional one, and may therefore leave
    a final status; it may also change nothing.
    """
    if upgrade:
        return before in AFTER_PROVISIONAL and after in UPGRADED_TO
    return after in CONTACT_MOVES[before]
