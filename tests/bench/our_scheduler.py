"""The scheduler as in production, with every shard transaction's exact time kept for the benchmark."""

import functools
import json
import sys
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

from pydantic import Field

from services.scheduler.app import running
from services.scheduler.settings import SchedulerSettings
from services.scheduler.shards import loop
from shared.clock import monotonic
from shared.logs import configure_logs
from shared.process import run_until_stopped, stay_in
from shared.store.client import Store
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, WorkDone, do_shard_work
from tests.bench.gathering import ends_gather
from tests.bench.journal import Transaction


class BenchSchedulerSettings(SchedulerSettings):
    """The scheduler's settings, and where the times go."""

    bench_journal: Path = Field(description="File that the transactions' times are written to at the end.")
    bench_gathering: float | None = Field(None, description="Seconds that ends gather; none: as the turnover says.")


async def _timed(
    kept: list[Transaction], store: Store, owner: Ownership, work: ShardWork, now: datetime, jitter_seconds: float
) -> WorkDone:
    started = monotonic()
    done = await do_shard_work(store, owner, work, now, jitter_seconds)
    kept.append(Transaction(started, monotonic() - started, len(done.jobs)))
    return done


def main() -> int:
    """The process's exit code."""
    settings, kept = BenchSchedulerSettings(), list[Transaction]()
    configure_logs(settings.log_level, "scheduler")
    with patch.object(loop, "do_shard_work", functools.partial(_timed, kept)), ends_gather(settings.bench_gathering):
        code = run_until_stopped(stay_in(running(settings)))
    settings.bench_journal.write_text(json.dumps({"transactions": kept}))
    return code


if __name__ == "__main__":
    sys.exit(main())
