"""The three words that this API has had since its beginning stand for every state."""

import pytest

from services.campaign_api.native.campaign_words import STATUS_OF, CampaignStatus, states_of
from shared.domain.campaign import CampaignState

WORDS = {
    CampaignStatus.ACTIVE: {CampaignState.RUNNING, CampaignState.SYNCING},
    CampaignStatus.PAUSED: {CampaignState.DRAFT, CampaignState.SCHEDULED, CampaignState.PAUSED},
    CampaignStatus.CLOSED: {CampaignState.COMPLETED, CampaignState.CANCELLED, CampaignState.FAILED},
}


@pytest.mark.parametrize("status", CampaignStatus)
def test_each_word_stands_for_its_states(status: CampaignStatus) -> None:
    assert {state for state, word in STATUS_OF.items() if word is status} == WORDS[status]
    assert set(states_of([status])) == WORDS[status]


def test_no_word_stands_for_no_state() -> None:
    assert states_of([]) == []
    assert STATUS_OF.keys() == set(CampaignState)
