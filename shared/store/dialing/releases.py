"""RELEASED: a job comes back, so its contact waits again. Not an attempt."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.domain.contact import ACTIVE, ContactStatus
from shared.domain.dialing import WAITS_FOR_REST
from shared.domain.reasons import WaitReason
from shared.domain.refusal import RefusalSubject
from shared.events import JobReleased, ProbePlaced
from shared.store.client import Document
from shared.store.dialing.breakers import note_call
from shared.store.dialing.moves import Move, apply_moves
from shared.store.dialing.resting import begin_rest, end_rests
from shared.store.dialing.shard_transaction import ShardTransaction

# A released contact waits this long, so that a full executor or clocks that disagree do not spin.
RELEASE_SECONDS: Final = 1.0


async def apply_releases(
    transaction: ShardTransaction, events: Sequence[JobReleased], now: datetime, jitter_seconds: float
) -> int:
    """Put released contacts back to wait; how many. Not an attempt.

    Without a nonce only a contact that is still locked returns; with one, only the start it belongs to:
    anything else could free the slot of a call that is up.
    """
    if not events:
        return 0
    contacts = await transaction.read_contacts([event.contact_id for event in events])
    moves: dict[str, Move] = {}
    refused: set[str] = set()
    soon = now + timedelta(seconds=RELEASE_SECONDS + jitter_seconds)
    for event in events:
        contact = contacts.get(event.contact_id)
        if contact is not None and _may_release(contact, event):
            moves[event.contact_id] = _given_back(transaction, event, contact, soon, now)
            if event.refusal is not None:
                refused.add(event.contact_id)
    for contact_id in refused:
        # Once, however often it was told.
        note_call(transaction, contacts[contact_id], failed=True)
    await apply_moves(
        transaction.store,
        transaction.session,
        transaction.ledger,
        transaction.context,
        list(moves.values()),
        now,
        keep_wishes=True,
    )
    return len(moves)


def _given_back(
    transaction: ShardTransaction, event: JobReleased, contact: Document, soon: datetime, now: datetime
) -> Move:
    """The contact waits again: a moment, or while what its call was refused for rests, if the reason is its own."""
    refusal = event.refusal
    if refusal is None:
        return Move(contact, ContactStatus.PENDING, soon, put_off=WaitReason.GIVEN_BACK)
    rest = begin_rest(transaction, contact, contact["lock"], refusal, now)
    own_number = refusal.subject is RefusalSubject.CALLER_NUMBER and contact["agent_number"] is not None
    if refusal.subject is not RefusalSubject.COUNTRY and not own_number:
        # The whole campaign sleeps meanwhile; its contacts keep their places.
        return Move(contact, ContactStatus.PENDING, soon, put_off=WAITS_FOR_REST[refusal.subject])
    return Move(contact, ContactStatus.PENDING, max(soon, rest.until), put_off=WAITS_FOR_REST[refusal.subject])


async def apply_probes(transaction: ShardTransaction, events: Sequence[ProbePlaced], now: datetime) -> None:
    """End the rests that calls have asked about and the carrier has taken."""
    if not events:
        return
    contacts = await transaction.read_contacts([event.contact_id for event in events])
    for event in events:
        contact = contacts.get(event.contact_id)
        if contact is not None and _is_on(contact, event.attempt_id, event.organization_id):
            end_rests(transaction, contact, now, by_ending=False)


def _is_on(contact: Document, attempt_id: str, organization_id: str) -> bool:
    return bool(
        contact["organization_id"] == organization_id
        and contact["status"] in ACTIVE
        and contact["lock"]["attempt"] == attempt_id
    )


def _may_release(contact: Document, event: JobReleased) -> bool:
    if not _is_on(contact, event.attempt_id, event.organization_id):
        return False
    if event.nonce is None:
        return bool(contact["status"] == ContactStatus.LOCKED)
    start = contact["start"]
    return start is None or bool(start["nonce"] == event.nonce)
