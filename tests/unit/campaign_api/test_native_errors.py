"""What this API says of each code: the whole table, word for word."""

import json
from collections.abc import Iterable
from enum import StrEnum
from itertools import product

import pytest

from services.campaign_api.http.faults import BadValue, EngineError, Fault, RequestFault, fault_of
from services.campaign_api.native.errors import ANSWERS, form, status_and_sentence
from shared.domain.campaign import CAMPAIGN_MOVES, OVER, CampaignMove, CampaignState, CampaignUse
from shared.errors import (
    BadSetting,
    Clash,
    Conflict,
    ContactsNotStored,
    Flaw,
    InvalidCursor,
    Kind,
    NamedCampaign,
    NotFound,
    Unavailable,
    WrongState,
)

SEND_JSON = "send JSON in UTF-8 with the header Content-Type: application/json."
# Facts as the requests' readers give them.
FACTS = {
    "method": "PUT",
    "allowed": "GET, POST",
    "scopes": "campaigns:manage",
    "seconds": "3",
    "limit": "33554432",
    "given": "'text/plain'",
    "named": "'it'",
    "reference": "it",
    "why": "MongoDB is not reachable",
}
OF_REQUESTS = {
    RequestFault.NO_ADDRESS: (404, "There is nothing at this address; /docs lists every route."),
    RequestFault.WRONG_METHOD: (405, "PUT is not possible here; use GET, POST."),
    RequestFault.NO_CREDENTIAL: (401, "Send one credential in the header: Authorization: Bearer <credential>."),
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
    RequestFault.MISSING_SCOPE: (403, "This credential lacks the scope: it needs campaigns:manage."),
    RequestFault.TOO_MANY_REQUESTS: (429, "Too many requests with this credential; wait 3 s."),
    RequestFault.FILE_URL_FORGED: (
        403,
        "This URL is not one that was signed for this method and file; ask for another one, and use it unchanged.",
    ),
    RequestFault.FILE_URL_EXPIRED: (403, "This URL has expired, or its file was removed; ask for another one."),
    RequestFault.CREDENTIAL_BESIDE_URL: (
        400,
        "Leave out the header Authorization here: the URL alone allows this, and a key has no business with it.",
    ),
    RequestFault.BODY_TOO_LARGE: (413, "The body is larger than 33554432 bytes; send it in several requests."),
    RequestFault.BODY_CUT_OFF: (400, "The request ended before its body did."),
    RequestFault.BODY_COMPRESSED: (415, "The body must not be compressed: leave out Content-Encoding."),
    RequestFault.NOT_JSON: (415, f"The Content-Type 'text/plain' is not JSON in UTF-8: {SEND_JSON}"),
    RequestFault.NO_CONTENT_TYPE: (415, f"The request has no Content-Type: {SEND_JSON}"),
    RequestFault.NOT_CSV: (
        415,
        "The Content-Type 'text/plain' is neither CSV nor JSON: send the file's bytes as text/csv, or name an uploaded "
        "file in JSON as application/json.",
    ),
    RequestFault.VALUES_INVALID: (422, "body.name: Add this field: it is required"),
    RequestFault.NAMES_UNKNOWN_ORGANIZATION: (
        404,
        "There is no organization 'it'; GET /admin/organizations lists them.",
    ),
    RequestFault.UNKNOWN_CURSOR: (
        400,
        "The cursor is not one that this list gave out; leave it out to start with the first page.",
    ),
    RequestFault.CONTACTS_NOT_STORED: (
        503,
        "MongoDB is not reachable; campaign it is stored, but not all of its contacts: "
        "send those again with PATCH or POST …/contacts; try again.",
    ),
    RequestFault.TRY_AGAIN: (503, "MongoDB is not reachable; try again."),
    RequestFault.NO_SECRET_KEY: (
        409,
        "This installation has no key to store secrets with; have the operator set DIALSTREAM_SECRET_KEY.",
    ),
    RequestFault.OUR_FAULT: (500, "Something went wrong on our side; the request may have had an effect."),
}
NOT_FOUND = {
    Kind.ORGANIZATION: "There is no organization 'it'.",
    Kind.CAMPAIGN: "There is no campaign 'it'; GET /campaign/campaigns lists yours.",
    Kind.CONFIGURATION: "There is no configuration 'it'; GET /campaign/configurations lists yours.",
    Kind.CONTACT: "There is no contact 'it' in this campaign.",
    Kind.ORGANIZATION_KEY: "There is no organization key 'it'.",
    Kind.PERSONAL_TOKEN: "There is no personal key 'it'.",
    Kind.DO_NOT_CALL_NUMBER: "This number is not on your do-not-call list; write it in E.164, such as +14155550123.",
    Kind.INGEST_BATCH: "There is no ingest batch 'it'; a batch appears here once contact-ingest has read it.",
    Kind.CALLER_NUMBER: "There is no caller number 'it'; GET /campaign/caller-numbers lists yours.",
    Kind.CALLER_NUMBER_POOL: "No caller number is in a pool 'it'; GET /campaign/caller-number-pools lists yours.",
    Kind.CALLBACK: "There is no callback 'it', or it is over: its contact was called, or has ended; "
    "GET /campaign/callbacks lists those that wait.",
    Kind.ATTEMPT: "There is no attempt or conversation 'it'; GET /campaign/calls lists yours.",
    Kind.AGENT: "There is no agent 'it'; GET /campaign/agents lists yours.",
    Kind.COMPANY: "There is no company 'it'; GET /campaign/companies lists yours.",
    Kind.PERSON: "There is no person 'it'; GET /campaign/people lists yours.",
    Kind.TELEPHONY_ACCOUNT: "There is no telephony account 'it'; GET /campaign/telephony-accounts lists yours.",
    Kind.ATTEMPT: "There is no attempt or conversation 'it'; a contact's attempts list both ids.",
    Kind.CALL_RESULT: "Nothing was reported of call 'it' yet: POST …/result.",
    Kind.IMPORT: "There is no import 'it'; GET /campaign/imports lists yours.",
    Kind.FILE: "There is no file 'it', or nothing was uploaded to it; POST /campaign/files makes one.",
    Kind.WEBHOOK: "There is no webhook 'it'; GET /campaign/webhooks lists yours.",
    Kind.DELIVERY: "There is no delivery 'it' of this webhook, or it was too long ago; "
    "GET /campaign/webhooks/{id}/deliveries lists them.",
}
WRONG_STATE: dict[CampaignMove | CampaignUse, str] = {
    CampaignMove.SCHEDULE: "Campaign it is {}: start_at can be set for a draft or a scheduled campaign only.",
    CampaignMove.UNSCHEDULE: "Campaign it is {}: start_at can be cleared for a scheduled campaign only.",
    CampaignMove.START: "Campaign it is {}: a closed campaign cannot be started again; create a new one.",
    CampaignMove.PAUSE: "Campaign it is {}: only an active campaign can be paused.",
    CampaignMove.CANCEL: "Campaign it is {}: it cannot be closed again.",
    CampaignMove.DELETE: "Campaign it is {}: only a draft or a closed campaign can be deleted.",
    CampaignUse.CHANGE: "Campaign it is {} and cannot be changed; create a new one.",
    CampaignUse.ADD_CONTACTS: "The campaign is {}: contacts cannot be added to it. Create a new campaign.",
    CampaignUse.RESET_CONTACTS: "Campaign it is {}: its contacts are not called again.",
    CampaignUse.REDIAL: "Campaign it is {}: only a completed or a closed campaign can be redialed.",
    CampaignUse.CALL_BACK: "Campaign it is {}: nobody is called back in it.",
}
SAID = {
    CampaignState.DRAFT: "draft",
    CampaignState.SCHEDULED: "scheduled",
    CampaignState.SYNCING: "syncing",
    CampaignState.RUNNING: "running",
    CampaignState.PAUSED: "paused",
    CampaignState.COMPLETED: "completed",
    CampaignState.CANCELLED: "closed",
    CampaignState.FAILED: "failed",
}
CONFLICT = {
    Clash.EXTERNAL_ID_TAKEN: "Another campaign has the external_id 'it'; choose another, or change that campaign.",
    Clash.CONFIGURATION_IN_USE: "Configuration it is used by campaigns (closed and deleted ones count): "
    "'Spring' (c-1), 'Summer' (c-2); point those campaigns at another configuration first.",
    Clash.CONFIGURATION_OF_ANOTHER: "Configuration it belongs to another campaign alone; "
    "name one that is shared, or make one: POST /campaign/configurations.",
    Clash.CONTACT_BEING_CALLED: "The contact is being called now; delete it when the call has ended.",
    Clash.BATCH_ID_REUSED: "The batch_id 'it' belongs to another message; send these contacts under a new batch_id.",
    Clash.CALLER_NUMBER_TAKEN: "The number it is registered already; "
    "change that entry: PATCH /campaign/caller-numbers/{id}.",
    Clash.CALLER_NUMBER_EXTERNAL_ID_TAKEN: "Another caller number has the external_id 'it'; choose another.",
    Clash.CALLER_NUMBER_IN_USE: "Caller number it is used by campaigns: 'Spring' (c-1), 'Summer' (c-2); "
    "give them other numbers first, or switch this one off: active false.",
    Clash.CALLER_NUMBER_ON_CALL: "A call from caller number it is up; "
    "switch the number off (active false), and delete it when its calls have ended.",
    Clash.POOL_IN_USE: "Pool 'it' is used by campaigns: 'Spring' (c-1), 'Summer' (c-2); "
    "give them other numbers or another pool first.",
    Clash.REGISTRY_FULL: "An organization has at most 1000 caller numbers; delete one first.",
    Clash.CALLBACK_UNDER_WAY: "The contact is being called now; ask again when the call has ended.",
    Clash.CALLBACK_OVER: "Callback it is over: the contact was called since, or it was skipped, given up or done; "
    "GET /campaign/callbacks lists those that wait.",
    Clash.NEVER_CALLED_AGAIN: "Contact it is not called again: the person asked for that, or its numbers are on the "
    "do-not-call list.",
    Clash.ENDS_BEFORE: "Campaign it ends before that time; set a later end_at first, or ask for an earlier time.",
    Clash.REDIALED_ALREADY: "The campaign was redialed already, as campaign it.",
    Clash.NOBODY_TO_REDIAL: "Nobody in campaign it can be called again for these outcomes of their latest calls.",
    Clash.IMPORT_OVER: "Import it has ended already; its rows stay as they are.",
    Clash.EXPIRES_BEFORE: "Contact it expires before that time; send it with a later expires_at first, or ask for an "
    "earlier time.",
    Clash.AGENT_ID_TAKEN: "Another agent has the id 'it'; choose another, or change that agent: "
    "PATCH /campaign/agents/{id}.",
    Clash.AGENT_EXTERNAL_ID_TAKEN: "Another agent has the external_id 'it'; choose another.",
    Clash.AGENT_IN_USE: "Agent 'it' is named by campaigns: 'Spring' (c-1), 'Summer' (c-2); "
    "give them another agent first, or archive this one: active false.",
    Clash.COMPANY_EXTERNAL_ID_TAKEN: "Another company has the external_id 'it'; choose another.",
    Clash.COMPANY_IN_USE: "People are at company it, or campaigns are for it; "
    "GET /campaign/people?company_id=… lists them.",
    Clash.PERSON_EXTERNAL_ID_TAKEN: "Another person has the external_id 'it'; change that person: "
    "PATCH /campaign/people/{id}.",
    Clash.PERSON_PHONE_TAKEN: "The phone is that of person it.",
    Clash.PERSON_ENROLLED: "Person it is in a campaign that goes on; delete its contact there first.",
    Clash.ACCOUNT_NAME_TAKEN: "Another telephony account has the name 'it'; choose another, or change that account.",
    Clash.ACCOUNT_IN_USE: "Telephony account it, or a caller number of it, is used by campaigns: 'Spring' (c-1), "
    "'Summer' (c-2); point them at another account, or switch this one off: active false.",
    Clash.ACCOUNT_ON_CALL: "A call through telephony account it is up; "
    "switch the account off (active false), and delete it when its calls have ended.",
    Clash.ACCOUNTS_FULL: "An organization has at most 50 telephony accounts; delete one first.",
    Clash.WEBHOOKS_FULL: "There are at most 50 webhooks of an organization, and as many for each campaign; "
    "delete one first.",
    Clash.WEBHOOK_OFF: "Webhook it is off, and nothing is sent to it; switch it on first: "
    "PATCH /campaign/webhooks/{id} with active true.",
    Clash.DELIVERY_WAITS: "Delivery it waits already; it is sent by itself.",
}
USING = [NamedCampaign("c-1", "Spring"), NamedCampaign("c-2", "Summer")]
BAD_SETTING = {
    Flaw.UNKNOWN_CALLER_NUMBER: "There is no caller number 'it'; GET /campaign/caller-numbers lists yours",
    Flaw.EMPTY_POOL: "No caller number is in the pool 'it'; put one into it: PATCH /campaign/caller-numbers/{id}",
    Flaw.SEVERAL_KINDS_OF_NUMBERS: "The campaign has it already; set that to null, or leave this out",
    Flaw.CHOICE_WITHOUT_NUMBERS: "There is nothing for 'it' to choose from: "
    "give caller_numbers or caller_number_pool, or leave this out",
    Flaw.END_BEFORE_START: "The campaign must end after it starts, and it starts at it; that is not after that",
    Flaw.UNKNOWN_COMPANY: "There is no company 'it'; GET /campaign/companies lists yours",
    Flaw.START_AFTER_END: "The campaign must start before it ends, and it ends at it; that is not before that",
    Flaw.UNKNOWN_ACCOUNT: "There is no telephony account 'it'; GET /campaign/telephony-accounts lists yours",
    Flaw.BASE_URL_NOT_ALLOWED: "The operator has not allowed this base URL; leave it out for the operator's own, or "
    "have it added to DIALSTREAM_ACCOUNT_BASE_URLS",
    Flaw.CREDENTIALS_MISSING: "An account of it needs it",
    Flaw.NO_CREDENTIALS_TAKEN: "An account that stands for the operator's has no credentials of its own; leave it out",
    Flaw.TIME_PAST: "Write a time that has not passed, not it; or leave it out",
    Flaw.TIME_FAR_AHEAD: "Write a time within a year from now, not it",
    Flaw.TOO_MUCH_EXTRACTED: "With what was reported before this is more than it bytes; send less",
    Flaw.RECEIVER_TOO_LONG: "A URL has at most 2048 characters; make it shorter",
    Flaw.RECEIVER_MALFORMED: "This is no URL that a webhook can be sent to; write https://, a host and a path, with "
    "other characters percent-encoded: https://example.com/hooks",
    Flaw.RECEIVER_INSECURE: "The URL must begin with https://",
    Flaw.RECEIVER_WITH_CREDENTIALS: "The URL must have no user and no password; a receiver knows our webhooks by "
    "their signature",
    Flaw.RECEIVER_WITH_FRAGMENT: "The URL must have no fragment (#…): it is never sent",
    Flaw.RECEIVER_PRIVATE: "Webhooks are not sent to private, loopback or link-local addresses; use a host on the "
    "public internet",
}


