"""Webhooks: subscriptions, and deliveries to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDocument:
    """`webhooks`: one subscription. `campaign_id` None: to facts of all campaigns, and of none.

    `events` are the names by which its customer has asked, in the words of `dialect`; `fact_types` the facts behind
    them. `secret`, and `old_secret`, which signs beside it for a while, are encrypted (shared/stored_secrets.py).
    """

    id: str
    organization_id: str
    url: str
    dialect: str
    events: Sequence[str]
    fact_types: Sequence[str]
    secret: str
    active: bool
    created_at: datetime
    updated_at: datetime
    campaign_id: str | None = None
    description: str | None = None
    old_secret: str | None = None
    old_secret_until: datetime | None = None
    off_because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDocument:
    """`deliveries`: one event for one subscription.

    `queue` is the subscription's id while the delivery waits, else absent: the index of what is due has only those.
    `due_at` is when the next try is made, or, while a sender has taken it (`taken`), when another one may.
    `fact` is the message of `org.facts`, as it came; None for a test event. Kept until `kept_until` once it has ended.
    """

    id: str
    organization_id: str
    webhook_id: str
    event_id: str
    event: str
    at: datetime
    created_at: datetime
    state: str
    tries: int
    fact: str | None = None
    queue: str | None = None
    due_at: datetime | None = None
    taken: str | None = None
    last_at: datetime | None = None
    last_status: int | None = None
    last_error: str | None = None
    last_text: str = ""
    last_milliseconds: int | None = None
    kept_until: datetime | None = None
