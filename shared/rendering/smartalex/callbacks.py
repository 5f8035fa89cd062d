"""Callbacks in this dialect, purely."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from shared.domain.callbacks import Callback, CallbackType
from shared.domain.contact import ContactStatus
from shared.domain.contact_record import Contact
from shared.domain.outcome import Outcome
from shared.domain.person import full_name
from shared.domain.shown_ids import CallbackIdText, UuidText
from shared.domain.wishes import WishKind
from shared.engine.campaigns import Campaign
from shared.rendering.smartalex.times import Time


class CallbackView(BaseModel):
    """A contact that waits for a retry, or for a time that was asked for."""

    id: CallbackIdText
    campaign_id: UuidText | None
    campaign_name: str | None
    contact_id: UuidText | None = Field(description="null where the contact is not in the book.")
    contact_name: str | None
    phone: str | None
    type: Literal["retry", "customer_requested"]
    outcome: Outcome | None = Field(description="Of the call before.")
    retry_number: int | None = Field(description="1 is the first retry; null where it was asked for.")
    max_retries: int | None
    scheduled_at: Time
    overdue: bool
    status: Literal["pending", "completed", "cancelled"]
    notes: str | None
    agent_id: str | None
    created_at: Time


_TYPES: Final[Mapping[CallbackType, Literal["retry", "customer_requested"]]] = {
    CallbackType.RETRY: "retry",
    CallbackType.REQUESTED: "customer_requested",
}


def callback_view(contact: Contact, campaigns: Mapping[str, Campaign], now: datetime) -> CallbackView:
    """A contact as the callback that it waits for."""
    assert contact.callback is not None
    return _view(contact, contact.callback, campaigns, now, "pending")


def changed_callback(
    before: Contact, after: Contact, kind: WishKind, campaigns: Mapping[str, Campaign], now: datetime
) -> CallbackView:
    """The callback as a change leaves it: still pending, maybe as another one, or over."""
    assert before.callback is not None
    if after.callback is not None and after.status is ContactStatus.PENDING:
        return _view(after, after.callback, campaigns, now, "pending")
    is_done = kind is WishKind.DONE or (kind is WishKind.SKIP and after.status is ContactStatus.COMPLETED)
    return _view(before, before.callback, campaigns, now, "completed" if is_done else "cancelled")


def told_callback(
    contact: Contact,
    callback_id: str,
    status: str,
    facts: Mapping[str, Any],
    at: datetime,
    campaigns: Mapping[str, Campaign],
) -> CallbackView:
    """A callback that its contact does not wait for any more, as the facts of `at` tell of it."""
    campaign = campaigns.get(contact.campaign_id or "")
    due = facts.get("at") or at
    return CallbackView.model_validate(
        {
            "id": callback_id,
            "campaign_id": contact.campaign_id,
            "campaign_name": None if campaign is None else campaign.name,
            "contact_id": contact.person_id,
            "contact_name": _name(contact),
            "phone": next(iter(contact.phone_numbers), None),
            "type": _TYPES[CallbackType(facts.get("type") or CallbackType.RETRY)],
            "outcome": facts.get("outcome"),
            "retry_number": None,
            "max_retries": None,
            "scheduled_at": due,
            "overdue": False,
            "status": status,
            "notes": facts.get("notes"),
            "agent_id": contact.agent_id or (None if campaign is None else campaign.agent_id),
            "created_at": at,
        }
    )


def _view(
    contact: Contact,
    callback: Callback,
    campaigns: Mapping[str, Campaign],
    now: datetime,
    status: Literal["pending", "completed", "cancelled"],
) -> CallbackView:
    campaign = campaigns.get(contact.campaign_id or "")
    return CallbackView(
        id=callback.id,
        campaign_id=contact.campaign_id,
        campaign_name=None if campaign is None else campaign.name,
        contact_id=contact.person_id,
        contact_name=_name(contact),
        phone=next(iter(contact.phone_numbers), None),
        type=_TYPES[callback.type],
        outcome=callback.outcome,
        retry_number=callback.retry_number,
        max_retries=callback.max_retries,
        scheduled_at=callback.at,
        overdue=callback.at < now,
        status=status,
        notes=callback.notes,
        agent_id=contact.agent_id or (None if campaign is None else campaign.agent_id),
        created_at=_since(contact, callback),
    )


def _name(contact: Contact) -> str | None:
    names = [(contact.data or {}).get(name) for name in ("first_name", "last_name")]
    first, last = (name if isinstance(name, str) else None for name in names)
    return full_name(first, last) or None


def _since(contact: Contact, callback: Callback) -> datetime:
    """Since when the contact waits: when it was asked for, else when its last call ended."""
    if callback.requested_at is not None:
        return callback.requested_at
    ended = [attempt.ended_at for attempt in contact.attempts if attempt.ended_at is not None]
    return max(ended, default=contact.created_at)
