"""Holds every call of the carrier's record against the rules that were in force when it was placed.

Knows nothing of the system but its promises (docs/architecture.md, I1 to I10). A rule that changes binds calls
that are ordered later than `reaction` behind it.
"""

import heapq
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from shared.domain.legal_hours import legal_row
from shared.domain.number_places import place_of
from tests.chaos.pace_and_caps import over_caps, over_runs, too_fast
from tests.chaos.record import CarrierCall
from tests.chaos.truth import CampaignRules, NumberRules, Rule, Truth
from tests.unit.domain.slow_hours import law_allows
from tests.unit.domain.zone_data import wall_clock

# A member's clock may be off by so much, so that this close to midnight a call may count on either day.
CLOCKS_OFF: Final = timedelta(seconds=5)
ONE_CALL: Final = Rule(1, datetime.min.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise."""

    promise: str
    what: str
    call: CarrierCall | None = None

    def __str__(self) -> str:
        if self.call is None:
            return f"{self.promise}: {self.what}"
        return f"{self.promise}: {self.what} ({self.call.call_id} of {self.call.placed_at:%H:%M:%S.%f})"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found. `peaks` are the most calls at once, for each thing that has a limit."""

    violations: list[Violation]
    peaks: dict[str, int]


def judge(calls: Sequence[CarrierCall], truth: Truth, reaction: timedelta) -> Judgement:
    """Everything that the record shows. `calls` in the order in which they were placed."""
    over, peaks = _over_limits(calls, truth, reaction)
    found = [
        *over,
        *_placed_twice(calls),
        *_overlapping(calls, "contact", lambda call: call.contact_id),
        *_overlapping(calls, "phone number", lambda call: f"{call.organization_id} {call.to}"),
        *_after_an_answer(calls, truth),
        *_after_no_more(calls, truth, reaction),
        *_after_an_opt_out(calls, truth, reaction),
        *_messages(calls, truth),
        *_forbidden(calls, truth, reaction),
        *(Violation(*found) for found in too_fast(calls, truth, reaction)),
        *(Violation(*found) for found in over_caps(calls, truth)),
        *(Violation(*found) for found in over_runs(calls, truth, reaction)),
        *_over_a_day(calls, truth, reaction),
    ]
    return Judgement(found, peaks)


def never_called(
    calls: Iterable[CarrierCall], truth: Truth, given_up: Collection[tuple[str, str]] = ()
) -> list[Violation]:
    """I9: those who were to be called and never were. Only once the system has settled.

    `given_up`: contacts (organization, external id) of whom the system itself says that it cannot know.
    """
    called = {(call.organization_id, call.to) for call in calls}
    return [
        Violation("I9", f"contact {external_id} of organization {organization_id} was never called")
        for (organization_id, external_id), numbers in sorted(truth.due_at_end().items())
        if not any((organization_id, number) in called for number in numbers)
        and (organization_id, external_id) not in given_up
    ]


def recovery_seconds(calls: Sequence[CarrierCall], moments: Iterable[datetime]) -> list[float | None]:
    """From each moment to the next placement; None where none came."""
    placed = [call.placed_at for call in calls]
    return [
        min((max(0.0, (at - moment).total_seconds()) for at in placed if at >= moment), default=None)
        for moment in moments
    ]


def _over_limits(
    calls: Sequence[CarrierCall], truth: Truth, reaction: timedelta
) -> tuple[list[Violation], dict[str, int]]:
    live: Counter[str] = Counter()
    peaks: Counter[str] = Counter()
    ends: list[tuple[datetime, int, tuple[str, ...]]] = []
    found = []
    for n, call in enumerate(calls):
        while ends and ends[0][0] <= call.placed_at:
            live.subtract(heapq.heappop(ends)[2])
        scopes = _limits_of(truth, call)
        live.update(list(scopes))
        for scope, rule in scopes.items():
            peaks[scope] = max(peaks[scope], live[scope])
            possible = rule.possible(call.ordered_at - reaction, call.placed_at)
            limit = math.inf if None in possible else max(each for each in possible if each is not None)
            if live[scope] > limit:
                found.append(Violation("I1", f"{live[scope]} calls at once of {scope}, the limit is {limit}", call))
        heapq.heappush(ends, (call.ended_at or datetime.max.replace(tzinfo=call.placed_at.tzinfo), n, tuple(scopes)))
    return found, dict(peaks)


def _limits_of(truth: Truth, call: CarrierCall) -> dict[str, Rule[int] | Rule[int | None]]:
    """Every limit that this call counts against, by what is limited."""
    limits: dict[str, Rule[int] | Rule[int | None]] = {
        "all calls": truth.global_limit,
        f"organization {call.organization_id}": truth.limits[call.organization_id],
    }
    number = truth.numbers.get((call.organization_id, call.to))
    if number is not None and number.campaign_id in truth.campaign_limits:
        limits[f"campaign {number.campaign_id}"] = truth.campaign_limits[number.campaign_id]
    if (call.organization_id, call.caller) in truth.exclusive:
        limits[f"caller number {call.caller}"] = ONE_CALL
    caller = truth.callers.get((call.organization_id, call.caller))
    if caller is not None:
        limits[f"registered number {call.organization_id} {call.caller}"] = caller.max_calls
    return limits


def _over_a_day(calls: Iterable[CarrierCall], truth: Truth, reaction: timedelta) -> list[Violation]:
    """Calls beyond the daily limit (UTC) of the number that they were made from.

    One that was ordered so close to midnight that it may count on either day counts on none.
    """
    made: Counter[tuple[str, str, date]] = Counter()
    found = []
    for call in calls:
        caller = truth.callers.get((call.organization_id, call.caller))
        about = reaction + CLOCKS_OFF
        begin, end = (call.ordered_at - about).astimezone(UTC), (call.ordered_at + about).astimezone(UTC)
        if caller is None or begin.date() != end.date():
            continue
        day = call.organization_id, call.caller, begin.date()
        made[day] += 1
        possible = caller.daily_limit.possible(call.ordered_at - reaction, call.placed_at)
        limits = [limit for limit in possible if limit is not None]
        if len(limits) == len(possible) and made[day] > max(limits):
            what = f"{made[day]} calls of {day[2]} from {call.caller}, the limit is {max(limits)}"
            found.append(Violation("I1", what, call))
    return found


def _placed_twice(calls: Iterable[CarrierCall]) -> list[Violation]:
    seen: set[str] = set()
    found = []
    for call in calls:
        if call.attempt_id in seen:
            found.append(Violation("I2", f"attempt {call.attempt_id} was placed again", call))
        seen.add(call.attempt_id)
    return found


def _overlapping(calls: Iterable[CarrierCall], what: str, who: Callable[[CarrierCall], str]) -> list[Violation]:
    of: dict[str, list[CarrierCall]] = defaultdict(list)
    for call in calls:
        of[who(call)].append(call)
    found = []
    for one in of.values():
        for earlier, later in itertools.pairwise(one):
            if earlier.ended_at is None or later.placed_at < earlier.ended_at:
                found.append(Violation("I3", f"two calls at once to one {what}", later))
    return found


def _after_an_answer(calls: Iterable[CarrierCall], truth: Truth) -> list[Violation]:
    answered: dict[str, CarrierCall] = {}
    found = []
    for call in calls:
        if call.contact_id in answered and not _was_called_back(truth, answered[call.contact_id], call):
            found.append(Violation("I4", "a contact that had answered was called again", call))
        if call.was_answered:
            answered[call.contact_id] = call
    return found


def _was_called_back(truth: Truth, earlier: CarrierCall, call: CarrierCall) -> bool:
    """Whether a callback was asked for since the earlier call began, and before this one was ordered."""
    asked = truth.called_back.get(call.contact_id, [])
    return any(earlier.ordered_at <= at <= call.ordered_at for at in asked)


def _after_no_more(calls: Iterable[CarrierCall], truth: Truth, reaction: timedelta) -> list[Violation]:
    """Calls to a contact of which it was asked, and acknowledged, that it is called no more."""
    found = []
    for call in calls:
        since = truth.no_more.get(call.contact_id)
        if since is None or call.ordered_at <= since + reaction:
            continue
        if not any(since - reaction <= at <= call.ordered_at for at in truth.called_back.get(call.contact_id, [])):
            found.append(Violation("S4", "a contact that was to be called no more was called", call))
    return found


def _after_an_opt_out(calls: Iterable[CarrierCall], truth: Truth, reaction: timedelta) -> list[Violation]:
    return [
        Violation("S5", "a contact that had opted out was called", call)
        for call in calls
        if call.contact_id in truth.opted_out and call.ordered_at > truth.opted_out[call.contact_id] + reaction
    ]


def _messages(calls: Iterable[CarrierCall], truth: Truth) -> list[Violation]:
    """A message that was left twice in one call, and calls after a message."""
    left: dict[str, CarrierCall] = {}
    found = []
    for call in calls:
        if len(call.messages) > 1:
            found.append(Violation("Message", f"{len(call.messages)} messages were left in one call", call))
        if call.contact_id in left and not _was_called_back(truth, left[call.contact_id], call):
            found.append(Violation("Message", "a contact was called again after a message", call))
        if call.messages:
            left[call.contact_id] = call
    return found


def _forbidden(calls: Iterable[CarrierCall], truth: Truth, reaction: timedelta) -> list[Violation]:
    found = []
    for call in calls:
        number = truth.numbers.get((call.organization_id, call.to))
        caller = truth.callers.get((call.organization_id, call.caller))
        if caller is not None and not any(caller.active.possible(call.ordered_at - reaction, call.ordered_at)):
            found.append(Violation("I5", "the caller number was switched off", call))
        if number is None:
            found.append(Violation("I5", "a number that nobody has given", call))
            continue
        begin, end = call.ordered_at - reaction, call.ordered_at
        why = _why_forbidden(number, truth.campaigns[number.campaign_id], begin, end)
        why += _why_closed(call, truth, begin, end)
        found.extend(Violation("I5", reason, call) for reason in why)
    return found


def _why_forbidden(number: NumberRules, campaign: CampaignRules, begin: datetime, end: datetime) -> list[str]:
    """The reasons that held at every moment from `begin` to `end`."""
    reasons = {
        "the campaign was paused or closed": any(campaign.active.possible(begin, end)),
        "the calling window was closed": any(campaign.open.possible(begin, end)),
        "the campaign's end date had come": not _had_ended(campaign, begin, end),
        "the contact was deleted, or the number edited away": any(number.wanted.possible(begin, end)),
        "the number was on the do-not-call list": not all(number.listed.possible(begin, end)),
    }
    return [reason for reason, was_allowed in reasons.items() if not was_allowed]


def _had_ended(campaign: CampaignRules, begin: datetime, end: datetime) -> bool:
    """Whether the campaign's end date had come by every clock, whichever was in force from `begin` to `end`."""
    dates = campaign.end_at.possible(begin, end)
    return all(at is not None and at + CLOCKS_OFF < begin for at in dates)


def _why_closed(call: CarrierCall, truth: Truth, begin: datetime, end: datetime) -> list[str]:
    """The hours of the organization that closed every moment from `begin` to `end`."""
    shut, lawful = truth.shut.get(call.organization_id), truth.lawful.get(call.organization_id)
    reasons = []
    if shut is not None and all(shut.possible(begin, end)):
        reasons.append("the organization's day was closed")
    # So short a span that a law which closes both of its ends closes all of it.
    if (
        lawful is not None
        and all(lawful.possible(begin, end))
        and not any(_is_legal(call.to, at) for at in (begin, end))
    ):
        reasons.append("the law of the number's country allowed no call")
    return reasons


def _is_legal(number: str, instant: datetime) -> bool:
    """Whether the law allows a call in all zones that the number may be in; the crowd's contacts name no zone."""
    place = place_of(number)
    row = legal_row(number, place.country)
    return row is None or all(law_allows(row, wall_clock(zone, instant)) for zone in place.zones)
