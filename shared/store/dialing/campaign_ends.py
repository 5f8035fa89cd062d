"""Campaigns whose waiting contacts end, now or at a date, and those that complete by themselves: of some organizations.

One question for all of it, which an index bounds to the campaigns of these organizations; where none ends or completes
by itself it finds nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.store.catalog.courses import COURSE_FIELDS, IS_OVER, MAY_COMPLETE, course_of
from shared.store.client import Document, Store, translates
from shared.store.documents.catalog import CampaignDocument
from shared.store.documents.completing import complete

# The contacts of campaigns that ended longer ago have been swept.
SWEEP_DAYS: Final = timedelta(days=7)
_FIELDS: Final = (*COURSE_FIELDS, "organization_id", "auto_complete")


@dataclass(frozen=True, slots=True)
class CampaignEnds:
    """What ends by itself among some organizations' campaigns.

    `over` are those cancelled or failed of late; `ends` the end dates (UTC) of others, by campaign; `completing` those
    that complete once nothing is left in them; `organizations` whose each of all these is.
    """

    over: Collection[str] = ()
    ends: Mapping[str, datetime] = field(default_factory=dict)
    completing: Collection[str] = ()
    organizations: Mapping[str, str] = field(default_factory=dict)


@translates
async def read_campaign_ends(store: Store, organization_ids: Collection[str], now: datetime) -> CampaignEnds:
    """What ends by itself among the campaigns of these organizations, or has lately."""
    lately = now - SWEEP_DAYS
    by_themselves: Document = {"$or": [{"auto_complete": True}, {"end_at": {"$lt": lately}}]}
    query: Document = {
        "organization_id": {"$in": list(organization_ids)},
        "$or": [
            {"$and": [IS_OVER, {"$or": [{"updated_at": {"$gte": lately}}, {"run.at": {"$gte": lately}}]}]},
            {"end_at": {"$gte": lately}},
            {"$and": [by_themselves, MAY_COMPLETE]},
        ],
    }
    over, ends, completing, organizations = set(), {}, set(), {}
    async for stored in store["campaigns"].find(query, dict.fromkeys(_FIELDS, 1)):
        campaign = complete(CampaignDocument, stored, _FIELDS)
        campaign_id, course = campaign["_id"], course_of(campaign)
        organizations[campaign_id] = campaign["organization_id"]
        if course.is_over:
            over.add(campaign_id)
            continue
        if course.end_at is not None:
            ends[campaign_id] = course.end_at
        if campaign["auto_complete"]:
            completing.add(campaign_id)
    return CampaignEnds(over, ends, completing, organizations)
