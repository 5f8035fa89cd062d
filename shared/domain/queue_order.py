"""The order in which a campaign's waiting contacts are called.

The highest priority first; of one priority by tier, as the campaign's order says; of one tier the contact that became
due first, ties in request order.

Priority and tier of a contact are stored as one number, its queue: the index of waiting contacts then holds the queues
of a campaign in the order of their priorities, and a campaign without priorities has the queues 0, 1 and 2, its tiers.
"""

from enum import StrEnum
from typing import Final

from shared.domain.contact import Tier

MIN_CONTACT_PRIORITY: Final = 0
MAX_CONTACT_PRIORITY: Final = 999_999
DEFAULT_CONTACT_PRIORITY: Final = 0
# Queues of one priority: one for each tier, and one to spare.
QUEUES: Final = 4


class CallOrder(StrEnum):
    """Which tier of a campaign goes first."""

    FRESH_FIRST = "fresh_first"
    RETRIES_FIRST = "retries_first"


def queue_of(priority: int, tier: Tier) -> int:
    """The queue of a contact: the higher its priority (0 to 999,999), the smaller the number."""
    return int(tier) - QUEUES * priority


def last_queue_of(priority: int) -> int:
    """The number above which the queues of lower priorities are."""
    return QUEUES - 1 - QUEUES * priority


def tier_in(queue: int) -> Tier:
    """The tier of the contacts in a queue."""
    return Tier(queue % QUEUES)


def priority_in(queue: int) -> int:
    """The priority of the contacts in a queue."""
    return -(queue // QUEUES)


def rank(queue: int, order: CallOrder) -> int:
    """The rank of a queue: contacts of a lower rank are called first, those of one rank by due time.

    Fresh and scheduled contacts rank equally: a scheduled time is when such a contact becomes due.
    """
    retries = tier_in(queue) is Tier.RETRY
    second = retries if order is CallOrder.FRESH_FIRST else not retries
    return -2 * priority_in(queue) + second
