"""Contacts with their claim, and what is kept beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from shared.domain.campaign import FIRST_GENERATION
from shared.domain.contact import Tier
from shared.domain.queue_order import DEFAULT_CONTACT_PRIORITY
from shared.store.documents.completing import complete


@dataclass(frozen=True, slots=True, kw_only=True)
class LockDocument:
    """`contacts.lock`, the claim on a contact: how its call is made. Written by the scheduler, gone with the claim.

    `number` is dialed; `phone` is its compared form. `probing` are keys of rests that the call asks about.
    `day` is that (UTC, `YYYY-MM-DD`) on which it counts for its caller number; None: the number is not registered.
    `counted`: it counts among the calls of its campaign's run, of which there may be only so many.
    """

    attempt: str
    claim: str | None = None
    expires_at: datetime | None = None
    phone: str | None = None
    caller_number: str | None = None
    attempt_number: int | None = None
    # Of the call in its organization; None: claimed by an older version.
    call_number: int | None = None
    # The campaign's when it was claimed.
    generation: int = FIRST_GENERATION
    number: str | None = None
    exclusive: bool = False
    day: str | None = None
    counted: bool = False
    agent_id: str | None = None
    agent_version: str | None = None
    probing: Sequence[str] = ()
    # None: the operator's settings.
    ring_seconds: int | None = None
    max_call_seconds: int | None = None
    voicemail: Mapping[str, Any] | None = None
    # The telephony account, and its carrier; None: the operator's.
    account: str | None = None
    provider: str | None = None
    # Whether the organization wants to be told that the call was placed.
    tells: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StartDocument:
    """`contacts.start`, an executor's start of a claimed call; by the server's clock. Gone with the claim."""

    nonce: str
    executor: str
    mode: str
    at: datetime
    hold_until: datetime
    call_id: str | None = None
    answered_at: datetime | None = None
    # What the organization was told of the call while it was up, by the scheduler.
    told: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WishDocument:
    """`contacts.asked`, a wish that is not carried out yet (shared/domain/wishes.py). Written by campaign-api."""

    id: str
    kind: str
    at: datetime
    of: str | None = None
    notes: str | None = None
    outcome: str | None = None
    requested_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackDocument:
    """`contacts.callback`: what was said of the callback that the contact waits for. Written by the scheduler.

    `requested_at` (UTC) and `attempts_before`, the attempts made until then, where it was asked for.
    """

    notes: str | None = None
    requested_at: datetime | None = None
    attempts_before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDocument:
    """`contacts`: a person to reach. docs/architecture.md says who writes which field."""

    id: str
    organization_id: str
    shard: int
    campaign_id: str
    phone_numbers: Sequence[str]
    created_at: datetime
    updated_at: datetime
    status: str
    seq: int = 0
    # None: since the contact is there.
    due_at: datetime | None = None
    # Its queue (shared/domain/queue_order.py): tier, priority, and whether it has an `agent_number`, in one number.
    tier: int = Tier.FRESH
    attempts_made: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    # The customer's, where they were given.
    priority: int | None = DEFAULT_CONTACT_PRIORITY
    external_id: str | None = None
    data: Mapping[str, Any] | None = None
    timezone: str | None = None
    scheduled_at: datetime | None = None
    expires_at: datetime | None = None
    agent_id: str | None = None
    agent_version: str | None = None
    agent_number: str | None = None
    agent_config: Mapping[str, Any] | None = None
    initial_context: str | Mapping[str, Any] | None = None
    # Whose contact it is, of the contact book, and (by campaign-api) why that person is not called any more.
    person_id: str | None = None
    stopped: str | None = None
    # Absent where nothing of the kind is so: partial indexes hold those alone that have them.
    lock: LockDocument | None = None
    start: StartDocument | None = None
    asked: WishDocument | None = None
    delete_requested: bool = False
    # By campaign-api: the person asked in a call, or since, not to be called again.
    opted_out: bool = False
    # What has become of its calls.
    last_attempt: str | None = None
    last_outcome: str | None = None
    ended_because: str | None = None
    put_off: Mapping[str, Any] | None = None
    uncounted: int = 0
    invalid_numbers: Sequence[str] = ()
    for_good: str | None = None
    reset_by: str | None = None
    # How often it has come to wait anew, retries that were skipped, and the callback that it waits for.
    waiting: int = 0
    retries_skipped: int = 0
    callback: CallbackDocument | None = None


_NESTED: Final[Sequence[tuple[str, type]]] = (
    ("lock", LockDocument),
    ("start", StartDocument),
    ("asked", WishDocument),
    ("callback", CallbackDocument),
)


def contact_of(document: Mapping[str, Any], read: frozenset[str] | None = None) -> dict[str, Any]:
    """A contact as it was read, complete with its claim; `read` as in `complete`."""
    contact = complete(ContactDocument, document, read)
    if "created_at" in contact and contact.get("due_at") is None:
        contact["due_at"] = contact["created_at"]
    for name, model in _NESTED:
        if (nested := contact.get(name)) is not None:
            contact[name] = complete(model, nested)
    return contact


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptDocument:
    """`attempts`: one try at a contact that has ended.

    Of one that is known from a late report alone, only what the carrier said is there.
    """

    id: str
    organization_id: str
    contact_id: str
    outcome: str
    ended_at: datetime
    proven: bool = True
    campaign_id: str | None = None
    contact_created_at: datetime | None = None
    # When it began, as lists have it; and its number in its organization, which ascends.
    created_at: datetime | None = None
    call_number: int | None = None
    contact_name: str | None = None
    attempt_number: int | None = None
    # Of the contact's attempt before this one; None: there was none.
    outcome_before: str | None = None
    # Of the campaign's run that the attempt belongs to; None: older attempts, and those known from a late report alone.
    generation: int | None = None
    phone_number: str | None = None
    caller_number: str | None = None
    agent_id: str | None = None
    agent_version: str | None = None
    conversation_id: str | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None
    duration_seconds: float | None = None
    provider_call_id: str | None = None
    error: str | None = None
    message_left: bool = False
    # The telephony account that placed it; None: the operator's.
    account: str | None = None
    # Where its organization caps attempts at phones: the compared form, and from when on the attempt counts.
    capped: bool = False
    phone: str | None = None
    counted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResultDocument:
    """`call_results`: what a voice agent has reported of a call, by the attempt's id (shared/domain/call_results.py).

    Fields that were not reported are absent. `remarks` say why a callback that was asked for does not come.
    """

    id: str
    organization_id: str
    contact_id: str
    created_at: datetime
    updated_at: datetime
    disposition: str | None = None
    summary: str | None = None
    sentiment: str | None = None
    transcript: Sequence[Mapping[str, Any]] | None = None
    recording_url: str | None = None
    extracted: Mapping[str, Any] | None = None
    tags: Sequence[str] = ()
    cost: float | None = None
    goal_reached: bool | None = None
    opt_out: bool = False
    callback_at: datetime | None = None
    notes: str | None = None
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskDocument:
    """`asks`: a contact of which something is asked, by its id; the wish itself is the contact's `asked`.

    Also of one that was `opted_out`, until the scheduler has ended it, or noted that.
    """

    id: str
    shard: int
    campaign_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionDocument:
    """`deletions`: a contact that is to be removed, by its id."""

    id: str
    shard: int
    campaign_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryDocument:
    """`expiries`: a contact that may have expired `at` a time, by its id."""

    id: str
    shard: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalIdDocument:
    """`external_ids`: where the contact is that does not stand under the id derived from its external_id."""

    id: str
    contact_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestBatchDocument:
    """`ingest_batches`: what became of one batch from Kafka. `digest` None: an older version, which kept none."""

    id: str
    organization_id: str
    batch_id: str
    campaign_id: str
    status: str
    created_at: datetime
    received: int = 0
    inserted: int = 0
    updated: int = 0
    failed: Sequence[Mapping[str, Any]] = ()
    warnings: Sequence[Mapping[str, Any]] = ()
    reason: str | None = None
    finished_at: datetime | None = None
    digest: str | None = None
