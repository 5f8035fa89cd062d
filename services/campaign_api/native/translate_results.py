"""Results of calls on this API's wire, purely."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from services.campaign_api.native.schemas.results import (
    CallResultView,
    ReportedResultView,
    ResultWarning,
    TranscriptTurnView,
)
from shared.domain.call_results import SENSITIVE, CallResult, ResultRemark
from shared.engine.results import AttemptResult

WHY_NOT_CALLED_BACK: Final[Mapping[ResultRemark, str]] = MappingProxyType(
    {
        ResultRemark.OPTED_OUT: "The person is not called back: they asked not to be called again.",
        ResultRemark.DO_NOT_CALL: "The person is not called back: their numbers are on the do-not-call list.",
        ResultRemark.CALLED_SINCE: "The person was called again since this call, which decides what comes next; "
        "ask for a callback of the contact: POST …/contacts/{contact}/callback.",
        ResultRemark.CAMPAIGN_OVER: "The person is not called back: the campaign is closed, failed or deleted.",
        ResultRemark.CAMPAIGN_ENDS_BEFORE: "The person is not called back: the campaign's end_at comes first; set a "
        "later one, and ask for a callback of the contact: POST …/contacts/{contact}/callback.",
        ResultRemark.EXPIRES_BEFORE: "The person is not called back: the contact's expires_at comes first; send a "
        "later one, and ask for a callback of the contact: POST …/contacts/{contact}/callback.",
        ResultRemark.CONTACT_DELETED: "The person is not called back: the contact was deleted.",
    }
)
"""What a customer is told of a callback that does not come."""


def call_result_view(found: AttemptResult, *, sensitive: bool) -> CallResultView:
    """The result of a call, with its transcript."""
    result = found.result
    said = [TranscriptTurnView(**turn) for turn in result.transcript or ()]
    return CallResultView(
        attempt_id=found.attempt_id,
        conversation_id=found.conversation_id,
        contact_id=found.contact_id,
        transcript=said if sensitive and result.transcript is not None else None,
        warnings=[ResultWarning(code=remark, message=WHY_NOT_CALLED_BACK[remark]) for remark in result.remarks],
        **_fields(result, sensitive=sensitive),
    )


def reported_result_view(result: CallResult | None, *, sensitive: bool) -> ReportedResultView | None:
    """What was reported of an attempt, without its transcript."""
    return None if result is None else ReportedResultView(**_fields(result, sensitive=sensitive))


def _fields(result: CallResult, *, sensitive: bool) -> dict[str, Any]:
    names = set(ReportedResultView.model_fields)
    fields: dict[str, Any] = {name: getattr(result, name) for name in names}
    fields |= {"tags": list(result.tags), "extracted": None if result.extracted is None else dict(result.extracted)}
    return fields if sensitive else fields | dict.fromkeys(SENSITIVE & names)
