"""Abandoned transactions: a process killed in the middle of one leaves it open, with all its locks.

Whoever needs one of its documents waits until the server ends it: `transactionLifetimeLimitSeconds` after it began, a
minute by default, and up to half as long again until the server looks
(https://www.mongodb.com/docs/manual/reference/parameters/#mongodb-parameter-param.transactionLifetimeLimitSeconds).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bson import Binary
from pymongo.errors import OperationFailure

from shared.errors import PermanentError
from shared.store.client import Document, Store, appname, translated


@dataclass(frozen=True, slots=True)
class IdleTransaction:
    """A transaction in which no operation was at work, after `worked_micros` of work in all.

    Equal to one of an earlier look, it is the same one and nothing has been done in it since.
    """

    session: Binary
    number: int
    worked_micros: int


async def idle_transactions(store: Store) -> list[IdleTransaction]:
    """The idle transactions of every process of this installation.

    Raises `PermanentError` when the server does not tell: then its own limit must do. `Unavailable`: look again later.
    """
    ours: Document = {"appName": appname(store.db.name), "type": "idleSession", "transaction": {"$exists": True}}
    try:
        async with translated():
            looked = await store.client.admin.aggregate([{"$currentOp": {"idleSessions": True}}, {"$match": ours}])
            return [_read(operation) async for operation in looked]
    except OperationFailure as error:
        raise PermanentError(f"MongoDB does not tell what transactions are open (code {error.code})") from error


async def end_transactions(store: Store, transactions: Sequence[IdleTransaction]) -> None:
    """Undo these transactions, so that their documents are free. A process that does work on one begins it again.

    No right is needed for it: sessions of another user are left alone. Raises as `idle_transactions` does.
    """
    try:
        async with translated():
            await store.client.admin.command("killSessions", [{"id": each.session} for each in transactions])
    except OperationFailure as error:
        raise PermanentError(f"MongoDB does not let us end transactions (code {error.code})") from error


def _read(operation: Document) -> IdleTransaction:
    transaction = operation["transaction"]
    return IdleTransaction(
        operation["lsid"]["id"], transaction["parameters"]["txnNumber"], transaction["timeActiveMicros"]
    )
