"""`make test`: two processes of pytest side by side, since most tests wait for servers more than they compute.

Both use the same Kafka and MongoDB, which the last one to end stops, with databases and topics of their own. Their
lines are shown as they come, behind the name of their part; what failed is shown once more when both have ended, since
a log is often kept by its last lines alone. Arguments are passed on to both.
"""

import asyncio
import os
import re
import shutil
import signal
import sys
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
# Those that start processes, break them, or wait for time to pass; the first ones take most of the processors, while
# the other part's first ones mostly wait for MongoDB. With those that need no server they are half of all, by time.
SYSTEMS: Final = (
    "tests/chaos",
    "tests/e2e",
    "tests/contract",
    *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tests/integration/test_*.py")),
    "tests/unit",
)
PARTS: Final = {
    "systems": SYSTEMS,
    # Whatever is not named above, so that no test is left out of both.
    "others": ("tests", *(f"--ignore={path}" for path in SYSTEMS)),
}
WIDTH: Final = max(map(len, PARTS))
# The lines of pytest that say what failed and why, colors aside: a test's heading, the error, its place, the summary.
OF_A_FAILURE: Final = re.compile(r"_{3,} .+ _{3,}|E  |\S+:\d+: \w|FAILED |ERROR ")
IN_ITS_SUMMARY: Final = ("FAILED ", "ERROR ")
COLOR: Final = re.compile(r"\x1b\[[\d;]*m")
# A part that was killed, as by a test's timeout, comes to no summary; its last lines tell what it was at.
MOST_REPEATED: Final = 25


async def main(options: Sequence[str], parts: Mapping[str, Sequence[str]] = PARTS) -> int:
    """Run every part to its end, whatever becomes of the others; the first exit code that is not 0, or 0."""
    running = {name: await _start([*paths, *options]) for name, paths in parts.items()}
    loop = asyncio.get_running_loop()
    # Ctrl-C reaches the parts by themselves; they say what they were at, and that is still to be shown.
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    loop.add_signal_handler(signal.SIGTERM, _terminate, list(running.values()))
    ends = await asyncio.gather(*(_shown(name, process) for name, process in running.items()))
    for name, (code, why) in zip(running, ends, strict=True):
        for line in ("what failed:", *why) if code else ():
            _show(name, line)
        _show(name, f"ended with exit code {code}")
    return next((code for code, _ in ends if code), 0)


async def _start(arguments: Sequence[str]) -> asyncio.subprocess.Process:
    columns = shutil.get_terminal_size().columns - WIDTH - len(" | ")
    colors = ["--color=yes"] if sys.stdout.isatty() else []
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", *colors, *arguments),
        cwd=ROOT,
        env={**os.environ, "COLUMNS": str(columns)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


def _terminate(processes: Sequence[asyncio.subprocess.Process]) -> None:
    for process in processes:
        if process.returncode is None:
            process.terminate()


async def _shown(name: str, process: asyncio.subprocess.Process) -> tuple[int, Iterable[str]]:
    """Show what it says, line by line, until it ends; its exit code, and the last lines that say what failed."""
    assert process.stdout is not None
    last, failures = deque[str](maxlen=MOST_REPEATED), deque[str](maxlen=MOST_REPEATED)
    rest = b""
    while some := await process.stdout.read(65536):
        *lines, rest = (rest + some).split(b"\n")
        for line in (line.decode(errors="replace") for line in lines):
            _show(name, line)
            last.append(line)
            if OF_A_FAILURE.match(COLOR.sub("", line)):
                failures.append(line)
    if rest:
        last.append(rest.decode(errors="replace"))
        _show(name, last[-1])
    code = await process.wait()
    # What was killed may have said something that only looks like a failure.
    return code, failures if any(COLOR.sub("", line).startswith(IN_ITS_SUMMARY) for line in failures) else last


def _show(name: str, line: str) -> None:
    sys.stdout.write(f"{name:<{WIDTH}} | {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
