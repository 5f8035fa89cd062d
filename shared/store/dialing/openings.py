"""OPEN: the run of a scheduled campaign begins with the claim of its first calls, in that transaction."""

from collections.abc import Set
from datetime import datetime

from shared.domain.campaign import opened
from shared.domain.campaign_log import LogEvent
from shared.store.catalog.courses import course_of, stored_run
from shared.store.dialing.moves import GuardFailed
from shared.store.dialing.run_facts import tell_of_run
from shared.store.dialing.shard_transaction import ShardTransaction


async def open_runs(transaction: ShardTransaction, campaign_ids: Set[str], now: datetime) -> None:
    """Open the runs of scheduled campaigns of which these are the first calls; of all others nothing is written.

    Guarded by the course as it was read: whoever moves the campaign meanwhile collides with this.
    """
    campaigns = transaction.context.campaigns
    for campaign_id in campaign_ids & campaigns.keys():
        course = course_of(campaigns[campaign_id])
        if course.is_opened:
            continue
        run = stored_run(opened(course, now))
        written = await transaction.store["campaigns"].update_one(
            {"_id": campaign_id, "intent": course.intent, "generation": course.generation},
            {"$set": {"run": run, "started_at": campaigns[campaign_id]["started_at"] or now}, "$inc": {"fact_seq": 1}},
            session=transaction.session,
        )
        if not written.matched_count:
            raise GuardFailed(f"campaign {campaign_id} was moved")
        campaigns[campaign_id]["run"] = run
        wanted = transaction.context.fact_types(campaigns[campaign_id]["organization_id"])
        tell_of_run(transaction.ledger, wanted, campaigns[campaign_id], LogEvent.STARTED, now)
