"""Wishes: what is asked of contacts, and carried out by the scheduler alone.

A wish stands on the contact as `asked {id, kind, at, of}`, and in `asks` as a row under the contact's id, so that the
scheduler finds it without an index on `contacts`. Both are written in one transaction, and removed in the one that
carries the wish out. A row alone has the scheduler look whether the contact may still wait (contacts/following.py).
`of` is the contact's last attempt when it was asked: once there is another, the wish is void.
What each kind makes of a contact: shared/domain/wishes.py.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact import ACTIVE, ContactStatus
from shared.domain.contact_input import is_uuid
from shared.domain.reasons import FOR_GOOD, EndReason
from shared.domain.wishes import MAY_BE_RESET, WishKind
from shared.errors import InvalidCursor
from shared.store.catalog.organizations import touch
from shared.store.client import Document, Store
from shared.store.contacts.counting_in import count_wishes
from shared.store.contacts.rows import NOT_DELETED
from shared.store.dialing.call_facts import tell_of_refused_callback
from shared.store.dialing.context import is_opt_out_untold
from shared.store.dialing.moves import Move, apply_moves, cannot_wait
from shared.store.dialing.reopening import reopen_called_back
from shared.store.dialing.shard_transaction import Ownership, ShardTransaction
from shared.store.dialing.shard_work import BATCH, Swept
from shared.store.dialing.wished import wished_move
from shared.store.paging import decode_cursor, encode_cursor

# Contacts that one request asks to call again; more take another request.
MAX_RESET: Final = 10_000
_AT_ONCE: Final = 1000


_MAY_BE_ASKED: Final[Document] = {
    "ended_because": {"$nin": sorted(FOR_GOOD)},
    "asked": {"$exists": False},
    "opted_out": {"$ne": True},
    **NOT_DELETED,
}


@dataclass(frozen=True, slots=True)
class ResetPage:
    """What one request of a reset has asked for: how many contacts, and where the next goes on (None: at no other)."""

    asked: int
    next_cursor: str | None


async def ask_again(
    store: Store,
    contacts: Collection[Document],
    now: datetime,
    ask_id: str | None = None,
    session: AsyncClientSession | None = None,
) -> int:
    """Ask that ended contacts, or such as are put off, be called again; how many of them still stood as read.

    They must be of one organization, at most 1,000. `ask_id` names what several requests ask together. Safe to repeat.
    With `session` in the caller's transaction.
    """
    wanted = [contact["_id"] for contact in contacts]

    async def work(session: AsyncClientSession) -> int:
        ended, put_off = {"status": {"$in": sorted(MAY_BE_RESET)}}, _with_status(ContactStatus.PENDING)
        query = {"_id": {"$in": wanted}, "$or": [ended, put_off], **_MAY_BE_ASKED}
        fields = {"campaign_id": 1, "shard": 1}
        found = await store["contacts"].find(query, fields, session=session).to_list()
        if not found:
            return 0
        ids = [contact["_id"] for contact in found]
        asked = {
            "id": ask_id or str(uuid.uuid4()),
            "kind": WishKind.AGAIN,
            "at": {"$literal": now},
            "of": "$last_attempt",
        }
        await store["contacts"].update_many({"_id": {"$in": ids}}, [{"$set": {"asked": asked}}], session=session)
        rows = [ReplaceOne({"_id": contact["_id"]}, contact, upsert=True) for contact in found]
        await store["asks"].bulk_write(rows, session=session)
        await count_wishes(store, [contact["campaign_id"] for contact in found], session)
        return len(ids)

    if not wanted:
        return 0
    return await (store.in_transaction(work) if session is None else work(session))


async def reset_contacts(
    store: Store,
    organization_id: str,
    campaign_id: str,
    *,
    status: ContactStatus,
    because: EndReason | None,
    cursor: str | None,
    now: datetime,
) -> ResetPage:
    """Ask that the campaign's (stored form) contacts that ended so be called again, at most `MAX_RESET` at a time.

    With `PENDING`, those that wait because something of their own has put them off, to be called at once.

    Contacts that were answered or opted out are never among them, and none is asked for twice by the requests that one
    `cursor` joins, though it may have ended so again meanwhile. Raises `InvalidCursor`.
    """
    first, ask_id = decode_cursor(cursor) if cursor is not None else (None, str(uuid.uuid4()))
    if not is_uuid(ask_id):
        raise InvalidCursor(cursor)
    query = {
        "campaign_id": campaign_id,
        "organization_id": organization_id,
        **_with_status(status),
        "reset_by": {"$ne": ask_id},
        **_MAY_BE_ASKED,
    }
    if first is not None:
        query["created_at"] = {"$gte": first}
    if because is not None:
        query["ended_because"] = because.value
    found = store["contacts"].find(query, {"shard": 1, "created_at": 1}, hint="listing")
    contacts = await found.sort([("created_at", 1), ("seq", 1)]).limit(MAX_RESET + 1).to_list()
    these, more = contacts[:MAX_RESET], contacts[MAX_RESET:]
    asked = 0
    for start in range(0, len(these), _AT_ONCE):
        asked += await ask_again(store, these[start : start + _AT_ONCE], now, ask_id)
        # With each part: what is asked must be found though this process may not come to the next one.
        await touch(store, organization_id)
    return ResetPage(asked, encode_cursor(more[0]["created_at"], ask_id) if more else None)


def _with_status(status: ContactStatus) -> Document:
    """Contacts with this status; of those that wait, the ones that are put off."""
    if status is ContactStatus.PENDING:
        return {"status": status.value, "put_off.reason": {"$exists": True}}
    return {"status": status.value}


async def carry_out(store: Store, owner: Ownership, now: datetime) -> Swept:
    """Carry out some wishes of the shard; those that are void are dropped."""
    rows = await store["asks"].find({"shard": owner.shard}).limit(BATCH).to_list()
    if not rows:
        return Swept()
    ids = [row["_id"] for row in rows]

    async def run(session: AsyncClientSession) -> Swept:
        transaction = ShardTransaction.begin(store, session, owner)
        contacts = await transaction.read_contacts(ids)
        context = transaction.context
        asked = [wished_move(contact, context.retry_policy(contact), now) for contact in contacts.values()]
        moves = [move for move in asked if move is not None]
        settled = {move.contact["_id"] for move in moves} | {c["_id"] for c in contacts.values() if _waits_for_call(c)}
        # A row without a wish, or with one that is void: something has changed that may end the contact.
        moves += [
            Move(contact, ContactStatus.PENDING)
            for contact_id, contact in contacts.items()
            if contact_id not in settled and contact["status"] == ContactStatus.PENDING
            if cannot_wait(context, contact, now)
        ]
        await apply_moves(store, session, transaction.ledger, context, moves, now)
        await reopen_called_back(transaction, moves, now)
        void = [contact_id for contact_id in ids if contact_id not in settled]
        for contact_id in void:
            if contact_id in contacts:
                tell_of_refused_callback(transaction.ledger, context, contacts[contact_id], now)
        await _drop(store, session, void)
        await transaction.ledger.write(store, session)
        return Swept.by(transaction.ledger, len(ids))

    return await store.in_transaction(run)


def _waits_for_call(contact: Document) -> bool:
    """Whether the end of the call that a contact is on looks at what is asked: a callback after it, or an opt-out."""
    asked = contact["asked"]
    if is_opt_out_untold(contact) and contact["status"] in ACTIVE:
        return True
    on_call = asked is not None and contact["status"] in ACTIVE and asked["kind"] == WishKind.CALLBACK
    return on_call and bool(asked["of"] == contact["lock"]["attempt"])


async def _drop(store: Store, session: AsyncClientSession, contact_ids: Sequence[str]) -> None:
    if contact_ids:
        these = {"_id": {"$in": list(contact_ids)}}
        await store["contacts"].update_many(these, {"$unset": {"asked": ""}}, session=session)
        await store["asks"].delete_many(these, session=session)
