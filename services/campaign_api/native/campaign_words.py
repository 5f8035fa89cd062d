"""This API's words for a campaign's state: three for those who know it since its beginning, all of them beside."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.domain.campaign import CampaignState


class CampaignStatus(StrEnum):
    """Whether a campaign's contacts may be called."""

    ACTIVE = "active"
    PAUSED = "paused"
    CLOSED = "closed"


STATUS_OF: Final[Mapping[CampaignState, CampaignStatus]] = MappingProxyType(
    {
        CampaignState.DRAFT: CampaignStatus.PAUSED,
        CampaignState.SCHEDULED: CampaignStatus.PAUSED,
        CampaignState.SYNCING: CampaignStatus.ACTIVE,
        CampaignState.RUNNING: CampaignStatus.ACTIVE,
        CampaignState.PAUSED: CampaignStatus.PAUSED,
        CampaignState.COMPLETED: CampaignStatus.CLOSED,
        CampaignState.CANCELLED: CampaignStatus.CLOSED,
        CampaignState.FAILED: CampaignStatus.CLOSED,
    }
)
"""The status that stands for each state."""


def states_of(statuses: Collection[CampaignStatus]) -> list[CampaignState]:
    """The states that these statuses stand for."""
    return [state for state, status in STATUS_OF.items() if status in statuses]


def said(state: CampaignState) -> str:
    """A state as a sentence of this API says it: one that was closed is `closed`."""
    return CampaignStatus.CLOSED.value if state is CampaignState.CANCELLED else state.value
