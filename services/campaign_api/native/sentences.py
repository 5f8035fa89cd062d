"""From code to sentence: what a customer of this API does about a reason to wait, an ending, a setting."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.domain.limit_warnings import Holder, LimitAbove
from shared.domain.reasons import EndReason, WaitReason
from shared.domain.setting_faults import EndedByFault, SettingFault, SettingWarning

HINTS: Final[Mapping[str, str]] = MappingProxyType(
    {"unknown_timezone": " (GET /campaign/timezones lists them all)"},
)
"""This API's hints on kinds of bad values, said after the sentence."""

LACKS: Final[Mapping[SettingFault, str]] = MappingProxyType(
    {
        SettingFault.CONFIGURATION_UNUSABLE: "The stored configuration breaks the rules, so its contacts wait; "
        "set its fields anew with PATCH /campaign/configurations/{id}.",
        SettingFault.NO_WINDOWS: "The configuration has no calling windows, or none in this timezone or for scheduled "
        "contacts, so contacts wait; set default_windows or overrides: PATCH /campaign/configurations/{id}.",
        SettingFault.NEVER_OPEN: "Closed days and legal hours leave nothing of the calling windows in the coming "
        "year, so contacts wait; change windows, closures or holiday_calendars, the organization's included: "
        "PATCH /campaign/calling-hours-settings.",
        SettingFault.NO_CALLER_NUMBER: "There is no number to call from, so contacts without an agent_number of their "
        "own wait; set agent_number on the campaign or its configuration.",
        SettingFault.NO_AGENT: "There is no agent, so contacts without an agent of their own end as error when their "
        "turn comes; set agent_id on the campaign or its configuration.",
        SettingFault.CAMPAIGN_ENDED: "The campaign's end_at has passed, so nobody is called in it and contacts end as "
        "skipped; set a later end_at, or null: PATCH /campaign/campaigns/{id}.",
    }
)
"""Sentences on each lack of settings: what it means, and what to do."""

WHAT_TO_DO: Final[Mapping[WaitReason, str]] = MappingProxyType(
    {
        WaitReason.CAMPAIGN_DRAFT: "Start the campaign: POST …/start; or set start_at with PATCH.",
        WaitReason.CAMPAIGN_SCHEDULED: "Wait for start_at, or start the campaign now: POST …/start.",
        WaitReason.CAMPAIGN_COMPLETED: "Start the campaign again: POST …/start.",
        WaitReason.CAMPAIGN_PAUSED: "Start the campaign: POST …/start.",
        WaitReason.MAX_CALLS: "The run has made all the calls it may. Start the campaign again for as many more: POST "
        "…/start; with another max_calls, or null, for more or fewer.",
        WaitReason.CIRCUIT_BREAKER: "Too many calls have failed. Look at the errors of the last attempts, at resting "
        "and at refusals, mend the cause, and start the campaign: POST …/start; or loosen its circuit_breaker.",
        WaitReason.CONFIGURATION_UNUSABLE: "Set the configuration's fields anew: the stored ones break the rules.",
        WaitReason.SCHEDULED: "Wait for scheduled_at; an earlier one is taken at once if the contact was never called.",
        WaitReason.RETRY: "Wait for the delay of the retry rule; a shorter rule holds from the next attempt on.",
        WaitReason.CALLBACK: "Wait for the time that was asked for, or POST /campaign/callbacks/{id}/now.",
        WaitReason.GIVEN_BACK: "Nothing: the call comes back within seconds.",
        WaitReason.CLOSED_DAY: "Wait for the end of the closed day, or take it out of the configuration's or the "
        "organization's closures or holiday_calendars.",
        WaitReason.LEGAL_HOURS: "Wait for the legal hours of the number's country, or PATCH "
        "/campaign/calling-hours-settings if they do not bind your calls.",
        WaitReason.NO_WINDOWS: "Give the configuration default_windows, or an override for this timezone, that open.",
        WaitReason.NEVER_OPEN: "Closed days and legal hours leave nothing of the windows in the coming year: change "
        "closures, holiday_calendars or windows.",
        WaitReason.OUTSIDE_HOURS: "Wait for the next window, or widen the configuration's windows.",
        WaitReason.NO_CALLER_NUMBER: "Set agent_number on the campaign or its configuration, give the campaign "
        "caller_numbers, a pool or a telephony account with a number that is active, switch its account on, or have "
        "the operator set the organization's default_agent_number.",
        WaitReason.ACCOUNT_REFUSED: "Look at the telephony account that resting names, or have the operator look at "
        "the operator's: the carrier's words stand there; calls go on by themselves when it takes one.",
        WaitReason.CALLER_NUMBER_REFUSED: "Use a caller number that the carrier has verified: its words stand in "
        "resting; calls go on by themselves when it takes one.",
        WaitReason.COUNTRY_REFUSED: "Allow this country in the telephony account that resting names, or have the "
        "operator do so in the operator's: the carrier's words stand there; calls go on by themselves when it takes "
        "one.",
        WaitReason.CONTACT_DAY_CAP: "Wait for its next day, or raise max_attempts_per_day of the configuration.",
        WaitReason.NUMBER_DAY_CAP: "Wait for its next day, or raise max_attempts_per_number_per_day: "
        "PATCH /campaign/limits.",
        WaitReason.NUMBER_WEEK_CAP: "Wait until an attempt is seven days old, or raise "
        "max_attempts_per_number_per_week: PATCH /campaign/limits.",
        WaitReason.NUMBER_GAP: "Wait, or lower min_minutes_between_calls: PATCH /campaign/limits.",
        WaitReason.CALLER_NUMBER_SPENT: "Wait for midnight UTC, raise the daily_limit of its caller numbers, or add "
        "numbers: PATCH or POST /campaign/caller-numbers.",
        WaitReason.NUMBER_BUSY: "Nothing: the number is on another call, and is tried again when that may be over.",
        WaitReason.CALLER_NUMBER_LIMIT: "Wait for a call from its caller numbers to end, raise their max_calls, or add "
        "numbers.",
        WaitReason.CAMPAIGN_LIMIT: "Wait for a call of the campaign to end, or raise its limit.",
        WaitReason.ORGANIZATION_LIMIT: "Wait for a call to end, or raise it: PUT /campaign/concurrency-settings.",
        WaitReason.CALLS_PER_SECOND: "Wait for its turn, or raise calls_per_second of the campaign, of its caller "
        "numbers, or of the organization: PATCH /campaign/limits.",
        WaitReason.NO_EXECUTOR: "Have the operator start a call-executor: none is alive.",
        WaitReason.GLOBAL_LIMIT: "Wait for a call to end, or have the operator raise the limit or add executors.",
        WaitReason.IN_LINE: "Nothing: nothing stands in the way, and its turn comes next.",
    }
)
"""Advice on each reason to wait."""

