"""A campaign's states and the moves between them, and the priorities campaigns are dialed by."""

from enum import StrEnum
from typing import Final


class CampaignStatus(StrEnum):
    """Whether a campaign's contacts may be called."""

    ACTIVE = "active"
    PAUSED = "paused"
    CLOSED = "closed"


class CampaignMove(StrEnum):
    """What a client may ask of a campaign."""

    START = "start"
    PAUSE = "pause"
    CLOSE = "close"


class CampaignUse(StrEnum):
    """What else a client may ask of a campaign; one that is closed takes none of it."""

    CHANGE = "change"
    ADD_CONTACTS = "add contacts"
    RESET_CONTACTS = "reset contacts"


# move -> (states it is allowed from, state it leads to). Starting an active campaign succeeds and
# changes nothing; pausing a paused one is refused (the lifecycle of the API we are compatible with).
CAMPAIGN_MOVES: Final[dict[CampaignMove, tuple[frozenset[CampaignStatus], CampaignStatus]]] = {
    CampaignMove.START: (frozenset({CampaignStatus.ACTIVE, CampaignStatus.PAUSED}), CampaignStatus.ACTIVE),
    CampaignMove.PAUSE: (frozenset({CampaignStatus.ACTIVE}), CampaignStatus.PAUSED),
    CampaignMove.CLOSE: (frozenset({CampaignStatus.ACTIVE, CampaignStatus.PAUSED}), CampaignStatus.CLOSED),
}

MIN_PRIORITY: Final = 0
MAX_PRIORITY: Final = 999_999
DEFAULT_PRIORITY: Final = 1
# Contacts of no campaign go before every campaign.
NO_CAMPAIGN_PRIORITY: Final = 1_000_000
