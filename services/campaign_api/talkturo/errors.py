"""Refusals in one form: `{"success": false, "error": one sentence}`, with a 400 for values also `details` by field.

Facts stand in brackets: `{named}` is what was referred to, shortened and in quotation marks; `{state}` the state that
does not allow it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from fastapi.responses import JSONResponse

from services.campaign_api.http.faults import BadValue, Code, Fault, Refused, RequestFault
from shared.domain.campaign import CampaignMove, CampaignState, CampaignUse
from shared.errors import Clash, Flaw, Kind
from shared.rendering.talkturo.words import STATUS_OF

_TAKEN: Final = (409, "externalId {named} is taken")

ANSWERS: Final[Mapping[Code, tuple[int, str]]] = MappingProxyType(
    {
        RequestFault.NO_ADDRESS: (404, "Not found"),
        RequestFault.WRONG_METHOD: (405, "{method} is not possible here; use {allowed}"),
        RequestFault.NO_CREDENTIAL: (401, "Send one credential in the header: Authorization: Bearer <key>"),
        RequestFault.UNKNOWN_CREDENTIAL: (401, "The key is unknown, expired or deleted"),
        RequestFault.NO_ORGANIZATION_NAMED: (401, "A personal token needs its organization in X-Anyreach-Org"),
        RequestFault.NOT_THE_OPERATOR: (401, "This needs the operator's token"),
        RequestFault.FOREIGN_ORGANIZATION: (403, "The key does not belong to this team"),
        RequestFault.MISSING_SCOPE: (403, "The key lacks the scope {scopes}"),
        RequestFault.TOO_MANY_REQUESTS: (429, "Too many requests; wait {seconds} s"),
        RequestFault.BODY_TOO_LARGE: (413, "The body is larger than {limit} bytes"),
        RequestFault.BODY_CUT_OFF: (400, "The request ended before its body did"),
        RequestFault.BODY_COMPRESSED: (415, "The body must not be compressed"),
        RequestFault.NOT_JSON: (415, "Send JSON in UTF-8 with Content-Type: application/json, not {given}"),
        RequestFault.NO_CONTENT_TYPE: (415, "Send JSON in UTF-8 with the header Content-Type: application/json"),
        RequestFault.VALUES_INVALID: (400, "{first}{others}"),
        RequestFault.NAMES_UNKNOWN_ORGANIZATION: (404, "Team not found"),
        RequestFault.UNKNOWN_CURSOR: (400, "The cursor is not one of this list"),
        RequestFault.CONTACTS_NOT_STORED: (503, "Not all contacts were stored; send the request again"),
        RequestFault.TRY_AGAIN: (503, "Try again in a moment"),
        RequestFault.NO_SECRET_KEY: (409, "The operator has set no key to store secrets with"),
        RequestFault.OUR_FAULT: (500, "Something went wrong here"),
        Kind.ORGANIZATION: (404, "Team not found"),
        Kind.CAMPAIGN: (404, "Campaign not found"),
        Kind.CONTACT: (404, "Contact not found"),
        Kind.PERSON: (404, "Contact not found"),
        Kind.AGENT: (404, "Assistant not found"),
        Kind.COMPANY: (404, "Company not found"),
        Kind.CALLER_NUMBER: (404, "Phone number not found"),
        Kind.ATTEMPT: (404, "Call not found"),
        CampaignMove.START: (409, "Campaign is {state} and cannot be run"),
        CampaignMove.SCHEDULE: (409, "Campaign is {state} and cannot be scheduled"),
        CampaignMove.UNSCHEDULE: (409, "Campaign is {state} and cannot become a draft again"),
        CampaignMove.PAUSE: (409, "Campaign is {state} and cannot be paused"),
        CampaignMove.CANCEL: (409, "Campaign is {state} and cannot be cancelled"),
        CampaignMove.DELETE: (409, "Campaign is {state}; only drafts and cancelled campaigns can be deleted"),
        CampaignUse.CHANGE: (409, "Campaign is {state}; these settings cannot be changed now"),
        CampaignUse.ADD_CONTACTS: (409, "Campaign is {state} and takes no contacts"),
        CampaignUse.RESET_CONTACTS: (409, "Campaign is {state} and takes no contacts"),
        CampaignUse.CALL_BACK: (409, "Campaign is {state} and calls nobody back"),
        Clash.EXTERNAL_ID_TAKEN: _TAKEN,
        Clash.AGENT_EXTERNAL_ID_TAKEN: _TAKEN,
        Clash.COMPANY_EXTERNAL_ID_TAKEN: _TAKEN,
        Clash.PERSON_EXTERNAL_ID_TAKEN: _TAKEN,
        Clash.CONTACT_BEING_CALLED: (409, "Contact is being called"),
        Clash.CALLER_NUMBER_EXTERNAL_ID_TAKEN: _TAKEN,
        Clash.CALLER_NUMBER_TAKEN: (409, "Phone number is registered already"),
        Clash.CALLER_NUMBER_IN_USE: (409, "Phone number is used by a campaign"),
        Clash.CALLER_NUMBER_ON_CALL: (409, "Phone number is on a call"),
        Clash.REGISTRY_FULL: (409, "No more phone numbers can be registered"),
        Clash.AGENT_IN_USE: (409, "Assistant is used by a campaign"),
        Clash.COMPANY_IN_USE: (409, "Company is used by contacts or campaigns"),
        Clash.PERSON_ENROLLED: (409, "Contact is enrolled in an active campaign"),
        Flaw.UNKNOWN_COMPANY: (403, "Company does not belong to this workspace"),
        Flaw.UNKNOWN_CALLER_NUMBER: (404, "Phone number not found"),
        Flaw.START_AFTER_END: (400, "The campaign must start before it ends, at {reference}"),
        Flaw.RECEIVER_TOO_LONG: (400, "Write a URL of at most 2048 characters"),
        Flaw.RECEIVER_MALFORMED: (400, "Write an absolute http or https URL"),
        Flaw.RECEIVER_INSECURE: (400, "Write an https URL"),
        Flaw.RECEIVER_WITH_CREDENTIALS: (400, "Leave user and password out of the URL"),
        Flaw.RECEIVER_WITH_FRAGMENT: (400, "Leave the fragment out of the URL"),
        Flaw.RECEIVER_PRIVATE: (400, "The URL leads to a private address"),
    }
)
"""The answer of this API to each code that has one of its own: the status, and the sentence."""
_STATUS_OF_OTHERS: Final[Mapping[type[Any], tuple[int, str]]] = {
    RequestFault: (400, "{what}"),
    CampaignUse: (409, "Campaign is {state}: {what} is not possible"),
    Kind: (404, "Not found"),
    Clash: (409, "{what}: {named}"),
    Flaw: (400, "{what}: {named}"),
}


class RefusedHere(Refused):
    """The request is refused by a rule of this API, with a fault of the engine's codes."""

    def __init__(self, fault: Fault) -> None:
        Exception.__init__(self, fault.code.value)
        self.fault = fault


