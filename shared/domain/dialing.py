"""May this contact be called now, and how? One answer, which claim, gate, sweeps, views and diagnosis ask.

`verdict` looks first at what ends a contact, whatever its campaign does; then at what makes it wait; last, when
nothing else stands in the way of a call, at the agent. `choose_call` says how the call would be made.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from shared.domain.call_accounts import account_of, default_plan, resting_accounts
from shared.domain.caller_numbers import NumberPlan, choose_number, only
from shared.domain.calling_window import Schedule, closed_by, is_open, next_opening
from shared.domain.campaign import DIALED, CampaignState, HaltReason, ShownState, shown_state
from shared.domain.caps import NEVER_CALLED, cap_reached
from shared.domain.contact import ContactStatus, Tier
from shared.domain.dialing_values import Call, CallChoice, CallFields, DialedContact, End, Rules, Verdict, Wait
from shared.domain.phone import compared
from shared.domain.reasons import EndReason, WaitReason
from shared.domain.refusal import RefusalSubject, rest_key, what_rests
from shared.domain.timezones import is_known_timezone
from shared.domain.voicemail import Voicemail
from shared.domain.zone_hours import ClosedBy

# A contact whose number is on another call waits this long; without a new due time, many contacts with
# one number would stand at the head of the queue and hide everybody behind them.
NUMBER_BUSY_PAUSE: Final = timedelta(seconds=10)
# A contact whose own caller number is switched off waits this long, for the same reason: nothing says when it is on.
OWN_NUMBER_OFF_PAUSE: Final = timedelta(minutes=5)
# `next_call` follows one reason to wait after the other; more in a row than this are none that time ends.
MAX_WAITS: Final = 20

# Why contacts of a campaign wait that is not dialed; those of one that is over end.
NOT_DIALED: Final[Mapping[CampaignState, WaitReason]] = {
    CampaignState.DRAFT: WaitReason.CAMPAIGN_DRAFT,
    CampaignState.SCHEDULED: WaitReason.CAMPAIGN_SCHEDULED,
    CampaignState.PAUSED: WaitReason.CAMPAIGN_PAUSED,
    CampaignState.COMPLETED: WaitReason.CAMPAIGN_COMPLETED,
}

# What contacts of a tier wait for that are not due, where nothing has put them off.
_USUAL_WAIT: Final[Mapping[Tier, WaitReason]] = {
    Tier.RETRY: WaitReason.RETRY,
    Tier.REQUESTED: WaitReason.CALLBACK,
}

# Why contacts of a campaign wait that is paused because its run was halted.
HALTED_FOR: Final[Mapping[str | None, WaitReason]] = {
    HaltReason.MAX_CALLS: WaitReason.MAX_CALLS,
    HaltReason.CIRCUIT_BREAKER: WaitReason.CIRCUIT_BREAKER,
}

WAITS_FOR_REST: Final[Mapping[RefusalSubject, WaitReason]] = {
    RefusalSubject.ACCOUNT: WaitReason.ACCOUNT_REFUSED,
    RefusalSubject.CALLER_NUMBER: WaitReason.CALLER_NUMBER_REFUSED,
    RefusalSubject.COUNTRY: WaitReason.COUNTRY_REFUSED,
}
_WAITS_FOR_HOURS: Final[Mapping[ClosedBy | None, WaitReason]] = {
    ClosedBy.CLOSED_DAY: WaitReason.CLOSED_DAY,
    ClosedBy.LEGAL_HOURS: WaitReason.LEGAL_HOURS,
    ClosedBy.WINDOWS: WaitReason.OUTSIDE_HOURS,
    # Open now and for too short a time.
    None: WaitReason.OUTSIDE_HOURS,
}


def verdict(
    contact: DialedContact,
    rules: Rules,
    now: datetime,
    ahead: timedelta = timedelta(),
    frozen: CallChoice | None = None,
) -> Verdict:
    """Whether a waiting contact may be called at `now`, its window staying open for `ahead` from then.

    `frozen` is the call as a claim has chosen it; without it the call is chosen here.
    """
    ends = end_of(contact, rules, now)
    if ends is not None:
        return ends
    choice = frozen if frozen is not None else choose_call(contact, rules, now)
    # What a claim counts for in the use of its number is not held against it: GATE looks whether it is too much.
    number = choice.caller_number if frozen is None else None
    waits = (
        _waits_for_campaign(rules, now)
        or _waits_for_time(contact, now)
        or _waits_for_hours(contact, choice.number, rules, now, ahead)
        or _waits_for_caller_number(contact, choice, now)
        or (_waits_for_day(number, rules, now, contact.fields.agent_number is None) if number else None)
    )
    if waits is not None and waits.reason not in WAITS_FOR_REST.values():
        return waits
    asked_again: list[str] = []
    rests = _waits_for_rests(contact, choice, rules, now, asked_again)
    # What rests may do so for longer than the contact was put off for it.
    caps = _waits_for_caps(contact, choice, rules, now)
    for wait in (*rests, waits, caps, _waits_for_room(choice, number, rules, now)):
        if wait is not None:
            return wait
    if not choice.has_agent:
        return End(ContactStatus.ERROR, EndReason.NO_AGENT)
    return Call(choice, tuple(asked_again))


def end_of(contact: DialedContact, rules: Rules, now: datetime) -> End | None:
    """What ends a contact that waits at `now`, whatever its campaign's state, hours and limits; None: nothing."""
    answered = contact.for_good is EndReason.ANSWERED
    if contact.for_good is not None and not (answered and contact.tier is Tier.REQUESTED):
        return End(ContactStatus.COMPLETED if answered else ContactStatus.EXHAUSTED, contact.for_good)
    if not rules.of_no_campaign and (rules.campaign is None or rules.campaign.course.is_over):
        return End(ContactStatus.SKIPPED, EndReason.CANCELLED)
    if rules.campaign is not None and rules.campaign.course.has_ended(now):
        return End(ContactStatus.SKIPPED, EndReason.CAMPAIGN_ENDED)
    has_number = bool(callable_numbers(contact))
    if not has_number and any(compared(number) in contact.listed for number in contact.phone_numbers):
        return End(ContactStatus.SKIPPED, EndReason.DO_NOT_CALL)
    if contact.expires_at is not None and contact.expires_at <= now:
        return End(ContactStatus.SKIPPED, EndReason.EXPIRED)
    return None if has_number else End(ContactStatus.EXHAUSTED, EndReason.INVALID_NUMBER)


