"""`refill`: how soon a freed slot is dialed again, for a small customer, against the bare loop in the same run."""

from rich.console import Console

from deploy.local.servers import Addresses
from tests.bench.dialing import Load, Run, Variant, run_once
from tests.bench.figures import Figures, median, milliseconds, percentile, spread
from tests.bench.histogram import Histogram

DEADLINE_SECONDS = 120.0
WARM_UP = 50
VARIANTS = (Variant.OURS, Variant.BARE)


async def measure_refill(addresses: Addresses, console: Console, *, calls: int, slots: int, rounds: int) -> Figures:
    """Interleaved rounds of ours and bare."""
    load = Load(calls, slots, WARM_UP, DEADLINE_SECONDS)
    runs: dict[Variant, list[Run]] = {variant: [] for variant in VARIANTS}
    for number in range(rounds):
        for variant, done in runs.items():
            run = await run_once(addresses, variant, load)
            done.append(run)
            console.print(
                f"  refill {number + 1}/{rounds} {variant:>5}: p50 {milliseconds(percentile(run.refills, 0.5))} ms",
                style="dim",
            )
    return _figures(runs, load, rounds)


def _figures(runs: dict[Variant, list[Run]], load: Load, rounds: int) -> Figures:
    figures = Figures(
        f"refill: {load.contacts:,} calls, {load.slots} slots, {rounds} rounds",
        ("", "calls/s", "end -> placement ms", "in the scheduler ms", "ours / this"),
    )
    p50s = {variant: [percentile(run.refills, 0.5) for run in done] for variant, done in runs.items()}
    for variant, done in runs.items():
        everything = [seconds for run in done for seconds in run.refills]
        inside = [[_quantile(run.scheduler_refills, share) for run in done] for share in (0.5, 0.99)]
        ratios = [mine / other for mine, other in zip(p50s[Variant.OURS], p50s[variant], strict=True)]
        figures.rows.append(
            (
                variant,
                spread([run.calls_per_second for run in done]),
                f"{milliseconds(percentile(everything, 0.5))} / {milliseconds(percentile(everything, 0.99))}",
                f"{milliseconds(median(inside[0]))} / {milliseconds(median(inside[1]))}",
                spread(ratios, "{:.2f}"),
            )
        )
        figures.values[variant] = {
            "calls_per_second": [run.calls_per_second for run in done],
            "end_to_placement_p50_seconds": p50s[variant],
            "end_to_placement_p99_seconds": [percentile(run.refills, 0.99) for run in done],
            "scheduler_p50_seconds": inside[0],
            "scheduler_p99_seconds": inside[1],
            "ours_over_this_p50": ratios,
        }
    figures.notes.append(
        "in the scheduler: ended calls read -> dial jobs published; ours from its histogram's buckets."
    )
    return figures


def _quantile(values: list[float] | Histogram, share: float) -> float:
    return values.quantile(share) if isinstance(values, Histogram) else percentile(values, share)
