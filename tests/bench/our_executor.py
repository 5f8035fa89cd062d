"""The call-executor as in production, with a scripted carrier that keeps a journal; calls of no length, or as told."""

import random
import sys
from pathlib import Path

from pydantic import Field

from services.call_executor.app import running
from services.call_executor.settings import ExecutorSettings
from shared.logs import configure_logs
from shared.process import run_until_stopped, stay_in
from shared.settings import TelephonySettings
from shared.telephony.provider import CallReport, OnReport, PlaceCall, TelephonyProvider
from shared.telephony.providers import BuildProvider
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import ScriptedCall
from tests.bench.gathering import ends_gather
from tests.bench.journal import Journal


class BenchExecutorSettings(ExecutorSettings):
    """The executor's settings, and where the journal goes."""

    bench_journal: Path = Field(description="File that the carrier's journal is written to at the end.")
    bench_shortest_call: float = Field(0.0, description="Seconds.")
    bench_longest_call: float = Field(0.0, description="Seconds; lengths are even between the two.")
    bench_gathering: float | None = Field(None, description="Seconds that ends gather; none: as the turnover says.")


def _carrier(journal: Journal, shortest: float, longest: float) -> BuildProvider:
    dice = random.Random(1)
    called: dict[str, str] = {}

    def script(call: PlaceCall) -> ScriptedCall:
        journal.place(call.contact_id)
        called[call.attempt_id] = call.contact_id
        return ScriptedCall(talk_seconds=dice.uniform(shortest, longest))

    def build(_: TelephonySettings, on_report: OnReport) -> TelephonyProvider:
        def report(ended: CallReport) -> None:
            journal.end(called.pop(ended.attempt_id))
            on_report(ended)

        return ScriptedProvider(script, report, can_look_up=False, keep_placements=False)

    return build


def main() -> int:
    """The process's exit code."""
    settings, journal = BenchExecutorSettings(), Journal()
    carrier = _carrier(journal, settings.bench_shortest_call, settings.bench_longest_call)
    configure_logs(settings.log_level, "call-executor")
    with ends_gather(settings.bench_gathering):
        code = run_until_stopped(stay_in(running(settings, carrier)))
    journal.save(settings.bench_journal)
    return code


if __name__ == "__main__":
    sys.exit(main())
