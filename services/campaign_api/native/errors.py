"""Refusals in one form: `{"detail": one sentence}`, and with a 422 `errors` that name each bad value.

A sentence says what is wrong, where, and what to do. Facts stand in brackets: `{named}` is what was referred to,
shortened and in quotation marks; `{reference}` the same without them; `{state}` the state that does not allow it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from fastapi.responses import JSONResponse

from services.campaign_api.http.faults import BadValue, Code, Fault, RequestFault
from services.campaign_api.native.campaign_words import said
from services.campaign_api.native.sentences import HINTS
from shared.domain.caller_numbers import MAX_REGISTERED
from shared.domain.campaign import CampaignMove, CampaignState, CampaignUse
from shared.domain.receiver_urls import MAX_URL
from shared.domain.telephony_accounts import MAX_ACCOUNTS
from shared.domain.webhooks import MAX_WEBHOOKS
from shared.errors import Clash, Flaw, Kind

ANSWERS: Final[Mapping[Code, tuple[int, str]]] = MappingProxyType(
    {
        RequestFault.NO_ADDRESS: (404, "There is nothing at this address; /docs lists every route."),
        RequestFault.WRONG_METHOD: (405, "{method} is not possible here; use {allowed}."),
        RequestFault.NO_CREDENTIAL: (
            401,
            "Send one credential in the header: Authorization: Bearer <credential>.",
        ),
        RequestFault.UNKNOWN_CREDENTIAL: (401, "The credential is unknown, expired or deleted; make a new one."),
        RequestFault.NO_ORGANIZATION_NAMED: (
            401,
            "A personal token needs one organization: send its id in the header X-Anyreach-Org.",
        ),
        RequestFault.NOT_THE_OPERATOR: (
            401,
            "This needs the admin token that the operator has set as DIALSTREAM_ADMIN_TOKEN.",
        ),
        RequestFault.FOREIGN_ORGANIZATION: (403, "The organization in the header is not one of this person's."),
        RequestFault.MISSING_SCOPE: (403, "This credential lacks the scope: it needs {scopes}."),
        RequestFault.TOO_MANY_REQUESTS: (429, "Too many requests with this credential; wait {seconds} s."),
        RequestFault.FILE_URL_FORGED: (
            403,
            "This URL is not one that was signed for this method and file; ask for another one, and use it unchanged.",
        ),
        RequestFault.FILE_URL_EXPIRED: (403, "This URL has expired, or its file was removed; ask for another one."),
        RequestFault.CREDENTIAL_BESIDE_URL: (
            400,
            "Leave out the header Authorization here: the URL alone allows this, and a key has no business with it.",
        ),
        RequestFault.BODY_TOO_LARGE: (413, "The body is larger than {limit} bytes; send it in several requests."),
        RequestFault.BODY_CUT_OFF: (400, "The request ended before its body did."),
        RequestFault.BODY_COMPRESSED: (415, "The body must not be compressed: leave out Content-Encoding."),
        RequestFault.NOT_JSON: (
            415,
            "The Content-Type {given} is not JSON in UTF-8: "
            "send JSON in UTF-8 with the header Content-Type: application/json.",
        ),
        RequestFault.NO_CONTENT_TYPE: (
            415,
            "The request has no Content-Type: send JSON in UTF-8 with the header Content-Type: application/json.",
        ),
        RequestFault.NOT_CSV: (
            415,
            "The Content-Type {given} is neither CSV nor JSON: send the file's bytes as text/csv, or name an uploaded "
            "file in JSON as application/json.",
        ),
        RequestFault.VALUES_INVALID: (422, "{first}{others}"),
        RequestFault.NAMES_UNKNOWN_ORGANIZATION: (
            404,
            "There is no organization {named}; GET /admin/organizations lists them.",
        ),
        RequestFault.UNKNOWN_CURSOR: (
            400,
            "The cursor is not one that this list gave out; leave it out to start with the first page.",
        ),
        RequestFault.CONTACTS_NOT_STORED: (
            503,
            "{why}; campaign {reference} is stored, but not all of its contacts: "
            "send those again with PATCH or POST …/contacts; try again.",
        ),
        RequestFault.TRY_AGAIN: (503, "{why}; try again."),
        RequestFault.NO_SECRET_KEY: (
            409,
            "This installation has no key to store secrets with; have the operator set DIALSTREAM_SECRET_KEY.",
        ),
        RequestFault.OUR_FAULT: (500, "Something went wrong on our side; the request may have had an effect."),
        Kind.ORGANIZATION: (404, "There is no organization {named}."),
        Kind.CAMPAIGN: (404, "There is no campaign {named}; GET /campaign/campaigns lists yours."),
        Kind.CONFIGURATION: (404, "There is no configuration {named}; GET /campaign/configurations lists yours."),
        Kind.CONTACT: (404, "There is no contact {named} in this campaign."),
        Kind.ORGANIZATION_KEY: (404, "There is no organization key {named}."),
        Kind.PERSONAL_TOKEN: (404, "There is no personal key {named}."),
        Kind.DO_NOT_CALL_NUMBER: (
            404,
            "This number is not on your do-not-call list; write it in E.164, such as +14155550123.",
        ),
        Kind.INGEST_BATCH: (
            404,
            "There is no ingest batch {named}; a batch appears here once contact-ingest has read it.",
        ),
        Kind.CALLER_NUMBER: (404, "There is no caller number {named}; GET /campaign/caller-numbers lists yours."),
        Kind.CALLER_NUMBER_POOL: (
            404,
            "No caller number is in a pool {named}; GET /campaign/caller-number-pools lists yours.",
        ),
        Kind.ATTEMPT: (404, "There is no attempt or conversation {named}; GET /campaign/calls lists yours."),
        Kind.CALLBACK: (
            404,
            "There is no callback {named}, or it is over: its contact was called, or has ended; "
            "GET /campaign/callbacks lists those that wait.",
        ),
        Kind.AGENT: (404, "There is no agent {named}; GET /campaign/agents lists yours."),
        Kind.COMPANY: (404, "There is no company {named}; GET /campaign/companies lists yours."),
        Kind.PERSON: (404, "There is no person {named}; GET /campaign/people lists yours."),
        Kind.TELEPHONY_ACCOUNT: (
            404,
            "There is no telephony account {named}; GET /campaign/telephony-accounts lists yours.",
        ),
        Kind.ATTEMPT: (404, "There is no attempt or conversation {named}; a contact's attempts list both ids."),
        Kind.CALL_RESULT: (404, "Nothing was reported of call {named} yet: POST …/result."),
        Kind.FILE: (404, "There is no file {named}, or nothing was uploaded to it; POST /campaign/files makes one."),
        Kind.FILE: (404, "There is no file {named}, or nothing was uploaded to it; POST /campaign/files makes one."),
        Kind.IMPORT: (404, "There is no import {named}; GET /campaign/imports lists yours."),
        Kind.WEBHOOK: (404, "There is no webhook {named}; GET /campaign/webhooks lists yours."),
        Kind.DELIVERY: (
            404,
            "There is no delivery {named} of this webhook, or it was too long ago; "
            "GET /campaign/webhooks/{{id}}/deliveries lists them.",
        ),
        CampaignMove.START: (
            400,
            "Campaign {reference} is {state}: a closed campaign cannot be started again; create a new one.",
        ),
        CampaignMove.SCHEDULE: (
            400,
            "Campaign {reference} is {state}: start_at can be set for a draft or a scheduled campaign only.",
        ),
        CampaignMove.UNSCHEDULE: (
            400,
            "Campaign {reference} is {state}: start_at can be cleared for a scheduled campaign only.",
        ),
        CampaignMove.PAUSE: (400, "Campaign {reference} is {state}: only an active campaign can be paused."),
        CampaignMove.CANCEL: (400, "Campaign {reference} is {state}: it cannot be closed again."),
        CampaignMove.DELETE: (
            400,
            "Campaign {reference} is {state}: only a draft or a closed campaign can be deleted.",
        ),
        CampaignUse.CHANGE: (400, "Campaign {reference} is {state} and cannot be changed; create a new one."),
        CampaignUse.ADD_CONTACTS: (
            400,
            "The campaign is {state}: contacts cannot be added to it. Create a new campaign.",
        ),
        CampaignUse.RESET_CONTACTS: (400, "Campaign {reference} is {state}: its contacts are not called again."),
        CampaignUse.CALL_BACK: (400, "Campaign {reference} is {state}: nobody is called back in it."),
        CampaignUse.REDIAL: (
            400,
            "Campaign {reference} is {state}: only a completed or a closed campaign can be redialed.",
        ),
        Clash.REDIALED_ALREADY: (409, "The campaign was redialed already, as campaign {reference}."),
        Clash.NOBODY_TO_REDIAL: (
            409,
            "Nobody in campaign {reference} can be called again for these outcomes of their latest calls.",
        ),
        Clash.IMPORT_OVER: (409, "Import {reference} has ended already; its rows stay as they are."),
        Clash.EXTERNAL_ID_TAKEN: (
            409,
            "Another campaign has the external_id {named}; choose another, or change that campaign.",
        ),
        Clash.CONFIGURATION_IN_USE: (
            409,
            "Configuration {reference} is used by campaigns (closed and deleted ones count): {campaigns}; "
            "point those campaigns at another configuration first.",
        ),
        Clash.CONFIGURATION_OF_ANOTHER: (
            409,
            "Configuration {reference} belongs to another campaign alone; "
            "name one that is shared, or make one: POST /campaign/configurations.",
        ),
        Clash.CONTACT_BEING_CALLED: (409, "The contact is being called now; delete it when the call has ended."),
        Clash.BATCH_ID_REUSED: (
            409,
            "The batch_id {named} belongs to another message; send these contacts under a new batch_id.",
        ),
        Clash.CALLER_NUMBER_TAKEN: (
            409,
            "The number {reference} is registered already; change that entry: PATCH /campaign/caller-numbers/{{id}}.",
        ),
        Clash.CALLER_NUMBER_EXTERNAL_ID_TAKEN: (
            409,
            "Another caller number has the external_id {named}; choose another.",
        ),
        Clash.CALLER_NUMBER_IN_USE: (
            409,
            "Caller number {reference} is used by campaigns: {campaigns}; "
            "give them other numbers first, or switch this one off: active false.",
        ),
        Clash.CALLER_NUMBER_ON_CALL: (
            409,
            "A call from caller number {reference} is up; "
            "switch the number off (active false), and delete it when its calls have ended.",
        ),
        Clash.POOL_IN_USE: (
            409,
            "Pool {named} is used by campaigns: {campaigns}; give them other numbers or another pool first.",
        ),
        Clash.REGISTRY_FULL: (
            409,
            f"An organization has at most {MAX_REGISTERED} caller numbers; delete one first.",
        ),
        Clash.CALLBACK_UNDER_WAY: (409, "The contact is being called now; ask again when the call has ended."),
        Clash.CALLBACK_OVER: (
            409,
            "Callback {reference} is over: the contact was called since, or it was skipped, given up or done; "
            "GET /campaign/callbacks lists those that wait.",
        ),
        Clash.NEVER_CALLED_AGAIN: (
            409,
            "Contact {reference} is not called again: the person asked for that, or its numbers are on the do-not-call "
            "list.",
        ),
        Clash.EXPIRES_BEFORE: (
            409,
            "Contact {reference} expires before that time; send it with a later expires_at first, or ask for an "
            "earlier time.",
        ),
        Clash.ENDS_BEFORE: (
            409,
            "Campaign {reference} ends before that time; set a later end_at first, or ask for an earlier time.",
        ),
        Clash.AGENT_ID_TAKEN: (
            409,
            "Another agent has the id {named}; choose another, or change that agent: PATCH /campaign/agents/{{id}}.",
        ),
        Clash.AGENT_EXTERNAL_ID_TAKEN: (409, "Another agent has the external_id {named}; choose another."),
        Clash.AGENT_IN_USE: (
            409,
            "Agent {named} is named by campaigns: {campaigns}; give them another agent first, or archive this one: "
            "active false.",
        ),
        Clash.COMPANY_EXTERNAL_ID_TAKEN: (409, "Another company has the external_id {named}; choose another."),
        Clash.COMPANY_IN_USE: (
            409,
            "People are at company {reference}, or campaigns are for it; GET /campaign/people?company_id=… lists them.",
        ),
        Clash.PERSON_EXTERNAL_ID_TAKEN: (
            409,
            "Another person has the external_id {named}; change that person: PATCH /campaign/people/{{id}}.",
        ),
        Clash.PERSON_PHONE_TAKEN: (409, "The phone is that of person {reference}."),
        Clash.PERSON_ENROLLED: (
            409,
            "Person {reference} is in a campaign that goes on; delete its contact there first.",
        ),
        Flaw.UNKNOWN_COMPANY: (422, "There is no company {named}; GET /campaign/companies lists yours"),
        Clash.ACCOUNT_NAME_TAKEN: (
            409,
            "Another telephony account has the name {named}; choose another, or change that account.",
        ),
        Clash.ACCOUNT_IN_USE: (
            409,
            "Telephony account {reference}, or a caller number of it, is used by campaigns: {campaigns}; "
            "point them at another account, or switch this one off: active false.",
        ),
        Clash.ACCOUNT_ON_CALL: (
            409,
            "A call through telephony account {reference} is up; "
            "switch the account off (active false), and delete it when its calls have ended.",
        ),
        Clash.ACCOUNTS_FULL: (
            409,
            f"An organization has at most {MAX_ACCOUNTS} telephony accounts; delete one first.",
        ),
        Flaw.UNKNOWN_ACCOUNT: (
            422,
            "There is no telephony account {named}; GET /campaign/telephony-accounts lists yours",
        ),
        Flaw.BASE_URL_NOT_ALLOWED: (
            422,
            "The operator has not allowed this base URL; leave it out for the operator's own, or have it added to "
            "DIALSTREAM_ACCOUNT_BASE_URLS",
        ),
        Flaw.CREDENTIALS_MISSING: (422, "An account of {reference} needs it"),
        Flaw.NO_CREDENTIALS_TAKEN: (
            422,
            "An account that stands for the operator's has no credentials of its own; leave it out",
        ),
        Clash.WEBHOOKS_FULL: (
            409,
            f"There are at most {MAX_WEBHOOKS} webhooks of an organization, and as many for each campaign; "
            "delete one first.",
        ),
        Clash.WEBHOOK_OFF: (
            409,
            "Webhook {reference} is off, and nothing is sent to it; switch it on first: "
            "PATCH /campaign/webhooks/{{id}} with active true.",
        ),
        Clash.DELIVERY_WAITS: (409, "Delivery {reference} waits already; it is sent by itself."),
        Flaw.UNKNOWN_CALLER_NUMBER: (
            422,
            "There is no caller number {named}; GET /campaign/caller-numbers lists yours",
        ),
        Flaw.EMPTY_POOL: (
            422,
            "No caller number is in the pool {named}; put one into it: PATCH /campaign/caller-numbers/{{id}}",
        ),
        Flaw.SEVERAL_KINDS_OF_NUMBERS: (
            422,
            "The campaign has {reference} already; set that to null, or leave this out",
        ),
        Flaw.CHOICE_WITHOUT_NUMBERS: (
            422,
            "There is nothing for {named} to choose from: give caller_numbers or caller_number_pool, or leave this out",
        ),
        Flaw.END_BEFORE_START: (
            422,
            "The campaign must end after it starts, and it starts at {reference}; {value} is not after that",
        ),
        Flaw.TIME_PAST: (422, "Write a time that has not passed, not {reference}; or leave it out"),
        Flaw.TIME_FAR_AHEAD: (422, "Write a time within a year from now, not {reference}"),
        Flaw.TOO_MUCH_EXTRACTED: (422, "With what was reported before this is more than {reference} bytes; send less"),
        Flaw.START_AFTER_END: (
            422,
            "The campaign must start before it ends, and it ends at {reference}; {value} is not before that",
        ),
        Flaw.RECEIVER_TOO_LONG: (422, f"A URL has at most {MAX_URL} characters; make it shorter"),
        Flaw.RECEIVER_MALFORMED: (
            422,
            "This is no URL that a webhook can be sent to; write https://, a host and a path, with other characters "
            "percent-encoded: https://example.com/hooks",
        ),
        Flaw.RECEIVER_INSECURE: (422, "The URL must begin with https://"),
        Flaw.RECEIVER_WITH_CREDENTIALS: (
            422,
            "The URL must have no user and no password; a receiver knows our webhooks by their signature",
        ),
        Flaw.RECEIVER_WITH_FRAGMENT: (422, "The URL must have no fragment (#…): it is never sent"),
        Flaw.RECEIVER_PRIVATE: (
            422,
            "Webhooks are not sent to private, loopback or link-local addresses; use a host on the public internet",
        ),
    }
)
"""The answer of this API to each code: the status, and the sentence."""


def form(fault: Fault) -> JSONResponse:
    """The refusal as JSON; of bad values the sentence names the first, and `errors` has them all."""
    status, sentence = status_and_sentence(fault)
    if not fault.values:
        return answer(status, sentence, fault.headers)
    errors = [{"loc": value.loc, "msg": _said_of(value), "type": value.kind} for value in fault.values]
    if isinstance(fault.code, Flaw):
        [error] = errors
        error["msg"], sentence = sentence, f"{_place(fault.values[0])}: {sentence}"
    return answer(status, sentence, fault.headers, errors=errors)


def status_and_sentence(fault: Fault) -> tuple[int, str]:
    """The status and the sentence of the fault's answer."""
    status, sentence = ANSWERS[fault.code]
    facts = dict(fault.facts)
    if "state" in facts:
        facts["state"] = said(CampaignState(facts["state"]))
    if fault.values:
        first, count = fault.values[0], len(fault.values)
        facts["first"] = f"{_place(first)}: {_said_of(first)}"
        facts["others"] = f" ({count} values are invalid; see errors)" if count > 1 else ""
    return status, sentence.format_map(facts)


def answer(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    """A refusal as JSON."""
    return JSONResponse({"detail": detail, **more}, status, headers=dict(headers or {}))


def _place(value: BadValue) -> str:
    return ".".join(str(part) for part in value.loc)


def _said_of(value: BadValue) -> str:
    return f"{value.message}{HINTS.get(value.kind, '')}"