def callable_numbers(contact: DialedContact) -> list[str]:
    """The contact's numbers that are neither on the do-not-call list nor known to be invalid, in order."""
    stopped = contact.listed | contact.invalid
    if not stopped:
        return list(contact.phone_numbers)
    return [number for number in contact.phone_numbers if compared(number) not in stopped]


def choose_call(contact: DialedContact, rules: Rules, now: datetime) -> CallChoice:
    """How the contact's next call is made at `now`: number, caller number, agent, time limits.

    The number whose turn it is: in order, the next on each attempt, wrapping around; those that may not be called lose
    their turn. Agent and caller number come from the contact, else the campaign, else its configuration; a caller
    number also from the organization. The contact must have a number that may be called (`end_of` is None).
    """
    turn = contact.attempts_made % len(contact.phone_numbers)
    in_turn = (*contact.phone_numbers[turn:], *contact.phone_numbers[:turn])
    allowed = set(callable_numbers(contact))
    agent_id = first_set("agent_id", contact.fields, rules)
    configuration = rules.campaign.configuration if rules.campaign else None
    caller_number = _caller_number(contact.fields, rules, now, contact.id, contact.attempts_made)
    return CallChoice(
        number=next(number for number in in_turn if number in allowed),
        caller_number=caller_number,
        agent_id=agent_id,
        agent_version=first_set("agent_version", contact.fields, rules),
        has_agent=agent_id is not None or contact.has_agent_config,
        ring_seconds=configuration.ring_seconds if configuration else None,
        max_call_seconds=configuration.max_call_seconds if configuration else None,
        voicemail=configuration.voicemail if configuration else None,
        account_id=account_of(caller_number, rules),
    )


def number_plan(fields: CallFields, rules: Rules) -> NumberPlan | None:
    """The numbers that a contact with these fields may be called from; None: no level names any.

    The contact's own, else the campaign's, else the configuration's, else those of the default account where the
    campaign names none, else the organization's.
    """
    if fields.agent_number is None and rules.campaign is not None and rules.campaign.numbers is not None:
        return rules.campaign.numbers
    number = first_set("agent_number", fields, rules)
    if number is None and (plan := default_plan(rules)) is not None:
        return plan
    number = number or rules.default_caller_number
    return None if number is None else only(number)


def _caller_number(fields: CallFields, rules: Rules, now: datetime, contact_id: str = "", made: int = 0) -> str | None:
    plan = number_plan(fields, rules)
    if plan is None:
        return None
    prefix = rest_key(RefusalSubject.CALLER_NUMBER, "+").removesuffix("+")
    resting = {key.removeprefix(prefix): rest.until for key in rules.rests if (rest := rules.resting(key, now))}
    resting |= resting_accounts(plan, rules, now)
    number = choose_number(plan, rules.numbers, contact_id, made, now, resting)
    return None if rules.accounts.is_off(account_of(number, rules)) else number


