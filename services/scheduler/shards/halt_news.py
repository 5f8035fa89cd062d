"""Tells operators which campaigns were halted, and why."""

from collections.abc import Mapping

from shared.domain.campaign import HaltReason
from shared.logs import get_logger

log = get_logger()


def tell_of_halts(halted: Mapping[str, HaltReason]) -> None:
    """Log the campaigns whose runs were halted, by id."""
    for campaign_id, reason in halted.items():
        log.info("a campaign was halted until it is started again", campaign_id=campaign_id, reason=str(reason))
