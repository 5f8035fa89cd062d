"""Refusals in this dialect's one form: `{"error": {"code", "message", "status"}}`, with a closed list of codes.

`invalid_request` brings `details` too, which name every bad value at once. Facts stand in brackets: `{named}` is what
was referred to, shortened and in quotation marks; `{state}` the state that does not allow it, in this dialect's word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from fastapi import Request
from fastapi.responses import JSONResponse

from services.campaign_api.http.faults import BadValue, Code, Fault, RequestFault
from shared.domain.campaign import DIALED, CampaignMove, CampaignState, CampaignUse
from shared.domain.receiver_urls import MAX_URL
from shared.domain.webhooks import MAX_WEBHOOKS
from shared.errors import Clash, Flaw, Kind
from shared.rendering.smartalex.words import FIELD_HERE, STATUS_OF

INVALID: Final = "invalid_request"


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a code: status, this dialect's code, and the sentence."""

    status: int
    code: str
    sentence: str


_JSON: Final = "send JSON in UTF-8 with the header Content-Type: application/json."
# Faults that no request of this dialect has.
_REFUSED: Final = Said(400, INVALID, "This cannot be asked here; docs lists every route.")
_NOT_THERE: Final = Said(404, "not_found", "There is nothing with the id {named} here.")
_STATE: Final = Said(409, "campaign_not_active", "The campaign is {state}, which does not allow this.")
_CLASH: Final = Said(400, INVALID, "This contradicts what is stored already: {named}.")
_FLAW: Final = Said(400, INVALID, "This does not go together with what is stored: {named}.")

ANSWERS: Final[Mapping[Code, Said]] = MappingProxyType(
    {
        **dict.fromkeys(RequestFault, _REFUSED),
        **dict.fromkeys(Kind, _NOT_THERE),
        **dict.fromkeys(CampaignMove, _STATE),
        **dict.fromkeys(CampaignUse, _STATE),
        **dict.fromkeys(Clash, _CLASH),
        **dict.fromkeys(Flaw, _FLAW),
        RequestFault.NO_ADDRESS: Said(404, "not_found", "There is nothing at this address; docs lists every route."),
        RequestFault.WRONG_METHOD: Said(405, INVALID, "{method} is not possible here; use {allowed}."),
        RequestFault.NO_CREDENTIAL: Said(
            401, "unauthorized", "Send one key in the header: Authorization: Bearer <key>."
        ),
        RequestFault.UNKNOWN_CREDENTIAL: Said(
            401, "unauthorized", "The key is unknown, expired or deleted; make a new one."
        ),
        RequestFault.NO_ORGANIZATION_NAMED: Said(
            401, "unauthorized", "A personal token needs one organization: send its id in the header X-Org-Id."
        ),
        RequestFault.NOT_THE_OPERATOR: Said(401, "unauthorized", "The operator's token opens nothing here."),
        RequestFault.FOREIGN_ORGANIZATION: Said(
            403, "forbidden", "The organization in the header is not one of this person's."
        ),
        RequestFault.MISSING_SCOPE: Said(403, "forbidden", "This key lacks the scope: it needs {scopes}."),
        RequestFault.TOO_MANY_REQUESTS: Said(429, "rate_limited", "Too many requests with this key; wait {seconds} s."),
        RequestFault.BODY_TOO_LARGE: Said(413, INVALID, "The body is larger than {limit} bytes; send it in parts."),
        RequestFault.BODY_CUT_OFF: Said(400, INVALID, "The request ended before its body did."),
        RequestFault.BODY_COMPRESSED: Said(
            415, INVALID, "The body must not be compressed: leave out Content-Encoding."
        ),
        RequestFault.NOT_JSON: Said(415, INVALID, f"The Content-Type {{given}} is not JSON in UTF-8: {_JSON}"),
        RequestFault.NO_CONTENT_TYPE: Said(415, INVALID, f"The request has no Content-Type: {_JSON}"),
        RequestFault.NOT_CSV: Said(
            415, INVALID, "The Content-Type {given} is no list: send text/csv, or multipart/form-data with a file."
        ),
        RequestFault.VALUES_INVALID: Said(400, INVALID, "{first}{others}"),
        RequestFault.NAMES_UNKNOWN_ORGANIZATION: _NOT_THERE,
        RequestFault.UNKNOWN_CURSOR: Said(400, INVALID, "The page is not one of this list."),
        RequestFault.CONTACTS_NOT_STORED: Said(503, "server_error", "{why}; send the contacts again."),
        RequestFault.TRY_AGAIN: Said(503, "server_error", "{why}; try again."),
        RequestFault.NO_SECRET_KEY: Said(
            503, "server_error", "This installation has no key to store secrets with; tell its operator."
        ),
        RequestFault.OUR_FAULT: Said(
            500, "server_error", "Something went wrong on our side; the request may have had an effect."
        ),
        Kind.CAMPAIGN: Said(404, "campaign_not_found", "There is no campaign {named}; GET /campaigns lists yours."),
        Kind.AGENT: Said(
            404, "agent_not_found", "There is no agent {named}, or it is not active; GET /agents lists yours."
        ),
        Clash.AGENT_ID_TAKEN: Said(400, INVALID, "Another agent has the id {named}; choose another."),
        Clash.PERSON_PHONE_TAKEN: Said(400, INVALID, "The phone is that of contact {reference}; change that one."),
        Clash.CALLBACK_UNDER_WAY: Said(
            400, INVALID, "The contact is being called now; ask again when the call has ended."
        ),
        Clash.NEVER_CALLED_AGAIN: Said(
            400, INVALID, "The contact is on the do-not-call list, or has asked not to be called."
        ),
        Clash.EXPIRES_BEFORE: Said(400, INVALID, "The contact expires before that time; write an earlier one."),
        Clash.ENDS_BEFORE: Said(400, INVALID, "The campaign ends before that time; write an earlier one."),
        Clash.WEBHOOKS_FULL: Said(400, INVALID, f"There are {MAX_WEBHOOKS} webhooks already; delete one first."),
        Flaw.RECEIVER_TOO_LONG: Said(400, INVALID, f"A URL has at most {MAX_URL} characters; make it shorter."),
        Flaw.RECEIVER_MALFORMED: Said(400, INVALID, "Write a URL like https://example.com/hooks."),
        Flaw.RECEIVER_INSECURE: Said(400, INVALID, "The URL must begin with https://."),
        Flaw.RECEIVER_WITH_CREDENTIALS: Said(400, INVALID, "The URL must have no user and no password."),
        Flaw.RECEIVER_WITH_FRAGMENT: Said(400, INVALID, "The URL must have no fragment (#…): it is never sent."),
        Flaw.RECEIVER_PRIVATE: Said(
            400, INVALID, "Webhooks are not sent to private, loopback or link-local addresses; use a public host."
        ),
        Flaw.SEVERAL_KINDS_OF_NUMBERS: Said(
            400, INVALID, "The campaign calls from a list or a pool of numbers, so phone_number_id must be null."
        ),
    }
)
_ALREADY: Final = Said(409, "campaign_already_active", "The campaign is active already.")
_NO_CONTACTS: Final = Said(
    409, "no_contacts", "The campaign has no contact that waits for a call; add some: POST /campaigns/{id}/contacts."
)
# The fields that a clash is about.
_PLACES: Final[Mapping[Code, str]] = MappingProxyType(
    {
        Clash.AGENT_ID_TAKEN: "id",
        Clash.PERSON_PHONE_TAKEN: "phone",
        Clash.CALLBACK_UNDER_WAY: "contact_id",
        Clash.NEVER_CALLED_AGAIN: "contact_id",
        Clash.EXPIRES_BEFORE: "scheduled_at",
        Clash.ENDS_BEFORE: "scheduled_at",
    }
)


