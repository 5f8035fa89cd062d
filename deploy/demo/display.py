"""What the demo shows: live while it dials on a terminal, else a plain line now and then; and the reports."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from deploy.demo.client import Api
from deploy.demo.dial import CONCURRENCY_LIMIT, Progress
from deploy.demo.load import Loaded, Remark

PLAIN_LINE_SECONDS: Final = 2.0
SHOWN_REMARKS: Final = 12
# A carrier's words for what it was told to get wrong.
FAULTS: Final = {
    "rate_limited": "429",
    "error_before": "503, no call made",
    "error_after": "503, call made all the same",
    "silent_before": "no answer, no call made",
    "silent_after": "no answer, call made",
    "dropped_after": "connection broken, call made",
}


@dataclass(frozen=True, slots=True)
class Promise:
    """What was asked of a campaign, with what the carrier's record says of it, and whether it was kept."""

    said: str
    kept: bool


@contextmanager
def watching(console: Console) -> Iterator["Display"]:
    """A display for as long as the demo dials."""
    if not console.is_terminal:
        yield PlainDisplay(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(None), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Bar(*columns, console=console)
    with Live(bar, console=console, refresh_per_second=8) as live:
        yield LiveDisplay(live, bar)


class Display:
    """Shows how far the campaign has come."""

    def show(self, progress: Progress) -> None:
        """Called several times a second."""
        raise TypeError(f"{type(self).__name__} shows nothing of {progress}")


@dataclass(slots=True)
class PlainDisplay(Display):
    """For pipes and files."""

    console: Console
    _next: float = 0.0

    def show(self, progress: Progress) -> None:
        """A line every two seconds."""
        if progress.seconds >= self._next or not progress.open:
            self._next = progress.seconds + PLAIN_LINE_SECONDS
            done = progress.total - progress.open
            self.console.print(f"{progress.seconds:5.1f} s  {done}/{progress.total} contacts done; {_now(progress)}")


@dataclass(slots=True)
class LiveDisplay(Display):
    """For terminals."""

    live: Live
    bar: Bar
    _task: Any = field(default=None)

    def show(self, progress: Progress) -> None:
        """A bar, what happens now, and what has happened."""
        if self._task is None:
            self._task = self.bar.add_task("contacts done", total=progress.total)
        self.bar.update(self._task, completed=progress.total - progress.open, total=progress.total)
        outcomes = Counter(progress.carrier["by_outcome"]).most_common()
        ended = "  ".join(f"{name} {count}" for name, count in outcomes)
        self.live.update(Group(self.bar, Text(_now(progress)), Text(f"ended at the carrier: {ended}", style="dim")))


def _now(progress: Progress) -> str:
    contacts, carrier = progress.statistics["contacts"], progress.carrier
    return (
        f"{carrier['live']} of {CONCURRENCY_LIMIT} calls at once, {contacts['pending']} waiting, "
        f"{progress.placed} calls placed, {progress.calls_per_second:.0f} a second"
    )


def report_load(console: Console, loaded: Loaded, seconds: float) -> None:
    """What became of the list."""
    console.print(
        f"{loaded.inserted} of {loaded.rows} rows in after {seconds:.1f} s, {len(loaded.refused)} rows refused:"
    )
    _remarks(console, loaded.refused)


def _remarks(console: Console, remarks: Sequence[Remark]) -> None:
    for remark in remarks[:SHOWN_REMARKS]:
        console.print(f"  row {remark.row.number} ({remark.row.contact_id}): {remark.reason}", highlight=False)
    if len(remarks) > SHOWN_REMARKS:
        console.print(f"  and {len(remarks) - SHOWN_REMARKS} more")


async def report_outcome(console: Console, api: Api, campaign_id: str, organization_id: str, end: Progress) -> bool:
    """What happened, from the API and from the carrier's own books; whether every promise was kept."""
    contacts: Counter[str] = Counter()
    attempts: Counter[str] = Counter()
    async for contact in api.contacts(campaign_id):
        contacts[contact["status"]] += 1
        attempts.update(attempt["outcome"] for attempt in contact["attempts"])
    tables = Table.grid(padding=(0, 6))
    tables.add_row(_counts("contacts by status", contacts), _counts("attempts by outcome", attempts), _carrier(end))
    console.print()
    console.print(tables)
    return _verdict(console, organization_id, end)


def _counts(title: str, counts: Counter[str]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    for name, count in counts.most_common():
        table.add_row(str(name), str(count))
    table.add_section()
    table.add_row("in all", str(counts.total()))
    return table


def _carrier(end: Progress) -> Table:
    """What went wrong on the way, on purpose."""
    carrier = end.carrier
    table = Table(title="what the carrier did to us", title_justify="left", show_header=False)
    for name, count in carrier["faults"].items():
        table.add_row(FAULTS.get(name, name), str(count))
    table.add_row("callbacks never sent", str(carrier["callbacks_lost"]))
    table.add_row("callbacks sent in all", str(carrier["callbacks_sent"]))
    return table


def _verdict(console: Console, organization_id: str, end: Progress) -> bool:
    carrier = end.carrier
    peak = carrier["peak_live_by_organization"].get(organization_id, 0)
    promises = [
        Promise(f"most calls at once: {peak}, the limit is {CONCURRENCY_LIMIT}", peak <= CONCURRENCY_LIMIT),
        Promise(
            f"attempts that were dialed twice: {carrier['attempts_placed_twice']}", not carrier["attempts_placed_twice"]
        ),
        Promise(
            f"phones with two calls at once: {carrier['phones_called_at_once']}", not carrier["phones_called_at_once"]
        ),
        Promise(f"contacts not in a final state: {end.open}", not end.open),
    ]
    console.print(f"{end.placed} calls in {end.seconds:.1f} s: {end.calls_per_second:.1f} calls a second.")
    return report_promises(console, promises)


def report_promises(console: Console, promises: Sequence[Promise]) -> bool:
    """A line for each promise; whether all were kept."""
    console.print("By the carrier's own record:")
    for promise in promises:
        console.print(f"  {'ok ' if promise.kept else 'BAD'}  {promise.said}")
    return all(promise.kept for promise in promises)
