"""The order in which a campaign's waiting contacts are called.

Requested callbacks before all else; then the highest priority first; of one priority by tier, as the campaign's order
says; of one tier the contact that became due first, ties in request order.

Priority and tier of a contact are stored as one number, its queue: the index of waiting contacts then holds the queues
of a campaign in the order of their priorities, and a campaign without priorities has the queues 0, 1 and 2, its tiers.
A requested callback counts as of a priority above all of contacts, its own added: its queue comes first, too.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from shared.domain.contact import Tier

MIN_CONTACT_PRIORITY: Final = 0
MAX_CONTACT_PRIORITY: Final = 999_999
DEFAULT_CONTACT_PRIORITY: Final = 0
# Queues of one priority: one for each tier.
QUEUES: Final = 4
# What a requested callback's priority counts more than another contact's.
REQUESTED_PRIORITY: Final = MAX_CONTACT_PRIORITY + 1
# By their numbers, which are 0 to QUEUES - 1.
_TIERS: Final = tuple(sorted(Tier))


class QueueOrder(StrEnum):
    """Which tier of a campaign goes first."""

    FRESH_FIRST = "fresh_first"
    RETRIES_FIRST = "retries_first"


def queue_of(priority: int, tier: Tier) -> int:
    """The queue of a contact: the higher its priority (0 to 999,999), the smaller the number."""
    counted = priority + REQUESTED_PRIORITY if tier is Tier.REQUESTED else priority
    return int(tier) - QUEUES * counted


def queues_at(priority: int, tiers: Iterable[Tier]) -> list[int]:
    """The queues of these tiers at a priority as `priority_in` tells it."""
    if priority >= REQUESTED_PRIORITY:
        return [queue_of(priority - REQUESTED_PRIORITY, tier) for tier in tiers if tier is Tier.REQUESTED]
    return [queue_of(priority, tier) for tier in tiers if tier is not Tier.REQUESTED]


def last_queue_of(priority: int) -> int:
    """The number above which the queues of lower priorities, as `priority_in` tells them, are."""
    return QUEUES - 1 - QUEUES * priority


def tier_in(queue: int) -> Tier:
    """The tier of the contacts in a queue."""
    return _TIERS[queue % QUEUES]


def priority_in(queue: int) -> int:
    """The priority that counts for the contacts in a queue: their own, and of requested callbacks 1,000,000 more."""
    return -(queue // QUEUES)


def rank(queue: int, order: QueueOrder) -> int:
    """The rank of a queue: contacts of a lower rank are called first, those of one rank by due time.

    Fresh and scheduled contacts rank equally: a scheduled time is when such a contact becomes due.
    """
    retries = tier_in(queue) is Tier.RETRY
    second = retries if order is QueueOrder.FRESH_FIRST else not retries
    return -2 * priority_in(queue) + second
