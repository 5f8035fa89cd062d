"""What this dialect says of settings that are legal and call nobody, or not as they say."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.domain.limit_warnings import Holder, LimitAbove
from shared.domain.setting_faults import EndedByFault, SettingFault, SettingWarning

LACKS: Final[Mapping[SettingFault, str]] = MappingProxyType(
    {
        SettingFault.CONFIGURATION_UNUSABLE: "The stored settings break the rules, so contacts wait; set them anew.",
        SettingFault.NO_WINDOWS: "business_hours: no day is enabled, so nobody is called.",
        SettingFault.NEVER_OPEN: "business_hours: closed days and legal hours leave nothing of them in the coming "
        "year, so nobody is called.",
        SettingFault.NO_CALLER_NUMBER: "phone_number_id: there is no number to call from, so contacts wait; set it, or "
        "phone_numbers of the agent.",
        SettingFault.NO_AGENT: "agent_id: there is no agent, so contacts without one of their own fail.",
        SettingFault.CAMPAIGN_ENDED: "The campaign's end has passed, so nobody is called in it.",
    }
)
_ABOVE: Final[Mapping[Holder, str]] = MappingProxyType(
    {
        Holder.ORGANIZATION: "settings.concurrent_calls: {limit}, and the organization may have {most} calls at once, "
        "which holds.",
        Holder.CALLER_NUMBERS: "settings.concurrent_calls: {limit}, and the caller numbers carry {most} calls at once, "
        "which holds.",
        Holder.ORGANIZATION_RATE: "The campaign may place {limit} calls a second and the organization {most}, which "
        "holds.",
    }
)


def setting_sentence(warning: SettingWarning) -> str:
    """The remark on settings, for people."""
    match warning:
        case LimitAbove():
            return _ABOVE[warning.holder].format(limit=warning.limit, most=warning.most)
        case EndedByFault():
            return (
                f"{warning.count} contacts have ended as {warning.status} by the settings before, and stay so; the "
                "native API calls them again: POST /campaign/campaigns/{id}/contacts/reset."
            )
    return LACKS[warning]


def still_listed(phone: str) -> str:
    """The remark on a contact that stays on the do-not-call list, because somebody else has put its phone there."""
    return (
        f"status: {phone} was put on the do-not-call list by a call or through another API, so the contact stays dnc; "
        f"DELETE /campaign/do-not-call/{phone} of the native API takes it off."
    )


FLAGGED: Final = (
    "status: the person is flagged as not to be called, so the contact stays dnc; what is on the do-not-call list is "
    "taken off by DELETE /campaign/do-not-call/{number} of the native API."
)
