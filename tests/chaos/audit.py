"""Once everything has settled: the system's own documents held against the carrier's record and the truth."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from shared.domain.contact import FINAL, ContactStatus
from shared.domain.jobs import JobState
from shared.domain.outcome import Outcome
from shared.store.client import Store
from tests.chaos.customers import Batch
from tests.chaos.judge import Violation
from tests.chaos.record import CarrierCall
from tests.chaos.truth import Truth
from tests.integration.protocol.promises import check_at_rest

# A look-up at the carrier knows the status of a call, not the SIP response that came with the callback.
COARSER: dict[str | None, str] = {Outcome.DECLINED: Outcome.BUSY, Outcome.INVALID_NUMBER: Outcome.FAILED}
NUMBER = re.compile(r"\+49152\d{8}")


async def unsettled(store: Store, batches: Sequence[Batch]) -> str:
    """What is still open, in words; empty once nothing is."""
    open_contacts = await store["contacts"].count_documents({"status": {"$nin": sorted(FINAL)}})
    held = await store["budgets"].count_documents({"held": {"$ne": 0}})
    results = await store["results"].count_documents({})
    imports = await store["jobs"].count_documents({"state": JobState.RUNNING.value})
    known = await store["ingest_batches"].count_documents({"status": {"$in": ["done", "refused"]}})
    waiting = {
        "contacts not final": open_contacts,
        "budgets held": held,
        "results not applied": results,
        "batches without a result": len(batches) - known,
        "imports running": imports,
    }
    return ", ".join(f"{count} {what}" for what, count in waiting.items() if count)


async def audit(store: Store, batches: Sequence[Batch], truth: Truth, calls: Sequence[CarrierCall]) -> list[Violation]:
    """I6, I7, I10 and I11 at rest."""
    return [
        *await _sums(store),
        *await _calls_without_attempt(store, calls),
        *await _lost_rows(store, batches, truth),
    ]


async def _sums(store: Store) -> list[Violation]:
    try:
        await check_at_rest(store)
    except AssertionError as error:
        promise, _, what = str(error).partition(": ")
        return [Violation(promise, what)]
    return []


async def _calls_without_attempt(store: Store, calls: Sequence[CarrierCall]) -> list[Violation]:
    outcomes = {attempt["_id"]: attempt["outcome"] async for attempt in store["attempts"].find({}, {"outcome": 1})}
    found = []
    for call in calls:
        recorded = outcomes.get(call.attempt_id)
        if recorded is None:
            found.append(Violation("I10", "a call without an attempt", call))
        elif recorded not in {call.outcome, Outcome.UNKNOWN, COARSER.get(call.outcome)} and not _unheard(
            call, recorded
        ):
            found.append(Violation("I10", f"{call.outcome} was recorded as {recorded}", call))
    return found


def _unheard(call: CarrierCall, recorded: str) -> bool:
    """Whether a machine may have been taken for a person: it ended before the carrier knew, or its word was lost."""
    return (call.outcome, recorded) == (Outcome.VOICEMAIL, Outcome.ANSWERED) and not call.messages


async def unknown_outcomes(store: Store) -> int:
    """Attempts of which nobody could tell how they ended."""
    return int(await store["attempts"].count_documents({"outcome": Outcome.UNKNOWN}))


async def given_up(store: Store) -> set[tuple[str, str]]:
    """Contacts that ended in error because nobody could tell whether they were called: (organization, external id).

    A person's contact, which has no external id, is named by its own id.
    """
    query = {"status": ContactStatus.ERROR, f"outcomes.{Outcome.UNKNOWN}": {"$gt": 0}}
    found = store["contacts"].find(query, {"organization_id": 1, "external_id": 1})
    return {(contact["organization_id"], contact["external_id"] or contact["_id"]) async for contact in found}


async def _lost_rows(store: Store, batches: Sequence[Batch], truth: Truth) -> list[Violation]:
    there = {
        (contact["organization_id"], contact["external_id"] or contact["_id"])
        async for contact in store["contacts"].find({}, {"organization_id": 1, "external_id": 1})
    }
    results = {result["batch_id"]: result async for result in store["ingest_batches"].find({})}
    found: list[Violation] = []
    refused: set[tuple[str, str]] = set()
    for batch in batches:
        result = results.get(batch.batch_id)
        if result is None:
            found.append(Violation("I11", f"batch {batch.batch_id} has no result"))
        elif result["status"] == "refused":
            refused.update((batch.organization_id, external_id) for external_id in batch.good)
        elif (len(result["failed"]), result["received"]) != (batch.bad, batch.bad + len(batch.good)):
            found.append(Violation("I11", f"batch {batch.batch_id}: {result['failed']} of {result['received']} failed"))
    missing = truth.accepted - truth.deleted - refused - there
    found += [Violation("I11", f"an accepted row is nowhere: {external_id}") for _, external_id in sorted(missing)]
    return found


def secrets_in_logs(logs: Path, secrets: Sequence[str]) -> list[Violation]:
    """Lines of the services' logs with a phone number or a secret in it."""
    found: Counter[str] = Counter()
    for log in logs.glob("*.log"):
        for line in log.read_text(errors="replace").splitlines():
            if NUMBER.search(line):
                found[f"a phone number in {log.name}"] += 1
            if any(secret in line for secret in secrets):
                found[f"a secret in {log.name}"] += 1
    return [Violation("logs", f"{what}, {count} times") for what, count in found.items()]