class NobodyToCall(Exception):
    """A campaign is to be started in which nobody waits for a call."""


async def nobody_to_call(_: Request, __: Exception) -> JSONResponse:
    """The refusal of such a start."""
    return _answer(_NO_CONTACTS, _NO_CONTACTS.sentence)


def form(fault: Fault) -> JSONResponse:
    """The refusal as JSON; of bad values the message names the first, and `details` has them all."""
    said, sentence = said_of(fault)
    if said.code != INVALID:
        return _answer(said, sentence, fault.headers)
    if fault.values:
        details = [{"field": field_of(value), "message": value.message or sentence} for value in fault.values]
    else:
        details = [{"field": _PLACES.get(fault.code, ""), "message": sentence}]
    return _answer(said, sentence, fault.headers, details=details)


def said_of(fault: Fault) -> tuple[Said, str]:
    """What is said of a fault, and its sentence with the facts in it."""
    said, facts = ANSWERS[fault.code], dict(fault.facts)
    if "state" in facts:
        state = CampaignState(facts["state"])
        facts["state"] = STATUS_OF[state]
        if fault.code is CampaignMove.START and state in DIALED:
            said = _ALREADY
    if fault.values:
        first, count = fault.values[0], len(fault.values)
        field = field_of(first)
        facts["first"] = f"{field}: {first.message}" if field else first.message
        facts["others"] = f" ({count} values are invalid; see details)" if count > 1 else ""
    return said, said.sentence.format_map(facts)


def field_of(value: BadValue) -> str:
    """The way to a bad value as clients write it: `contacts[3].phone`; empty where the body as a whole is bad."""
    way = ""
    for part in value.loc[1:]:
        name = f"[{part}]" if isinstance(part, int) else f".{FIELD_HERE.get(part, part)}"
        way += name
    return way.removeprefix(".")


def _answer(
    said: Said, sentence: str, headers: Mapping[str, str] | None = None, details: Sequence[Any] | None = None
) -> JSONResponse:
    error: dict[str, Any] = {"code": said.code, "message": sentence, "status": said.status}
    if details is not None:
        error["details"] = details
    return JSONResponse({"error": error}, said.status, headers=dict(headers or {}))
