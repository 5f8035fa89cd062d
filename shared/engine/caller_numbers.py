"""The registry of caller numbers, and the pools that its numbers are in."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.domain.answered_calls import CallsByNumber, EndedCalls
from shared.domain.page import NumberedPage, Page
from shared.engine.engine import Engine
from shared.events import LimitsChanged
from shared.store.catalog import caller_numbers as stored
from shared.store.catalog.caller_numbers import NewNumber, Pool, RegisteredNumber
from shared.store.reports import answered_calls
from shared.store.reports import numbers_in_use as reports
from shared.store.reports.numbers_in_use import NumberInUse

__all__ = [
    "CallsByNumber",
    "EndedCalls",
    "NewNumber",
    "NumberInUse",
    "Pool",
    "RegisteredNumber",
    "delete_number",
    "delete_pool",
    "edit_number",
    "ended_calls",
    "get_number",
    "get_number_by_serial",
    "list_numbers",
    "list_pools",
    "numbered_numbers",
    "numbers_in_use",
    "register_number",
]


async def register_number(engine: Engine, organization_id: str, new: NewNumber, now: datetime) -> RegisteredNumber:
    """A new entry. Raises `Conflict`: number registered already, external_id taken, registry full."""
    registered, shard = await stored.register_number(engine.store, organization_id, new, now)
    _tell(engine, organization_id, shard)
    return registered


async def get_number(engine: Engine, organization_id: str, number_id: str) -> RegisteredNumber:
    """The organization's entry. Raises `NotFound`."""
    return await stored.get_number(engine.store, organization_id, number_id)


async def get_number_by_serial(engine: Engine, organization_id: str, serial: int) -> RegisteredNumber:
    """The organization's entry by its serial. Raises `NotFound`."""
    return await stored.get_number_by_serial(engine.store, organization_id, serial)


async def list_numbers(
    engine: Engine,
    organization_id: str,
    *,
    pool: str | None,
    cursor: str | None,
    limit: int,
    account_id: str | None = None,
) -> Page[RegisteredNumber]:
    """The organization's entries, newest first; those of a pool, of a telephony account, or (None) all.

    Raises `InvalidCursor`: ask for the first page.
    """
    return await stored.list_numbers(
        engine.store, organization_id, pool=pool, cursor=cursor, limit=limit, account_id=account_id
    )


async def numbered_numbers(
    engine: Engine, organization_id: str, *, pool: str | None, offset: int, limit: int, account_id: str | None = None
) -> NumberedPage[RegisteredNumber]:
    """The organization's entries as `list_numbers` has them, from the `offset`-th on, and how many there are."""
    return await stored.numbered_numbers(
        engine.store, organization_id, pool=pool, offset=offset, limit=limit, account_id=account_id
    )


async def edit_number(
    engine: Engine, organization_id: str, number_id: str, changes: Mapping[str, Any], now: datetime
) -> RegisteredNumber:
    """The entry with these fields changed; campaigns follow within a second.

    Raises `NotFound`, or `Conflict` when a pool that a campaign names would lose its last number.
    """
    edited, shard = await stored.edit_number(engine.store, organization_id, number_id, changes, now)
    _tell(engine, organization_id, shard)
    return edited


async def delete_number(engine: Engine, organization_id: str, number_id: str, now: datetime) -> None:
    """Remove an entry.

    Raises `NotFound`, or `Conflict` while a campaign that has not ended uses the number, or a call from it is up.
    """
    _tell(engine, organization_id, await stored.delete_number(engine.store, organization_id, number_id, now))


async def numbers_in_use(engine: Engine, organization_id: str, now: datetime) -> Sequence[NumberInUse]:
    """What each of the organization's entries has in use at `now`, in order of the digits."""
    return await reports.numbers_in_use(engine.store, organization_id, now)


async def ended_calls(
    engine: Engine, organization_id: str, numbers: Sequence[str], hours: int, now: datetime
) -> CallsByNumber:
    """The ended calls from these numbers (E.164) that began in the last `hours` (1 to 168) before `now`, by outcome.

    At most the newest 50,000 calls of the organization are looked at; `since` of the answer says from when on.
    """
    since = now - timedelta(hours=hours)
    return await answered_calls.ended_calls_by_number(engine.store, organization_id, numbers, since)


async def list_pools(engine: Engine, organization_id: str) -> Sequence[Pool]:
    """The organization's pools by name."""
    return await stored.list_pools(engine.store, organization_id)


async def delete_pool(engine: Engine, organization_id: str, name: str, now: datetime) -> None:
    """Take all numbers out of a pool, which ends it.

    Raises `NotFound` when no number is in it, or `Conflict` while a campaign that has not ended names it.
    """
    _tell(engine, organization_id, await stored.delete_pool(engine.store, organization_id, name, now))


def _tell(engine: Engine, organization_id: str, shard: int) -> None:
    engine.hints.give(LimitsChanged(organization_id=organization_id, shard=shard))
