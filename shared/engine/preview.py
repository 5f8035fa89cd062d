"""The preview of a campaign: what would be called now, and what not, and why."""

from datetime import datetime

from shared.domain.preview import Preview
from shared.engine.contacts import contact_target
from shared.engine.engine import Engine
from shared.store.reports import preview as stored
from shared.store.reports.preview import MOST_CALLS, NewRun

__all__ = ["MOST_CALLS", "NewRun", "preview"]


async def preview(
    engine: Engine, organization_id: str, reference: str, limit: int, now: datetime, new_run: NewRun | None = None
) -> Preview:
    """The first `limit` (at most `MOST_CALLS`) calls that the campaign would make at `now` if it ran; nothing is done.

    With `new_run` as if that were begun now. `default` are the contacts of no campaign. Raises `NotFound`.
    """
    target = await contact_target(engine, organization_id, reference)
    return await stored.preview(engine.store, organization_id, target.shard, target.campaign_id, limit, now, new_run)
