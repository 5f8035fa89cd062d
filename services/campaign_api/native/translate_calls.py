"""Calls on this API's wire, purely: pages, and rows of reports."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import NoneType
from typing import Any, Final

import orjson

from services.campaign_api.native.schemas.calls import CallPage, CallView
from shared.domain.calls import CallStatus
from shared.domain.ids import is_default_campaign
from shared.domain.outcome import Outcome
from shared.domain.spreadsheets import harmless
from shared.engine.calls import CallPage as FoundCalls
from shared.engine.calls import ListedCall, NumberedCalls

# The columns of a report: fields of a call, then of its result.
OF_CALL: Final = (
    "id",
    "number",
    "contact_id",
    "contact_name",
    "attempt_number",
    "phone_number",
    "caller_number",
    "agent_id",
    "agent_version",
    "outcome",
    "outcome_before",
    "created_at",
    "answered_at",
    "ended_at",
    "duration_seconds",
    "conversation_id",
    "provider_call_id",
    "error",
    "message_left",
)
OF_RESULT: Final = (
    "disposition",
    "sentiment",
    "goal_reached",
    "opt_out",
    "callback_at",
    "cost",
    "tags",
    "notes",
    "summary",
    "recording_url",
    "extracted",
)
COLUMNS: Final = (*OF_CALL, *OF_RESULT)
# Numbers of phones begin as formulas do, and are none.
_PHONE: Final = re.compile(r"\+[0-9]{1,15}")
_JSON: Final = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS


def call_view(listed: ListedCall) -> CallView:
    """The call with its result."""
    call = listed.call
    return CallView(
        id=call.id,
        number=call.number,
        direction="outbound",
        campaign_id=None if call.campaign_id is None or is_default_campaign(call.campaign_id) else call.campaign_id,
        contact_id=call.contact_id,
        contact_name=call.contact_name,
        attempt_number=call.attempt_number,
        phone_number=call.phone_number,
        caller_number=call.caller_number,
        agent_id=call.agent_id,
        agent_version=call.agent_version,
        status="ended" if call.status is CallStatus.ENDED else "in_progress",
        outcome=call.outcome,
        outcome_before=call.outcome_before,
        created_at=call.created_at,
        started_at=call.started_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        duration_seconds=call.duration_seconds,
        conversation_id=call.conversation_id,
        provider_call_id=call.provider_call_id,
        error=call.error,
        message_left=call.message_left,
        opted_out=call.outcome is Outcome.DO_NOT_CALL or bool(listed.result.get("opt_out")),
        result=dict(listed.result) or None,
    )


def call_page(page: FoundCalls) -> CallPage:
    """A page after a cursor."""
    rows = [call_view(one) for one in page.rows]
    return CallPage(calls=rows, next_cursor=page.next_cursor, total=None, counted_to=page.counted_to)


def numbered_call_page(page: NumberedCalls) -> CallPage:
    """A page by its number."""
    rows = [call_view(one) for one in page.rows]
    return CallPage(calls=rows, next_cursor=None, total=page.total, counted_to=page.counted_to)


def csv_header() -> bytes:
    """The first line of a report as CSV."""
    return _lines([COLUMNS])


def csv_rows(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Calls as lines of CSV (RFC 4180); texts that a spreadsheet would take for a formula have `'` in front."""
    return _lines(_cells(row) for row in rows)


def json_lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as lines of JSON."""
    return b"".join(orjson.dumps(row, option=_JSON) for row in rows)


def _lines(rows: Iterable[Sequence[Any]]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()


def _cells(row: Mapping[str, Any]) -> list[Any]:
    result = row["result"] or {}
    return [_cell(row[name]) for name in OF_CALL] + [_cell(result.get(name)) for name in OF_RESULT]


def _cell(value: Any) -> Any:
    write = _WRITTEN_AS.get(type(value))
    if write is None:
        # The driver's numbers are a kind of int.
        write = next((write for kind, write in _WRITTEN_AS.items() if isinstance(value, kind)), _json)
    return write(value)


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS).decode()


def _text(value: str) -> str:
    return value if _PHONE.fullmatch(value) else harmless(value)


def _as_it_is(value: Any) -> Any:
    return value


def _list(value: Sequence[Any]) -> str:
    return _text(", ".join(map(str, value)))


# By type: a report asks this some thirty times a row. Whatever else there is becomes JSON.
_WRITTEN_AS: Final[Mapping[type, Callable[[Any], Any]]] = {
    str: _text,
    NoneType: _as_it_is,
    int: _as_it_is,
    float: _as_it_is,
    bool: lambda value: "true" if value else "false",
    datetime: lambda value: f"{value.isoformat(timespec='milliseconds')[:-6]}Z",
    list: _list,
    tuple: _list,
}
