"""MOVE: taking contacts from one dialing state to another inside a scheduler transaction.

Many contacts move to different states and times in one write: each finds its new values by its place
in a literal array (3.6 times a bulk write, see docs/benchmarks.md). The write is guarded by the state
and the attempt that were read; since that read belongs to the same snapshot, a mismatch means that the
transaction is doomed anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.contact import ContactStatus, Tier
from shared.domain.dialing import end_of
from shared.domain.dialing_values import End
from shared.domain.outcome import Outcome
from shared.domain.queue_order import queue_of, tier_in
from shared.domain.reasons import EndReason, WaitReason
from shared.errors import TemporaryError
from shared.store.client import Document, Store
from shared.store.dialing.call_facts import tell_of_move
from shared.store.dialing.context import DialingContext, is_opt_out_untold, told_of
from shared.store.dialing.ledger import Ledger
from shared.store.documents.completing import defaults
from shared.store.documents.contacts import ContactDocument
from shared.store.in_parts import write_in_parts

# Fields that are not written where no contact of a batch needs them: a rule that is off costs nothing.
RARELY_SET: Final = (
    "last_outcome",
    "ended_because",
    "put_off",
    "uncounted",
    "invalid_numbers",
    "reset_by",
    "for_good",
    "waiting",
    "retries_skipped",
    "callback",
)


# A contact as it was read, and the values it gets.
_NewValues = tuple[Document, Document]


class GuardFailed(TemporaryError):
    """A guarded write matched fewer documents than were read: abort, and read again."""


@dataclass(frozen=True, slots=True)
class Move:
    """One contact, as read in this transaction, and where it goes; `None` keeps a field.

    `because` says why it ends; `put_off` why it waits until `due_at`, where that is not its own time. `uncounted` are
    attempts that no limit counts, `invalid_numbers` those the carrier has called invalid, in compared form; `reset_by`
    the request that had the contact called again. `for_good` is what one of its calls has told, though it may be called
    back; `waits_anew`: where it waits, it is another waiting than before. `callback` is what was said of the callback
    that it waits for; empty: nothing any more.
    """

    contact: Document
    to: ContactStatus
    due_at: datetime | None = None
    tier: Tier | None = None
    attempts_made: int | None = None
    outcomes: dict[str, int] | None = None
    last_attempt: str | None = None
    last_outcome: str | None = None
    because: EndReason | None = None
    put_off: WaitReason | None = None
    uncounted: int | None = None
    invalid_numbers: Sequence[str] | None = None
    reset_by: str | None = None
    for_good: EndReason | None = None
    waits_anew: bool = False
    retries_skipped: int | None = None
    callback: Document | None = None
    # Of the call that has ended by this move.
    outcome: Outcome | None = None


async def apply_moves(
    store: Store,
    session: AsyncClientSession,
    ledger: Ledger,
    context: DialingContext,
    moves: Sequence[Move],
    now: datetime,
    *,
    keep_wishes: bool = False,
) -> None:
    """Write the moves and note them in the ledger.

    Contacts must be distinct and read in this transaction, and loaded in `context`. What ends a contact whatever
    its campaign does wins over waiting again, and a deletion over everything. What was asked of the contacts is over,
    unless `keep_wishes`: these moves only take a claim back.
    """
    if not moves:
        return
    removed: list[Document] = []
    kept: list[Document] = []

    def values_of(some: Sequence[Move]) -> list[_NewValues]:
        changed: list[_NewValues] = []
        for asked_for in some:
            contact, move = asked_for.contact, final_move(asked_for, context, now)
            if move is None:
                ledger.moved(contact, None, attempts_made=asked_for.attempts_made)
                tell_of_move(ledger, context, asked_for, None, now)
                removed.append(contact)
                continue
            values = new_values(move)
            changed.append((contact, values))
            ledger.moved(contact, values, attempts_made=asked_for.attempts_made)
            tell_of_move(ledger, context, move, values, now)
            if move.to is ContactStatus.PENDING:
                ledger.waits(contact["campaign_id"], values["due_at"])
        kept.extend(contact for contact, _ in changed)
        return changed

    async def write(some: Sequence[_NewValues]) -> None:
        contacts = [contact for contact, _ in some]
        values = _without_defaults(contacts, [each for _, each in some])
        change = _to_each_its_own(contacts, values, keep_wishes)
        result = await store["contacts"].update_many(_guard(contacts), change, session=session)
        if result.matched_count != len(contacts):
            raise GuardFailed(f"{result.matched_count} of {len(contacts)} contacts were as read")

    await write_in_parts(moves, values_of, write)
    if removed:
        deleted = await store["contacts"].delete_many(_guard(removed), session=session)
        if deleted.deleted_count != len(removed):
            raise GuardFailed(f"{deleted.deleted_count} of {len(removed)} contacts were as read")
        await store["deletions"].delete_many({"_id": {"$in": [each["_id"] for each in removed]}}, session=session)
    over = removed if keep_wishes else (*kept, *removed)
    wished = [contact["_id"] for contact in over if contact["asked"] is not None]
    # An opt-out is taken over by any move.
    wished += [contact["_id"] for contact in (*kept, *removed) if is_opt_out_untold(contact)]
    if wished:
        await store["asks"].delete_many({"_id": {"$in": wished}}, session=session)


def final_move(move: Move, context: DialingContext, now: datetime) -> Move | None:
    """The move as it is really made; None when the contact is removed.

    A contact that was told something for good ends so, whatever another of its calls ended in; one that was answered
    may wait for a callback that was asked for all the same. One that has opted out by an agent's report waits no more;
    the end of a call stays what it is (I8).
    """
    contact = move.contact
    if contact["delete_requested"]:
        return None
    if contact["opted_out"]:
        move = replace(move, for_good=EndReason.OPTED_OUT)
        if move.to is not ContactStatus.PENDING:
            return move
    told = told_of(contact) or move.for_good
    if move.because is EndReason.OPTED_OUT and told == EndReason.ANSWERED:
        # Called back after an answer, and asked not to be called again: that holds from now on.
        return replace(move, for_good=EndReason.OPTED_OUT)
    if move.to is not ContactStatus.PENDING and told is None:
        return move
    dialed = context.dialed(contact)
    if move.invalid_numbers is not None:
        dialed = replace(dialed, invalid=frozenset(move.invalid_numbers))
    if told is not None:
        waits_as = dialed.tier if move.tier is None else move.tier
        tier = waits_as if move.to is ContactStatus.PENDING else Tier.RETRY
        dialed = replace(dialed, for_good=told, tier=tier)
    ends = end_of(dialed, context.rules_of(contact), now)
    if ends is not None and told == EndReason.ANSWERED:
        ends = End(ContactStatus.COMPLETED, EndReason.ANSWERED)
    return move if ends is None else replace(move, to=ends.status, because=ends.because, put_off=None)


def cannot_wait(context: DialingContext, contact: Document, now: datetime) -> bool:
    """Whether a waiting contact, as read, ends or is removed whatever its campaign does."""
    move = Move(contact, ContactStatus.PENDING)
    return final_move(move, context, now) is not move


def queue_as(contact: Document, tier: Tier) -> int:
    """The queue of a contact, as read, in this tier."""
    return queue_of(contact["priority"] or 0, tier, own_number=contact["agent_number"] is not None)


def new_values(move: Move) -> Document:
    """The contact's fields after the move."""
    contact, put_off, callback = move.contact, None, move.contact["callback"]
    if move.callback is not None:
        callback = move.callback or None
    due_at = move.due_at if move.due_at is not None else contact["due_at"]
    if move.put_off is not None:
        put_off = {"until": due_at, "reason": move.put_off}
    return {
        "status": move.to,
        "due_at": due_at,
        # The priority as it is now: its customer may have changed it while the contact was on a call.
        "tier": queue_as(contact, tier_in(contact["tier"]) if move.tier is None else move.tier),
        "attempts_made": move.attempts_made if move.attempts_made is not None else contact["attempts_made"],
        "outcomes": move.outcomes if move.outcomes is not None else contact["outcomes"],
        "last_attempt": move.last_attempt if move.last_attempt is not None else contact["last_attempt"],
        "last_outcome": move.last_outcome if move.last_outcome is not None else contact["last_outcome"],
        "ended_because": move.because,
        "put_off": put_off,
        "uncounted": move.uncounted if move.uncounted is not None else contact["uncounted"],
        "reset_by": move.reset_by if move.reset_by is not None else contact["reset_by"],
        "invalid_numbers": list(contact["invalid_numbers"] if move.invalid_numbers is None else move.invalid_numbers),
        "for_good": contact["for_good"] if move.for_good is None else move.for_good,
        "waiting": contact["waiting"] + (move.waits_anew and move.to is ContactStatus.PENDING),
        "retries_skipped": contact["retries_skipped"] if move.retries_skipped is None else move.retries_skipped,
        "callback": callback,
    }


