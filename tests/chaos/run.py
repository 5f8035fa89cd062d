"""One seeded run: a system, its customers, trouble; then rest, the judge and the audit."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from shared.clock import monotonic, utc_now
from tests.chaos.audit import unknown_outcomes
from tests.chaos.clocks import OFFSETS
from tests.chaos.crowd import Crowd
from tests.chaos.faults import RECEIVER, Trouble
from tests.chaos.judge_of_telling import held_up
from tests.chaos.report import Report, kinds_of, recovery_of
from tests.chaos.stage import GLOBAL_LIMIT, Stage, stage
from tests.chaos.tally import Tally
from tests.chaos.truth import Rule, Truth
from tests.chaos.verdict import keep_for_a_look, verdict

WATCH_SECONDS = 0.5
# Whoever still waits when nothing is broken any more is called soon.
SHORT_CALLS = {"ring_min_seconds": 0.05, "ring_max_seconds": 0.2, "talk_min_seconds": 0.05, "talk_max_seconds": 0.3}
# What the logs say of take-overs and lost ownership.
# What an event passes before it reaches a receiver.
ON_THE_WAY = ("scheduler", "webhook-sender", "kafka", "mongodb")
LOGGED = {"take-overs": "shard taken over", "ownership lost": "shard lost", "joined again": "joining again"}


async def run(root: Path, seed: int, seconds: float | None, *, at_once: int = 3, only: str = "") -> Report:
    """Break a system for so many seconds (None: each kind of fault once), let it come to rest, and judge."""
    began = monotonic()
    async with stage(root, seed) as on_stage:
        truth = Truth(Rule(GLOBAL_LIMIT, utc_now()))
        crowd = Crowd(on_stage.system, on_stage.receiving, truth, seed)
        await crowd.arrive()
        trouble = Trouble(on_stage, seed, at_once=at_once, only=only)
        own_ends: Counter[str] = Counter()
        tally = Tally(on_stage.system.session, on_stage.system.lineup.members)
        async with beside(tally.run()):
            async with beside(crowd.work()) as working:
                async with beside(_watch(on_stage, own_ends, trouble)):
                    await (trouble.run_once() if seconds is None else _run_for(trouble, seconds))
                await on_stage.mend_everything()
                await on_stage.tell_carrier(SHORT_CALLS)
                crowd.leaving = True
                await working
            found = await verdict(on_stage, crowd, truth)
        await tally.read()
        spans = [(each.fault.target, (each.broke_at, each.mended_at)) for each in trouble.happened]
        unwell = [span for target, span in spans if target == RECEIVER]
        usual, late = held_up(found.got, unwell, [span for target, span in spans if _is_on_the_way(target)])
        found.violations.extend(late)
        if found.violations:
            await keep_for_a_look(root, on_stage.store, truth, trouble.happened, found.violations)
        facts = Counter(crowd.deeds) + _logged(on_stage.system.logs) + tally.sums() + await _facts(on_stage)
        facts["seconds to rest"] = round(found.seconds_to_rest)
        facts["webhooks received"] = len(found.got)
        facts["ms to be told while another receiver is unwell"] = round(usual * 1000)
        return Report(
            violations=found.violations,
            faults=kinds_of(trouble.happened),
            calls=len(found.calls),
            seconds=monotonic() - began,
            own_ends=own_ends,
            facts=facts,
            peaks=found.peaks,
            recovery=recovery_of(found.calls, trouble.happened),
        )


def _is_on_the_way(target: str) -> bool:
    return any(part in target for part in ON_THE_WAY)


async def _run_for(trouble: Trouble, seconds: float) -> None:
    """Trouble for so long."""
    troubled = asyncio.create_task(trouble.run())
    await asyncio.wait({troubled}, timeout=seconds)
    trouble.ending = True
    await troubled


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Work that goes on beside the block; what is left of it is cut off at the end. Raises what it has raised."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(on_stage: Stage, own_ends: Counter[str], trouble: Trouble) -> None:
    """What ends although nobody ended it is started again, as a supervisor does."""
    while True:
        for name, process in list(on_stage.system.processes.items()):
            if process.returncode is not None and not trouble.is_busy_with(name):
                own_ends[f"{name.rstrip('-0123456789')} ended by itself with {process.returncode}"] += 1
                await on_stage.start_again(name)
        await asyncio.sleep(WATCH_SECONDS)


async def _facts(on_stage: Stage) -> Counter[str]:
    summary = await on_stage.system.carrier_summary()
    return Counter(
        {
            "callbacks sent": summary["callbacks_sent"],
            "outcomes nobody can know": await unknown_outcomes(on_stage.store),
            "processes with a wrong clock": len(OFFSETS) if on_stage.clocks_are_wrong else 0,
            "servers": len(on_stage.servers.nodes),
            "disks that could be filled": sum(node.disk is not None for node in on_stage.servers.nodes.values()),
            "killed because SIGTERM took too long": on_stage.outlasted.total(),
        }
    )


def _logged(logs: Path) -> Counter[str]:
    texts = [log.read_text(errors="replace") for log in logs.glob("*.log")]
    return Counter({name: sum(text.count(what) for text in texts) for name, what in LOGGED.items()})
