"""`answering_machines`: calls that a machine has taken, and whether a message was left there.

Written by campaign-api when the carrier says so, before it asks the carrier for anything: the one who inserts the
document of a message is the one who has it spoken, so that it is left once at most. Read by FINISH, whose endings come
by other ways and may not know of the machine.
"""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError
from pymongo.errors import DuplicateKeyError

from shared.domain.contact import ACTIVE
from shared.domain.outcome import PROVISIONAL, Outcome
from shared.domain.voicemail import Voicemail
from shared.events import CallFinished
from shared.logs import get_logger
from shared.store.client import Document, Store, translates
from shared.store.dialing.shard_transaction import ShardTransaction

log = get_logger()


@translates
async def handling_of(store: Store, organization_id: str, contact_id: str, attempt_id: str) -> Voicemail | None:
    """How the call of an attempt handles machines, as its claim has frozen it; None where the contact is not on it."""
    query = {"_id": contact_id, "organization_id": organization_id, "lock.attempt": attempt_id}
    contact = await store["contacts"].find_one(query, {"lock.voicemail": 1})
    stored = (contact or {}).get("lock", {}).get("voicemail")
    try:
        return None if stored is None else Voicemail.model_validate(stored)
    except ValidationError:
        log.error("unusable handling of machines, the call goes on", attempt_id=attempt_id)
        return None


@translates
async def note_machine(store: Store, organization_id: str, attempt_id: str, outcome: Outcome, *, message: bool) -> bool:
    """Keep that a machine has taken the call, with or without a message; False where that was known before."""
    document = {"organization_id": organization_id, "outcome": outcome, "message": message}
    try:
        # The server's own time: by it the document is forgotten.
        written = await store["answering_machines"].update_one(
            {"_id": attempt_id}, {"$setOnInsert": document, "$currentDate": {"at": True}}, upsert=True
        )
    except DuplicateKeyError:
        return False
    return written.upserted_id is not None


@translates
async def no_message(store: Store, attempt_id: str) -> None:
    """Keep that no message was left on the machine after all."""
    await store["answering_machines"].update_one({"_id": attempt_id}, {"$set": {"message": False}})


@translates
async def forget_machine(store: Store, attempt_id: str) -> None:
    """Have the carrier's next word on this call taken as its first."""
    await store["answering_machines"].delete_one({"_id": attempt_id})


async def with_machines(
    transaction: ShardTransaction,
    events: Sequence[CallFinished],
    stored: Mapping[str, Document],
    contacts: Mapping[str, Document],
) -> list[CallFinished]:
    """The endings with what is known of the machines that took the calls; `stored` are attempts that have an ending.

    A call that ended as answered was not answered by a person then. Where nothing has asked for machines to be told
    from people, nothing is read.
    """
    asked = [
        event.attempt_id
        for event in events
        if _may_have_met_one(event, stored.get(event.attempt_id), contacts.get(event.contact_id))
    ]
    if not asked:
        return list(events)
    found = transaction.store["answering_machines"].find({"_id": {"$in": asked}}, session=transaction.session)
    machines = {machine["_id"]: machine async for machine in found}
    return [_as_it_was(event, machines.get(event.attempt_id)) for event in events]


def _may_have_met_one(event: CallFinished, attempt: Document | None, contact: Document | None) -> bool:
    if attempt is not None and attempt["outcome"] not in PROVISIONAL:
        return False
    on_it = contact is not None and contact["status"] in ACTIVE and contact["lock"]["attempt"] == event.attempt_id
    # Of a call that its contact is not on any more nobody here knows what was asked for; there are few.
    return not on_it or (contact is not None and contact["lock"]["voicemail"] is not None)


def _as_it_was(event: CallFinished, machine: Document | None) -> CallFinished:
    if machine is None or machine["organization_id"] != event.organization_id:
        return event
    outcome = Outcome(machine["outcome"]) if event.outcome is Outcome.ANSWERED else event.outcome
    return event.model_copy(update={"outcome": outcome, "message_left": event.message_left or machine["message"]})
