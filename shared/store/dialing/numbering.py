"""The numbers of calls, given out in the transaction that claims them.

The last one stands in the shard's document, which that transaction reads and writes anyway.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.call_numbers import next_numbers
from shared.errors import OwnershipLost
from shared.store.client import Document
from shared.store.dialing.shard_transaction import ShardTransaction


def number_calls(transaction: ShardTransaction, claims: Sequence[Document], now: datetime) -> None:
    """Give each of these locks, or endings without one, the number of its call, in order."""
    if not claims:
        return
    shard = transaction.context.root_document
    if shard is None:
        raise OwnershipLost(f"shard {transaction.ledger.shard} is not in the database")
    last = max(shard.get("last_call", 0), transaction.ledger.last_call)
    numbers = next_numbers(last, len(claims), now)
    for claim, number in zip(claims, numbers, strict=True):
        claim["call_number"] = number
    transaction.ledger.last_call = numbers[-1]


def number_late_calls(transaction: ShardTransaction, attempts: Sequence[Document], now: datetime) -> Sequence[Document]:
    """Number those of these endings whose claim is gone, and return them all."""
    number_calls(transaction, [attempt for attempt in attempts if attempt["call_number"] is None], now)
    return attempts
