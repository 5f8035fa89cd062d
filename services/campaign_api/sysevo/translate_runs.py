"""Runs and reports on this API's wire, purely."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import orjson

from services.campaign_api.sysevo.schemas.runs import CostInfo, RunView
from shared.domain.calls import Call, CallOrder, CallStatus, ListedCall
from shared.domain.outcome import Outcome
from shared.domain.spreadsheets import harmless
from shared.engine.calls import CalledContact
from shared.engine.transcripts import text_of

_O = Outcome
COLUMNS: Final = (
    "Run ID",
    "Campaign ID",
    "Agent ID",
    "Agent Definition ID",
    "Created At",
    "Phone Number",
    "Call Disposition",
    "Call Duration (s)",
)
MORE_COLUMNS: Final = (
    "Call Tags",
    "Transcript URL",
    "Recording URL",
    "Outcome",
    "Attempt",
    "Contact",
    "Transcript Summary",
    "Extracted Data",
)
PHONE_COLUMN: Final = "phone_number"
DISPOSITION_OF: Final[Mapping[Outcome | None, str | None]] = MappingProxyType(
    {
        None: None,
        _O.ANSWERED: "completed",
        _O.VOICEMAIL: "voicemail_detected",
        _O.NO_ANSWER: "no-answer",
        _O.BUSY: "busy",
        _O.DECLINED: "canceled",
        _O.DO_NOT_CALL: "canceled",
        _O.FAILED: "failed",
        _O.INVALID_NUMBER: "failed",
        _O.INTERRUPTED: "error",
        _O.UNKNOWN: "error",
    }
)
_CONNECTED: Final = frozenset({_O.ANSWERED, _O.VOICEMAIL})
_NAMED: Final = frozenset({_O.DECLINED, _O.DO_NOT_CALL, _O.INVALID_NUMBER})


@dataclass(frozen=True, slots=True)
class RunsOf:
    """What all runs of a campaign have in common: its number, its carrier, and the numbers of agents, by id."""

    campaign: int | None
    account: int | None
    provider: str
    workflows: Mapping[str, int]

    def workflow(self, agent_id: str | None) -> int:
        """The number of a run's agent; 0 for one that is not registered."""
        return self.workflows.get(agent_id or "", 0)


def order_of(sort_by: str | None, sort_order: str) -> CallOrder:
    """The order of a list: by time, whatever is asked for, but for `duration`."""
    if sort_by == "duration":
        return CallOrder.SHORTEST if sort_order == "asc" else CallOrder.LONGEST
    return CallOrder.OLDEST if sort_order == "asc" else CallOrder.NEWEST


def disposition(outcome: Outcome | None, result: Mapping[str, Any]) -> str | None:
    """The disposition of a run: its agent's, where somebody answered."""
    if outcome is Outcome.ANSWERED and result.get("disposition"):
        return str(result["disposition"])
    return DISPOSITION_OF[outcome]


def status_of(outcome: Outcome | None) -> str:
    """The status of a run."""
    if outcome is None:
        return "in_progress"
    return "completed" if outcome in _CONNECTED else "failed"


def call_tags(outcome: Outcome | None, before: Outcome | None, result: Mapping[str, Any]) -> list[str]:
    """The tags of a run: how it ended, what its agent has said, and why it is a retry."""
    tags: list[str] = []
    if outcome is Outcome.VOICEMAIL:
        tags.append("voicemail_detected")
    elif outcome is not None and outcome not in _CONNECTED:
        tags += ["not_connected", f"telephony_{DISPOSITION_OF[outcome]}"]
        tags += [outcome.value] if outcome in _NAMED else []
    if before is not None:
        tags += ["retry", f"retry_reason_{before.value}"]
    return list(dict.fromkeys([*tags, *(result.get("tags") or ())]))


def talk_seconds(outcome: Outcome | None, seconds: float | None) -> float | None:
    """How long was talked: 0 for a run that nobody answered, None while it is under way."""
    if outcome is None:
        return None
    return (seconds or 0.0) if outcome is Outcome.ANSWERED else 0.0


def columns_of(contact: CalledContact | None) -> dict[str, Any]:
    """The columns of a run's contact; empty where it is deleted."""
    if contact is None:
        return {}
    context = contact.initial_context
    return {**(contact.data or {}), **(context if isinstance(context, Mapping) else {})}


