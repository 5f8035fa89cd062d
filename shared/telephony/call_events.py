"""From a carrier's report to the event that tells the organization's shard: every field of it, in one place."""

from shared.events import CallFinished
from shared.telephony.provider import CallReport


def finished(
    report: CallReport, *, organization_id: str, shard: int, contact_id: str, proven: bool = True
) -> CallFinished:
    """The event of an ended call. `proven` is false when the ending is our own word and not the carrier's."""
    return CallFinished(
        organization_id=organization_id,
        shard=shard,
        attempt_id=report.attempt_id,
        contact_id=contact_id,
        outcome=report.outcome,
        proven=proven,
        started_at=report.started_at,
        answered_at=report.answered_at,
        ended_at=report.ended_at,
        duration_seconds=report.duration_seconds,
        provider_call_id=report.call_id,
        error=report.error,
        refusal=report.refusal,
        message_left=report.message_left,
    )
