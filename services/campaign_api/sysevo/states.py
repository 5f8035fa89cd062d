"""The states of campaigns in this API's words, and the states from which it allows what is asked."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.domain.campaign import CampaignState

_S = CampaignState
STATUS_OF: Final[Mapping[CampaignState, str]] = MappingProxyType(
    {
        _S.DRAFT: "draft",
        _S.SCHEDULED: "draft",
        _S.SYNCING: "running",
        _S.RUNNING: "running",
        _S.PAUSED: "paused",
        _S.COMPLETED: "completed",
        _S.CANCELLED: "completed",
        _S.FAILED: "failed",
    }
)
"""SysEvo's words: `status`."""

STATE_OF: Final[Mapping[CampaignState, str]] = MappingProxyType(
    {**STATUS_OF, _S.DRAFT: "created", _S.SCHEDULED: "created", _S.SYNCING: "syncing"}
)
"""Dograh's words: `state`."""

STARTED_FROM: Final = frozenset({_S.DRAFT, _S.SCHEDULED})
PAUSED_FROM: Final = frozenset({_S.SYNCING, _S.RUNNING})
RESUMED_FROM: Final = frozenset({_S.PAUSED})
CHANGED_IN: Final = frozenset(CampaignState) - {_S.COMPLETED, _S.CANCELLED, _S.FAILED}
