"""The ids of events and of their deliveries: made of what they are about, so that the same is never stored twice."""

import uuid
from typing import Final

from shared.domain.typeid import typeid

# Of this kind of ids alone (RFC 9562, 5.5); a part of what is stored.
_EVENTS: Final = uuid.UUID("5e0c6a4e-9a53-4c0b-8f43-2f6d1f5b7c21")
_PREFIX: Final = "evt"


def event_id(fact_id: str, organization_id: str, event: str) -> str:
    """The id of the event by which a fact (`{shard}-{n}`) is told; a fact may be several events in a dialect."""
    return typeid(_PREFIX, uuid.uuid5(_EVENTS, f"{organization_id}/{fact_id}/{event}"))


def new_event_id() -> str:
    """The id of an event that no fact stands behind."""
    return typeid(_PREFIX, uuid.uuid4())


def delivery_id(webhook_id: str, of_event: str) -> str:
    """The id of the delivery of an event to a subscription."""
    return str(uuid.uuid5(_EVENTS, f"{webhook_id}/{of_event}"))
