"""Settings that are legal and call nobody, or not as they say: what is amiss, and what to do about it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.domain.call_accounts import account_of
from shared.domain.calling_window import Schedule, next_opening
from shared.domain.campaign import Course, Intent
from shared.domain.configuration import Configuration
from shared.domain.contact import ContactStatus
from shared.domain.dialing import first_set, number_plan
from shared.domain.dialing_values import CallFields, CampaignRules, Rules
from shared.domain.limit_warnings import LimitAbove
from shared.domain.reasons import EndReason
from shared.domain.timezones import canonical_timezone, known_timezones


class SettingFault(StrEnum):
    """Something that a campaign's settings lack for its contacts to be called."""

    CONFIGURATION_UNUSABLE = "configuration_unusable"
    NO_WINDOWS = "no_windows"
    NEVER_OPEN = "never_open"
    NO_CALLER_NUMBER = "no_caller_number"
    NO_AGENT = "no_agent"
    CAMPAIGN_ENDED = "campaign_ended"


@dataclass(frozen=True, slots=True)
class EndedByFault:
    """Contacts that have ended as `status` by settings that were changed since, and that stay so.

    `because` None: for several reasons.
    """

    status: ContactStatus
    because: EndReason | None
    count: int


# What there is to say of settings that are legal.
SettingWarning = SettingFault | EndedByFault | LimitAbove


# Faults that end contacts, and why these have ended then: mending the fault moves none of them.
ENDS_BY_FAULT: Final[Mapping[SettingFault, tuple[ContactStatus, EndReason]]] = MappingProxyType(
    {
        SettingFault.NO_AGENT: (ContactStatus.ERROR, EndReason.NO_AGENT),
        SettingFault.CAMPAIGN_ENDED: (ContactStatus.SKIPPED, EndReason.CAMPAIGN_ENDED),
    }
)


def warnings_on(rules: Rules, ended: Mapping[str, int], now: datetime) -> list[SettingWarning]:
    """What to say of settings that were made or changed; `ended` counts the contacts that have ended, by reason."""
    faults = setting_faults(rules, now)
    warnings: list[SettingWarning] = [*faults]
    for fault, (status, because) in ENDS_BY_FAULT.items():
        count = ended.get(because, 0)
        if count and fault not in faults:
            warnings.append(EndedByFault(status, because, count))
    return warnings


# Why contacts end once their attempts are used up.
_USED_UP: Final = (EndReason.VOICEMAIL, EndReason.NO_ANSWER, EndReason.BUSY, EndReason.FAILED)


def exhausted_stay(ended: Mapping[str, int]) -> list[SettingWarning]:
    """What to say when attempts or retry rules are changed: contacts whose attempts were used up stay so."""
    count = sum(ended.get(because, 0) for because in _USED_UP)
    return [EndedByFault(ContactStatus.EXHAUSTED, None, count)] if count else []


# Fields of a configuration that say how often a contact is called.
_ATTEMPT_FIELDS: Final = frozenset({"max_attempts", "retry_rules"})
# What a configuration need not have: its campaigns may bring their own.
_BROUGHT_BY_CAMPAIGNS: Final = frozenset({SettingFault.NO_AGENT, SettingFault.NO_CALLER_NUMBER})


def warnings_on_configuration(
    configuration: Configuration, ended: Mapping[str, int], now: datetime, *, changed: Collection[str]
) -> list[SettingWarning]:
    """What to say of a configuration of which these fields were set or changed.

    `ended` counts the contacts of its campaigns that have ended, by reason.
    """
    # What has ended by a campaign's own dates no configuration has ended.
    by_it = {because: count for because, count in ended.items() if because != EndReason.CAMPAIGN_ENDED}
    said = warnings_on(Rules(CampaignRules(Course(Intent.RUNNING), configuration)), by_it, now)
    warnings = [warning for warning in said if warning not in _BROUGHT_BY_CAMPAIGNS]
    return [*warnings, *warnings_on_attempts(ended, changed)]


def warnings_on_attempts(ended: Mapping[str, int], changed: Collection[str]) -> list[SettingWarning]:
    """What to say of a configuration's changed fields to contacts whose attempts were used up, counted by reason."""
    return exhausted_stay(ended) if _ATTEMPT_FIELDS.intersection(changed) else []


def fault_of_hours(
    schedule: Schedule, timezone: str | None, numbers: Collection[str | None], now: datetime
) -> SettingFault | None:
    """What keeps a contact in this timezone (None: without one) from ever being called by its hours; None: nothing.

    It is called if one of its `numbers` can be; a number of None leaves out what only a number decides.
    """
    if any(next_opening(schedule, timezone, now, number=number) is not None for number in numbers):
        return None
    has_windows = any(schedule.open_hours(timezone, number).has_windows for number in numbers)
    return SettingFault.NEVER_OPEN if has_windows else SettingFault.NO_WINDOWS


def setting_faults(rules: Rules, now: datetime) -> list[SettingFault]:
    """What the settings around a campaign's contacts lack; contacts of no campaign bring their own agent and hours."""
    faults = []
    if rules.campaign is not None:
        if rules.campaign.course.has_ended(now):
            faults.append(SettingFault.CAMPAIGN_ENDED)
        configuration = rules.campaign.configuration
        if configuration is None:
            faults.append(SettingFault.CONFIGURATION_UNUSABLE)
        elif (fault := _fault_of_usual_hours(configuration.schedule(False), now)) is not None:
            faults.append(fault)
    if not has_caller_number(rules):
        faults.append(SettingFault.NO_CALLER_NUMBER)
    if first_set("agent_id", CallFields(), rules) is None and not rules.of_no_campaign:
        faults.append(SettingFault.NO_AGENT)
    return faults


def _fault_of_usual_hours(schedule: Schedule, now: datetime) -> SettingFault | None:
    """What keeps all timezones closed for good."""
    if not schedule.use_contact_timezone:
        return fault_of_hours(schedule, None, [None], now)
    if not schedule.windows and not any(override.windows for override in schedule.overrides):
        return SettingFault.NO_WINDOWS
    if not schedule.closed or any(next_opening(schedule, zone, now) is not None for zone in _zones_to_try(schedule)):
        return None
    return SettingFault.NEVER_OPEN


def _zones_to_try(schedule: Schedule) -> Iterator[str]:
    """Zones of which one opens if any does: those with windows or closures of their own, and one without."""
    yield schedule.default_timezone
    named = {canonical_timezone(name): name for override in schedule.overrides for name in override.timezones}
    named |= {canonical_timezone(name): name for each in schedule.closed.closures for name in each.timezones or ()}
    yield from named.values()
    yield next((zone for zone in known_timezones() if canonical_timezone(zone) not in named), schedule.default_timezone)


def has_caller_number(rules: Rules) -> bool:
    """Whether a campaign has any number to call from, for contacts without one of their own, now or later."""
    plan = number_plan(CallFields(), rules)
    return plan is not None and any(
        not rules.numbers.is_off(offer.number) and not rules.accounts.is_off(account_of(offer.number, rules))
        for offer in plan.offers
    )
