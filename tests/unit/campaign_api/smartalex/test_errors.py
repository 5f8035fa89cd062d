"""What this dialect says of each code: statuses and codes out of its closed list."""

import json

import pytest

from services.campaign_api.http.faults import BadValue, Code, Fault, RequestFault, fault_of
from services.campaign_api.smartalex.errors import ANSWERS, form
from shared.domain.campaign import CampaignMove, CampaignState, CampaignUse
from shared.errors import BadSetting, Clash, Conflict, Flaw, Kind, NotFound, Unavailable, WrongState

# The whole list of the page: no other code exists.
CODES = {
    "invalid_request": {400, 405, 413, 415},
    "unauthorized": {401},
    "forbidden": {403},
    "campaign_not_found": {404},
    "agent_not_found": {404},
    "not_found": {404},
    "campaign_not_active": {409},
    "rate_limited": {429},
    "server_error": {500, 503},
}
OF_REQUESTS = {
    RequestFault.NO_ADDRESS: (404, "not_found"),
    RequestFault.WRONG_METHOD: (405, "invalid_request"),
    RequestFault.NO_CREDENTIAL: (401, "unauthorized"),
    RequestFault.UNKNOWN_CREDENTIAL: (401, "unauthorized"),
    RequestFault.NO_ORGANIZATION_NAMED: (401, "unauthorized"),
    RequestFault.FOREIGN_ORGANIZATION: (403, "forbidden"),
    RequestFault.MISSING_SCOPE: (403, "forbidden"),
    RequestFault.TOO_MANY_REQUESTS: (429, "rate_limited"),
    RequestFault.BODY_TOO_LARGE: (413, "invalid_request"),
    RequestFault.NOT_JSON: (415, "invalid_request"),
    RequestFault.NO_CONTENT_TYPE: (415, "invalid_request"),
    RequestFault.VALUES_INVALID: (400, "invalid_request"),
    RequestFault.TRY_AGAIN: (503, "server_error"),
    RequestFault.OUR_FAULT: (500, "server_error"),
    Kind.CAMPAIGN: (404, "campaign_not_found"),
    Kind.AGENT: (404, "agent_not_found"),
    Kind.PERSON: (404, "not_found"),
    Kind.CALLBACK: (404, "not_found"),
    Kind.WEBHOOK: (404, "not_found"),
}
EVERY_CODE: list[Code] = [*RequestFault, *Kind, *CampaignMove, *CampaignUse, *Clash, *Flaw]


@pytest.mark.parametrize("code", EVERY_CODE, ids=str)
def test_every_code_has_an_answer_of_the_closed_list(code: Code) -> None:
    said = ANSWERS[code]
    assert said.status in CODES[said.code]
    assert said.sentence


@pytest.mark.parametrize(("code", "expected"), OF_REQUESTS.items(), ids=str)
def test_the_table_of_the_page(code: Code, expected: tuple[int, str]) -> None:
    assert (ANSWERS[code].status, ANSWERS[code].code) == expected


@pytest.mark.parametrize("state", CampaignState)
@pytest.mark.parametrize("move", CampaignMove)
def test_a_start_of_an_active_campaign_has_a_code_of_its_own(move: CampaignMove, state: CampaignState) -> None:
    answer = form(fault_of(WrongState(Kind.CAMPAIGN, "spring", state, move)))
    is_active = state in {CampaignState.RUNNING, CampaignState.SYNCING}
    expected = "campaign_already_active" if move is CampaignMove.START and is_active else "campaign_not_active"
    assert json.loads(bytes(answer.body))["error"]["code"] == expected
    assert answer.status_code == 409


def test_bad_values_are_named_as_clients_write_them() -> None:
    values = [
        BadValue(("body", "contacts", 3, "phone"), "Write a phone", "x"),
        BadValue(("body",), "Send valid JSON", "x"),
        BadValue(("query", "page"), "Write a whole number", "x"),
    ]
    answer = form(Fault(RequestFault.VALUES_INVALID, values=values))
    error = json.loads(bytes(answer.body))["error"]
    assert error["details"] == [
        {"field": "contacts[3].phone", "message": "Write a phone"},
        {"field": "", "message": "Send valid JSON"},
        {"field": "page", "message": "Write a whole number"},
    ]
    assert error["message"] == "contacts[3].phone: Write a phone (3 values are invalid; see details)"


def test_clashes_and_flaws_name_their_field() -> None:
    taken = form(fault_of(Conflict(Clash.PERSON_PHONE_TAKEN, "ada")))
    assert json.loads(bytes(taken.body))["error"]["details"][0]["field"] == "phone"
    kinds = form(fault_of(BadSetting(Flaw.SEVERAL_KINDS_OF_NUMBERS, ("agent_number",), "x")))
    assert json.loads(bytes(kinds.body))["error"]["details"][0]["field"] == "phone_number_id"


def test_a_server_that_is_away_says_when_to_try_again() -> None:
    answer = form(fault_of(Unavailable("MongoDB")))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "details" not in json.loads(bytes(answer.body))["error"]


def test_nothing_that_was_sent_is_formatted() -> None:
    answer = form(fault_of(NotFound(Kind.CAMPAIGN, "{state}")))
    assert "{state}" in json.loads(bytes(answer.body))["error"]["message"]
