"""The order in which a campaign's waiting contacts are called.

Requested callbacks before all else; then the highest priority first; of one priority by tier, as the campaign's order
says; of one tier the contact that became due first, ties in request order.

Priority and tier of a contact, and whether it has a caller number of its own, are stored as one number, its queue: the
index of waiting contacts then holds the queues of a campaign in the order of their priorities, and a campaign without
priorities has the queues 0, 1 and 2, its tiers, and 4, 5 and 6 for contacts with a number of their own. Those are
called also while their campaign has none, so they are read by themselves then; their place in the order is the same.
A requested callback counts as of a priority above all of contacts, its own added: its queue comes first, too.
"""

from collections.abc import Iterable
from enum import Enum, StrEnum
from typing import Final

from shared.domain.contact import Tier

MIN_CONTACT_PRIORITY: Final = 0
MAX_CONTACT_PRIORITY: Final = 999_999
DEFAULT_CONTACT_PRIORITY: Final = 0
TIERS: Final = 4
# Queues of one priority: one for each tier, of contacts without a caller number of their own and of those with one.
QUEUES: Final = 2 * TIERS
# What a requested callback's priority counts more than another contact's.
REQUESTED_PRIORITY: Final = MAX_CONTACT_PRIORITY + 1
# By their numbers, which are 0 to TIERS - 1.
_TIERS: Final = tuple(sorted(Tier))


class QueueOrder(StrEnum):
    """Which tier of a campaign goes first."""

    FRESH_FIRST = "fresh_first"
    RETRIES_FIRST = "retries_first"


class Whose(Enum):
    """Whose queues are meant, by whether a contact has a caller number of its own."""

    EVERYBODYS = (False, True)
    WITHOUT_OWN_NUMBER = (False,)
    WITH_OWN_NUMBER = (True,)
    NOBODYS = ()


def queue_of(priority: int, tier: Tier, *, own_number: bool = False) -> int:
    """The queue of a contact: the higher its priority (0 to 999,999), the smaller the number."""
    counted = priority + REQUESTED_PRIORITY if tier is Tier.REQUESTED else priority
    return int(tier) + TIERS * own_number - QUEUES * counted


def queues_at(priority: int, tiers: Iterable[Tier], whose: Whose) -> list[int]:
    """The queues of these tiers at a priority as `priority_in` tells it."""
    requested = priority >= REQUESTED_PRIORITY
    own = priority - REQUESTED_PRIORITY if requested else priority
    of_priority = [tier for tier in tiers if (tier is Tier.REQUESTED) is requested]
    return [queue_of(own, tier, own_number=has_one) for has_one in whose.value for tier in of_priority]


def last_queue_of(priority: int) -> int:
    """The number above which the queues of lower priorities, as `priority_in` tells them, are."""
    return QUEUES - 1 - QUEUES * priority


def tier_in(queue: int) -> Tier:
    """The tier of the contacts in a queue."""
    return _TIERS[queue % TIERS]


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
