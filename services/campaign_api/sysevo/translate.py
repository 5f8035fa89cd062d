"""Campaigns between this API and the engine, purely: the body of a new one, and how one is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5
from types import MappingProxyType
from typing import Any, Final

from services.campaign_api.sysevo.schemas.campaigns import (
    CampaignView,
    CreateCampaign,
    LogView,
    Progress,
    RedialCampaign,
    SourceSync,
)
from services.campaign_api.sysevo.schemas.settings import ABSENT_BREAKER, ABSENT_RETRY
from services.campaign_api.sysevo.states import STATE_OF, STATUS_OF
from services.campaign_api.sysevo.translate_settings import (
    breaker_field,
    breaker_view,
    hours_of,
    hours_view,
    kept_words,
    own_configuration,
    retry_view,
    schedule_view,
    shown_hours,
    shown_threshold,
)
from shared.domain.calls import Call
from shared.domain.campaign import DEFAULT_PRIORITY, HaltReason
from shared.domain.campaign_log import LogEntry, LogEvent
from shared.domain.counts import CampaignCounts
from shared.domain.csv_check import variables_of
from shared.domain.jobs import Job, JobKind, JobState
from shared.domain.outcome import Outcome
from shared.domain.queue_order import QueueOrder
from shared.engine.agents import Agent
from shared.engine.campaigns import NewCampaign
from shared.engine.file_campaigns import NewFileCampaign
from shared.engine.overviews import Overview

UNKNOWN_WORKFLOW: Final = "Unknown"
_FAILED_CALLS: Final = (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED)
_SAID: Final[Mapping[str, str]] = MappingProxyType(
    {
        "campaign_started": "Campaign started",
        "campaign_paused": "Campaign paused",
        "campaign_resumed": "Campaign resumed",
        "campaign_completed": "Campaign completed: every contact is done with",
        "campaign_closed": "Campaign closed through another API; nobody is called any more",
        "campaign_redialed": "A new campaign was made of contacts that were not reached",
        "source_sync_failed": "The contact list could not be imported",
        "circuit_breaker_tripped": "Campaign paused: too many of its calls have failed",
    }
)
SHOWN_EVENTS: Final[Mapping[LogEvent, str]] = MappingProxyType(
    {
        LogEvent.STARTED: "campaign_started",
        LogEvent.PAUSED: "campaign_paused",
        LogEvent.RESUMED: "campaign_resumed",
        LogEvent.COMPLETED: "campaign_completed",
        LogEvent.CANCELLED: "campaign_closed",
        LogEvent.REDIALED: "campaign_redialed",
        LogEvent.IMPORT_FAILED: "source_sync_failed",
        LogEvent.HALTED: "campaign_paused",
    }
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the contacts of a campaign stand: `uncalled` are not called yet and will be."""

    total: int
    dialled: int
    answered: int
    completed: int
    failed: int
    uncalled: int
    in_progress: int

    @property
    def processed(self) -> int:
        """Those called at least once, or ended without a call."""
        return self.total - self.uncalled


def new_campaign(body: CreateCampaign, agent: Agent, account_id: str | None) -> NewFileCampaign:
    """The campaign that the body asks for."""
    hours = hours_of(body)
    retry, breaker = body.retry_config or ABSENT_RETRY, body.circuit_breaker or ABSENT_BREAKER
    rate = body.rate_limit_per_second
    campaign = NewCampaign(
        name=body.name,
        configuration_id="",
        external_id=None,
        priority=DEFAULT_PRIORITY,
        agent_id=agent.id,
        agent_version=None,
        agent_number=None,
        concurrency_limit=body.max_concurrency,
        calls_per_second=None if rate is None else float(rate),
        order=QueueOrder.RETRIES_FIRST,
        is_draft=True,
        auto_complete=True,
        circuit_breaker=breaker_field(breaker),
        telephony_account_id=account_id,
        kept_words=kept_words(hours, retry, breaker),
    )
    return NewFileCampaign(
        campaign=campaign,
        configuration=own_configuration(body.name, hours, retry),
        file_key=body.file_key,
        required=variables_of(agent.definition),
        key=f"csv_{md5(body.file_key.encode(), usedforsecurity=False).hexdigest()[:8]}_row_",
    )


def redial_outcomes(body: RedialCampaign) -> list[Outcome]:
    """The outcomes of latest attempts for which contacts are called again."""
    words: list[str] = [*(body.redial_statuses or ())] or [name for name, flag in body.flags.items() if flag]
    return [Outcome(word) for word in dict.fromkeys(words)]


def standing(overview: Overview) -> Standing:
    """Where the contacts stand; rows of a list that is being imported are waiting already."""
    counts, campaign = overview.counts, overview.campaign
    total = counts.total
    if campaign.course.imports and campaign.redial_of is None and campaign.source_file is not None:
        total = max(total, campaign.source_file.rows)
    answered = min(counts.answered, counts.called)
    completed = min(counts.completed, answered)
    ended = counts.completed + counts.exhausted + counts.error + counts.skipped
    waiting = counts.pending - counts.retrying - counts.called_back + total - counts.total
    return Standing(
        total=total,
        dialled=counts.called,
        answered=answered,
        completed=completed,
        failed=ended - completed,
        uncalled=max(0, min(waiting, total - counts.called)),
        in_progress=counts.active,
    )


