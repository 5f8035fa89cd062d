"""A Kafka of three brokers and a replica set of three: each may lose one, and calls go on meanwhile."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.clock import utc_now
from tests.chaos.crowd import Crowd
from tests.chaos.faults import Fault, catalogue
from tests.chaos.run import beside
from tests.chaos.stage import GLOBAL_LIMIT, Stage, stage
from tests.chaos.truth import Rule, Truth
from tests.chaos.verdict import verdict
from tests.eventually import eventually

SEED_OF_THREE = 3
# As many as can be on their way when something is lost, so that new ones must have been claimed since.
MORE_CALLS = GLOBAL_LIMIT


@pytest.mark.timeout(900)
async def test_calls_go_on_while_one_of_three_is_lost_and_no_promise_is_broken(tmp_path: Path) -> None:
    async with stage(tmp_path, SEED_OF_THREE) as on_stage:
        truth = Truth(Rule(GLOBAL_LIMIT, utc_now()))
        crowd = Crowd(on_stage.system, on_stage.store, truth, SEED_OF_THREE)
        await crowd.arrive()
        async with beside(crowd.work()) as working:
            faults = {(fault.name, fault.target): fault for fault in catalogue(on_stage)}
            for lost in await _each_loss(on_stage):
                await _calls_go_on(on_stage, faults[lost])
            crowd.leaving = True
            await working
        found = await verdict(on_stage, crowd, truth)
    assert found.violations == []


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


async def _calls_go_on(on_stage: Stage, fault: Fault) -> None:
    """Broken until the carrier has many more calls than were under way."""
    placed = await _placed(on_stage)

    async def many_more() -> bool:
        return await _placed(on_stage) > placed + MORE_CALLS

    async with fault.broken():
        await eventually(many_more, timeout=60, saying=f"calls during {fault.name} of {fault.target}")


async def _placed(on_stage: Stage) -> int:
    return int((await on_stage.system.carrier_summary())["placed"])
