"""Translation of caller numbers and pools to the wire, purely."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from services.campaign_api.native.schemas.caller_numbers import (
    CallerNumberPage,
    CallerNumberUses,
    CallerNumberUseView,
    CallerNumberView,
    EndedCallsView,
    NumberRestView,
    PoolList,
    PoolView,
)
from shared.domain.page import Page
from shared.domain.refusal import Rest
from shared.engine.caller_numbers import CallsByNumber, EndedCalls, NumberInUse, Pool, RegisteredNumber


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


def caller_number_uses(numbers: Sequence[NumberInUse], calls: CallsByNumber | None, now: datetime) -> CallerNumberUses:
    """What the numbers have in use at `now`, and how their calls have ended where that was asked for."""
    rows = [
        CallerNumberUseView(
            id=one.id,
            number=one.number,
            active_calls=one.active_calls,
            calls_today=one.calls_today,
            resting=None if one.rest is None else _rest(one.rest),
            ended_calls=None if calls is None else _ended(calls.of(one.number)),
        )
        for one in numbers
    ]
    since = None if calls is None else calls.since
    return CallerNumberUses(at=now, ended_calls_since=since, caller_numbers=rows)


def _ended(calls: EndedCalls) -> EndedCallsView:
    return EndedCallsView(
        ended=calls.ended, answered=calls.answered, answer_rate=calls.answer_rate, outcomes=dict(calls.outcomes)
    )


def _rest(rest: Rest) -> NumberRestView:
    refusal = rest.refusal
    return NumberRestView(
        until=rest.until, since=rest.since, refusals=rest.refusals, code=refusal.code, said=refusal.message
    )