def first_set(name: str, of_contact: CallFields, rules: Rules) -> str | None:
    """The first value set of one of `CallFields`: the contact's, the campaign's, the configuration's."""
    campaign = rules.campaign
    for holder in (of_contact, *((campaign.fields, campaign.configuration) if campaign else ())):
        value: str | None = getattr(holder, name) if holder is not None else None
        if value is not None:
            return value
    return None


def next_call(contact: DialedContact, rules: Rules, now: datetime) -> datetime | None:
    """The first instant at or after `now` when the contact may be called as things stand; None: never.

    Limits, numbers on a call and other contacts are not foreseen: what waits for them alone may be called at `now`.
    """
    foreseen, at = replace(rules, live=frozenset(), full=None, numbers=rules.numbers.with_no_calls()), now
    for _ in range(MAX_WAITS):
        match verdict(contact, foreseen, at):
            case Call():
                return at
            case Wait(until=until) if until is not None and until > at:
                at = until
            case _:
                return None
    return None


def campaign_wait(rules: Rules, now: datetime) -> Wait | None:
    """Why no contact of a campaign without a caller number of its own can be called now, whatever the hour.

    None: each contact has to be looked at. A contact with a caller number of its own waits for its account alone.
    """
    if rules.campaign is not None and (rules.campaign.course.is_over or rules.campaign.course.has_ended(now)):
        # They end: nothing is to be waited for.
        return None
    waits = _waits_for_campaign(rules, now)
    if waits is not None:
        return waits
    caller_number = _caller_number(CallFields(), rules, now)
    if caller_number is None:
        return Wait(WaitReason.NO_CALLER_NUMBER, None, whole_campaign=True)
    account_id = account_of(caller_number, rules) or ""
    for subject, value in ((RefusalSubject.ACCOUNT, account_id), (RefusalSubject.CALLER_NUMBER, caller_number)):
        rest = rules.resting(rest_key(subject, value), now)
        if rest is not None:
            return Wait(WAITS_FOR_REST[subject], rest.until, whole_campaign=True)
    return _waits_for_day(caller_number, rules, now, whole_campaign=True)


def frozen_choice(lock: Mapping[str, Any]) -> CallChoice:
    """The call as a claim has frozen it in its stored lock; a claim is made only where somebody will speak."""
    return CallChoice(
        dialed_number(lock),
        lock["caller_number"],
        lock.get("agent_id"),
        lock.get("agent_version"),
        has_agent=True,
        ring_seconds=lock.get("ring_seconds"),
        max_call_seconds=lock.get("max_call_seconds"),
        voicemail=Voicemail.model_validate(lock["voicemail"]) if lock.get("voicemail") else None,
        account_id=lock.get("account"),
    )


def dialed_number(lock: Mapping[str, Any]) -> str:
    """The number that a claim dials, from its stored lock, where `phone` is its compared form."""
    number: str = lock.get("number") or lock["phone"]
    return number


def _waits_for_campaign(rules: Rules, now: datetime) -> Wait | None:
    if rules.of_no_campaign or rules.campaign is None:
        return None
    course = rules.campaign.course
    shown = shown_state(course, now)
    if shown.state not in DIALED:
        until = course.start_at if shown.state is CampaignState.SCHEDULED else None
        return Wait(_not_dialed(shown), until, whole_campaign=True)
    if rules.campaign.configuration is None:
        return Wait(WaitReason.CONFIGURATION_UNUSABLE, None, whole_campaign=True)
    return None


def _not_dialed(shown: ShownState) -> WaitReason:
    halted = HALTED_FOR.get(shown.reason) if shown.state is CampaignState.PAUSED else None
    return halted or NOT_DIALED[shown.state]


def _waits_for_time(contact: DialedContact, now: datetime) -> Wait | None:
    # The customer may have set it while the contact waited for a retry. A callback has a time of its own.
    scheduled_at = contact.scheduled_at if contact.tier is not Tier.REQUESTED else None
    if scheduled_at is not None and scheduled_at > now and scheduled_at >= contact.due_at:
        return Wait(WaitReason.SCHEDULED, scheduled_at)
    if contact.due_at > now:
        return Wait(contact.put_off or _USUAL_WAIT.get(contact.tier, WaitReason.GIVEN_BACK), contact.due_at)
    return None


def schedule_of(contact: DialedContact, rules: Rules) -> Schedule | None:
    """The hours in which a contact may be called; None: at any hour."""
    if rules.of_no_campaign:
        return rules.ad_hoc_schedule
    configuration = rules.campaign.configuration if rules.campaign else None
    return configuration.schedule(contact.tier is Tier.SCHEDULED) if configuration else None


