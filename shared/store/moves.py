"""MOVE: taking contacts from one dialing state to another inside a scheduler transaction.

Many contacts move to different states and times in one write: each finds its new values by its place
in a literal array (3.6 times a bulk write, see docs/benchmarks.md). The write is guarded by the state
and the attempt that were read; since that read belongs to the same snapshot, a mismatch means that the
transaction is doomed anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact import ContactStatus, Tier
from shared.errors import TemporaryError
from shared.store.client import Document, Store
from shared.store.ledger import Ledger
from shared.store.surroundings import Surroundings


class GuardFailed(TemporaryError):
    """A guarded write matched fewer documents than were read: abort, and read again."""


@dataclass(frozen=True, slots=True)
class Move:
    """One contact, as read in this transaction, and where it goes; `None` keeps a field."""

    contact: Document
    to: ContactStatus
    due_at: datetime | None = None
    tier: Tier | None = None
    attempts_made: int | None = None
    outcomes: dict[str, int] | None = None
    last_attempt: str | None = None


async def apply_moves(
    store: Store, session: AsyncClientSession, ledger: Ledger, surroundings: Surroundings, moves: Sequence[Move]
) -> None:
    """Write the moves and note them in the ledger.

    Contacts must be distinct and read in this transaction, and loaded in `surroundings`.
    """
    if not moves:
        return
    removed: list[Document] = []
    values: list[Document] = []
    kept: list[Document] = []
    for move in moves:
        to = surroundings.settled(move.contact, move.to)
        ledger.moved(move.contact, to)
        if to is None:
            removed.append(move.contact)
        else:
            kept.append(move.contact)
            values.append(_new_values(move, to))
            if to is ContactStatus.PENDING:
                ledger.waits(move.contact["campaign_id"], values[-1]["due_at"])
    if kept:
        result = await store["contacts"].update_many(_guard(kept), _to_each_its_own(kept, values), session=session)
        if result.matched_count != len(kept):
            raise GuardFailed(f"{result.matched_count} of {len(kept)} contacts were as read")
    if removed:
        deleted = await store["contacts"].delete_many(_guard(removed), session=session)
        if deleted.deleted_count != len(removed):
            raise GuardFailed(f"{deleted.deleted_count} of {len(removed)} contacts were as read")


def _new_values(move: Move, to: ContactStatus) -> Document:
    contact = move.contact
    return {
        "status": to,
        "due_at": move.due_at if move.due_at is not None else contact["due_at"],
        "tier": int(move.tier if move.tier is not None else contact["tier"]),
        "attempts_made": move.attempts_made if move.attempts_made is not None else contact["attempts_made"],
        "outcomes": move.outcomes if move.outcomes is not None else contact["outcomes"],
        "last_attempt": move.last_attempt if move.last_attempt is not None else contact.get("last_attempt"),
    }


def _guard(contacts: Sequence[Document]) -> Document:
    """Matches the contacts while they are in a state and under a claim that was read."""
    guard: Document = {
        "_id": {"$in": [contact["_id"] for contact in contacts]},
        "status": {"$in": sorted({contact["status"] for contact in contacts})},
    }
    if all("lock" in contact for contact in contacts):
        guard["lock.attempt"] = {"$in": [contact["lock"]["attempt"] for contact in contacts]}
    return guard


def _to_each_its_own(contacts: Sequence[Document], values: Sequence[Document]) -> list[Document]:
    """An update pipeline that gives every contact its own values and ends its claim."""
    place = {"$indexOfArray": [{"$literal": [contact["_id"] for contact in contacts]}, "$_id"]}
    return [
        {"$set": {"_new": {"$arrayElemAt": [{"$literal": list(values)}, place]}}},
        {"$set": {name: f"$_new.{name}" for name in values[0]}},
        {"$unset": ["_new", "lock", "start"]},
    ]
