"""The evidence of circuit breakers, written by the transactions that record endings and refusals, where they trip.

It stands in the campaign's counters, which those transactions write anyway; of campaigns without a breaker nothing is
read or written. An attempt counts as its first ending said, and in the run that it was claimed in alone.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.domain.breaker import CircuitBreaker, Evidence, Part, evidence_of
from shared.domain.campaign import HaltReason
from shared.store.client import Document
from shared.store.dialing.halts import halt
from shared.store.dialing.shard_transaction import ShardTransaction


def read_evidence(stored: Mapping[str, Any] | None) -> Evidence | None:
    """What the `breaker` of a campaign's counters says; None: nothing yet."""
    if stored is None:
        return None
    parts = tuple(Part(part["at"], part["calls"], part["failures"]) for part in stored["parts"])
    return Evidence(stored["generation"], parts)


def note_call(transaction: ShardTransaction, contact: Document, *, failed: bool) -> None:
    """Note that the call of a claimed contact has ended, or was refused, for its campaign's breaker if there is one."""
    campaign = transaction.context.campaigns.get(contact["campaign_id"])
    if campaign is None or campaign["circuit_breaker"] is None:
        return
    if campaign["generation"] == contact["lock"]["generation"]:
        transaction.ledger.endings[campaign["_id"]][failed] += 1


async def apply_breakers(transaction: ShardTransaction, now: datetime) -> None:
    """Add what was noted in this transaction to the evidence, and halt the runs too many of whose calls have failed."""
    endings, campaigns = transaction.ledger.endings, transaction.context.campaigns
    if not endings:
        return
    query = {"_id": {"$in": sorted(endings)}}
    found = transaction.store["counters"].find(query, {"breaker": 1}, session=transaction.session)
    stored = {counter["_id"]: read_evidence(counter.get("breaker")) async for counter in found}
    for campaign_id, calls in sorted(endings.items()):
        breaker = CircuitBreaker.from_document(campaigns[campaign_id]["circuit_breaker"])
        if breaker is None:
            continue
        before = evidence_of(stored.get(campaign_id), campaigns[campaign_id]["generation"])
        evidence = before.noted(breaker, calls.total(), calls[True], now)
        transaction.ledger.evidence[campaign_id] = _stored(evidence)
        if evidence.trips(breaker):
            await halt(transaction, campaign_id, HaltReason.CIRCUIT_BREAKER, now, _facts(breaker, evidence))


def _facts(breaker: CircuitBreaker, evidence: Evidence) -> Document:
    return {
        "failures": evidence.failures,
        "calls": evidence.calls,
        "threshold": breaker.threshold,
        "window_seconds": breaker.window_seconds,
    }


def _stored(evidence: Evidence) -> Document:
    parts = [{"at": part.at, "calls": part.calls, "failures": part.failures} for part in evidence.parts]
    return {"generation": evidence.generation, "parts": parts}
