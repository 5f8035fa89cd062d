"""What a wish makes of a contact, and when it is void."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.callbacks import Tries
from shared.domain.contact import ACTIVE, FINAL, ContactStatus, Tier
from shared.domain.outcome import Outcome
from shared.domain.reasons import EndReason
from shared.domain.retry import RetryPolicy, RetryRule
from shared.domain.wishes import MAY_BE_RESET, AfterWish, AskedContact, Wish, WishKind, after_wish, holds

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BUSY = {Outcome.BUSY: RetryRule(delay_seconds=3600), Outcome.NO_ANSWER: RetryRule(delay_seconds=60)}
POLICY = RetryPolicy(3, BUSY)
PENDING, COMPLETED, EXHAUSTED = ContactStatus.PENDING, ContactStatus.COMPLETED, ContactStatus.EXHAUSTED
OF_CALLBACKS = [WishKind.AT, WishKind.NOW, WishKind.SKIP, WishKind.GIVE_UP, WishKind.DONE]
# Busy once, and due in an hour.
RETRY = AskedContact(
    status=PENDING,
    because=None,
    told=None,
    tier=Tier.RETRY,
    due_at=NOW + HOUR,
    created_at=NOW - DAY,
    scheduled_at=None,
    last_attempt="a",
    tries=Tries(1, 0, 0, {"busy": 1}),
)
FRESH = replace(RETRY, tier=Tier.FRESH, last_attempt=None, tries=Tries(0, 0, 0, {}), due_at=NOW - DAY)
REQUESTED = replace(RETRY, tier=Tier.REQUESTED, tries=Tries(2, 2, 0, {}))
ENDED = replace(RETRY, status=EXHAUSTED, because=EndReason.BUSY, tries=Tries(3, 0, 0, {"busy": 3}))
ANSWERED = replace(ENDED, status=COMPLETED, because=EndReason.ANSWERED, told=EndReason.ANSWERED)
OPTED_OUT = replace(ENDED, because=EndReason.OPTED_OUT, told=EndReason.OPTED_OUT)
RESET = replace(RETRY, tries=Tries(1, 1, 0, {}))


def wish(kind: WishKind, of: str | None = "a", at: datetime = NOW, outcome: str | None = "busy") -> Wish:
    return Wish("w", kind, at, of, outcome=outcome)


def after(contact: AskedContact, kind: WishKind, at: datetime = NOW) -> AfterWish:
    return after_wish(contact, wish(kind, contact.last_attempt, at), POLICY, NOW)


@pytest.mark.parametrize("kind", OF_CALLBACKS)
@pytest.mark.parametrize(
    ("contact", "held"),
    [
        pytest.param(RETRY, True, id="a retry"),
        pytest.param(REQUESTED, True, id="a requested callback"),
        pytest.param(replace(REQUESTED, told=EndReason.ANSWERED), True, id="of one who was answered"),
        pytest.param(FRESH, False, id="a first call is no callback"),
        pytest.param(RESET, False, id="nor is a new beginning"),
        pytest.param(ENDED, False, id="it has ended"),
        *[pytest.param(replace(RETRY, status=status), False, id=f"it is {status}") for status in sorted(ACTIVE)],
    ],
)
def test_what_is_asked_of_a_callback_holds_while_it_waits(kind: WishKind, contact: AskedContact, held: bool) -> None:
    assert holds(contact, wish(kind, contact.last_attempt)) is held


@pytest.mark.parametrize("status", sorted(ContactStatus))
def test_a_callback_may_be_asked_for_of_everybody_who_is_not_on_a_call(status: ContactStatus) -> None:
    assert holds(replace(ENDED, status=status), wish(WishKind.CALLBACK)) is (status not in ACTIVE)


def test_nobody_who_opted_out_is_called_back_or_again() -> None:
    for kind in (WishKind.CALLBACK, WishKind.AGAIN):
        assert not holds(OPTED_OUT, wish(kind))
    assert holds(ANSWERED, wish(WishKind.CALLBACK))
    assert not holds(replace(ANSWERED, status=EXHAUSTED), wish(WishKind.AGAIN))


@pytest.mark.parametrize("status", sorted(ContactStatus))
def test_a_reset_holds_for_contacts_that_have_ended(status: ContactStatus) -> None:
    assert holds(replace(ENDED, status=status), wish(WishKind.AGAIN)) is (status in MAY_BE_RESET)
    assert FINAL - {COMPLETED} == MAY_BE_RESET


@pytest.mark.parametrize(("contact", "held"), [(FRESH, True), (RETRY, True), (REQUESTED, False)])
def test_a_contact_that_is_put_off_may_be_reset_while_it_waits(contact: AskedContact, held: bool) -> None:
    assert holds(replace(contact, put_off=True), wish(WishKind.AGAIN, contact.last_attempt)) is held
    assert not holds(contact, wish(WishKind.AGAIN, contact.last_attempt))


@pytest.mark.parametrize("kind", list(WishKind))
def test_a_wish_is_void_once_there_was_another_call(kind: WishKind) -> None:
    contact = ENDED if kind in (WishKind.AGAIN, WishKind.CALLBACK) else RETRY
    assert holds(contact, wish(kind, "a"))
    assert not holds(contact, wish(kind, "b"))
    assert not holds(contact, wish(kind, None))


@pytest.mark.parametrize("contact", [RETRY, FRESH, ENDED, ANSWERED, REQUESTED])
def test_a_requested_callback_waits_before_all_others_and_counts_anew(contact: AskedContact) -> None:
    assert after(contact, WishKind.CALLBACK, at=NOW + DAY) == AfterWish(
        PENDING, due_at=NOW + DAY, tier=Tier.REQUESTED, anew=True, counts_anew=True, requested=True
    )


@pytest.mark.parametrize("contact", [RETRY, REQUESTED])
def test_another_time_and_now_keep_what_waits(contact: AskedContact) -> None:
    assert after(contact, WishKind.AT, at=NOW + DAY) == AfterWish(PENDING, due_at=NOW + DAY)
    assert after(contact, WishKind.NOW) == AfterWish(PENDING, due_at=NOW)


def test_a_skipped_retry_counts_as_one_that_was_made_when_it_was_due() -> None:
    assert after(RETRY, WishKind.SKIP) == AfterWish(
        PENDING,
        due_at=RETRY.due_at + HOUR,
        tier=Tier.RETRY,
        anew=True,
        requested=False,
        tries=Tries(1, 0, 1, {"busy": 2}),
    )


def test_a_retry_that_is_overdue_is_skipped_from_now_on() -> None:
    assert after(replace(RETRY, due_at=NOW - DAY), WishKind.SKIP).due_at == NOW + HOUR


def test_the_last_retry_skipped_ends_the_contact_as_its_calls_did() -> None:
    last = replace(RETRY, tries=Tries(1, 0, 1, {"busy": 2}))
    assert after(last, WishKind.SKIP) == AfterWish(EXHAUSTED, EndReason.BUSY, tries=Tries(1, 0, 2, {"busy": 3}))


def test_an_attempt_that_counts_for_no_limit_is_not_what_is_skipped() -> None:
    # Not answered, then refused for a reason that speaks of us.
    contact = replace(RETRY, tries=Tries(2, 1, 0, {"no_answer": 1}))
    skipped = after_wish(contact, wish(WishKind.SKIP, outcome="failed"), POLICY, NOW)
    assert (skipped.due_at, skipped.tries) == (RETRY.due_at + timedelta(minutes=1), Tries(2, 1, 1, {"no_answer": 2}))


@pytest.mark.parametrize(
    ("contact", "status", "because"),
    [
        pytest.param(REQUESTED, EXHAUSTED, EndReason.GIVEN_UP, id="was called"),
        pytest.param(replace(REQUESTED, told=EndReason.ANSWERED), COMPLETED, EndReason.ANSWERED, id="was answered"),
    ],
)
@pytest.mark.parametrize("kind", [WishKind.SKIP, WishKind.GIVE_UP])
def test_a_requested_callback_that_is_dropped_ends_its_contact(
    kind: WishKind, contact: AskedContact, status: ContactStatus, because: EndReason
) -> None:
    assert after(contact, kind) == AfterWish(status, because)


@pytest.mark.parametrize(
    ("scheduled_at", "due_at", "tier"), [(None, NOW - DAY, Tier.FRESH), (NOW + DAY, NOW + DAY, Tier.SCHEDULED)]
)
def test_a_dropped_callback_of_one_never_called_leaves_the_first_call(
    scheduled_at: datetime | None, due_at: datetime, tier: Tier
) -> None:
    never_called = replace(FRESH, tier=Tier.REQUESTED, due_at=NOW + HOUR, scheduled_at=scheduled_at)
    dropped = AfterWish(PENDING, due_at=due_at, tier=tier, anew=True, requested=False)
    assert after(never_called, WishKind.SKIP) == dropped


@pytest.mark.parametrize("contact", [RETRY, REQUESTED])
def test_what_is_given_up_or_done_says_so(contact: AskedContact) -> None:
    assert after(contact, WishKind.GIVE_UP) == AfterWish(EXHAUSTED, EndReason.GIVEN_UP)
    assert after(contact, WishKind.DONE) == AfterWish(COMPLETED, EndReason.DONE)


@pytest.mark.parametrize(
    ("contact", "due_at", "tier"),
    [
        pytest.param(ENDED, NOW, Tier.RETRY, id="called before"),
        pytest.param(replace(FRESH, status=ContactStatus.ERROR), NOW, Tier.FRESH, id="never called"),
        pytest.param(
            replace(FRESH, status=ContactStatus.ERROR, scheduled_at=NOW + DAY),
            NOW + DAY,
            Tier.SCHEDULED,
            id="scheduled",
        ),
        pytest.param(
            replace(FRESH, status=ContactStatus.ERROR, scheduled_at=NOW - DAY), NOW, Tier.SCHEDULED, id="overdue"
        ),
    ],
)
def test_a_reset_begins_anew(contact: AskedContact, due_at: datetime, tier: Tier) -> None:
    assert after(contact, WishKind.AGAIN) == AfterWish(
        PENDING, due_at=due_at, tier=tier, anew=True, counts_anew=True, requested=False
    )
