"""This dialect's words for states, outcomes and fields, both ways."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.domain.campaign import CampaignMove, CampaignState
from shared.domain.outcome import Outcome


class CampaignStatus(StrEnum):
    """How a campaign stands."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class CallResultStatus(StrEnum):
    """What a call came to."""

    COMPLETED = "completed"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    FAILED = "failed"


class CallShown(StrEnum):
    """What a call came to, or that it is under way."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    FAILED = "failed"


STATUS_OF: Final[Mapping[CampaignState, CampaignStatus]] = MappingProxyType(
    {
        CampaignState.DRAFT: CampaignStatus.DRAFT,
        CampaignState.SCHEDULED: CampaignStatus.DRAFT,
        CampaignState.SYNCING: CampaignStatus.ACTIVE,
        CampaignState.RUNNING: CampaignStatus.ACTIVE,
        CampaignState.PAUSED: CampaignStatus.PAUSED,
        CampaignState.COMPLETED: CampaignStatus.COMPLETED,
        CampaignState.CANCELLED: CampaignStatus.CANCELLED,
        CampaignState.FAILED: CampaignStatus.CANCELLED,
    }
)


def states_of(status: CampaignStatus) -> frozenset[CampaignState]:
    """The engine's states that are shown so."""
    return frozenset(state for state, shown in STATUS_OF.items() if shown is status)


class Action(StrEnum):
    """What a client may ask of a campaign by its path."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


_DRAFT, _ACTIVE, _PAUSED, _COMPLETED = (
    states_of(status)
    for status in (CampaignStatus.DRAFT, CampaignStatus.ACTIVE, CampaignStatus.PAUSED, CampaignStatus.COMPLETED)
)
# The lifecycle: the engine's move, and the states that it is allowed from here, which are fewer than the engine's.
MOVES: Final[Mapping[Action, tuple[CampaignMove, frozenset[CampaignState]]]] = MappingProxyType(
    {
        Action.START: (CampaignMove.START, _DRAFT | _PAUSED | _COMPLETED),
        Action.PAUSE: (CampaignMove.PAUSE, _ACTIVE),
        Action.RESUME: (CampaignMove.START, _PAUSED),
        Action.CANCEL: (CampaignMove.CANCEL, _DRAFT | _ACTIVE | _PAUSED),
    }
)

# An attempt's outcome as a call's status.
RESULT_OF: Final[Mapping[Outcome, CallResultStatus]] = MappingProxyType(
    {
        Outcome.ANSWERED: CallResultStatus.COMPLETED,
        Outcome.DO_NOT_CALL: CallResultStatus.COMPLETED,
        Outcome.VOICEMAIL: CallResultStatus.VOICEMAIL,
        Outcome.NO_ANSWER: CallResultStatus.NO_ANSWER,
        Outcome.BUSY: CallResultStatus.NO_ANSWER,
        Outcome.DECLINED: CallResultStatus.NO_ANSWER,
        Outcome.FAILED: CallResultStatus.FAILED,
        Outcome.INVALID_NUMBER: CallResultStatus.FAILED,
        Outcome.INTERRUPTED: CallResultStatus.FAILED,
        Outcome.UNKNOWN: CallResultStatus.FAILED,
    }
)


def outcomes_of(status: CallResultStatus) -> tuple[Outcome, ...]:
    """The outcomes that are shown as this status."""
    return tuple(outcome for outcome, shown in RESULT_OF.items() if shown is status)


# Fields of the engine that refusals name, as they are called here.
FIELD_HERE: Final[Mapping[str, str]] = MappingProxyType({"agent_number": "phone_number_id"})
