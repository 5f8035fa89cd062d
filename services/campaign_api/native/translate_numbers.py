"""Translation of caller numbers and pools to the wire, purely."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from services.campaign_api.native.schemas.caller_numbers import (
    CallerNumberPage,
    CallerNumberUses,
    CallerNumberUseView,
    CallerNumberView,
    NumberRestView,
    PoolList,
    PoolView,
)
from shared.domain.page import Page
from shared.domain.refusal import Rest
from shared.engine.caller_numbers import NumberInUse, Pool, RegisteredNumber


def caller_number_view(registered: RegisteredNumber) -> CallerNumberView:
    """The entry of the registry."""
    fields = {**asdict(registered.entry), "pools": sorted(registered.entry.pools)}
    fields["telephony_account_id"] = fields.pop("account_id")
    at = {"created_at": registered.created_at, "updated_at": registered.updated_at}
    return CallerNumberView(label=registered.label, **fields, **at)


def caller_number_page(page: Page[RegisteredNumber]) -> CallerNumberPage:
    """A page of the registry."""
    rows = [caller_number_view(one) for one in page.rows]
    return CallerNumberPage(caller_numbers=rows, next_cursor=page.next_cursor)


def pool_list(pools: Sequence[Pool]) -> PoolList:
    """The pools."""
    return PoolList(pools=[PoolView(name=pool.name, numbers=pool.numbers, active=pool.active) for pool in pools])


def caller_number_uses(numbers: Sequence[NumberInUse], now: datetime) -> CallerNumberUses:
    """What the numbers have in use at `now`."""
    rows = [
        CallerNumberUseView(
            id=one.id,
            number=one.number,
            active_calls=one.active_calls,
            calls_today=one.calls_today,
            resting=None if one.rest is None else _rest(one.rest),
        )
        for one in numbers
    ]
    return CallerNumberUses(at=now, caller_numbers=rows)


def _rest(rest: Rest) -> NumberRestView:
    refusal = rest.refusal
    return NumberRestView(
        until=rest.until, since=rest.since, refusals=rest.refusals, code=refusal.code, said=refusal.message
    )
