"""The call-executor as in production, with a scripted carrier that ends every call at once and keeps a journal."""

import sys
from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from services.call_executor.app import serve
from services.call_executor.settings import ExecutorSettings
from shared.logs import configure_logs
from shared.process import run_until_stopped
from shared.store.client import connect
from shared.telephony.provider import CallReport, PlaceCall, TelephonyProvider
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import ScriptedCall
from tests.bench.journal import Journal


class BenchExecutorSettings(ExecutorSettings):
    """The executor's settings, and where the journal goes."""

    bench_journal: Path = Field(description="File that the carrier's journal is written to at the end.")


def _carrier(journal: Journal) -> Callable[[Callable[[CallReport], None]], TelephonyProvider]:
    plan = ScriptedCall()

    def script(call: PlaceCall) -> ScriptedCall:
        journal.place(call.contact_id)
        return plan

    def build(on_report: Callable[[CallReport], None]) -> TelephonyProvider:
        def report(ended: CallReport) -> None:
            journal.end()
            on_report(ended)

        return ScriptedProvider(script, report, can_look_up=False, keep_placements=False)

    return build


async def _main(settings: BenchExecutorSettings, journal: Journal) -> None:
    await serve(settings, store=connect(settings), build_provider=_carrier(journal))


def main() -> int:
    """The process's exit code."""
    settings, journal = BenchExecutorSettings(), Journal()
    configure_logs(settings.log_level, "call-executor")
    code = run_until_stopped(_main(settings, journal))
    journal.save(settings.bench_journal)
    return code


if __name__ == "__main__":
    sys.exit(main())
