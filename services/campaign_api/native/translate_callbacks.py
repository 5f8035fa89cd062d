"""Callbacks on this API's wire, purely."""

from services.campaign_api.native.schemas.callbacks import CallbackPage, CallbackView
from services.campaign_api.native.schemas.contacts import ContactCallback, WaitingFor
from shared.domain.callbacks import Callback
from shared.domain.contact_record import Contact
from shared.domain.page import Page


def contact_callback(callback: Callback | None) -> ContactCallback | None:
    """The callback that a contact waits for, if it waits for one."""
    if callback is None:
        return None
    return ContactCallback(
        id=callback.id,
        type=callback.type,
        at=callback.at,
        outcome=callback.outcome,
        retry_number=callback.retry_number,
        max_retries=callback.max_retries,
        notes=callback.notes,
        requested_at=callback.requested_at,
    )


def callback_view(contact: Contact) -> CallbackView:
    """The callback that this contact waits for. Raises `ValueError` for one that waits for none."""
    callback, waits = contact_callback(contact.callback), contact.standing.waits
    if callback is None:
        raise ValueError(f"contact {contact.id} waits for no callback")
    return CallbackView(
        **callback.model_dump(),
        campaign_id=contact.campaign_id,
        contact_id=contact.id,
        external_id=contact.external_id,
        phone_numbers=list(contact.phone_numbers),
        timezone=contact.timezone,
        next_attempt_at=contact.standing.next_call,
        waiting_for=None if waits is None else WaitingFor(reason=waits.reason, until=waits.until),
    )


def callback_page(page: Page[Contact]) -> CallbackPage:
    """A page of contacts that wait for callbacks."""
    return CallbackPage(callbacks=[callback_view(one) for one in page.rows], next_cursor=page.next_cursor)
