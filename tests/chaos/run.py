"""One seeded run: a system, its customers, trouble; then rest, the judge and the audit."""

import asyncio
import pprint
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median

from bson import json_util

from shared.clock import monotonic, utc_now
from shared.store.client import Store
from tests.chaos.audit import audit, secrets_in_logs, unknown_outcomes, unsettled
from tests.chaos.clocks import OFFSETS
from tests.chaos.crowd import Crowd
from tests.chaos.faults import Happened, Trouble
from tests.chaos.judge import Violation, judge, never_called, recovery_seconds
from tests.chaos.record import CarrierCall, calls_of
from tests.chaos.servers import KAFKA, MONGODB
from tests.chaos.stage import GLOBAL_LIMIT, REACTION, Stage, stage
from tests.chaos.tally import Tally
from tests.chaos.truth import Rule, Truth

# Longer than a slot is held without evidence, a claim lives, or a retry waits: what does not move for so long is stuck.
STUCK_SECONDS = 40.0
WATCH_SECONDS = 0.5
# What the logs say of take-overs and lost ownership.
LOGGED = {"take-overs": "shard taken over", "ownership lost": "shard lost", "joined again": "joining again"}


@dataclass(slots=True)
class Report:
    """What one run showed."""

    seed: int
    seconds: float
    violations: list[Violation]
    faults: list[Happened]
    calls: int
    # Processes that ended although nobody had ended them.
    own_ends: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)
    peaks: dict[str, int] = field(default_factory=dict)
    recovery: dict[str, list[float]] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """For people."""
        kinds = Counter(f"{happened.fault.name} of {_kind(happened.fault.target)}" for happened in self.faults)
        return [
            f"seed {self.seed}: {len(self.faults)} faults in {self.seconds:.0f} s, {self.calls} calls, "
            f"{len(self.violations)} promises broken",
            *(f"  BROKEN {violation}" for violation in self.violations[:20]),
            "  faults: " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())),
            *(f"  {what}: {count}" for what, count in sorted(self.own_ends.items())),
            "  " + ", ".join(f"{fact} {count}" for fact, count in sorted(self.facts.items())),
            "  most calls at once: " + ", ".join(f"{what} {peak}" for what, peak in sorted(self.peaks.items())),
            *(
                f"  next call after {what}: median {median(waits):.1f} s, longest {max(waits):.1f} s, of {len(waits)}"
                for what, waits in sorted(self.recovery.items())
            ),
        ]


async def run(root: Path, seed: int, seconds: float, *, at_once: int = 3) -> Report:
    """Break a system for so many seconds, let it come to rest, and judge."""
    began = monotonic()
    async with stage(root, seed) as on_stage:
        truth = Truth(Rule(GLOBAL_LIMIT, utc_now()))
        crowd = Crowd(on_stage.system, on_stage.store, truth, seed)
        await crowd.arrive()
        trouble = Trouble(on_stage, seed, at_once=at_once)
        own_ends: Counter[str] = Counter()
        tally = Tally(on_stage.system.session, on_stage.system.lineup.members)
        counting = asyncio.create_task(tally.run())
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(_watch(on_stage, own_ends, trouble))
            working = tasks.create_task(crowd.work())
            troubled = tasks.create_task(trouble.run())
            await asyncio.sleep(seconds)
            trouble.ending = True
            await troubled
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await on_stage.mend_everything()
            crowd.leaving = True
            await working
        await crowd.come_to_rest()
        resting_since = monotonic()
        late = await _settled(on_stage, crowd)
        counting.cancel()
        with suppress(asyncio.CancelledError):
            await counting
        await tally.read()
        calls = calls_of(await on_stage.system.carrier_record())
        judgement = judge(calls, truth, REACTION)
        violations = [
            *judgement.violations,
            *never_called(calls, truth),
            *([Violation("I9", f"has not moved for {STUCK_SECONDS:.0f} s: {late}")] if late else []),
            *await audit(on_stage.store, crowd.batches, truth, calls),
            *(Violation("API", answer) for answer in crowd.asking.wrong_answers),
            *secrets_in_logs(on_stage.system.logs, [org.who.who.key for org in crowd.organizations]),
        ]
        if violations:
            _write_down(root, trouble.happened, truth, violations)
            await _write_documents(root, on_stage.store)
        facts = Counter(crowd.deeds) + _logged(on_stage.system.logs) + tally.sums()
        facts["outcomes nobody can know"] = await unknown_outcomes(on_stage.store)
        summary = await on_stage.system.carrier_summary()
        facts["processes with a wrong clock"] = len(OFFSETS) if on_stage.clocks_are_wrong else 0
        facts["servers of each kind"] = on_stage.servers.copies
        facts["disks that could be filled"] = sum(node.disk is not None for node in on_stage.servers.nodes.values())
        facts["killed because SIGTERM took too long"] = on_stage.outlasted.total()
        facts["seconds to rest"] = round(monotonic() - resting_since)
        facts["callbacks sent"] = summary["callbacks_sent"]
        return Report(
            seed,
            monotonic() - began,
            violations,
            trouble.happened,
            len(calls),
            own_ends,
            facts,
            judgement.peaks,
            _recovery(calls, trouble.happened),
        )