def _without_defaults(contacts: Sequence[Document], values: Sequence[Document]) -> list[Document]:
    """The values without the fields that are as in a new contact before and after, in all of these."""
    new = defaults(ContactDocument)
    needless = {
        name
        for name in RARELY_SET
        if not any(each[name] for each in values) and all(contact[name] == new[name] for contact in contacts)
    }
    return [{name: value for name, value in each.items() if name not in needless} for each in values]


def _guard(contacts: Sequence[Document]) -> Document:
    """A filter that matches contacts while they are in a state and under a claim that was read."""
    guard: Document = {
        "_id": {"$in": [contact["_id"] for contact in contacts]},
        "status": {"$in": sorted({contact["status"] for contact in contacts})},
    }
    if all(contact["lock"] is not None for contact in contacts):
        guard["lock.attempt"] = {"$in": [contact["lock"]["attempt"] for contact in contacts]}
    return guard


def _to_each_its_own(contacts: Sequence[Document], values: Sequence[Document], keep_wishes: bool) -> list[Document]:
    """An update pipeline that gives every contact its own values and ends its claim, and its wish unless it is kept."""
    over = ["_new", "lock", "start"] if keep_wishes else ["_new", "lock", "start", "asked"]
    place = {"$indexOfArray": [{"$literal": [contact["_id"] for contact in contacts]}, "$_id"]}
    return [
        {"$set": {"_new": {"$arrayElemAt": [{"$literal": list(values)}, place]}}},
        {"$set": {name: f"$_new.{name}" for name in values[0]}},
        {"$unset": over},
    ]
