"""Translation of caller numbers and pools to the wire, purely."""

from collections.abc import Sequence
from dataclasses import asdict

from services.campaign_api.native.schemas.caller_numbers import CallerNumberPage, CallerNumberView, PoolList, PoolView
from shared.domain.page import Page
from shared.engine.caller_numbers import Pool, RegisteredNumber


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
