"""What this API says of each code: the whole table, word for word."""

from itertools import product

import pytest

from services.campaign_api.native.problem_sentences import no_organization_in_body, status_and_sentence
from shared.domain.campaign import CAMPAIGN_MOVES, CampaignMove, CampaignStatus, CampaignUse
from shared.errors import Clash, Conflict, Kind, NotFound, WrongState

CLOSED = CampaignStatus.CLOSED
NOT_FOUND = {
    Kind.ORGANIZATION: "There is no organization 'it'.",
    Kind.CAMPAIGN: "There is no campaign 'it'; GET /campaign/campaigns lists yours.",
    Kind.CONFIGURATION: "There is no configuration 'it'; GET /campaign/configurations lists yours.",
    Kind.CONTACT: "There is no contact 'it' in this campaign.",
    Kind.ORGANIZATION_KEY: "There is no organization key 'it'.",
    Kind.PERSONAL_TOKEN: "There is no personal key 'it'.",
    Kind.DO_NOT_CALL_NUMBER: "This number is not on your do-not-call list; write it in E.164, such as +14155550123.",
    Kind.INGEST_BATCH: "There is no ingest batch 'it'; a batch appears here once contact-ingest has read it.",
}
WRONG_STATE: dict[tuple[CampaignStatus, CampaignMove | CampaignUse], str] = {
    (CLOSED, CampaignMove.START): "Campaign it is closed: a closed campaign cannot be started again; create a new one.",
    (CLOSED, CampaignMove.PAUSE): "Campaign it is closed: only an active campaign can be paused.",
    (CLOSED, CampaignMove.CLOSE): "Campaign it is closed: it cannot be closed again.",
    (CampaignStatus.PAUSED, CampaignMove.PAUSE): "Campaign it is paused: only an active campaign can be paused.",
    (CLOSED, CampaignUse.CHANGE): "Campaign it is closed and cannot be changed; create a new one.",
    (CLOSED, CampaignUse.ADD_CONTACTS): "The campaign is closed: contacts cannot be added to it. "
    "Create a new campaign.",
    (CLOSED, CampaignUse.RESET_CONTACTS): "Campaign it is closed: its contacts are not called again.",
}
CONFLICT = {
    Clash.EXTERNAL_ID_TAKEN: "Another campaign has the external_id 'it'; choose another, or change that campaign.",
    Clash.CONFIGURATION_IN_USE: "Configuration it is used by a campaign (closed ones count); "
    "point those campaigns at another configuration first.",
    Clash.CONTACT_BEING_CALLED: "The contact is being called now; delete it when the call has ended.",
    Clash.BATCH_ID_REUSED: "The batch_id 'it' belongs to another message; send these contacts under a new batch_id.",
}


@pytest.mark.parametrize("kind", Kind)
def test_a_thing_that_is_not_there_is_404(kind: Kind) -> None:
    assert status_and_sentence(NotFound(kind, "it")) == (404, NOT_FOUND[kind])


def refused() -> list[tuple[CampaignStatus, CampaignMove | CampaignUse]]:
    """Every pair of a state and what it does not allow."""
    moves = [pair for pair in product(CampaignStatus, CampaignMove) if pair[0] not in CAMPAIGN_MOVES[pair[1]][0]]
    return [*moves, *((CLOSED, use) for use in CampaignUse)]


@pytest.mark.parametrize(("state", "asked"), refused())
def test_what_a_state_does_not_allow_is_400(state: CampaignStatus, asked: CampaignMove | CampaignUse) -> None:
    error = WrongState(Kind.CAMPAIGN, "it", state, asked)
    assert status_and_sentence(error) == (400, WRONG_STATE[state, asked])


@pytest.mark.parametrize("clash", Clash)
def test_what_is_taken_or_in_use_is_409(clash: Clash) -> None:
    assert status_and_sentence(Conflict(clash, "it")) == (409, CONFLICT[clash])


def test_an_organization_named_in_a_body_is_looked_up_in_the_operators_list() -> None:
    assert no_organization_in_body("it") == "There is no organization 'it'; GET /admin/organizations lists them."


def test_a_reference_is_repeated_shortened_and_so_that_an_answer_can_carry_it() -> None:
    endless = "{state}\ud800" * 100_000
    errors: list[NotFound | WrongState | Conflict] = [
        *(NotFound(kind, endless) for kind in Kind),
        *(WrongState(Kind.CAMPAIGN, endless, state, asked) for state, asked in refused()),
        *(Conflict(clash, endless) for clash in Clash),
    ]
    for error in errors:
        _, sentence = status_and_sentence(error)
        assert len(sentence) < 400
        assert sentence.encode()
