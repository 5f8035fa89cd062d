"""HALT: a campaign's run that has made all its calls, or too many of whose calls failed, ends until it is started anew.

The run is written in the transaction that makes it true, guarded by the generation that was read: whoever moves the
campaign meanwhile collides with this.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.domain.campaign import HaltReason, halted
from shared.domain.campaign_log import LogEvent
from shared.domain.ids import campaign_budget
from shared.store.catalog.courses import course_of, stored_run
from shared.store.client import Store, translates
from shared.store.dialing.moves import GuardFailed
from shared.store.dialing.run_facts import tell_of_run
from shared.store.dialing.run_sums import read_run_calls
from shared.store.dialing.shard_transaction import Ownership, ShardTransaction
from shared.store.documents.completing import complete
from shared.store.documents.dialing import BudgetDocument

# Runs that are looked at in one transaction.
BATCH = 100


@dataclass(frozen=True, slots=True)
class LimitedRun:
    """A run that may make `max_calls` calls, as a shard's memory has it."""

    organization_id: str
    generation: int
    max_calls: int


async def halt(
    transaction: ShardTransaction,
    campaign_id: str,
    reason: HaltReason,
    now: datetime,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Halt a campaign's run, if the campaign is dialed; from here on this transaction claims no contact of it.

    `facts` are what the campaign's log tells beside the reason.
    """
    campaign = transaction.context.campaigns.get(campaign_id)
    if campaign is None:
        return
    course = course_of(campaign)
    run = halted(course, reason, now)
    if run is None:
        return
    written = await transaction.store["campaigns"].update_one(
        {"_id": campaign_id, "intent": course.intent, "generation": course.generation},
        {"$set": {"run": stored_run(run)}, "$inc": {"fact_seq": 1}},
        session=transaction.session,
    )
    if not written.matched_count:
        raise GuardFailed(f"campaign {campaign_id} was moved")
    campaign["run"] = stored_run(run)
    transaction.context.forget_rules(campaign["organization_id"])
    transaction.ledger.halted[campaign_id] = reason
    wanted = transaction.context.fact_types(campaign["organization_id"])
    tell_of_run(transaction.ledger, wanted, campaign, LogEvent.HALTED, now, reason, facts)


async def halt_full_runs(transaction: ShardTransaction, now: datetime) -> None:
    """Halt the runs that have made all their calls by what this transaction has changed; the last thing it looks at."""
    for campaign_id in sorted(transaction.ledger.runs.changed):
        if _is_full(transaction, campaign_id):
            await halt(transaction, campaign_id, HaltReason.MAX_CALLS, now)


def _is_full(transaction: ShardTransaction, campaign_id: str) -> bool:
    campaign = transaction.context.campaigns.get(campaign_id)
    if campaign is None or campaign["max_calls"] is None:
        return False
    return transaction.ledger.runs.of(campaign_id).is_full(campaign["generation"], campaign["max_calls"])


@translates
async def full_runs(store: Store, runs: Mapping[str, LimitedRun]) -> list[str]:
    """The campaigns among these, by id, whose runs seem to have made all their calls."""
    by_key = {campaign_budget(campaign_id): campaign_id for campaign_id in runs}
    if not by_key:
        return []
    ended = {"_id": {"$in": list(by_key)}, "claims": {"$lte": 0}}
    full = []
    async for stored in store["budgets"].find(ended, {"run": 1, "calls": 1, "claims": 1}):
        campaign_id, counted = by_key[stored["_id"]], read_run_calls(complete(BudgetDocument, stored))
        if counted.is_full(runs[campaign_id].generation, runs[campaign_id].max_calls):
            full.append(campaign_id)
    return full


async def halt_full(
    store: Store, owner: Ownership, runs: Mapping[str, LimitedRun], now: datetime
) -> dict[str, HaltReason]:
    """Halt those of these runs, by campaign id, that have made all their calls; at most 100, which are returned.

    Finds what no ending has made true: a limit that was lowered to what is done.
    """
    full = (await full_runs(store, runs))[:BATCH]
    if not full:
        return {}

    async def run(session: AsyncClientSession) -> dict[str, HaltReason]:
        transaction = ShardTransaction.begin(store, session, owner)
        whose = [{"campaign_id": c, "organization_id": runs[c].organization_id, "phone_numbers": ()} for c in full]
        await transaction.context.load(whose)
        for campaign_id in full:
            if _is_full(transaction, campaign_id):
                await halt(transaction, campaign_id, HaltReason.MAX_CALLS, now)
        if transaction.ledger.halted:
            await transaction.ledger.write(store, session)
        return transaction.ledger.halted

    return await store.in_transaction(run)
