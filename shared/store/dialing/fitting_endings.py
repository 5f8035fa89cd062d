"""Endings that are believed: one for each attempt, where organization, contact, attempt and call belong together."""

from collections.abc import Mapping, Sequence

from shared.domain.contact import ACTIVE
from shared.domain.outcome import PROVISIONAL
from shared.events import CallFinished
from shared.logs import get_logger
from shared.store.client import Document
from shared.store.dialing.shard_transaction import ShardTransaction

log = get_logger()


def distinct_endings(events: Sequence[CallFinished]) -> list[CallFinished]:
    """One ending for each attempt: the first real one, else the first."""
    chosen: dict[str, CallFinished] = {}
    for event in events:
        known = chosen.get(event.attempt_id)
        if known is None or (known.outcome in PROVISIONAL and event.outcome not in PROVISIONAL):
            chosen[event.attempt_id] = event
    return list(chosen.values())


async def consistent_endings(
    transaction: ShardTransaction,
    events: Sequence[CallFinished],
    stored: Mapping[str, Document],
    contacts: Mapping[str, Document],
) -> list[CallFinished]:
    """The endings whose organization, contact, attempt and call belong together.

    Any other one would be recorded as the ending of an attempt that is still running, whose own ending would then
    come too late.
    """
    # Given back, and its contact on another attempt, while the carrier was asked: the call may be that one's.
    events = [e for e in events if not e.by_numbers or holds(contacts.get(e.contact_id), e)]
    homeless = [e.contact_id for e in events if e.contact_id not in contacts]
    unknown = [e.attempt_id for e in events if e.attempt_id not in stored and not holds(contacts.get(e.contact_id), e)]
    elsewhere = await _in_other_shards(transaction, homeless)
    claimed = await _claimed(transaction, unknown)
    believed = []
    for event in events:
        contact, attempt = contacts.get(event.contact_id), stored.get(event.attempt_id)
        fits = contact is None or contact["organization_id"] == event.organization_id
        if attempt is not None:
            fits = fits and attempt["organization_id"] == event.organization_id
            fits = fits and attempt["contact_id"] == event.contact_id
        elif not holds(contact, event):
            fits = fits and event.attempt_id not in claimed
        if fits and event.contact_id not in elsewhere:
            believed.append(event)
    if len(believed) < len(events):
        log.warning("endings that do not fit their contacts", shard=transaction.ledger.shard, of=len(events))
    return believed


async def _in_other_shards(transaction: ShardTransaction, contact_ids: Sequence[str]) -> set[str]:
    """The contacts among these, not found in this shard, that are in another one; the others have been deleted."""
    if not contact_ids:
        return set()
    found = transaction.store["contacts"].find({"_id": {"$in": contact_ids}}, {"_id": 1}, session=transaction.session)
    return {contact["_id"] async for contact in found}


async def _claimed(transaction: ShardTransaction, attempt_ids: Sequence[str]) -> set[str]:
    """The attempts among these that a contact is on now."""
    if not attempt_ids:
        return set()
    # Whoever is on an attempt has a number in its lock, so an index leads to these few.
    query = {"lock.phone": {"$exists": True}, "lock.attempt": {"$in": attempt_ids}}
    contacts = transaction.store["contacts"]
    found = contacts.find(query, {"lock.attempt": 1}, session=transaction.session, hint="live_phone")
    return {contact["lock"]["attempt"] async for contact in found}


def holds(contact: Document | None, event: CallFinished) -> bool:
    return contact is not None and contact["status"] in ACTIVE and contact["lock"]["attempt"] == event.attempt_id