RESET_CALLS_AGAIN: Final[Mapping[EndReason, str]] = MappingProxyType(
    {
        EndReason.NO_AGENT: "Set agent_id on the campaign or its configuration, then POST …/contacts/reset with "
        '{"status": "error", "reason": "no_agent"}.',
        EndReason.DO_NOT_CALL: "Nothing, as long as these numbers are on the do-not-call list; once one is taken off, "
        'POST …/contacts/reset with {"status": "skipped", "reason": "do_not_call"}.',
        EndReason.EXPIRED: "Send the contacts with a later expires_at, which calls them again; so does POST "
        '…/contacts/reset with {"status": "skipped", "reason": "expired"} once they have one.',
        EndReason.CAMPAIGN_ENDED: "Set a later end_at, or null, then POST …/contacts/reset with "
        '{"status": "skipped", "reason": "campaign_ended"}; start the campaign again if it is completed.',
        EndReason.LOST: "How these calls ended is not known; look at their attempts before POST …/contacts/reset with "
        '{"status": "error", "reason": "lost"} calls the persons again.',
        EndReason.INVALID_NUMBER: "Send the contacts with other numbers, then POST …/contacts/reset with "
        '{"status": "exhausted", "reason": "invalid_number"}.',
        EndReason.FAILED: "Look at the attempts' errors, then POST …/contacts/reset with "
        '{"status": "exhausted", "reason": "failed"}.',
    }
)
"""Advice on contacts that ended for a reason that may be amiss: how they are called again."""


# Whose limit holds -> the remark on one that is above it, for programs and for people.
_LIMITS_ABOVE: Final[Mapping[Holder, tuple[str, str]]] = MappingProxyType(
    {
        Holder.ORGANIZATION: (
            "limit_above_organization",
            "The campaign may have {limit} calls at once and its organization {most}, which holds; "
            "raise it with PUT /campaign/concurrency-settings, or lower concurrency_limit.",
        ),
        Holder.CALLER_NUMBERS: (
            "limit_above_caller_numbers",
            "The campaign may have {limit} calls at once and its caller numbers carry {most}, which holds; "
            "add numbers or raise their max_calls: POST or PATCH /campaign/caller-numbers; or lower concurrency_limit.",
        ),
        Holder.ORGANIZATION_RATE: (
            "calls_per_second_above_organization",
            "The campaign may place {limit} calls a second and its organization {most}, which holds; "
            "raise it with PATCH /campaign/limits, or lower calls_per_second.",
        ),
    }
)


def code_and_sentence(warning: SettingWarning) -> tuple[str, str]:
    """The remark on settings, for programs and for people."""
    if isinstance(warning, LimitAbove):
        code, sentence = _LIMITS_ABOVE[warning.holder]
        return code, sentence.format(limit=warning.limit, most=warning.most)
    if not isinstance(warning, EndedByFault):
        return warning.value, LACKS[warning]
    status, because = warning.status, warning.because
    if because is None:
        return f"ended_{status}", (
            f"{warning.count} contacts have ended as {status} and stay so; POST …/contacts/reset with "
            f'{{"status": "{status}"}} calls them again.'
        )
    return f"ended_{because}", (
        f"{warning.count} contacts have ended as {status} ({because}) and stay so; POST …/contacts/reset with "
        f'{{"status": "{status}", "reason": "{because}"}} calls them again.'
    )
