"""A short seeded run of what `make chaos` does at length: everything breaks, no promise does."""

import sys
from pathlib import Path

import pytest

from tests.chaos.run import run

SEED = 4
SECONDS = 75
# Of about forty and some two thousand: on a slow machine there are fewer, and none would prove nothing.
FEWEST_FAULTS = 10
FEWEST_CALLS = 200


@pytest.mark.timeout(900)
async def test_no_promise_is_broken_while_everything_else_is(tmp_path: Path) -> None:
    report = await run(tmp_path, SEED, SECONDS)
    sys.stdout.write("\n".join(report.lines(f"seed {SEED}")))
    assert report.violations == []
    assert report.faults.total() >= FEWEST_FAULTS
    assert report.calls >= FEWEST_CALLS
