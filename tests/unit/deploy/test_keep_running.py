import asyncio
import os
import signal
from pathlib import Path

from deploy.local.supervision import KEEP_RUNNING
from tests.eventually import eventually


async def keep_running(log: Path, script: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(str(KEEP_RUNNING), str(log), "sh", "-c", script, start_new_session=True)


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


async def test_what_is_killed_is_started_again_and_what_is_told_to_end_ends(tmp_path: Path) -> None:
    log = tmp_path / "log"
    trap = "trap 'echo orderly; exit 3' TERM; echo $$; while :; do sleep 0.05; done"
    kept = await keep_running(log, trap)
    await eventually(lambda: len(lines(log)) == 1)
    os.kill(int(lines(log)[0]), signal.SIGKILL)
    await eventually(lambda: len(lines(log)) == 3)
    assert lines(log)[1] == "killed by signal 9; starting it again"
    os.killpg(kept.pid, signal.SIGTERM)
    assert await kept.wait() == 3
    assert lines(log)[-1] == "orderly"
    assert not [line for line in lines(log)[3:] if "starting it again" in line]


async def test_what_ends_by_itself_is_not_started_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    kept = await keep_running(log, "echo once; exit 2")
    assert await kept.wait() == 2
    assert lines(log) == ["once"]
