"""A campaign that is made of a file: the campaign and the job that imports the file, in one transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.campaign_log import Actor
from shared.domain.jobs import ImportOrder, Job, JobKind, new_job
from shared.store.catalog.campaigns import NewCampaign, get_campaign, make_campaign
from shared.store.catalog.stored_campaign import Campaign
from shared.store.client import Store
from shared.store.jobs.jobs import accept_in


async def create_with_import(
    store: Store,
    organization_id: str,
    campaign_id: str,
    new: NewCampaign,
    own_configuration: Mapping[str, Any],
    order: ImportOrder,
    now: datetime,
    by: Actor,
) -> tuple[Campaign, Job]:
    """A new campaign under this id (a UUID) with a configuration of its own, and the job that imports its file.

    Raises `NotFound` (organization) and `BadSetting` (numbers, account).
    """

    async def work(session: AsyncClientSession) -> Job:
        made = await make_campaign(store, session, organization_id, campaign_id, new, now, by, own_configuration)
        job = new_job(JobKind.IMPORT, organization_id, made.shard, campaign_id, now, order=order)
        await accept_in(store, session, job, now, by)
        return job

    job = await store.in_transaction(work)
    return await get_campaign(store, organization_id, campaign_id), job
