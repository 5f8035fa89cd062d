"""Settings that are legal and call nobody, or not as they say: what is amiss, and what to do about it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.domain.campaign import Course, Intent
from shared.domain.configuration import Configuration
from shared.domain.contact import ContactStatus
from shared.domain.dialing import CallFields, CampaignRules, Rules, first_set
from shared.domain.reasons import EndReason


class SettingFault(StrEnum):
    """Something that a campaign's settings lack for its contacts to be called."""

    CONFIGURATION_UNUSABLE = "configuration_unusable"
    NO_WINDOWS = "no_windows"
    NO_CALLER_NUMBER = "no_caller_number"
    NO_AGENT = "no_agent"


@dataclass(frozen=True, slots=True)
class EndedByFault:
    """Contacts that have ended as `status` by settings that were changed since, and that stay so.

    `because` None: for several reasons.
    """

    status: ContactStatus
    because: EndReason | None
    count: int


@dataclass(frozen=True, slots=True)
class LimitAbove:
    """A campaign's limit on calls at once that is above its organization's, which holds all the same."""

    limit: int
    organization_limit: int


# What there is to say of settings that are legal.
SettingWarning = SettingFault | EndedByFault | LimitAbove


def limit_above(limit: int | None, organization_limit: int) -> list[SettingWarning]:
    """What to say of a campaign's limit on calls at once (None: it has none), beside its organization's."""
    return [LimitAbove(limit, organization_limit)] if limit is not None and limit > organization_limit else []


# Faults that end contacts, and why these have ended then: mending the fault moves none of them.
ENDS_BY_FAULT: Final[Mapping[SettingFault, tuple[ContactStatus, EndReason]]] = MappingProxyType(
    {SettingFault.NO_AGENT: (ContactStatus.ERROR, EndReason.NO_AGENT)}
)


def warnings_on(rules: Rules, ended: Mapping[str, int]) -> list[SettingWarning]:
    """What to say of settings that were made or changed; `ended` counts the contacts that have ended, by reason."""
    faults = setting_faults(rules)
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
    configuration: Configuration, ended: Mapping[str, int], *, changed: Collection[str]
) -> list[SettingWarning]:
    """What to say of a configuration of which these fields were set or changed.

    `ended` counts the contacts of its campaigns that have ended, by reason.
    """
    said = warnings_on(Rules(CampaignRules(Course(Intent.RUNNING), configuration)), ended)
    warnings = [warning for warning in said if warning not in _BROUGHT_BY_CAMPAIGNS]
    return [*warnings, *exhausted_stay(ended)] if _ATTEMPT_FIELDS.intersection(changed) else warnings


def opens_ever(configuration: Configuration, *, scheduled: bool = False) -> bool:
    """Whether any timezone ever opens, for the first calls of scheduled contacts, or (False) for all other calls."""
    schedule = configuration.schedule(scheduled)
    return bool(schedule.windows or any(override.windows for override in schedule.overrides))


def opens_ever_in(configuration: Configuration, timezone: str | None, *, scheduled: bool = False) -> bool:
    """Whether a contact in this timezone (None: the configuration's own) is ever inside a calling window."""
    schedule = configuration.schedule(scheduled)
    hours = schedule.hours(schedule.default_timezone if timezone is None else timezone)
    return hours.open_before_first_flip or not hours.never_changes


def setting_faults(rules: Rules) -> list[SettingFault]:
    """What the settings around a campaign's contacts lack; contacts of no campaign bring their own agent and hours."""
    faults = []
    if rules.campaign is not None:
        configuration = rules.campaign.configuration
        if configuration is None:
            faults.append(SettingFault.CONFIGURATION_UNUSABLE)
        elif not opens_ever(configuration):
            faults.append(SettingFault.NO_WINDOWS)
    if first_set("agent_number", CallFields(), rules) is None and rules.default_caller_number is None:
        faults.append(SettingFault.NO_CALLER_NUMBER)
    if first_set("agent_id", CallFields(), rules) is None and not rules.of_no_campaign:
        faults.append(SettingFault.NO_AGENT)
    return faults
