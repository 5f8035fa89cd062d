"""The engine's ways of standing behind this API's words for contacts of a campaign, purely."""

from collections.abc import Collection

from shared.domain.contact import ContactStatus
from shared.engine.contacts import StandingAs
from shared.rendering.talkturo.words import COMPLETED_BY, ContactState


def standing_as(states: Collection[ContactState], *, running: bool) -> list[StandingAs]:
    """How contacts stand that are shown so, in a campaign that is `running` or is not; empty: in any way."""
    return [one for state in dict.fromkeys(states) for one in _standing_as(state, running)]


def _standing_as(state: ContactState, running: bool) -> tuple[StandingAs, ...]:
    match state:
        case ContactState.PENDING:
            return (StandingAs(ContactStatus.PENDING, called=True if running else None),)
        case ContactState.QUEUED:
            fresh = (StandingAs(ContactStatus.PENDING, called=False),) if running else ()
            return (StandingAs(ContactStatus.LOCKED), *fresh)
        case ContactState.CALLING:
            return (StandingAs(ContactStatus.IN_PROGRESS),)
        case ContactState.COMPLETED:
            return (
                StandingAs(ContactStatus.COMPLETED),
                StandingAs(ContactStatus.EXHAUSTED, because=COMPLETED_BY),
            )
        case ContactState.FAILED:
            return (
                StandingAs(ContactStatus.EXHAUSTED, not_because=COMPLETED_BY),
                StandingAs(ContactStatus.ERROR),
            )
        case ContactState.SKIPPED:
            return (StandingAs(ContactStatus.SKIPPED),)
