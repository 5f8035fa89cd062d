"""The judge's word on calls a second, caps and calls of a run: by counting ten seconds, days, 168 hours, gaps, runs."""

import itertools
import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.chaos.record import CarrierCall
from tests.chaos.truth import Rule, Truth

TEN_SECONDS = timedelta(seconds=10)
WEEK = timedelta(hours=168)
# What was found: which promise, in words, and the call.
Found = tuple[str, str, CarrierCall]


def too_fast(calls: Sequence[CarrierCall], truth: Truth, reaction: timedelta) -> Iterator[Found]:
    """Ten seconds in which more was asked for than ten seconds' worth and two seconds', or one call, more."""
    for scope, rule in truth.rates.items():
        mine = sorted((call for call in calls if scope in _scopes(truth, call)), key=lambda call: call.ordered_at)
        times = [call.ordered_at for call in mine]
        for n, begin in enumerate(times):
            count = bisect_right(times, begin + TEN_SECONDS) - n
            most = _most(rule, begin - reaction, begin + TEN_SECONDS)
            if most is not None and count > most:
                yield "Pace", f"{count} calls of {scope} in ten seconds, and {most} may be", mine[n]


def _most(rule: Rule[float | None], begin: datetime, end: datetime) -> int | None:
    rates = rule.possible(begin, end)
    fastest = max((rate for rate in rates if rate is not None), default=0.0)
    return None if None in rates else math.floor(10 * fastest + max(1.0, 2 * fastest))


def _scopes(truth: Truth, call: CarrierCall) -> set[str]:
    number = truth.numbers.get((call.organization_id, call.to))
    always = {f"organization {call.organization_id}", f"caller number {call.organization_id} {call.caller}"}
    return always | ({f"campaign {number.campaign_id}"} if number else set())


def over_runs(calls: Iterable[CarrierCall], truth: Truth, reaction: timedelta) -> Iterator[Found]:
    """Calls beyond those that a run makes. One ordered while a run may have begun counts for neither run."""
    made: Counter[tuple[str, int]] = Counter()
    for call in sorted(calls, key=lambda call: call.ordered_at):
        number = truth.numbers.get((call.organization_id, call.to))
        runs = truth.runs.get(number.campaign_id, []) if number is not None else []
        begun = [place for place, run in enumerate(runs) if run.began_at <= call.ordered_at]
        if number is None or not begun or call.ordered_at <= runs[begun[-1]].begun_by + reaction:
            continue
        place = begun[-1]
        made[number.campaign_id, place] += 1
        possible = runs[place].max_calls.possible(call.ordered_at - reaction, call.placed_at)
        limits = [limit for limit in possible if limit is not None]
        count = made[number.campaign_id, place]
        if len(limits) == len(possible) and count > max(limits):
            yield "S3", f"{count} calls of a run of campaign {number.campaign_id}, and {max(limits)} may be", call


def over_caps(calls: Iterable[CarrierCall], truth: Truth) -> Iterator[Found]:
    """Calls that a cap of their organization forbids; caps are in force from before its first call on."""
    of_organization: dict[str, list[CarrierCall]] = defaultdict(list)
    for call in calls:
        of_organization[call.organization_id].append(call)
    for organization_id, caps in truth.caps.items():
        ours, zone = of_organization[organization_id], ZoneInfo(caps.timezone)
        by_phone, by_contact = _grouped(ours, lambda call: call.to), _grouped(ours, lambda call: call.contact_id)
        yield from _over_days(by_contact, caps.contact_day, zone, "a contact")
        yield from _over_days(by_phone, caps.day, zone, "a phone")
        for to_phone in by_phone:
            yield from _over_week(to_phone, caps.week)
            yield from _too_soon(to_phone, caps.gap_minutes)


def _grouped(calls: Iterable[CarrierCall], by: Callable[[CarrierCall], Hashable]) -> list[list[CarrierCall]]:
    groups: dict[Hashable, list[CarrierCall]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.ordered_at):
        groups[by(call)].append(call)
    return list(groups.values())


def _over_days(groups: Iterable[list[CarrierCall]], cap: int | None, zone: ZoneInfo, whose: str) -> Iterator[Found]:
    for group in groups if cap is not None else ():
        days: Counter[object] = Counter()
        for call in group:
            day = call.ordered_at.astimezone(zone).date()
            days[day] += 1
            if cap is not None and days[day] > cap:
                yield "Cap", f"call {days[day]} of {whose} on {day}, and {cap} may be", call


def _over_week(group: Sequence[CarrierCall], cap: int | None) -> Iterator[Found]:
    for n, call in enumerate(group):
        count = sum(call.ordered_at - earlier.ordered_at < WEEK for earlier in group[: n + 1])
        if cap is not None and count > cap:
            yield "Cap", f"call {count} of a phone in 168 hours, and {cap} may be", call


def _too_soon(group: Sequence[CarrierCall], minutes: int | None) -> Iterator[Found]:
    for earlier, later in itertools.pairwise(group):
        if minutes is None or earlier.ended_at is None:
            continue
        gap = later.ordered_at - earlier.ended_at
        if gap < timedelta(minutes=minutes):
            yield "Cap", f"a phone was called again after {gap}, and {minutes} minutes may be the least", later
