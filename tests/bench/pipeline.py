"""`pipeline`: calls a second of scheduler and executor as processes, against bare loops in the same run."""

from rich.console import Console

from deploy.local.servers import Addresses
from tests.bench.dialing import Load, Run, Variant, run_once
from tests.bench.figures import Figures, median, spread

DEADLINE_SECONDS = 180.0
WARM_UP = 300
PROCESSES = ("mongod", "kafka", "scheduler", "executor")


async def measure_pipeline(
    addresses: Addresses, console: Console, *, contacts: int, slots: int, rounds: int
) -> Figures:
    """Interleaved rounds of ours, bare and lean."""
    load = Load(contacts, slots, WARM_UP, DEADLINE_SECONDS)
    runs: dict[Variant, list[Run]] = {variant: [] for variant in Variant}
    for number in range(rounds):
        for variant, done in runs.items():
            done.append(await run_once(addresses, variant, load))
            console.print(
                f"  pipeline {number + 1}/{rounds} {variant:>5}: {done[-1].calls_per_second:,.0f} calls/s", style="dim"
            )
    return _figures(runs, load, rounds)


def _figures(runs: dict[Variant, list[Run]], load: Load, rounds: int) -> Figures:
    figures = Figures(
        f"pipeline: {load.contacts:,} contacts, {load.slots:,} slots, {rounds} rounds",
        ("", "calls/s", "ours / this", *(f"{name} µs" for name in PROCESSES), "sum µs"),
    )
    ours = runs[Variant.OURS]
    for variant, done in runs.items():
        rates = [run.calls_per_second for run in done]
        ratios = [mine.calls_per_second / other.calls_per_second for mine, other in zip(ours, done, strict=True)]
        cpu = {name: median([run.cpu_us_per_call.get(name, 0.0) for run in done]) for name in PROCESSES}
        shown = [f"{cpu[name]:.0f}" for name in PROCESSES]
        figures.rows.append((variant, spread(rates), spread(ratios, "{:.2f}"), *shown, f"{sum(cpu.values()):.0f}"))
        figures.values[variant] = {
            "calls_per_second": rates,
            "ours_over_this": ratios,
            "cpu_us_per_call": cpu,
        }
    figures.notes.append(
        "bare: the same documents, indexes and Kafka hops, no rules; lean: one index on contacts only."
    )
    figures.notes.append("µs: CPU time for each call, by process.")
    figures.notes.append("Every run ended with nothing held, counters = counts, each contact called exactly once.")
    return figures