def _waits_for_hours(contact: DialedContact, number: str, rules: Rules, now: datetime, ahead: timedelta) -> Wait | None:
    schedule, zone = schedule_of(contact, rules), contact.timezone
    if schedule is None or is_open(schedule, zone, now, for_seconds=ahead.total_seconds(), number=number):
        return None
    # From `ahead` on: a window that closes sooner is no opening.
    opening = next_opening(schedule, zone, now + ahead, number=number)
    # Closed whatever the number: the campaign sleeps in this timezone, and wakes when its hours are changed.
    open_but_for_number = is_open(schedule, zone, now, for_seconds=ahead.total_seconds())
    by_number = open_but_for_number and schedule.depends_on_number(zone)
    if opening is not None:
        closed = closed_by(schedule, zone, now, number) or closed_by(schedule, zone, now + ahead, number)
        return Wait(_WAITS_FOR_HOURS[closed], opening, by_number=by_number)
    has_windows = schedule.open_hours(zone, number).has_windows
    return Wait(WaitReason.NEVER_OPEN if has_windows else WaitReason.NO_WINDOWS, by_number=by_number)


def _waits_for_caller_number(contact: DialedContact, choice: CallChoice, now: datetime) -> Wait | None:
    if choice.caller_number is not None:
        return None
    if contact.fields.agent_number is not None:
        return Wait(WaitReason.NO_CALLER_NUMBER, now + OWN_NUMBER_OFF_PAUSE)
    return Wait(WaitReason.NO_CALLER_NUMBER, None, whole_campaign=True)


def _waits_for_day(number: str, rules: Rules, now: datetime, whole_campaign: bool) -> Wait | None:
    """Wait for midnight (UTC) where the number has made all its calls of the day."""
    until = rules.numbers.spent_until(number, now)
    return None if until is None else Wait(WaitReason.CALLER_NUMBER_SPENT, until, whole_campaign)


def _waits_for_rests(
    contact: DialedContact, choice: CallChoice, rules: Rules, now: datetime, asked_again: list[str]
) -> list[Wait]:
    """What the call would need and rests now; keys of rests whose time is over are added to `asked_again`."""
    if not rules.rests:
        return []
    waits = []
    caller_number, number, account_id = choice.caller_number or "", choice.number, choice.account_id
    for subject, whole in (
        (RefusalSubject.ACCOUNT, contact.fields.agent_number is None or not rules.accounts.known),
        (RefusalSubject.CALLER_NUMBER, contact.fields.agent_number is None),
        (RefusalSubject.COUNTRY, False),
    ):
        key = what_rests(subject, caller_number=caller_number, number=number, account_id=account_id)
        rest = rules.resting(key, now)
        if rest is not None:
            waits.append(Wait(WAITS_FOR_REST[subject], rest.until, whole_campaign=whole))
        elif key in rules.rests and key not in rules.probing:
            asked_again.append(key)
    return waits


def timezone_of(contact_timezone: str | None, rules: Rules) -> str:
    """The zone whose days are a contact's: its own, else its configuration's, else UTC, as for an unknown one."""
    configuration = rules.campaign.configuration if rules.campaign else None
    zone = contact_timezone or (configuration.default_timezone if configuration else "UTC")
    return zone if is_known_timezone(zone) else "UTC"


def _waits_for_caps(contact: DialedContact, choice: CallChoice, rules: Rules, now: datetime) -> Wait | None:
    """A cap that is reached; none is where the attempts that it counts were not read, as at the gate."""
    if not rules.called and contact.called is NEVER_CALLED:
        return None
    configuration = rules.campaign.configuration if rules.campaign else None
    reached = cap_reached(
        configuration.max_attempts_per_day if configuration else None,
        contact.called,
        rules.number_caps,
        rules.called.get(compared(choice.number), NEVER_CALLED),
        timezone_of(contact.timezone, rules),
        now,
    )
    return Wait(reached.reason, reached.until) if reached is not None else None


def _waits_for_room(choice: CallChoice, number: str | None, rules: Rules, now: datetime) -> Wait | None:
    if rules.live and compared(choice.number) in rules.live:
        return Wait(WaitReason.NUMBER_BUSY, now + NUMBER_BUSY_PAUSE)
    if number is not None and rules.numbers.is_full(number):
        return Wait(WaitReason.CALLER_NUMBER_LIMIT)
    if number is not None and rules.numbers.has_no_time(number):
        return Wait(WaitReason.CALLS_PER_SECOND)
    return Wait(rules.full) if rules.full is not None else None
