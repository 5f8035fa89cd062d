"""What is asked of a stored contact, and the contact as that will leave it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from shared.domain.callbacks import Tries
from shared.domain.contact import ACTIVE, ContactStatus, Tier
from shared.domain.known_words import known
from shared.domain.queue_order import tier_in
from shared.domain.reasons import FOR_GOOD, EndReason
from shared.domain.retry import RetryPolicy
from shared.domain.wishes import AfterWish, AskedContact, Wish, WishKind, after_wish, holds
from shared.store.client import Document
from shared.store.dialing.context import is_opt_out_untold, told_of
from shared.store.dialing.moves import Move, new_values
from shared.store.documents.completing import complete
from shared.store.documents.contacts import CallbackDocument


def wish_of(contact: Document) -> Wish | None:
    """What is asked of a contact and not carried out yet; None: nothing, or what this version does not know."""
    asked = contact["asked"]
    kind = known(WishKind, asked["kind"]) if asked is not None else None
    if asked is None or kind is None:
        return None
    return Wish(asked["id"], kind, asked["at"], asked["of"], asked["notes"], asked["outcome"], asked["requested_at"])


def tries_of(contact: Mapping[str, object]) -> Tries:
    """The attempts of a contact that limits count."""
    fields = ("attempts_made", "uncounted", "retries_skipped", "outcomes")
    return Tries(*(contact[name] for name in fields))  # type: ignore[arg-type]


def asked_contact(contact: Document) -> AskedContact:
    """A stored contact as a wish finds it."""
    because = known(EndReason, contact["ended_because"])
    told = told_of(contact)
    return AskedContact(
        status=ContactStatus(contact["status"]),
        because=because,
        told=told if told is not None else because if because in FOR_GOOD else None,
        tier=tier_in(contact["tier"]),
        due_at=contact["due_at"],
        created_at=contact["created_at"],
        scheduled_at=contact["scheduled_at"],
        last_attempt=contact["last_attempt"],
        tries=tries_of(contact),
        put_off=contact["put_off"] is not None,
    )


def wished_move(contact: Document, policy: RetryPolicy, now: datetime) -> Move | None:
    """The move that a contact's wish asks for; None where nothing is asked of it, or what is void.

    One that has opted out stays as it is, and what it may no longer wait for ends with the move (`final_move`).
    """
    because = known(EndReason, contact["ended_because"])
    stays = Move(contact, ContactStatus(contact["status"]), because=because)
    if is_opt_out_untold(contact):
        return None if stays.to in ACTIVE else stays
    return _on_top_of(stays, policy, now)


def or_called_back(move: Move, policy: RetryPolicy, now: datetime) -> Move:
    """The move after an ending; where a callback was asked for in that call, or since, the one that waits for it."""
    wish = wish_of(move.contact)
    if wish is None or wish.kind is not WishKind.CALLBACK:
        return move
    return _on_top_of(move, policy, now) or move


def is_called_back_after(contact: Document, attempt: Document) -> bool:
    """Whether a contact waits for a callback, or is on it, that an answer in this attempt would not end.

    The callback was asked for after the attempt, and the person has not opted out.
    """
    waits_or_called = contact["status"] == ContactStatus.PENDING or contact["status"] in ACTIVE
    if not waits_or_called or tier_in(contact["tier"]) is not Tier.REQUESTED:
        return False
    before = contact["callback"]["attempts_before"] if contact["callback"] is not None else 0
    return told_of(contact) is not EndReason.OPTED_OUT and int(attempt["attempt_number"] or 0) <= int(before)


def as_asked(contact: Document, policy: RetryPolicy, now: datetime) -> Document:
    """The contact as a wish that is not carried out yet, or an opt-out, will leave it."""
    if contact["opted_out"] and contact["status"] == ContactStatus.PENDING:
        return {**contact, "status": ContactStatus.EXHAUSTED, "ended_because": EndReason.OPTED_OUT, "put_off": None}
    move = wished_move(contact, policy, now) if contact["asked"] is not None else None
    return contact if move is None else {**contact, **new_values(move)}


def _on_top_of(base: Move, policy: RetryPolicy, now: datetime) -> Move | None:
    """The move that does what its contact's wish makes of it after the `base` one; None where the wish is void."""
    wish = wish_of(base.contact)
    if wish is None:
        return None
    # The move itself ends what has put the contact off; the wish asks whether anything has.
    found = asked_contact({**base.contact, **new_values(base), "put_off": base.contact["put_off"]})
    return _moved(base, wish, found, after_wish(found, wish, policy, now)) if holds(found, wish) else None


def _moved(base: Move, wish: Wish, found: AskedContact, after: AfterWish) -> Move:
    # Somebody who was reached stays so, whatever comes of being called back.
    answered = found.told is EndReason.ANSWERED and after.requested
    move = replace(
        base,
        to=after.status,
        because=after.because,
        due_at=after.due_at,
        tier=after.tier,
        put_off=None,
        for_good=EndReason.ANSWERED if answered else None,
        waits_anew=after.anew,
        callback=_callback(base.contact["callback"], wish, found, after),
    )
    if after.counts_anew:
        made = found.tries.made
        move = replace(move, outcomes={}, uncounted=made, retries_skipped=0)
        if wish.kind is WishKind.AGAIN:
            move = replace(move, invalid_numbers=[], reset_by=wish.id)
        elif found.because is EndReason.INVALID_NUMBER:
            move = replace(move, invalid_numbers=[])
    if after.tries is not None:
        move = replace(move, outcomes=dict(after.tries.outcomes), retries_skipped=after.tries.skipped)
    return move


def _callback(before: Document | None, wish: Wish, found: AskedContact, after: AfterWish) -> Document | None:
    """What is said of the callback from now on; None: as before, empty: nothing."""
    if after.requested:
        return {"notes": wish.notes, "requested_at": wish.requested_at, "attempts_before": found.tries.made}
    if after.requested is not None:
        return {}
    return None if wish.notes is None else {**complete(CallbackDocument, before or {}), "notes": wish.notes}