def _write_down(root: Path, faults: list[Happened], truth: Truth, violations: list[Violation]) -> None:
    """Beside the logs and the carrier's record, for whoever looks for the cause."""
    lines = [
        f"{h.broke_at:%H:%M:%S.%f} to {h.mended_at:%H:%M:%S.%f} {h.fault.name} of {h.fault.target}" for h in faults
    ]
    (root / "faults.txt").write_text("\n".join(sorted(lines)) + "\n")
    (root / "violations.txt").write_text("\n".join(map(str, violations)) + "\n")
    (root / "truth.txt").write_text(pprint.pformat(truth, width=160))


async def _write_documents(root: Path, store: Store) -> None:
    for name in ("contacts", "attempts", "campaigns", "ingest_batches", "budgets", "counters", "counters_in", "shards"):
        documents = await store[name].find({}).to_list()
        (root / f"{name}.jsonl").write_text("".join(f"{json_util.dumps(document)}\n" for document in documents))


async def _watch(on_stage: Stage, own_ends: Counter[str], trouble: Trouble) -> None:
    """What ends although nobody ended it is started again, as a supervisor does."""
    while True:
        for name, process in list(on_stage.system.processes.items()):
            if process.returncode is not None and not trouble.is_busy_with(name):
                own_ends[f"{name.rstrip('-0123456789')} ended by itself with {process.returncode}"] += 1
                await on_stage.start_again(name)
        await asyncio.sleep(WATCH_SECONDS)


async def _settled(on_stage: Stage, crowd: Crowd) -> str:
    """Wait until nothing is open any more, or nothing has moved for very long; what is open then, in words."""
    moved, before = monotonic(), ""
    while True:
        late = await unsettled(on_stage.store, crowd.batches)
        if late != before:
            moved, before = monotonic(), late
        if not late or monotonic() - moved > STUCK_SECONDS:
            return late
        await asyncio.sleep(WATCH_SECONDS)


def _logged(logs: Path) -> Counter[str]:
    texts = [log.read_text(errors="replace") for log in logs.glob("*.log")]
    return Counter({name: sum(text.count(what) for text in texts) for name, what in LOGGED.items()})


def _recovery(calls: list[CarrierCall], happened: list[Happened]) -> dict[str, list[float]]:
    """Seconds to the next call: from a process's death, and from a server's return or, of three, from its loss."""
    moments: dict[str, list[datetime]] = defaultdict(list)
    for one in happened:
        name, target = one.fault.name, _kind(one.fault.target)
        if name == "SIGKILL" and target in {"executor", "scheduler"}:
            moments[f"SIGKILL of {target}"].append(one.broke_at)
        elif one.fault.target in {KAFKA, MONGODB}:
            moments[f"the return of {target} ({name})"].append(one.mended_at)
        elif target in {KAFKA, MONGODB} or name == "step down":
            moments[f"{name} of one {target} of three"].append(one.broke_at)
    known = {what: recovery_seconds(calls, at) for what, at in moments.items()}
    return {what: found for what, seconds in known.items() if (found := [s for s in seconds if s is not None])}


def _kind(target: str) -> str:
    return target.rstrip("-0123456789")
