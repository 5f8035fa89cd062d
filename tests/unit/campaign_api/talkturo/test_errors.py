import json
from typing import Any, get_args

import pytest

from services.campaign_api.http.faults import BadValue, Code, Fault, RequestFault
from services.campaign_api.talkturo.errors import ANSWERS, form, place, status_and_sentence
from shared.domain.campaign import CampaignState
from shared.errors import Clash, Flaw, Kind

FACTS = {name: "x" for name in ("named", "reference", "method", "allowed", "scopes", "seconds", "limit", "given")}
CODES = [code for kind in get_args(Code) for code in kind]


@pytest.mark.parametrize("code", CODES, ids=str)
def test_every_code_has_a_status_and_a_sentence_without_gaps(code: Any) -> None:
    values = [BadValue(("body", "name"), "Write a name", "x")] if code is RequestFault.VALUES_INVALID else []
    status, sentence = status_and_sentence(Fault(code, {**FACTS, "state": CampaignState.RUNNING.value}, values))
    assert 400 <= status <= 503
    assert sentence
    assert "{" not in sentence


def test_statuses_are_those_of_the_page() -> None:
    said = {code: status for code, (status, _) in ANSWERS.items()}
    assert {said[code] for code in said if isinstance(code, Kind)} == {404}
    assert {said[code] for code in said if isinstance(code, Clash)} == {409}
    assert said[Flaw.UNKNOWN_COMPANY] == 403
    assert said[RequestFault.TRY_AGAIN] == 503
    assert 402 not in said.values()


def test_bad_values_are_told_by_their_place() -> None:
    values = [
        BadValue(("body", "contactIds", 3), "Contact not found", "x"),
        BadValue(("body", "settings", "max_attempts_busy"), "Write less", "x"),
    ]
    assert [place(value) for value in values] == ["contactIds[3]", "settings.max_attempts_busy"]
    answer = form(Fault(RequestFault.VALUES_INVALID, values=values))
    assert (answer.status_code, json.loads(bytes(answer.body))) == (
        400,
        {
            "success": False,
            "error": "contactIds[3]: Contact not found (2 values are invalid; see details)",
            "details": {"contactIds[3]": "Contact not found", "settings.max_attempts_busy": "Write less"},
        },
    )