def form(fault: Fault) -> JSONResponse:
    """The refusal as JSON; of bad values the sentence names the first, and `details` has them all."""
    status, sentence = status_and_sentence(fault)
    body: dict[str, Any] = {"success": False, "error": sentence}
    if fault.values and (status == 400 or fault.code is Kind.PERSON):
        body["details"] = {place(value): value.message or sentence for value in fault.values}
    return JSONResponse(body, status, headers=dict(fault.headers))


def status_and_sentence(fault: Fault) -> tuple[int, str]:
    """The status and the sentence of the fault's answer."""
    status, sentence = ANSWERS.get(fault.code) or _STATUS_OF_OTHERS[type(fault.code)]
    facts = {"what": fault.code.value.capitalize(), "named": "", **fault.facts}
    if "state" in facts:
        facts["state"] = STATUS_OF[CampaignState(facts["state"])].value
    if fault.values:
        first, count = fault.values[0], len(fault.values)
        where = place(first)
        facts["first"] = f"{where}: {first.message}" if where != "body" else first.message
        facts["others"] = f" ({count} values are invalid; see details)" if count > 1 else ""
    return status, sentence.format_map(facts)


def place(value: BadValue) -> str:
    """The way to a bad value as clients write it: `contactIds[3]`, `settings.max_attempts_busy`."""
    parts = value.loc[1:] if len(value.loc) > 1 else value.loc
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")
