"""Calls that ended with the person's wish not to be called: what FINISH does about number and person.

The number goes onto the organization's list: an insert alone, never a change of an entry, so that the transaction
collides with nobody but who lists the same number at that moment. A person of the contact book is flagged, which all
its contacts obey. Where no call ends so, nothing is read or written.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.domain.phone import compared
from shared.domain.reasons import EndReason
from shared.store.catalog.do_not_call import list_from_call
from shared.store.client import Document
from shared.store.dialing.persons_contacts import flag_opted_out
from shared.store.dialing.shard_transaction import ShardTransaction


async def list_opted_out(transaction: ShardTransaction, attempts: Sequence[Document], now: datetime) -> None:
    """List the numbers of these attempts, which ended in an opt-out; from here on this transaction calls none of them.

    An attempt of which only its ending is known has no number.
    """
    numbers: defaultdict[str, set[str]] = defaultdict(set)
    for attempt in attempts:
        if attempt["phone_number"] is not None:
            numbers[attempt["organization_id"]].add(attempt["phone_number"])
    for organization_id, phones in numbers.items():
        await list_from_call(transaction.store, transaction.session, organization_id, sorted(phones), now)
        transaction.context.listed.update((organization_id, compared(phone)) for phone in phones)
        transaction.ledger.changed.add(organization_id)


async def flag_people(
    transaction: ShardTransaction, attempts: Sequence[Document], contacts: Mapping[str, Document], now: datetime
) -> None:
    """Flag the people of these attempts, which ended in an opt-out; none of their contacts is called from here on.

    `contacts` are those that the transaction has read and may move; the flag is noted there, too.
    """
    called = [contact for attempt in attempts if (contact := contacts.get(attempt["contact_id"])) is not None]
    people = {contact["person_id"]: contact["organization_id"] for contact in called if contact["person_id"]}
    for person_id, organization_id in people.items():
        flagged = await flag_opted_out(transaction.store, transaction.session, organization_id, person_id, now)
        for each in flagged.contacts:
            if each["_id"] in contacts:
                contacts[each["_id"]]["stopped"] = EndReason.DO_NOT_CALL.value
        if flagged.contacts:
            transaction.forget_ahead()
        wanted = transaction.context.fact_types(organization_id)
        for fact in flagged.facts:
            if fact.type in wanted:
                transaction.ledger.tell(organization_id, fact)
