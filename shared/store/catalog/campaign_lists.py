"""Lists of campaigns, page by page."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from pymongo import DESCENDING

from shared.domain.campaign import CampaignState
from shared.domain.page import NumberedPage, Page
from shared.errors import Kind, NotFound
from shared.store.catalog.courses import NOT_DELETED, shown_as
from shared.store.catalog.stored_campaign import Campaign
from shared.store.client import Store, translates
from shared.store.paging import newest_first, numbered

# What JSON carries exactly; higher ones are nobody's.
MAX_NUMBER: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class CampaignsOf:
    """Campaigns that call for one agent, or are for one company; of those that are deleted, and no others."""

    agent_id: str | None = None
    company_id: str | None = None
    deleted_only: bool = False

    def query(self) -> dict[str, Any]:
        """The conditions, beside those of every list."""
        named = {"agent_id": self.agent_id, "company_id": self.company_id}
        deleted = {"deleted_at": {"$ne": None}} if self.deleted_only else {}
        return {name: value for name, value in named.items() if value is not None} | deleted


ANY: Final = CampaignsOf()


@translates
async def list_campaigns(
    store: Store,
    organization_id: str,
    *,
    name_contains: str,
    states: Collection[CampaignState],
    now: datetime,
    cursor: str | None,
    limit: int,
    deleted: bool = False,
) -> Page[Campaign]:
    """The organization's campaigns, newest first. Filters: `_matching`. Raises `InvalidCursor`."""
    matching = _matching(organization_id, name_contains, states, now, deleted=deleted)
    page = await newest_first(store["campaigns"], matching, cursor=cursor, limit=limit, parts_of=_kilobytes)
    return Page([Campaign.from_document(row) for row in page.rows], page.next_cursor)


@translates
async def numbered_campaigns(
    store: Store,
    organization_id: str,
    *,
    name_contains: str,
    states: Collection[CampaignState],
    now: datetime,
    offset: int,
    limit: int,
    deleted: bool = False,
    only: CampaignsOf = ANY,
) -> NumberedPage[Campaign]:
    """The organization's campaigns from the `offset`-th on, newest first. Filters: `_matching`.

    All `limit` of them, however large their labels are.
    """
    matching = _matching(organization_id, name_contains, states, now, deleted=deleted) | only.query()
    page = await numbered(store["campaigns"], matching, offset=offset, limit=limit)
    return NumberedPage([Campaign.from_document(row) for row in page.rows], page.total)


@translates
async def campaigns_by_id(store: Store, organization_id: str, campaign_ids: Collection[str]) -> dict[str, Campaign]:
    """The organization's campaigns among these ids, deleted ones too."""
    query = {"_id": {"$in": list(campaign_ids)}, "organization_id": organization_id}
    found = await store["campaigns"].find(query).to_list() if campaign_ids else []
    return {document["_id"]: Campaign.from_document(document) for document in found}


@translates
async def campaign_of_number(store: Store, organization_id: str, number: int) -> Campaign:
    """The organization's campaign of this number. Raises `NotFound`."""
    query = {"organization_id": organization_id, "number": number, **NOT_DELETED}
    document = await store["campaigns"].find_one(query) if 0 < number <= MAX_NUMBER else None
    if document is None:
        raise NotFound(Kind.CAMPAIGN, str(number))
    return Campaign.from_document(document)


@translates
async def deleted_campaign(store: Store, organization_id: str, external_id: str) -> Campaign:
    """The campaign that was deleted last of those that had this external_id. Raises `NotFound`."""
    query = {"organization_id": organization_id, "former_external_id": external_id}
    document = await store["campaigns"].find_one(query, sort=[("deleted_at", DESCENDING)])
    if document is None:
        raise NotFound(Kind.CAMPAIGN, external_id)
    return Campaign.from_document(document)


def _matching(
    organization_id: str, name_contains: str, states: Collection[CampaignState], now: datetime, *, deleted: bool
) -> dict[str, Any]:
    """The query of a list; empty filters match all. With `deleted` the deleted ones are there, too.

    `states` are those that campaigns show at `now`: a scheduled one whose time has come is running.

    `name_contains` is taken literally, upper and lower case alike; it must not contain NUL.
    """
    matching: dict[str, Any] = {"organization_id": organization_id, **({} if deleted else NOT_DELETED)}
    if name_contains:
        matching["name"] = {"$regex": re.escape(name_contains), "$options": "i"}
    if states:
        matching["$and"] = [shown_as(states, now)]
    return matching


def _kilobytes(campaign: Mapping[str, Any]) -> int:
    """How large the labels are that a campaign takes to a page."""
    labels = campaign.get("labels")
    return len(orjson.dumps(labels)) // 1024 if labels else 0