def campaign_view(overview: Overview, now: datetime, logs: Sequence[LogView] = ()) -> CampaignView:
    """The campaign as it is at `now`."""
    campaign, counts, account = overview.campaign, overview.counts, overview.account
    state, stands = campaign.shown(now).state, standing(overview)
    values = overview.configuration.values
    hours = shown_hours(values, campaign.kept_words)
    source = campaign.source_file
    most = effective_concurrency(overview)
    return CampaignView.model_validate(
        {
            "id": campaign.number or 0,
            "name": campaign.name,
            "workflow_id": 0 if overview.agent is None else overview.agent.number,
            "workflow_name": UNKNOWN_WORKFLOW if overview.agent is None else overview.agent.name,
            "status": STATUS_OF[state],
            "state": STATE_OF[state],
            "contacts_file_key": None if source is None else source.key,
            "source_type": "api" if source is None else "csv",
            "source_id": "" if source is None else source.key,
            "total_rows": stands.total,
            "processed_rows": stands.processed,
            "failed_rows": stands.failed,
            **{name: getattr(campaign, name) for name in ("created_at", "updated_at", "started_at", "completed_at")},
            "retry_config": retry_view(values, campaign.kept_words),
            "max_concurrency": campaign.concurrency_limit,
            "effective_max_concurrency": most,
            "calling_hours": hours_view(hours),
            "schedule_config": schedule_view(hours),
            "circuit_breaker": breaker_view(campaign.circuit_breaker, campaign.kept_words),
            "rate_limit_per_second": campaign.calls_per_second,
            "executed_count": counts.attempts,
            "total_queued_count": counts.attempts + counts.pending + counts.active,
            "parent_campaign_id": overview.parent,
            "redialed_campaign_id": overview.child,
            "telephony_configuration_id": None if account is None else account.number,
            "telephony_configuration_name": None if account is None else account.name,
            "warnings": _warnings(campaign.concurrency_limit, most),
            "logs": list(logs),
            "native_id": campaign.id,
        }
    )


def effective_concurrency(overview: Overview) -> int:
    """Calls that the campaign may have at once, as it is now."""
    limits = [overview.calls_at_once]
    if overview.campaign.concurrency_limit is not None:
        limits.append(overview.campaign.concurrency_limit)
    if overview.account is not None and overview.account.active_numbers:
        limits.append(overview.account.active_numbers)
    return min(limits)


def _warnings(wanted: int | None, most: int) -> list[str]:
    if wanted is None or wanted <= most:
        return []
    return [f"max_concurrency is {wanted}, but only {most} calls at once are possible now"]


def event_of(entry: LogEntry) -> str:
    """The word of this API for an entry of a campaign's log that is one of `SHOWN_EVENTS`."""
    if entry.event is LogEvent.HALTED and entry.reason == HaltReason.CIRCUIT_BREAKER:
        return "circuit_breaker_tripped"
    return SHOWN_EVENTS[entry.event]


def log_view(entry: LogEntry, event: str, recent_failures: Sequence[Mapping[str, Any]]) -> LogView:
    """An entry of a campaign's log."""
    details: dict[str, Any] = dict(entry.facts)
    if event == "circuit_breaker_tripped":
        failures, calls = details.pop("failures", 0), details.pop("calls", 0)
        details = {
            "failure_rate": round(failures / calls, 4) if calls else 0.0,
            "failure_count": failures,
            "call_count": calls,
            "threshold": shown_threshold(details.get("threshold", 0.0)),
            "window_seconds": details.get("window_seconds"),
            "recent_failures": list(recent_failures),
        }
    elif entry.reason is not None:
        details = {"reason": entry.reason, **details}
    return LogView(ts=entry.at, level=entry.level.value, event=event, message=_SAID[event], details=details)


def recent_failure(call: Call) -> dict[str, Any]:
    """A call that has failed, as a tripped breaker names it."""
    reason = call.error or (None if call.outcome is None else call.outcome.value)
    at = call.ended_at or call.created_at
    return {"workflow_run_id": call.number, "reason": reason, "ts": at}


def progress(overview: Overview, job: Job | None, now: datetime) -> Progress:
    """How far the campaign is at `now`; `job` is its newest import or redial."""
    campaign, stands = overview.campaign, standing(overview)
    state = campaign.shown(now).state
    done = round(100 * stands.processed / stands.total, 2) if stands.total else 0.0
    return Progress.model_validate(
        {
            "total_contacts": stands.total,
            "dialled": stands.dialled,
            "answered": stands.answered,
            "completed": stands.completed,
            "failed": stands.failed,
            "pending": stands.uncalled,
            "in_progress": stands.in_progress,
            "status": STATUS_OF[state],
            "campaign_id": campaign.number or 0,
            "state": STATE_OF[state],
            "total_rows": stands.total,
            "processed_rows": stands.processed,
            "failed_calls": failed_calls(overview.counts),
            "progress_percentage": done,
            "source_sync": source_sync(job),
            "rate_limit": campaign.calls_per_second or 0,
            "started_at": campaign.started_at,
            "completed_at": campaign.completed_at,
        }
    )


def failed_calls(counts: CampaignCounts) -> int:
    """Attempts that ended busy, no_answer or failed."""
    return sum(counts.outcomes.get(outcome.value, 0) for outcome in _FAILED_CALLS)


def source_sync(job: Job | None) -> SourceSync:
    """How far the import of a list is; a campaign that has none has nothing to wait for."""
    if job is None:
        return SourceSync(status="completed", last_synced_at=None, error=None)
    match job.state:
        case JobState.DONE:
            return SourceSync(status="completed", last_synced_at=job.finished_at, error=None)
        case JobState.FAILED | JobState.CANCELLED:
            failed = job.failed
            reason = "unknown" if failed is None else failed.reason.value
            where = "" if failed is None or failed.row is None else f" (row {failed.row})"
            return SourceSync(status="failed", last_synced_at=job.finished_at, error=f"{reason}{where}")
        case _:
            begun = job.reading is not None or job.kind is JobKind.REDIAL
            return SourceSync(status="in_progress" if begun else "pending", last_synced_at=None, error=None)
