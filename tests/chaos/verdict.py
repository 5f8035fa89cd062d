"""At rest: the judge's and the audit's word on a run, and what is kept for a look when a promise was broken."""

import asyncio
import pprint
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bson import json_util

from shared.clock import monotonic
from shared.store.client import Store
from tests.chaos.audit import audit, given_up, secrets_in_logs, unsettled
from tests.chaos.crowd import Crowd
from tests.chaos.faults import Happened
from tests.chaos.judge import Violation, judge, never_called
from tests.chaos.record import CarrierCall, calls_of
from tests.chaos.stage import REACTION, Stage
from tests.chaos.truth import Truth

# Longer than a slot is held without evidence, a claim lives, or a retry waits: what does not move for so long is stuck.
STUCK_SECONDS = 40.0
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """Broken promises, the calls they were looked for in, and the most calls at once of whatever has a limit."""

    violations: list[Violation]
    calls: list[CarrierCall]
    peaks: dict[str, int]
    seconds_to_rest: float


async def verdict(on_stage: Stage, crowd: Crowd, truth: Truth) -> Verdict:
    """Let the customers and the system come to rest, then judge. Everything must have been mended before."""
    await crowd.come_to_rest()
    resting_since = monotonic()
    late = await _settled(on_stage, crowd)
    seconds_to_rest = monotonic() - resting_since
    calls = calls_of(await on_stage.system.carrier_record())
    judgement = judge(calls, truth, REACTION)
    violations = [
        *judgement.violations,
        *never_called(calls, truth, await given_up(on_stage.store)),
        *([Violation("I9", f"has not moved for {STUCK_SECONDS:.0f} s: {late}")] if late else []),
        *await audit(on_stage.store, crowd.batches, truth, calls),
        *(Violation("API", answer) for answer in crowd.asking.wrong_answers),
        *secrets_in_logs(on_stage.system.logs, [org.who.who.key for org in crowd.organizations]),
    ]
    return Verdict(violations, calls, judgement.peaks, seconds_to_rest)


async def _settled(on_stage: Stage, crowd: Crowd) -> str:
    """Wait until nothing is open any more, or nothing has moved for very long; what is open then, in words."""
    moved, before = monotonic(), ""
    while True:
        late = await unsettled(on_stage.store, crowd.batches)
        if late != before:
            moved, before = monotonic(), late
        if not late or monotonic() - moved > STUCK_SECONDS:
            return late
        await asyncio.sleep(LOOK_SECONDS)


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
    for name in ("contacts", "attempts", "campaigns", "ingest_batches", "budgets", "counters", "counters_in", "shards"):
        documents = await store[name].find({}).to_list()
        (root / f"{name}.jsonl").write_text("".join(f"{json_util.dumps(document)}\n" for document in documents))
