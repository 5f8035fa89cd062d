"""A Kafka of three brokers and a replica set of three: each may lose one, and calls go on meanwhile."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from shared.clock import monotonic, utc_now
from tests.chaos.crowd import Crowd
from tests.chaos.faults import Fault, Happened, catalogue
from tests.chaos.judge import Violation
from tests.chaos.report import Report, kinds_of, recovery_of
from tests.chaos.run import beside
from tests.chaos.stage import GLOBAL_LIMIT, Stage, stage
from tests.chaos.truth import Rule, Truth
from tests.chaos.verdict import keep_for_a_look, verdict
from tests.eventually import eventually

SEED_OF_THREE: Final = 3
# As many as can be on their way when something is lost, so that new ones must have been claimed since.
MORE_CALLS: Final = GLOBAL_LIMIT
PATIENCE_SECONDS: Final = 60.0


async def lose_each(root: Path) -> Report:
    """Lose one after the other, each until many more calls were placed; let all come to rest, and judge."""
    began = monotonic()
    async with stage(root, SEED_OF_THREE) as on_stage:
        truth = Truth(Rule(GLOBAL_LIMIT, utc_now()))
        crowd = Crowd(on_stage.system, on_stage.receiving, truth, SEED_OF_THREE)
        await crowd.arrive()
        happened: list[Happened] = []
        violations: list[Violation] = []
        async with beside(crowd.work()) as working:
            faults = {(fault.name, fault.target): fault for fault in catalogue(on_stage)}
            for lost in await _each_loss(on_stage):
                broke_at = utc_now()
                violations += await _calls_go_on(on_stage, faults[lost])
                happened.append(Happened(faults[lost], broke_at, utc_now()))
            crowd.leaving = True
            await working
        found = await verdict(on_stage, crowd, truth)
        violations += found.violations
        if violations:
            await keep_for_a_look(root, on_stage.store, truth, happened, violations)
    return Report(
        violations=violations,
        faults=kinds_of(happened),
        calls=len(found.calls),
        seconds=monotonic() - began,
        facts=Counter(crowd.deeds),
        peaks=found.peaks,
        recovery=recovery_of(found.calls, happened),
    )


async def _each_loss(on_stage: Stage) -> list[tuple[str, str]]:
    """The primary first asked to step down, then whoever is primary then killed; every broker once."""
    return [
        ("step down", "mongodb's primary"),
        ("kill -9", await _primary(on_stage)),
        ("kill -9", "kafka-0"),
        ("stop", "kafka-1"),
        ("SIGSTOP", "kafka-2"),
    ]


async def _primary(on_stage: Stage) -> str:
    hello = await on_stage.store.client.admin.command("hello")
    port = int(hello["primary"].rpartition(":")[2])
    [name] = [node.name for node in on_stage.servers.nodes.values() if _port(node.find) == port]
    return name


def _port(find: Callable[[], Any]) -> int | None:
    server = find()
    return None if server is None else server.port


async def _calls_go_on(on_stage: Stage, fault: Fault) -> list[Violation]:
    """Broken until the carrier has many more calls than were under way."""
    placed = await _placed(on_stage)

    async def many_more() -> bool:
        return await _placed(on_stage) > placed + MORE_CALLS

    async with fault.broken():
        try:
            await eventually(many_more, within=PATIENCE_SECONDS)
        except AssertionError:
            more = await _placed(on_stage) - placed
            what = f"{more} calls in {PATIENCE_SECONDS:.0f} s during {fault.name} of {fault.target}"
            return [Violation("calls go on", what)]
    return []


async def _placed(on_stage: Stage) -> int:
    return int((await on_stage.system.carrier_summary())["placed"])
