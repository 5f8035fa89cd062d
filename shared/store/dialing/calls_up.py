"""Facts of calls that are up: placed, answered. Told as soon as the executor, or the carrier, says so.

What is told is noted in the contact's `start`, in the same transaction; the call's end tells what was not (the hint may
have been lost).
"""

from collections.abc import Sequence
from datetime import datetime

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact import ContactStatus
from shared.domain.facts import FactType
from shared.events import CallAnswered, CallWasPlaced
from shared.store.client import Document, Store
from shared.store.dialing.call_facts import ANSWERED, PLACED, tell_of_call
from shared.store.dialing.shard_transaction import Ownership, ShardTransaction


async def tell_of_calls(store: Store, owner: Ownership, events: Sequence[CallAnswered | CallWasPlaced]) -> int:
    """Tell of the calls among these whose claim asks for it and that are up; how many facts that makes.

    At most 500 events. Safe to repeat: each is told once. Raises `OwnershipLost` (stop owning the shard) or
    `Unavailable` (try again).
    """

    async def run(session: AsyncClientSession) -> int:
        transaction = ShardTransaction.begin(store, session, owner)
        contacts = await transaction.read_contacts([event.contact_id for event in events])
        noted = [note for event in events for note in _told(transaction, contacts.get(event.contact_id), event)]
        if not noted:
            return 0
        await store["contacts"].bulk_write(noted, session=session)
        await transaction.ledger.write(store, session)
        return transaction.ledger.facts_written

    return await store.in_transaction(run)


def _told(
    transaction: ShardTransaction, contact: Document | None, event: CallAnswered | CallWasPlaced
) -> list[UpdateOne]:
    """The note of what is told of an event now; nothing where it was told, or does not fit its contact."""
    if contact is None or not _is_up(contact, event):
        return []
    start, ledger, context = contact["start"], transaction.ledger, transaction.context
    told = list(start["told"])
    if PLACED not in told:
        call_id = event.provider_call_id if isinstance(event, CallWasPlaced) else start["call_id"]
        more = {"started_at": start["at"], **({} if call_id is None else {"provider_call_id": call_id})}
        tell_of_call(ledger, context, contact, FactType.CALL_PLACED, _placed_at(event, start["at"]), more)
        told.append(PLACED)
    if isinstance(event, CallAnswered) and ANSWERED not in told:
        at = max(event.answered_at, start["at"])
        tell_of_call(ledger, context, contact, FactType.CALL_ANSWERED, at, {"answered_at": at})
        told.append(ANSWERED)
    if told == list(start["told"]):
        return []
    start["told"] = told
    return [UpdateOne({"_id": contact["_id"], "lock.attempt": event.attempt_id}, {"$set": {"start.told": told}})]


def _is_up(contact: Document, event: CallAnswered | CallWasPlaced) -> bool:
    return bool(
        contact["status"] == ContactStatus.IN_PROGRESS
        and contact["organization_id"] == event.organization_id
        and contact["lock"]["attempt"] == event.attempt_id
        and contact["lock"]["tells"]
    )


def _placed_at(event: CallAnswered | CallWasPlaced, started_at: datetime) -> datetime:
    return event.placed_at if isinstance(event, CallWasPlaced) else started_at
