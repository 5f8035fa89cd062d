"""What a contact counts for in its campaign's counters, beside its status and why it ended.

Stated once: a move counts the difference between a contact as it was read and as it leaves it, so that a counter cannot
say anything but the number of contacts of which this is so.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from shared.domain.contact import ACTIVE, ContactStatus, Tier
from shared.domain.outcome import Outcome
from shared.domain.queue_order import tier_in
from shared.domain.reasons import EndReason

# The counters of waiting contacts of a tier that the scheduler alone gives.
WAITING_IN: Final[Mapping[Tier, str]] = MappingProxyType({Tier.RETRY: "retrying", Tier.REQUESTED: "called_back"})


def counted_as(contact: Mapping[str, Any]) -> list[str]:
    """The counters in which a contact is one.

    `called`: a call of it was claimed, and it has not come back since as no attempt. `answered`, `opted_out`: a person
    took one of its calls, or asked in one not to be called again. `retrying`: it waits for a retry,
    `called_back`: for a callback that was asked for.
    """
    names: list[str] = []
    status, outcomes = contact["status"], contact["outcomes"]
    told = (contact["ended_because"], contact["for_good"])
    if contact["attempts_made"] or status in ACTIVE:
        names.append("called")
    if Outcome.ANSWERED in outcomes or EndReason.ANSWERED in told:
        names.append("answered")
    if Outcome.DO_NOT_CALL in outcomes or EndReason.OPTED_OUT in told:
        names.append("opted_out")
    if status == ContactStatus.PENDING and (waiting := WAITING_IN.get(tier_in(contact["tier"]))) is not None:
        names.append(waiting)
    return names


def of_attempt(attempt: Mapping[str, Any]) -> dict[str, int]:
    """What an attempt counts for, by counter: its outcome, and milliseconds of talk where somebody answered."""
    counted = {f"outcomes.{attempt['outcome']}": 1}
    seconds = attempt["duration_seconds"]
    if seconds and attempt["outcome"] == Outcome.ANSWERED:
        counted["talk_milliseconds"] = round(seconds * 1000)
    return counted
