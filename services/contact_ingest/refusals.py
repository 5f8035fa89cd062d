"""Why a whole batch is refused. Each goes to the dead-letter topic under the name of its class.

The messages are read by operators and customers; no secret and no contact's data belongs in them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.domain.repeating import quoted
from shared.errors import Clash, Conflict, Kind, NotFound, PermanentError, WrongState

# From code to sentence, for what a batch can meet: what is wrong, where, and what to do. `{named}` is the reference,
# shortened and in quotation marks.
_NOT_FOUND: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.ORGANIZATION: "There is no organization {named}.",
        Kind.CAMPAIGN: "There is no campaign {named}; GET /campaign/campaigns lists yours.",
        Kind.CONFIGURATION: "There is no configuration {named}; GET /campaign/configurations lists yours.",
    }
)
_CAMPAIGN_CLOSED: Final = "Campaign {named} is closed and takes no contacts; create a new one and send them for it."
_CONFLICT: Final[Mapping[Clash, str]] = MappingProxyType(
    {
        Clash.BATCH_ID_REUSED: "The batch_id {named} belongs to another message, whose result stays as it is: "
        "send these contacts under a new batch_id.",
    }
)


class UnreadableBatch(PermanentError):
    """The bytes are no contact batch of a version we know."""


class BatchTooLarge(PermanentError):
    """The message is larger than a batch may be."""


class UnprovenOrganization(PermanentError):
    """The credential or signature is missing, wrong, expired, or of another organization."""


class BatchIdReused(PermanentError):
    """Another message has been stored under the batch's id. The result of that one stays as it is."""


class CampaignNotUsable(PermanentError):
    """The organization has no such campaign, or it is closed. Also recorded as the batch's result."""


def sentence_for(error: NotFound | WrongState | Conflict) -> str:
    """What operators and customers read of it; of a code that no batch meets, the developer's line."""
    match error:
        case NotFound():
            sentence = _NOT_FOUND.get(error.kind)
        case WrongState():
            sentence = _CAMPAIGN_CLOSED
        case Conflict():
            sentence = _CONFLICT.get(error.clash)
    return str(error) if sentence is None else sentence.format(named=quoted(error.reference))
