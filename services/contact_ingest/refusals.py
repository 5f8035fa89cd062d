"""Why a whole batch is refused. Each goes to the dead-letter topic under the name of its class.

The messages are read by operators and customers; no secret and no contact's data belongs in them.
"""

from shared.errors import PermanentError


class UnreadableBatch(PermanentError):
    """The bytes are no contact batch of a version we know."""


class BatchTooLarge(PermanentError):
    """The message is larger than a batch may be."""


class UnprovenOrganization(PermanentError):
    """The credential or signature is missing, wrong, expired, or of another organization."""


class BatchIdReused(PermanentError):
    """Another message has been stored under the batch's id. The result of that one stays as it is."""


class CampaignNotUsable(PermanentError):
    """The organization has no such campaign, or it is closed. Also recorded as the batch's result."""
