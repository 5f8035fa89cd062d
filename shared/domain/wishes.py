"""Wishes: what is asked of a contact, when that is void, and what it makes of the contact.

A wish names the contact's attempt at the time, the one in progress or the last one: once there is another, it is void.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.domain.callbacks import Tries, type_of
from shared.domain.contact import ACTIVE, FINAL, ContactStatus, Tier
from shared.domain.reasons import EndReason
from shared.domain.retry import CallAgain, RetryPolicy, after_attempt


class WishKind(StrEnum):
    """The kinds of wish for a contact."""

    # To call it again, though it has ended, or at once, though it is put off; its limits and delays count from then on.
    AGAIN = "again"
    CALLBACK = "callback"  # to call it back at a time, whatever has become of it
    AT = "at"  # the callback that it is: at another time
    NOW = "now"  # the callback that it is: as soon as hours and limits allow
    SKIP = "skip"  # the callback that it is: not this time
    GIVE_UP = "give_up"  # the callback that it is: never
    DONE = "done"  # the callback that it is: no more needed


# Statuses in which a contact has ended and may be asked to be called again: one that was answered may not.
MAY_BE_RESET: Final = frozenset(FINAL - {ContactStatus.COMPLETED})
# Wishes after which the contact waits as the callback that it was, under the same id.
KEEPS_WAITING: Final = frozenset({WishKind.AT, WishKind.NOW})


@dataclass(frozen=True, slots=True)
class Wish:
    """A wish: `at` (UTC) is the time that is asked for, else that of the request; `of` the attempt at the time.

    `notes` None: as they are. `outcome` is that of the last attempt, for a retry that is to be skipped; `requested_at`
    (UTC) the time of the request, for a callback.
    """

    id: str
    kind: WishKind
    at: datetime
    of: str | None
    notes: str | None = None
    outcome: str | None = None
    requested_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AskedContact:
    """A contact as a wish finds it. `told`: one of its calls was answered, or the person opted out in it.

    `put_off`: something of its own, such as a cap, has moved its time.
    """

    status: ContactStatus
    because: EndReason | None
    told: EndReason | None
    tier: Tier
    due_at: datetime
    created_at: datetime
    scheduled_at: datetime | None
    last_attempt: str | None
    tries: Tries
    put_off: bool = False

    @property
    def may_be_reset(self) -> bool:
        """Whether the contact has ended, or waits for the end of what has put it off: a cap, a busy number, a rest."""
        is_put_off = self.status is ContactStatus.PENDING and self.put_off and self.tier is not Tier.REQUESTED
        return self.status in MAY_BE_RESET or is_put_off


@dataclass(frozen=True, slots=True)
class AfterWish:
    """What a wish makes of a contact; None keeps a field.

    `anew`: it comes to wait anew. `counts_anew`: its attempts so far count for no limit any more. `requested`: it waits
    for a callback that was asked for, or (False) no more. `tries` as after a skipped retry.
    """

    status: ContactStatus
    because: EndReason | None = None
    due_at: datetime | None = None
    tier: Tier | None = None
    anew: bool = False
    counts_anew: bool = False
    requested: bool | None = None
    tries: Tries | None = None


def holds(contact: AskedContact, wish: Wish) -> bool:
    """Whether a wish is not void: the contact has not moved on since, and was told nothing that forbids it."""
    if wish.of != contact.last_attempt:
        return False
    match wish.kind:
        case WishKind.AGAIN:
            return contact.may_be_reset and contact.told is None
        case WishKind.CALLBACK:
            return contact.status not in ACTIVE and contact.told is not EndReason.OPTED_OUT
        case _:
            return contact.status is ContactStatus.PENDING and type_of(contact.tier, contact.tries) is not None


def after_wish(contact: AskedContact, wish: Wish, policy: RetryPolicy, now: datetime) -> AfterWish:
    """What a wish that holds makes of its contact at `now`."""
    match wish.kind:
        case WishKind.AGAIN:
            tier = _first_tier(contact) if not contact.tries.made else Tier.RETRY
            scheduled_at = contact.scheduled_at if tier is Tier.SCHEDULED else None
            due_at = max(now, scheduled_at) if scheduled_at is not None else now
            return _waits(due_at, tier, counts_anew=True, requested=False)
        case WishKind.CALLBACK:
            return _waits(wish.at, Tier.REQUESTED, counts_anew=True, requested=True)
        case WishKind.AT | WishKind.NOW:
            return AfterWish(ContactStatus.PENDING, due_at=wish.at)
        case WishKind.SKIP if contact.tier is Tier.REQUESTED:
            return _not_called_back(contact)
        case WishKind.SKIP:
            return _skipped(contact, wish, policy, now)
        case WishKind.GIVE_UP:
            return _given_up(contact)
        case WishKind.DONE:
            return AfterWish(ContactStatus.COMPLETED, EndReason.DONE)


def _waits(due_at: datetime, tier: Tier, *, counts_anew: bool, requested: bool) -> AfterWish:
    return AfterWish(
        ContactStatus.PENDING, due_at=due_at, tier=tier, anew=True, counts_anew=counts_anew, requested=requested
    )


def _first_tier(contact: AskedContact) -> Tier:
    return Tier.FRESH if contact.scheduled_at is None else Tier.SCHEDULED


def _given_up(contact: AskedContact) -> AfterWish:
    """A person who was reached once stays reached."""
    if contact.told is EndReason.ANSWERED:
        return AfterWish(ContactStatus.COMPLETED, EndReason.ANSWERED)
    return AfterWish(ContactStatus.EXHAUSTED, EndReason.GIVEN_UP)


def _not_called_back(contact: AskedContact) -> AfterWish:
    """A requested callback that is dropped: a contact that was never called waits for its first call, another ends."""
    if contact.tries.made:
        return _given_up(contact)
    return _waits(contact.scheduled_at or contact.created_at, _first_tier(contact), counts_anew=False, requested=False)


def _skipped(contact: AskedContact, wish: Wish, policy: RetryPolicy, now: datetime) -> AfterWish:
    """As if the retry had been made and had ended as the call before it, when its time had come."""
    tries = contact.tries
    outcome = tries.counted_outcome(wish.outcome)
    if outcome is None:
        return _given_up(contact)
    outcomes = {**tries.outcomes, outcome: tries.outcomes[outcome] + 1}
    after = Tries(tries.made, tries.uncounted, tries.skipped + 1, outcomes)
    decision = after_attempt(
        policy,
        outcome,
        proven=True,
        attempts_made=after.counted,
        outcome_count=outcomes[outcome],
        now=max(now, contact.due_at),
    )
    if isinstance(decision, CallAgain):
        return AfterWish(
            ContactStatus.PENDING, due_at=decision.at, tier=Tier.RETRY, anew=True, requested=False, tries=after
        )
    return AfterWish(decision.status, decision.because, tries=after)
