"""The events of this dialect, and the facts behind them."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.domain.facts import FactType
from shared.domain.known_words import known
from shared.domain.outcome import Outcome
from shared.events import OrgFact
from shared.rendering.smartalex.words import RESULT_OF, CallResultStatus


class EventType(StrEnum):
    """What receivers are told of."""

    CALL_STARTED = "call.started"
    CALL_CONNECTED = "call.connected"
    CALL_COMPLETED = "call.completed"
    CALL_FAILED = "call.failed"
    CAMPAIGN_STARTED = "campaign.started"
    CAMPAIGN_PAUSED = "campaign.paused"
    CAMPAIGN_RESUMED = "campaign.resumed"
    CAMPAIGN_COMPLETED = "campaign.completed"
    CONTACT_CREATED = "contact.created"
    CONTACT_UPDATED = "contact.updated"
    CONTACT_DELETED = "contact.deleted"
    CONTACT_DNC = "contact.dnc"
    CALLBACK_SCHEDULED = "callback.scheduled"
    CALLBACK_COMPLETED = "callback.completed"
    CALLBACK_CANCELLED = "callback.cancelled"


# A call that has ended is told as either, by what it came to.
_ENDED: Final = (EventType.CALL_COMPLETED, EventType.CALL_FAILED)
_COMPLETED: Final = frozenset({CallResultStatus.COMPLETED, CallResultStatus.VOICEMAIL})
EVENT_OF: Final[Mapping[FactType, EventType]] = MappingProxyType(
    {
        FactType.CALL_PLACED: EventType.CALL_STARTED,
        FactType.CALL_ANSWERED: EventType.CALL_CONNECTED,
        FactType.CAMPAIGN_STARTED: EventType.CAMPAIGN_STARTED,
        FactType.CAMPAIGN_PAUSED: EventType.CAMPAIGN_PAUSED,
        FactType.CAMPAIGN_HALTED: EventType.CAMPAIGN_PAUSED,
        FactType.CAMPAIGN_RESUMED: EventType.CAMPAIGN_RESUMED,
        FactType.CAMPAIGN_COMPLETED: EventType.CAMPAIGN_COMPLETED,
        FactType.PERSON_CREATED: EventType.CONTACT_CREATED,
        FactType.PERSON_CHANGED: EventType.CONTACT_UPDATED,
        FactType.PERSON_DELETED: EventType.CONTACT_DELETED,
        FactType.PERSON_DO_NOT_CALL: EventType.CONTACT_DNC,
        FactType.CALLBACK_SCHEDULED: EventType.CALLBACK_SCHEDULED,
        FactType.CALLBACK_DONE: EventType.CALLBACK_COMPLETED,
        FactType.CALLBACK_CANCELLED: EventType.CALLBACK_CANCELLED,
    }
)


def events_of(fact: OrgFact) -> Sequence[str]:
    """The event by which a fact is told; none for facts that this dialect does not know."""
    if fact.type is FactType.CALL_ENDED:
        outcome = known(Outcome, fact.facts.get("outcome")) or Outcome.UNKNOWN
        completed, failed = _ENDED
        return (completed if RESULT_OF[outcome] in _COMPLETED else failed,)
    return (EVENT_OF[fact.type],) if fact.type in EVENT_OF else ()


def fact_types(events: Collection[str]) -> frozenset[FactType]:
    """The types of facts behind events of these names."""
    found = {kind for kind, event in EVENT_OF.items() if event in events}
    return frozenset(found | ({FactType.CALL_ENDED} if any(event in events for event in _ENDED) else set()))
