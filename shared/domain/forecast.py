"""When a campaign will have called all who wait, as it has gone so far: the forecast of its end.

Contacts that wait, times calls for each contact so far, by calls a second, counted in open hours alone. Delays of
retries, closer limits and other campaigns are not foreseen, nor what only a contact's number decides of its hours.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from shared.domain.campaign import Run
from shared.domain.counts import MINUTE, CampaignCounts
from shared.domain.timezones import EPOCH

# Fewer calls than these say nothing of those to come.
MIN_CALLS: Final = 50
# Open hours further away than this, before or after now, are not looked at.
HORIZON: Final = timedelta(days=92)
# Timezones in all that are looked at for one answer, each as often as the hours of any one change: some 30 ms. Hundreds
# of timezones with many windows a day would take seconds, in which nobody else is answered.
MAX_LOOKS: Final = 100_000
_SECOND: Final = timedelta(seconds=1)

# Whether it is open at a second since 1970 (UTC), and a later one until which that surely holds (exclusive).
Hours = Callable[[int], tuple[bool, int]]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is left of a campaign: calls, the calls it makes a second in open hours, and when it ends (UTC).

    None: unknown. `ends_at` alone is None where the end is more than 92 days away, behind more changes of hours than
    are looked at (`MAX_LOOKS`), or never comes as things stand.
    """

    calls_left: int | None = None
    calls_per_second: float | None = None
    ends_at: datetime | None = None


UNKNOWN: Final = Forecast()


def forecast(counts: CampaignCounts, run: Run | None, hours: Sequence[Hours], now: datetime) -> Forecast:
    """The forecast at `now` (UTC) for a campaign in its `run`; unknown before the run's 50th call.

    `hours` are those of the contacts' timezones: the campaign calls while any of them is open. Its pace is that of the
    last minute where 50 calls ended in it, else that of the run's open hours so far.
    """
    if run is None or not counts.called or counts.calls_of_run(run.generation) < MIN_CALLS:
        return UNKNOWN
    attempts = counts.attempts - counts.attempts_removed
    left = ceil(counts.pending * max(1.0, attempts / counts.called))
    rate = _calls_per_second(counts, run, hours, now)
    if rate is None:
        return Forecast(calls_left=left)
    return Forecast(left, rate, _after_open_seconds(hours, now, left / rate))


def _calls_per_second(counts: CampaignCounts, run: Run, hours: Sequence[Hours], now: datetime) -> float | None:
    minute = counts.last_minute(now)
    if minute.ended >= MIN_CALLS:
        return minute.ended / MINUTE.total_seconds()
    if now - run.at > HORIZON:
        return None
    end = _second_of(now)
    spans = _spans(hours, _second_of(run.at), end)
    try:
        seconds = sum(min(until, end) - since for since, until, is_open in spans if is_open)
    except _TooManySpans:
        return None
    # A call that is up when the hours end is made all the same.
    return counts.calls_of_run(run.generation) / seconds if seconds else None


def _after_open_seconds(hours: Sequence[Hours], now: datetime, seconds: float) -> datetime | None:
    start = _second_of(now)
    try:
        for since, until, is_open in _spans(hours, start, start + HORIZON // _SECOND):
            if not is_open:
                continue
            if seconds <= until - since:
                return EPOCH + timedelta(seconds=since + ceil(seconds))
            seconds -= until - since
    except _TooManySpans:
        return None
    return None


class _TooManySpans(Exception):
    """The hours change more often than is looked at."""


def _spans(hours: Sequence[Hours], start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Spans from `start` to `end` (seconds since 1970) in which something is open, or nothing, in order.

    Raises `_TooManySpans` once `MAX_LOOKS` are taken.
    """
    second, answers, looks = start, [(False, start)] * len(hours), 0
    while second < end:
        looks += len(hours)
        if looks > MAX_LOOKS:
            raise _TooManySpans
        # An answer holds until it says so.
        answers = [at(second) if answer[1] <= second else answer for at, answer in zip(hours, answers, strict=True)]
        opened = [until for is_open, until in answers if is_open]
        until = min(end, max(opened) if opened else min((until for _, until in answers), default=end))
        yield second, until, bool(opened)
        second = until


def _second_of(instant: datetime) -> int:
    return (instant - EPOCH) // _SECOND
