"""From code to sentence: what this API answers when something is not there, not allowed now, or taken.

A sentence says what is wrong, where, and what to do, in this API's words. `{named}` is the reference, shortened and
in quotation marks; `{reference}` the same without them; `{state}` the state that does not allow it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.domain.campaign import CampaignMove, CampaignUse
from shared.domain.repeating import quoted, repeated
from shared.errors import Clash, Conflict, Kind, NotFound, WrongState

_NOT_FOUND: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.ORGANIZATION: "There is no organization {named}.",
        Kind.CAMPAIGN: "There is no campaign {named}; GET /campaign/campaigns lists yours.",
        Kind.CONFIGURATION: "There is no configuration {named}; GET /campaign/configurations lists yours.",
        Kind.CONTACT: "There is no contact {named} in this campaign.",
        Kind.ORGANIZATION_KEY: "There is no organization key {named}.",
        Kind.PERSONAL_TOKEN: "There is no personal key {named}.",
        Kind.DO_NOT_CALL_NUMBER: "This number is not on your do-not-call list; "
        "write it in E.164, such as +14155550123.",
        Kind.INGEST_BATCH: "There is no ingest batch {named}; a batch appears here once contact-ingest has read it.",
    }
)
_WRONG_STATE: Final[Mapping[CampaignMove | CampaignUse, str]] = MappingProxyType(
    {
        CampaignMove.START: "Campaign {reference} is {state}: "
        "a closed campaign cannot be started again; create a new one.",
        CampaignMove.PAUSE: "Campaign {reference} is {state}: only an active campaign can be paused.",
        CampaignMove.CLOSE: "Campaign {reference} is {state}: it cannot be closed again.",
        CampaignUse.CHANGE: "Campaign {reference} is {state} and cannot be changed; create a new one.",
        CampaignUse.ADD_CONTACTS: "The campaign is {state}: contacts cannot be added to it. Create a new campaign.",
        CampaignUse.RESET_CONTACTS: "Campaign {reference} is {state}: its contacts are not called again.",
    }
)
_CONFLICT: Final[Mapping[Clash, str]] = MappingProxyType(
    {
        Clash.EXTERNAL_ID_TAKEN: "Another campaign has the external_id {named}; "
        "choose another, or change that campaign.",
        Clash.CONFIGURATION_IN_USE: "Configuration {reference} is used by a campaign (closed ones count); "
        "point those campaigns at another configuration first.",
        Clash.CONTACT_BEING_CALLED: "The contact is being called now; delete it when the call has ended.",
        Clash.BATCH_ID_REUSED: "The batch_id {named} belongs to another message; "
        "send these contacts under a new batch_id.",
    }
)
_NO_ORGANIZATION_IN_BODY: Final = "There is no organization {named}; GET /admin/organizations lists them."


def status_and_sentence(error: NotFound | WrongState | Conflict) -> tuple[int, str]:
    """How the error is answered."""
    match error:
        case NotFound():
            return 404, _filled_in(_NOT_FOUND[error.kind], error.reference)
        case WrongState():
            return 400, _filled_in(_WRONG_STATE[error.asked], error.reference, state=error.state)
        case Conflict():
            return 409, _filled_in(_CONFLICT[error.clash], error.reference)


def no_organization_in_body(organization_id: str) -> str:
    """The sentence for an organization that is named in a request's body and is not there."""
    return _filled_in(_NO_ORGANIZATION_IN_BODY, organization_id)


def _filled_in(sentence: str, reference: str, **facts: str) -> str:
    return sentence.format(named=quoted(reference), reference=repeated(reference), **facts)
