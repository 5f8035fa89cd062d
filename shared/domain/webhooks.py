"""Webhooks: which facts a subscription wants, what an answer of its receiver means, when a delivery is tried again."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MAX_WEBHOOKS: Final = 50
MAX_DESCRIPTION: Final = 255
MIN_SECRET: Final = 8
MAX_SECRET: Final = 255
# From the start of the request to the whole answer; so api-b and api-d promise.
ANSWER_SECONDS: Final = 5.0
# Waits before the second try and those after it; after the last one the delivery is a dead letter.
RETRY_SECONDS: Final = (5, 30, 120, 600, 3600, 10_800, 43_200)
MAX_TRIES: Final = len(RETRY_SECONDS) + 1
# A replaced secret signs beside the new one for so long, unless it is told otherwise.
DEFAULT_OVERLAP_HOURS: Final = 24
MAX_OVERLAP_HOURS: Final = 24 * 7
# Ended deliveries stay in the list for so long.
DELIVERED_KEPT: Final = timedelta(days=1)
DEAD_KEPT: Final = timedelta(days=30)
# The event of "send a test event"; no fact has this type.
TEST_EVENT: Final = "webhook.test"

# Deliveries of one subscription that a sender has under way at once: few to a receiver that fails, and after each
# success one more, so that those that hang do not use up the sender.
FEWEST_AT_ONCE: Final = 4
MOST_AT_ONCE: Final = 32


class Dialect(StrEnum):
    """The HTTP API in whose words a subscription's events are told."""

    NATIVE = "native"
    SMARTALEX = "smartalex"
    TALKTURO = "talkturo"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class OffReason(StrEnum):
    """Why a subscription is off."""

    CUSTOMER = "customer"
    GONE = "gone"


class DeliveryError(StrEnum):
    """Why a try has failed."""

    STATUS = "status"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    ADDRESS = "address"
    SECRET = "secret"
    RENDERING = "rendering"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Answer:
    """What has become of one try.

    `status` is the receiver's, None without an answer; `error` None: delivered. `text` is the beginning of its body,
    `milliseconds` from the request to the answer.
    """

    status: int | None
    error: DeliveryError | None
    text: str = ""
    milliseconds: int = 0

    @property
    def delivered(self) -> bool:
        """Whether the receiver has accepted the delivery."""
        return self.error is None

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing any more (410)."""
        return self.status == 410


@dataclass(frozen=True, slots=True)
class After:
    """A delivery after a try: its state, when it is tried again (None: never), and until when it is kept."""

    state: DeliveryState
    due_at: datetime | None
    kept_until: datetime | None


def status_error(status: int) -> DeliveryError | None:
    """The failure that a receiver's status is; None for a 2xx. A redirect is not followed, and so is a failure."""
    return None if 200 <= status < 300 else DeliveryError.STATUS


def after_try(tries: int, answer: Answer, now: datetime) -> After:
    """The delivery after its `tries`-th try (1: the first) has ended at `now` (UTC)."""
    if answer.delivered:
        return After(DeliveryState.DELIVERED, None, now + DELIVERED_KEPT)
    if answer.gone or answer.error is DeliveryError.OFF or tries >= MAX_TRIES:
        return After(DeliveryState.DEAD, None, now + DEAD_KEPT)
    return After(DeliveryState.WAITING, now + timedelta(seconds=RETRY_SECONDS[tries - 1]), None)


def at_once_after(at_once: int, answer: Answer) -> int:
    """How many deliveries may be under way to a receiver after this answer, where `at_once` were."""
    return min(at_once + 1, MOST_AT_ONCE) if answer.delivered else max(at_once // 2, FEWEST_AT_ONCE)


def wants(
    fact_types: Collection[str], subscribed_campaign: str | None, fact_type: str, campaign_id: str | None
) -> bool:
    """Whether a subscription to these types of facts, in one campaign or (None) in all, is told of a fact."""
    return fact_type in fact_types and subscribed_campaign in (None, campaign_id)
