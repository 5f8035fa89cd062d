"""Results of calls, as voice agents report them, and what follows: no call any more, or a callback."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.call_results import SENSITIVE, CallResult, ReportedResult, ResultRemark, Sentiment
from shared.domain.ids import conversation_id_of
from shared.engine.engine import Engine
from shared.events import ContactsAdded, LimitsChanged
from shared.store.contacts import reported_calls
from shared.store.contacts.reported_calls import ReportedCall

__all__ = [
    "SENSITIVE",
    "AttemptResult",
    "CallResult",
    "ReportedCall",
    "ReportedResult",
    "ResultRemark",
    "Sentiment",
    "get_result",
    "record_result",
]


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """The result of one call, with its transcript, and which call that was."""

    attempt_id: str
    conversation_id: str
    contact_id: str
    result: CallResult


async def record_result(
    engine: Engine, organization_id: str, call: str | ReportedCall, report: ReportedResult, now: datetime
) -> AttemptResult:
    """The call's result with this report merged into it; `call` is named by its attempt's or conversation's id.

    Before or after the call's end. An opt-out puts the person's numbers onto the do-not-call list and is heeded by the
    next look before a call; a callback is asked for where that is possible, else a remark says why not. The same report
    again changes nothing. Raises `NotFound` (attempt), `BadSetting` (a callback that is past or more than a year ahead,
    too much extracted data).
    """
    if isinstance(call, str):
        call = await reported_calls.find_call(engine.store, organization_id, call)
    reported = await reported_calls.record_result(engine.store, organization_id, call, report.given, now)
    if reported.shard is not None and reported.listed:
        engine.hints.give(LimitsChanged(organization_id=organization_id, shard=reported.shard))
    if reported.shard is not None and reported.asks and reported.campaign_id is not None:
        engine.hints.give(
            ContactsAdded(
                organization_id=organization_id, shard=reported.shard, campaign_id=reported.campaign_id, asked=True
            )
        )
    return _result(call, reported.result)


async def get_result(engine: Engine, organization_id: str, reference: str) -> AttemptResult:
    """What was reported of a call, by its attempt's or conversation's id.

    Raises `NotFound`: there is no such call, or nothing was reported of it.
    """
    call = await reported_calls.find_call(engine.store, organization_id, reference)
    return _result(call, await reported_calls.read_result(engine.store, organization_id, call))


def _result(call: ReportedCall, result: CallResult) -> AttemptResult:
    return AttemptResult(call.attempt_id, conversation_id_of(call.attempt_id), call.contact_id, result)
