"""Callbacks between this dialect and the engine, purely."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from services.campaign_api.smartalex.schemas.callbacks import CallbackView, View
from shared.domain.callbacks import Callback, CallbackType
from shared.domain.contact import ContactStatus
from shared.domain.contact_record import Contact
from shared.domain.person import full_name
from shared.domain.wishes import WishKind
from shared.engine.callbacks import CallbackFilter
from shared.engine.campaigns import Campaign

_TYPES: Final[Mapping[CallbackType, Literal["retry", "customer_requested"]]] = {
    CallbackType.RETRY: "retry",
    CallbackType.REQUESTED: "customer_requested",
}
_DAY: Final = timedelta(days=1)
_SUNDAY: Final = 6


def callback_filter(view: View, timezone: str, now: datetime) -> CallbackFilter:
    """The callbacks of a view at `now`; its days are those of the timezone."""
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()

    def midnight(days: int) -> datetime:
        return datetime.combine(today + days * _DAY, time(), zone)

    match view:
        case View.OVERDUE:
            return CallbackFilter(due_before=now)
        case View.TODAY:
            return CallbackFilter(due_after=midnight(0), due_before=midnight(1))
        case View.WEEK:
            return CallbackFilter(due_after=now, due_before=midnight(_SUNDAY - today.weekday() + 1))
    return CallbackFilter()


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
