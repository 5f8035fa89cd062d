"""Refusals in this API's form: `{"detail": one sentence}`; of a 422 `detail` lists each bad value.

Facts stand in brackets as they do in the native API's table; `{state}` is in this API's words.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from services.campaign_api.http.faults import BadValue, Code, Fault, RequestFault
from services.campaign_api.sysevo.states import STATE_OF
from shared.domain.campaign import CampaignMove, CampaignState, CampaignUse
from shared.errors import Clash, Flaw, Kind

NO_TELEPHONY: Final = "telephony_configuration_not_found"

ANSWERS: Final[Mapping[Code, tuple[int, str]]] = MappingProxyType(
    {
        RequestFault.NO_ADDRESS: (
            404,
            "There is nothing at this address; docs under this API's prefix list its routes.",
        ),
        RequestFault.WRONG_METHOD: (405, "{method} is not possible here; use {allowed}."),
        RequestFault.NO_CREDENTIAL: (401, "Send one credential, in the header X-API-Key or Authorization: Bearer."),
        RequestFault.UNKNOWN_CREDENTIAL: (401, "The credential is unknown, expired or deleted; make a new one."),
        RequestFault.NO_ORGANIZATION_NAMED: (
            401,
            "A personal token needs one organization: send its id in the header X-Anyreach-Org.",
        ),
        RequestFault.FOREIGN_ORGANIZATION: (403, "The organization in the header is not one of this person's."),
        RequestFault.MISSING_SCOPE: (403, "This credential lacks the scope: it needs {scopes}."),
        RequestFault.TOO_MANY_REQUESTS: (429, "Too many requests with this credential; wait {seconds} s."),
        RequestFault.BODY_TOO_LARGE: (413, "The body is larger than {limit} bytes."),
        RequestFault.BODY_CUT_OFF: (400, "The request ended before its body did."),
        RequestFault.BODY_COMPRESSED: (415, "The body must not be compressed: leave out Content-Encoding."),
        RequestFault.NOT_JSON: (415, "The Content-Type {given} is not JSON in UTF-8."),
        RequestFault.NO_CONTENT_TYPE: (415, "Send JSON in UTF-8 with the header Content-Type: application/json."),
        RequestFault.VALUES_INVALID: (422, "{first}{others}"),
        RequestFault.TRY_AGAIN: (503, "{why}; try again."),
        RequestFault.NO_SECRET_KEY: (
            409,
            "This installation has no key to store secrets with; have the operator set DIALSTREAM_SECRET_KEY.",
        ),
        RequestFault.OUR_FAULT: (500, "Something went wrong on our side; the request may have had an effect."),
        Kind.ORGANIZATION: (404, "Organization not found"),
        Kind.CAMPAIGN: (404, "Campaign not found"),
        Kind.AGENT: (404, "Workflow not found"),
        Kind.ATTEMPT: (404, "Workflow run not found"),
        Kind.TELEPHONY_ACCOUNT: (404, "Telephony configuration not found"),
        Kind.CALLER_NUMBER: (404, "Phone number not found"),
        Kind.FILE: (404, "File not found"),
        CampaignMove.START: (
            400,
            "Campaign is in state {state}; only a created one can be started, and only a paused one resumed.",
        ),
        CampaignMove.PAUSE: (400, "Campaign is in state {state}; only one that is running or syncing can be paused."),
        CampaignUse.CHANGE: (400, "Campaign is in state {state}; it cannot be changed any more."),
        CampaignUse.ADD_CONTACTS: (400, "Campaign is in state {state}; it takes no contacts any more."),
        CampaignUse.REDIAL: (400, "Campaign is in state {state}; only one that is completed can be redialled."),
        Clash.REDIALED_ALREADY: (400, "Campaign has been redialled already."),
        Clash.NOBODY_TO_REDIAL: (400, "No contact of this campaign qualifies for a redial."),
        Clash.ACCOUNT_NAME_TAKEN: (409, "Another telephony configuration has the name {named}."),
        Clash.ACCOUNT_IN_USE: (409, "The telephony configuration is used by campaigns: {campaigns}."),
        Clash.ACCOUNT_ON_CALL: (409, "A call through this telephony configuration is up; try again when it has ended."),
        Clash.ACCOUNTS_FULL: (
            409,
            "The organization has as many telephony configurations as it may; delete one first.",
        ),
        Clash.CALLER_NUMBER_TAKEN: (409, "The number {reference} is registered already."),
        Clash.CALLER_NUMBER_IN_USE: (409, "The number {reference} is used by campaigns: {campaigns}."),
        Clash.CALLER_NUMBER_ON_CALL: (409, "A call from {reference} is up; try again when it has ended."),
        Clash.REGISTRY_FULL: (409, "The organization has as many numbers as it may; delete one first."),
        Flaw.UNKNOWN_ACCOUNT: (400, NO_TELEPHONY),
        Flaw.BASE_URL_NOT_ALLOWED: (422, "The operator has not allowed this base URL; leave it out."),
        Flaw.CREDENTIALS_MISSING: (422, "A configuration of {reference} needs it in config."),
        Flaw.NO_CREDENTIALS_TAKEN: (
            422,
            "A configuration that stands for the operator's has no credentials; leave it out.",
        ),
    }
)
"""The answer of this API to each code that can reach it: the status, and the sentence."""


class Declined(Exception):
    """A refusal that this API alone knows, with its status and its sentence."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def install_declined(app: FastAPI) -> None:
    """Have the refusals that this API alone knows answered in its form."""

    async def handler(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Declined)
        return JSONResponse({"detail": error.detail}, error.status)

    app.add_exception_handler(Declined, handler)


def form(fault: Fault) -> JSONResponse:
    """The refusal as JSON."""
    status, sentence = ANSWERS[fault.code]
    facts = dict(fault.facts)
    if "state" in facts:
        facts["state"] = STATE_OF[CampaignState(facts["state"])]
    values = list(fault.values)
    if values:
        facts["first"] = _said(values[0])
        facts["others"] = f" ({len(values)} values are invalid; see detail)" if len(values) > 1 else ""
    sentence = sentence.format_map(facts)
    headers = dict(fault.headers)
    if status != 422:
        return JSONResponse({"detail": sentence}, status, headers=headers)
    detail = [{"loc": list(value.loc), "msg": value.message or sentence, "type": value.kind} for value in values]
    return JSONResponse({"detail": detail, "message": sentence}, status, headers=headers)


def _said(value: BadValue) -> str:
    return f"{'.'.join(str(part) for part in value.loc)}: {value.message}"
