"""A campaign's log: what has happened to it, why, and by whom."""

from collections.abc import Collection

from shared.domain.campaign_log import LogEntry, LogEvent
from shared.domain.page import NumberedPage, Page
from shared.engine.engine import Engine
from shared.store.catalog import campaign_log as stored
from shared.store.catalog.campaigns import get_campaign

__all__ = ["LogEntry", "list_log", "numbered_log"]


async def list_log(
    engine: Engine, organization_id: str, reference: str, *, cursor: str | None, limit: int, deleted: bool = False
) -> Page[LogEntry]:
    """The log of the organization's campaign, newest first; with `deleted` also of a deleted one, by its id.

    Raises `NotFound`, and `InvalidCursor`: ask for the first page.
    """
    campaign = await get_campaign(engine.store, organization_id, reference, deleted=deleted)
    return await stored.read_log(engine.store, organization_id, campaign.id, cursor=cursor, limit=limit)


async def numbered_log(
    engine: Engine,
    organization_id: str,
    reference: str,
    *,
    offset: int,
    limit: int,
    deleted: bool = False,
    events: Collection[LogEvent] | None = None,
) -> NumberedPage[LogEntry]:
    """The log as `list_log` has it, from the `offset`-th entry on, and how many there are; of these `events` alone.

    Raises `NotFound`.
    """
    campaign = await get_campaign(engine.store, organization_id, reference, deleted=deleted)
    return await stored.numbered_log(
        engine.store, organization_id, campaign.id, offset=offset, limit=limit, events=events
    )
