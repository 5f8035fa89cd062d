"""A short seeded run of what `make chaos` does at length: everything breaks, no promise does."""

import sys
from pathlib import Path

import pytest

from tests.chaos.run import run

SEED = 4
AT_ONCE = 4
# What is frozen for up to a minute is a run of its own.
NO_LONG_ONES = "^(?!long)"
# Each kind once. Two more where a disk can be filled.
FAULTS = 52
# Of some thousand: on a slow machine there are fewer, and none would prove nothing.
FEWEST_CALLS = 200


@pytest.mark.timeout(900)
async def test_no_promise_is_broken_while_everything_else_is(tmp_path: Path) -> None:
    report = await run(tmp_path, SEED, None, at_once=AT_ONCE, only=NO_LONG_ONES)
    sys.stdout.write("\n".join(report.lines(f"seed {SEED}")))
    # In one line, for the last lines of a log are what is left of a run elsewhere.
    assert not report.violations, "; ".join(map(str, report.violations))
    assert report.faults.total() >= FAULTS
    assert report.calls >= FEWEST_CALLS