def test_every_code_has_its_answer_and_no_two_codes_are_one_word() -> None:
    codes: list[Iterable[StrEnum]] = [RequestFault, Kind, CampaignMove, CampaignUse, Clash, Flaw]
    assert set(ANSWERS) == {code for each in codes for code in each}
    assert len(ANSWERS) == sum(len(list(each)) for each in codes)


@pytest.mark.parametrize("code", RequestFault)
def test_a_requests_own_fault(code: RequestFault) -> None:
    missing = BadValue(("body", "name"), "Add this field: it is required", "missing")
    fault = Fault(code, FACTS, values=[missing] if code is RequestFault.VALUES_INVALID else ())
    assert status_and_sentence(fault) == OF_REQUESTS[code]


def test_of_several_bad_values_the_first_is_named() -> None:
    sentence = "This is not an IANA timezone; use a name such as America/New_York"
    zone = BadValue(("body", "timezone"), sentence, "unknown_timezone")
    other = BadValue(("body", "name"), "Add this field: it is required", "missing")
    assert status_and_sentence(Fault(RequestFault.VALUES_INVALID, values=[zone, other])) == (
        422,
        "body.timezone: This is not an IANA timezone; use a name such as America/New_York "
        "(GET /campaign/timezones lists them all) (2 values are invalid; see errors)",
    )


