"""At rest: the judge's and the audit's word on a run, and what is kept for a look when a promise was broken."""

import asyncio
import pprint
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bson import json_util

from shared.clock import monotonic
from shared.settings import KafkaSettings
from shared.store.client import Store
from tests.chaos.audit import audit, given_up, secrets_in_logs, unsettled
from tests.chaos.crowd import Crowd
from tests.chaos.faults import Happened
from tests.chaos.judge import Violation, judge, never_called
from tests.chaos.judge_of_telling import Told, judge_telling
from tests.chaos.receiving import Got
from tests.chaos.record import CarrierCall, calls_of
from tests.chaos.stage import REACTION, Stage
from tests.chaos.told import on_their_way, read_facts
from tests.chaos.truth import Truth

# Longer than a slot is held without evidence, a claim lives, or a retry waits: what does not move for so long is stuck.
STUCK_SECONDS = 40.0
LOOK_SECONDS = 0.5
# Collections that are kept for a look.
KEPT = (
    "contacts",
    "attempts",
    "campaigns",
    "ingest_batches",
    "budgets",
    "counters",
    "counters_in",
    "shards",
    "facts",
    "facts_in",
    "relays",
    "deliveries",
    "jobs",
    "people",
    "call_results",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Broken promises; the calls and webhooks they were looked for in; the most calls at once of what has a limit."""

    violations: list[Violation]
    calls: list[CarrierCall]
    peaks: dict[str, int]
    seconds_to_rest: float
    got: Sequence[Got]


async def verdict(on_stage: Stage, crowd: Crowd, truth: Truth) -> Verdict:
    """Let the customers and the system come to rest, then judge. Everything must have been mended before."""
    await crowd.come_to_rest()
    resting_since = monotonic()
    late = await _settled(on_stage, crowd)
    await crowd.subscriptions.send_dead_letters_again(crowd.asking, crowd.organizations)
    late = await _settled(on_stage, crowd) or late
    seconds_to_rest = monotonic() - resting_since
    imported = await crowd.imports.judged()
    told = await _told(on_stage)
    calls = calls_of(await on_stage.system.carrier_record())
    judgement = judge(calls, truth, REACTION)
    violations = [
        *judgement.violations,
        *imported,
        *judge_telling(told, calls, truth),
        *never_called(calls, truth, await given_up(on_stage.store)),
        *([Violation("I9", f"has not moved for {STUCK_SECONDS:.0f} s: {late}")] if late else []),
        *await audit(on_stage.store, crowd.batches, truth, calls),
        *(Violation("API", answer) for answer in crowd.asking.wrong_answers),
        *secrets_in_logs(on_stage.system.logs, [org.who.who.key for org in crowd.organizations]),
    ]
    return Verdict(violations, calls, judgement.peaks, seconds_to_rest, told.got)


async def _settled(on_stage: Stage, crowd: Crowd) -> str:
    """Wait until nothing is open any more, or nothing has moved for very long; what is open then, in words."""
    moved, before = monotonic(), ""
    while True:
        late = await unsettled(on_stage.store, crowd.batches) or await _untold(on_stage)
        if late != before:
            moved, before = monotonic(), late
        if not late or monotonic() - moved > STUCK_SECONDS:
            return late
        await asyncio.sleep(LOOK_SECONDS)


def _kafka(on_stage: Stage) -> KafkaSettings:
    return KafkaSettings(kafka=on_stage.system.addresses.kafka, topic_prefix=on_stage.system.topic_prefix)


async def _untold(on_stage: Stage) -> str:
    """What is still to be told, in words; empty once nothing is."""
    waiting = await on_their_way(_kafka(on_stage), on_stage.store)
    return ", ".join(f"{count} {what}" for what, count in waiting.items() if count)


async def _told(on_stage: Stage) -> Told:
    contacts = on_stage.store["contacts"].find({}, {"organization_id": 1, "status": 1})
    named = {row["_id"]: (row["organization_id"], row["status"]) async for row in contacts}
    attempts = on_stage.store["attempts"].find(
        {"contact_id": {"$in": list(named)}}, {"organization_id": 1, "outcome": 1}
    )
    return Told(
        facts=await read_facts(_kafka(on_stage)),
        got=on_stage.receiving.got(),
        contacts=named,
        outcomes={row["_id"]: (row["organization_id"], row["outcome"]) async for row in attempts},
    )


async def keep_for_a_look(
    root: Path, store: Store, truth: Truth, faults: Sequence[Happened], violations: Sequence[Violation]
) -> None:
    """Beside the logs and the carrier's record, for whoever looks for the cause."""
    lines = [
        f"{h.broke_at:%H:%M:%S.%f} to {h.mended_at:%H:%M:%S.%f} {h.fault.name} of {h.fault.target}" for h in faults
    ]
    (root / "faults.txt").write_text("\n".join(sorted(lines)) + "\n")
    (root / "violations.txt").write_text("\n".join(map(str, violations)) + "\n")
    (root / "truth.txt").write_text(pprint.pformat(truth, width=160))
    for name in KEPT:
        documents = await store[name].find({}).to_list()
        (root / f"{name}.jsonl").write_text("".join(f"{json_util.dumps(document)}\n" for document in documents))
