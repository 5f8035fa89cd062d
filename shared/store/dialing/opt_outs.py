"""Numbers of calls that ended with the person's wish not to be called: they go onto the organization's list in FINISH.

An insert alone, never a change of an entry, so that the transaction collides with nobody but who lists the same number
at that moment. Where no call ends so, nothing is read or written.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from shared.domain.phone import compared
from shared.store.catalog.do_not_call import list_from_call
from shared.store.client import Document
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