@pytest.mark.parametrize("kind", Kind)
def test_a_thing_that_is_not_there_is_404(kind: Kind) -> None:
    assert status_and_sentence(fault_of(NotFound(kind, "it"))) == (404, NOT_FOUND[kind])


def refused() -> list[tuple[CampaignState, CampaignMove | CampaignUse]]:
    """Every pair of a state and what it does not allow."""
    moves = [pair for pair in product(CampaignState, CampaignMove) if pair[0] not in CAMPAIGN_MOVES[pair[1]][0]]
    return [*moves, *product(sorted(OVER), CampaignUse), (CampaignState.COMPLETED, CampaignUse.CALL_BACK)]


@pytest.mark.parametrize(("state", "asked"), refused())
def test_what_a_state_does_not_allow_is_400(state: CampaignState, asked: CampaignMove | CampaignUse) -> None:
    error = WrongState(Kind.CAMPAIGN, "it", state, asked)
    assert status_and_sentence(fault_of(error)) == (400, WRONG_STATE[asked].format(SAID[state]))


@pytest.mark.parametrize("clash", Clash)
def test_what_is_taken_or_in_use_is_409(clash: Clash) -> None:
    assert status_and_sentence(fault_of(Conflict(clash, "it", USING))) == (409, CONFLICT[clash])