def run_view(listed: ListedCall, contact: CalledContact | None, runs: RunsOf, transcript_url: str | None) -> RunView:
    """A run, from its placement on."""
    call, result = listed.call, listed.result
    extracted = dict(result.get("extracted") or {})
    seconds = talk_seconds(call.outcome, call.duration_seconds)
    said = disposition(call.outcome, result)
    transcript = result.get("transcript")
    fields: dict[str, Any] = {
        "id": call.number,
        "campaign_id": runs.campaign,
        "workflow_id": runs.workflow(call.agent_id),
        "name": f"WR-CAMPAIGN-{runs.campaign or 0}-{call.number}",
        "mode": runs.provider,
        "call_type": "outbound",
        "status": status_of(call.outcome) if call.status is CallStatus.ENDED else "in_progress",
        "is_completed": call.status is CallStatus.ENDED,
        **{name: getattr(call, name) for name in ("created_at", "started_at", "answered_at", "ended_at")},
        **{name: getattr(call, name) for name in (PHONE_COLUMN, "caller_number", "attempt_number")},
        "outcome": None if call.outcome is None else call.outcome.value,
        "duration_seconds": seconds,
        "termination_reason": call.error,
        "summary": result.get("summary"),
        "transcript": None if transcript is None else text_of(transcript),
        "extracted_data": extracted,
        "tags": list(result.get("tags") or ()),
        "transcript_url": transcript_url if transcript is not None else None,
        "recording_url": result.get("recording_url"),
        "cost_info": CostInfo(dograh_token_usage=0, call_duration_seconds=seconds),
        "definition_id": runs.workflow(call.agent_id) or None,
        "initial_context": _context(call, contact, runs),
        "gathered_context": {
            "call_id": call.provider_call_id,
            "call_disposition": result.get("disposition") or said,
            "mapped_call_disposition": said,
            "call_tags": call_tags(call.outcome, call.outcome_before, result),
            "extracted_variables": extracted,
        },
        "native_id": call.id,
    }
    return RunView.model_validate(fields)


def _context(call: Call, contact: CalledContact | None, runs: RunsOf) -> dict[str, Any]:
    return {
        PHONE_COLUMN: call.phone_number,
        **columns_of(contact),
        "campaign_id": runs.campaign,
        "provider": runs.provider,
        "source_uuid": None if contact is None else contact.external_id,
        "caller_number": call.caller_number,
        "called_number": call.phone_number,
        "direction": "outbound",
        "telephony_configuration_id": runs.account,
    }


def report_name(campaign: int | None) -> str:
    """The name of a report as a file."""
    return f"campaign_{campaign}_report.csv"


def report_lines(rows: Iterable[Sequence[object]]) -> str:
    """Lines of CSV, with CRLF."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def report_header(variables: Sequence[str]) -> list[str]:
    """The header, with a column for each extracted variable."""
    return [*COLUMNS, *map(harmless, variables), *MORE_COLUMNS]


def report_row(
    row: Mapping[str, Any],
    contact: CalledContact | None,
    runs: RunsOf,
    variables: Sequence[str],
    transcript_url: str | None,
) -> list[object]:
    """A run that has ended, as a row of the report."""
    result: Mapping[str, Any] = row["result"] or {}
    outcome, before = Outcome(row["outcome"]), row["outcome_before"]
    extracted: Mapping[str, Any] = result.get("extracted") or {}
    columns = {name: value for name, value in columns_of(contact).items() if name != PHONE_COLUMN}
    tags = call_tags(outcome, None if before is None else Outcome(before), result)
    workflow = runs.workflow(row["agent_id"])
    created = row["created_at"] or row["started_at"] or row["ended_at"]
    cells: list[object] = [
        row["number"],
        runs.campaign,
        workflow,
        workflow or "",
        time_text(created),
        row[PHONE_COLUMN],
        _cell(disposition(outcome, result)),
        talk_seconds(outcome, row["duration_seconds"]),
        *(_cell(extracted.get(name)) for name in variables),
        _cell(", ".join(tags)),
        transcript_url if result.get("transcript") is not None else "",
        _cell(result.get("recording_url")),
        outcome.value,
        row["attempt_number"],
        compact(columns),
        _cell(result.get("summary")),
        compact(extracted),
    ]
    return cells


def time_text(at: datetime | None) -> str:
    """A time in ISO 8601, UTC."""
    return "" if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def compact(value: Any) -> str:
    """Compact JSON."""
    return orjson.dumps(value, default=str).decode()


def _cell(value: Any) -> object:
    if isinstance(value, str):
        return harmless(value)
    if value is None or isinstance(value, int | float):
        return value
    return compact(value)
