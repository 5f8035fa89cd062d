"""What campaigns' logs keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignLogDocument:
    """`campaign_log`: one entry of a campaign's log; ids of one process are in order.

    `by` is the kind of who moved the campaign, `by_id` the credential's id; None: the engine.
    """

    id: str
    campaign_id: str
    organization_id: str
    created_at: datetime
    event: str
    reason: str | None = None
    by: str
    by_id: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