@pytest.mark.parametrize("flaw", Flaw)
def test_a_value_that_contradicts_what_is_stored_is_422_at_its_place(flaw: Flaw) -> None:
    answer = form(fault_of(BadSetting(flaw, ("caller_numbers", 0, "id"), "it", "that")))
    assert answer.status_code == 422
    assert json.loads(bytes(answer.body)) == {
        "detail": f"body.caller_numbers.0.id: {BAD_SETTING[flaw]}",
        "errors": [
            {
                "loc": ["body", "caller_numbers", 0, "id"],
                "msg": BAD_SETTING[flaw],
                "type": flaw.name.lower(),
            }
        ],
    }


def test_what_may_be_tried_again_says_when() -> None:
    for error in (Unavailable("MongoDB"), ContactsNotStored("it", "MongoDB is not reachable")):
        fault = fault_of(error)
        assert status_and_sentence(fault)[0] == 503
        assert fault.headers == {"Retry-After": "1"}


def test_a_reference_is_repeated_shortened_and_so_that_an_answer_can_carry_it() -> None:
    endless = "{state}\ud800" * 100_000
    errors: list[EngineError] = [
        *(NotFound(kind, endless) for kind in Kind),
        *(WrongState(Kind.CAMPAIGN, endless, state, asked) for state, asked in refused()),
        *(Conflict(clash, endless) for clash in Clash),
        InvalidCursor(endless),
    ]
    for error in errors:
        _, sentence = status_and_sentence(fault_of(error))
        assert len(sentence) < 400
        assert sentence.encode()
