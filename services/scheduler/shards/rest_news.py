"""Tells operators what the carrier refuses for a reason that speaks of us, and when it takes calls again."""

from collections.abc import Mapping

from shared import metrics
from shared.domain.phone import mask_phone
from shared.domain.refusal import Rest
from shared.logs import get_logger

log = get_logger()


def tell_of_rests(rests: Mapping[tuple[str, str], Rest | None]) -> None:
    """Log and count what has begun to rest, or rests no more, by organization id and key."""
    for (organization_id, key), rest in rests.items():
        what = _masked(key)
        if rest is None:
            log.info("the carrier takes these calls again", organization_id=organization_id, what=what)
        elif not rest.asking:
            metrics.RESTING.labels(rest.refusal.subject).inc()
            log.warning(
                "the carrier refuses calls for a reason that speaks of us: they wait",
                organization_id=organization_id,
                what=what,
                until=rest.until.isoformat(timespec="seconds"),
                refusals=rest.refusals,
                code=rest.refusal.code,
                said=rest.refusal.message,
            )


def _masked(key: str) -> str:
    subject, _, value = key.partition(":")
    return f"{subject} {mask_phone(value)}" if value[1:].isdigit() and len(value) > 5 else key
