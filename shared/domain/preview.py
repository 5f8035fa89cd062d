"""The preview of a campaign: the calls that would be made now, and why other contacts would not be called."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.dialing_values import End, Wait


@dataclass(frozen=True, slots=True)
class PreviewedContact:
    """A contact that waits, as it is told apart."""

    id: str
    external_id: str | None
    timezone: str | None
    priority: int


@dataclass(frozen=True, slots=True)
class PreviewedCall:
    """A call that would be made: the `attempt_number`-th of its contact, to, from and by whom."""

    contact: PreviewedContact
    attempt_number: int
    phone_number: str
    caller_number: str
    agent_id: str | None
    agent_version: str | None


@dataclass(frozen=True, slots=True)
class PreviewedRest:
    """A contact that would not be called now: what it waits for, or how it would end instead."""

    contact: PreviewedContact
    instead: Wait | End


@dataclass(frozen=True, slots=True)
class Preview:
    """What a campaign (None: contacts of no campaign) would do at one moment if it ran; nothing is done.

    `calls` are in order; `others` are the next in the queue that would not be called, then contacts that are not due
    or not in hours.
    """

    campaign_id: str | None
    at: datetime
    calls: Sequence[PreviewedCall]
    others: Sequence[PreviewedRest]
