"""What a batch's result and its dead letter say of a campaign that cannot be used, or of a batch_id of another's."""

import pytest

from services.contact_ingest.refusals import sentence_for
from shared.domain.campaign import CampaignState, CampaignUse
from shared.errors import Clash, Conflict, Kind, NotFound, WrongState


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            NotFound(Kind.CAMPAIGN, "autumn"),
            "There is no campaign 'autumn'; GET /campaign/campaigns lists yours.",
        ),
        (
            NotFound(Kind.CONFIGURATION, "hours"),
            "There is no configuration 'hours'; GET /campaign/configurations lists yours.",
        ),
        (NotFound(Kind.ORGANIZATION, "acme"), "There is no organization 'acme'."),
        (
            WrongState(Kind.CAMPAIGN, "autumn", CampaignState.CANCELLED, CampaignUse.ADD_CONTACTS),
            "Campaign 'autumn' is closed and takes no contacts; create a new one and send them for it.",
        ),
        (
            Conflict(Clash.BATCH_ID_REUSED, "b"),
            "The batch_id 'b' belongs to another message, whose result stays as it is: "
            "send these contacts under a new batch_id.",
        ),
        (NotFound(Kind.CONTACT, "ada"), "contact not found: 'ada'"),
        (Conflict(Clash.CONFIGURATION_IN_USE, "hours"), "configuration in use: 'hours'"),
    ],
)
def test_a_refused_batch_says_what_to_do(error: NotFound | WrongState | Conflict, sentence: str) -> None:
    assert sentence_for(error) == sentence


def test_a_reference_is_shortened() -> None:
    assert len(sentence_for(NotFound(Kind.CAMPAIGN, "{state}" * 100_000))) < 400
