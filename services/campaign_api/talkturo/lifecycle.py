"""What this API allows in which state, purely: never more than the engine."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.domain.campaign import CampaignMove, CampaignState
from shared.rendering.talkturo.words import STATES, Status

_WAITING: Final = STATES[Status.DRAFT] | STATES[Status.SCHEDULED]
_RUNNING: Final = STATES[Status.RUNNING]
_PAUSED: Final = STATES[Status.PAUSED]
NOT_FINAL: Final = _WAITING | _RUNNING | _PAUSED
ANY_STATE: Final = frozenset(CampaignState)
# Settings that decide who is called when, and how.
MAY_CHANGE_CORE: Final = _WAITING | _PAUSED
MAY_ENROL: Final = NOT_FINAL

ALLOWED_FROM: Final[Mapping[CampaignMove, frozenset[CampaignState]]] = MappingProxyType(
    {
        CampaignMove.START: NOT_FINAL,
        CampaignMove.PAUSE: STATES[Status.SCHEDULED] | _RUNNING | _PAUSED,
        CampaignMove.CANCEL: NOT_FINAL | STATES[Status.CANCELLED],
        CampaignMove.SCHEDULE: _WAITING,
        CampaignMove.UNSCHEDULE: _WAITING,
        CampaignMove.DELETE: STATES[Status.DRAFT] | STATES[Status.CANCELLED],
    }
)
"""The states from which each move is answered with success."""
# Where a move leads; in this state it changes nothing. A campaign that runs gets a new run all the same.
_LEADS_TO: Final[Mapping[CampaignMove, frozenset[CampaignState]]] = MappingProxyType(
    {
        CampaignMove.PAUSE: _PAUSED,
        CampaignMove.CANCEL: STATES[Status.CANCELLED],
        CampaignMove.UNSCHEDULE: STATES[Status.DRAFT],
    }
)
MOVE_TO: Final[Mapping[str, CampaignMove]] = MappingProxyType(
    {
        Status.RUNNING.value: CampaignMove.START,
        Status.PAUSED.value: CampaignMove.PAUSE,
        Status.CANCELLED.value: CampaignMove.CANCEL,
        Status.SCHEDULED.value: CampaignMove.SCHEDULE,
        Status.DRAFT.value: CampaignMove.UNSCHEDULE,
    }
)
"""The move that asks for a status."""


def is_so_already(move: CampaignMove, state: CampaignState) -> bool:
    """Whether a move would change nothing."""
    return state in _LEADS_TO.get(move, frozenset())
