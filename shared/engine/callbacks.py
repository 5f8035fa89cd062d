"""Callbacks: contacts that wait for a retry, or for the time at which they asked to be called."""

import asyncio
from datetime import datetime
from typing import Final

from shared.domain.callbacks import CallbackType
from shared.domain.contact_record import Contact
from shared.domain.ids import of_callback
from shared.domain.page import NumberedPage, Page
from shared.domain.wishes import WishKind
from shared.engine.contacts import contact_target
from shared.engine.engine import Engine
from shared.errors import Kind, NotFound, TemporaryError
from shared.events import ContactsAdded
from shared.store.contacts import callback_list
from shared.store.contacts.asking import AskedBefore, Asking, ask
from shared.store.contacts.callback_list import CallbackFilter
from shared.store.contacts.matching import resolve
from shared.store.contacts.queries import with_attempts

__all__ = [
    "CallbackFilter",
    "CallbackType",
    "WishKind",
    "change_callback",
    "get_callback",
    "list_callbacks",
    "numbered_callbacks",
    "request_callback",
]

# A callback that an earlier request has made is there as soon as the scheduler has carried that out.
_TRIES: Final = 40
_BETWEEN_TRIES: Final = 0.05


async def request_callback(
    engine: Engine,
    organization_id: str,
    reference: str,
    contact_reference: str,
    at: datetime,
    notes: str | None,
    now: datetime,
) -> Contact:
    """The contact as it waits for the callback at `at` (UTC), whatever has become of it so far.

    Raises `NotFound`, `WrongState` (the campaign calls nobody back), `Conflict` (the contact is being called, may never
    be called again, or expires before, or its campaign ends before).
    """
    target = await contact_target(engine, organization_id, reference)
    contact_id = await resolve(engine.store, organization_id, target.campaign_id, contact_reference)
    return await _asked(engine, organization_id, contact_id, Asking(WishKind.CALLBACK, at, notes), now)


async def change_callback(
    engine: Engine,
    organization_id: str,
    reference: str,
    kind: WishKind,
    now: datetime,
    *,
    at: datetime | None = None,
    notes: str | None = None,
) -> Contact:
    """The contact as it stands once this is carried out. `at` (UTC) is the other time, where `kind` needs one.

    Raises `NotFound`, `WrongState` (the campaign calls nobody back), `Conflict` (the contact is being called, or the
    callback is over), `TemporaryError` (an earlier request is not carried out yet).
    """
    meant = of_callback(reference)
    if meant is None:
        raise NotFound(Kind.CALLBACK, reference)
    contact_id, waiting = meant
    asking = Asking(kind, now if at is None else at, notes, waiting)
    try:
        return await _asked(engine, organization_id, contact_id, asking, now)
    except NotFound as error:
        if error.kind is Kind.CONTACT:
            raise NotFound(Kind.CALLBACK, reference) from error
        raise


async def get_callback(engine: Engine, organization_id: str, reference: str, now: datetime) -> Contact:
    """The contact that waits for this callback. Raises `NotFound`, also when the callback is over."""
    return await callback_list.get_callback(engine.store, organization_id, reference, now)


async def list_callbacks(
    engine: Engine,
    organization_id: str,
    reference: str | None,
    which: CallbackFilter,
    *,
    cursor: str | None,
    limit: int,
    now: datetime,
) -> Page[Contact]:
    """Contacts that wait for a callback, in a campaign or (None) in all, soonest first.

    A page may have fewer than `limit` and be followed by others. Raises `NotFound` (campaign), `InvalidCursor`.
    """
    campaign_id = None
    if reference is not None:
        campaign_id = (await contact_target(engine, organization_id, reference)).campaign_id
    return await callback_list.list_callbacks(
        engine.store, organization_id, campaign_id, which, cursor=cursor, limit=limit, now=now
    )


async def numbered_callbacks(
    engine: Engine,
    organization_id: str,
    reference: str | None,
    which: CallbackFilter,
    *,
    offset: int,
    limit: int,
    now: datetime,
) -> NumberedPage[Contact]:
    """The callbacks as `list_callbacks` has them, from the `offset`-th on, and how many there are: 10,000 at most.

    Raises `NotFound` (campaign).
    """
    campaign_id = None
    if reference is not None:
        campaign_id = (await contact_target(engine, organization_id, reference)).campaign_id
    return await callback_list.numbered_callbacks(
        engine.store, organization_id, campaign_id, which, offset=offset, limit=limit, now=now
    )


async def _asked(engine: Engine, organization_id: str, contact_id: str, asking: Asking, now: datetime) -> Contact:
    for _ in range(_TRIES):
        try:
            stored = await ask(engine.store, organization_id, contact_id, asking, now)
            break
        except AskedBefore:
            await asyncio.sleep(_BETWEEN_TRIES)
    else:
        raise TemporaryError("What was asked of this contact before is not carried out yet")
    engine.hints.give(
        ContactsAdded(
            organization_id=organization_id, shard=stored["shard"], campaign_id=stored["campaign_id"], asked=True
        )
    )
    [contact] = await with_attempts(engine.store, organization_id, [stored], now)
    return contact
