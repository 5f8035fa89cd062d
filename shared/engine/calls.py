"""Calls: attempts from their placement on, with what their agents have posted."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.domain.calls import (
    CallFilter,
    CallOrder,
    CallPage,
    CallStatus,
    ListedCall,
    NumberedCalls,
    Reader,
)
from shared.engine.contacts import ContactTarget, contact_target
from shared.engine.engine import Engine
from shared.store.contacts import everything
from shared.store.contacts.everything import CalledContact
from shared.store.contacts.matching import resolve
from shared.store.reports import call_report, calls, one_call

__all__ = [
    "CallFilter",
    "CallOrder",
    "CallPage",
    "CallStatus",
    "CalledContact",
    "ListedCall",
    "NumberedCalls",
    "Reader",
    "called_contacts",
    "campaign_of_calls",
    "download",
    "filter_of",
    "get_call",
    "get_numbered_call",
    "list_calls",
    "numbered_calls",
    "report",
]


async def filter_of(
    engine: Engine, organization_id: str, reference: str | None, contact_reference: str | None, which: CallFilter
) -> CallFilter:
    """The filter for the calls of a campaign, of one of its contacts, or (both None) of all.

    `reference` is a campaign's id, also of a deleted one, its external_id, or `default`; a contact without a campaign
    is named by its id. Raises `NotFound`.
    """
    if reference is None:
        return which if contact_reference is None else replace(which, contact_ids=(contact_reference,))
    target = await contact_target(engine, organization_id, reference, deleted=True)
    if contact_reference is None:
        return replace(which, campaign_id=target.campaign_id)
    contact_id = await resolve(engine.store, organization_id, target.campaign_id, contact_reference)
    return replace(which, campaign_id=target.campaign_id, contact_ids=(contact_id,))


async def list_calls(
    engine: Engine,
    organization_id: str,
    which: CallFilter,
    *,
    order: CallOrder,
    cursor: str | None,
    limit: int,
    reader: Reader,
) -> CallPage:
    """The organization's calls after `cursor` (None: the first), by time; `order` is NEWEST or OLDEST.

    `reader` says what results are shown with. A page may have fewer than `limit` and be followed by others. Raises
    `InvalidCursor`.
    """
    return await calls.list_calls(
        engine.store, organization_id, which, order=order, cursor=cursor, limit=limit, reader=reader
    )


async def numbered_calls(
    engine: Engine,
    organization_id: str,
    which: CallFilter,
    *,
    order: CallOrder,
    offset: int,
    limit: int,
    reader: Reader,
) -> NumberedCalls:
    """The organization's calls from the `offset`-th (0: the first) on, in any order, and how many there are."""
    return await calls.numbered_calls(
        engine.store, organization_id, which, order=order, offset=offset, limit=limit, reader=reader
    )


async def get_call(engine: Engine, organization_id: str, reference: str, *, sensitive: bool) -> ListedCall:
    """The call of this attempt's or conversation's id, from its placement on. Raises `NotFound`."""
    return await one_call.get_call(engine.store, organization_id, reference, sensitive=sensitive)


async def get_numbered_call(engine: Engine, organization_id: str, number: int, *, sensitive: bool) -> ListedCall:
    """The call of this number, from its placement on. Raises `NotFound`."""
    return await one_call.get_numbered_call(engine.store, organization_id, number, sensitive=sensitive)


async def campaign_of_calls(engine: Engine, organization_id: str, reference: str) -> ContactTarget:
    """The campaign whose calls are reported, also a deleted one, by its id. Raises `NotFound`."""
    return await contact_target(engine, organization_id, reference, deleted=True)


async def called_contacts(
    engine: Engine, organization_id: str, contact_ids: Collection[str]
) -> dict[str, CalledContact]:
    """The contacts of calls, by id, as they are now; deleted ones are absent.

    A dialect shows of them what its calls have beside their own fields: at most a page at a time, for each may have 64
    KiB of data.
    """
    return await everything.called_contacts(engine.store, organization_id, contact_ids)


def report(
    engine: Engine, target: ContactTarget, since: datetime | None, until: datetime | None, *, sensitive: bool
) -> AsyncIterator[list[Mapping[str, Any]]]:
    """The calls of a campaign that have ended, newest first, some at a time: memory does not grow with them.

    `since` is inclusive, `until` exclusive. Each row has the attempt's fields (`shared/store/reports/call_report.py`)
    and `result`.
    """
    return call_report.rows(engine.store, target.organization_id, target.campaign_id, since, until, sensitive=sensitive)


async def download(engine: Engine, target: ContactTarget, *, sensitive: bool) -> AsyncIterator[list[Mapping[str, Any]]]:
    """Everything of a campaign, some rows at a time: `{contact}` of each contact, then `{call}` of each ended call."""
    async for contacts in everything.contacts(engine.store, target.organization_id, target.campaign_id):
        yield [{"contact": contact} for contact in contacts]
    async for ended in report(engine, target, None, None, sensitive=sensitive):
        yield [{"call": call} for call in ended]
