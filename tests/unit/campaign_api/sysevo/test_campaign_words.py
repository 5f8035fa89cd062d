"""The fields that this API's page names, and what of a campaign stands in them."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

import pytest
from pydantic import BaseModel

from services.campaign_api.sysevo.schemas import campaigns, companions, files, runs
from services.campaign_api.sysevo.schemas.campaigns import CreateCampaign
from services.campaign_api.sysevo.schemas.companions import NewNumberBody
from services.campaign_api.sysevo.schemas.settings import ABSENT_RETRY
from services.campaign_api.sysevo.translate import failed_calls, log_view, new_campaign, progress, source_sync
from services.campaign_api.sysevo.translate_companions import blocked_reason, new_number
from services.campaign_api.sysevo.translate_settings import own_configuration
from shared.domain.campaign import drafted
from shared.domain.campaign_log import ENGINE, LogEntry, LogEvent
from shared.domain.configuration import Configuration
from shared.domain.counts import CampaignCounts
from shared.domain.csv_text import CsvFlaw
from shared.domain.jobs import Failed, Job, JobFailure, JobKind, JobState, Reading, new_job
from shared.domain.outcome import Outcome
from shared.domain.queue_order import QueueOrder
from shared.domain.telephony_accounts import AccountProvider
from shared.engine.agents import Agent
from shared.engine.campaigns import Campaign
from shared.engine.configurations import StoredConfiguration
from shared.engine.overviews import Overview
from shared.engine.telephony_accounts import TelephonyAccount

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROW = "id, name, status, created_at, total_runs, folder_id, workflow_uuid"
CONFIG = (
    "id, name, provider, connectivity, is_default_outbound, inactive, phone_number_count, is_ready_for_outbound, "
    "outbound_blocked_reason, created_at, updated_at"
)


@pytest.mark.parametrize(
    ("view", "fields"),
    [
        (
            campaigns.CampaignView,
            "id, name, workflow_id, workflow_name, status, state, contacts_file_key, source_type, source_id, "
            "total_rows, processed_rows, failed_rows, created_at, updated_at, started_at, completed_at, retry_config, "
            "max_concurrency, effective_max_concurrency, calling_hours, schedule_config, circuit_breaker, "
            "rate_limit_per_second, executed_count, total_queued_count, parent_campaign_id, redialed_campaign_id, "
            "telephony_configuration_id, telephony_configuration_name, warnings, logs, native_id",
        ),
        (campaigns.LogView, "ts, level, event, message, details"),
        (
            campaigns.RetryView,
            "enabled, max_retries, retry_delay_seconds, retry_on_busy, retry_on_no_answer, retry_on_voicemail",
        ),
        (campaigns.BreakerView, "enabled, failure_threshold, window_seconds, min_calls_in_window"),
        (
            campaigns.Progress,
            "total_contacts, dialled, answered, completed, failed, pending, in_progress, status, campaign_id, state, "
            "total_rows, processed_rows, failed_calls, progress_percentage, source_sync, rate_limit, started_at, "
            "completed_at",
        ),
        (campaigns.SourceSync, "status, last_synced_at, error"),
        (
            campaigns.Defaults,
            "concurrent_call_limit, from_numbers_count, default_retry_config, last_campaign_settings",
        ),
        (
            runs.RunView,
            "id, campaign_id, workflow_id, name, mode, call_type, status, is_completed, created_at, started_at, "
            "answered_at, ended_at, phone_number, caller_number, attempt_number, outcome, duration_seconds, "
            "termination_reason, summary, transcript, extracted_data, tags, transcript_url, recording_url, cost_info, "
            "definition_id, initial_context, gathered_context, native_id",
        ),
        (runs.CostInfo, "dograh_token_usage, call_duration_seconds"),
        (runs.RunPage, "runs, total_count, page, limit, total_pages"),
        (files.UploadView, "upload_url, file_key, expires_in"),
        (files.SignedUrl, "url, expires_in"),
        (files.SourceUrl, "download_url, expires_in"),
        (companions.WorkflowRow, ROW),
        (companions.WorkflowName, "id, name"),
        (
            companions.WorkflowView,
            "id, name, status, created_at, workflow_definition, current_definition_id, template_context_variables, "
            "call_disposition_codes, workflow_configurations, workflow_uuid",
        ),
        (companions.ConfigRow, CONFIG),
        (companions.ConfigView, f"{CONFIG}, credentials"),
        (
            companions.NumberView,
            "id, telephony_configuration_id, address, address_normalized, address_type, country_code, label, "
            "is_active, is_default_caller_id, created_at, updated_at",
        ),
        (companions.Message, "message"),
    ],
)
def test_answers_have_the_fields_of_the_page(view: type[BaseModel], fields: str) -> None:
    assert ", ".join(view.model_fields) == fields


def agent(definition: dict[str, Any]) -> Agent:
    return Agent(
        id="agent",
        number=7,
        external_id=None,
        name="Outreach",
        active=True,
        outbound_enabled=True,
        voicemail_detection=False,
        voicemail_action=None,
        phone_numbers=(),
        attributes={},
        definition=definition,
        created_at=NOW,
        updated_at=NOW,
    )


def test_a_new_campaign_is_a_draft_that_calls_as_dograh_does() -> None:
    key = "campaigns/o/list.csv"
    body = {"name": "June", "workflow_id": 7, "source_id": key, "source_type": "csv", "rate_limit_per_second": "5"}
    new = new_campaign(CreateCampaign.model_validate(body), agent({"prompt": "Hi {{Name}}"}), "account")
    campaign = new.campaign
    assert (campaign.is_draft, campaign.auto_complete, campaign.order) == (True, True, QueueOrder.RETRIES_FIRST)
    assert (campaign.priority, campaign.external_id, campaign.agent_id) == (1, None, "agent")
    assert (campaign.concurrency_limit, campaign.calls_per_second) == (None, 5)
    assert campaign.telephony_account_id == "account"
    assert campaign.circuit_breaker == {"threshold": 0.5, "window_seconds": 120, "min_calls": 5}
    assert (new.file_key, new.required) == (key, ("name",))
    assert new.key == f"csv_{md5(key.encode(), usedforsecurity=False).hexdigest()[:8]}_row_"
    assert new.configuration["name"] == "June"


def test_hours_and_retries_are_the_campaigns_alone_and_the_rest_is_as_built_in() -> None:
    values = own_configuration("June", None, ABSENT_RETRY)
    configuration = Configuration.model_validate({name: value for name, value in values.items() if name != "name"})
    assert (configuration.use_contact_timezone, configuration.timezone_from_number) == (False, False)
    policy = configuration.retry_policy
    assert policy.ceiling == 2, "no outcome has a limit of its own"
    retried = {outcome for outcome in Outcome if policy.rule_for(outcome).retry}
    assert retried == {Outcome.BUSY, Outcome.NO_ANSWER}
    own = {"retry_rules", "max_attempts", "default_windows", "default_timezone", "timezone_from_number"}
    built_in = Configuration().model_dump(mode="json")
    assert {name for name in built_in if values[name] != built_in[name]} <= {*own, "use_contact_timezone"}


def overview(counts: CampaignCounts, **fields: Any) -> Overview:
    values = own_configuration("June", None, ABSENT_RETRY)
    campaign = Campaign(
        "c", "o", 0, None, "June", drafted(), 1, "f", None, None, None, None, created_at=NOW, updated_at=NOW
    )
    return Overview(
        replace(campaign, **fields), counts, StoredConfiguration("f", "o", values, NOW, NOW), None, None, 10, None, None
    )


def counts(**fields: Any) -> CampaignCounts:
    none = dict.fromkeys(("pending", "active", "completed", "exhausted", "error", "skipped", "attempts"), 0)
    return CampaignCounts(**none | fields)


def test_failed_calls_are_those_that_ended_busy_no_answer_or_failed() -> None:
    outcomes = {outcome.value: 2**place for place, outcome in enumerate(Outcome)}
    wanted = sum(outcomes[name] for name in ("busy", "no_answer", "failed"))
    assert failed_calls(counts(outcomes=outcomes)) == wanted


@pytest.mark.parametrize(
    ("stands", "percentage"),
    [
        (counts(), 0),
        (counts(pending=2, exhausted=1, called=1, attempts=1), 33.33),
        (counts(exhausted=3, called=3, attempts=3), 100),
    ],
)
def test_progress_is_told_to_two_decimals(stands: CampaignCounts, percentage: float) -> None:
    shown = progress(overview(stands), None, NOW)
    assert shown.progress_percentage == percentage
    assert (shown.rate_limit, shown.processed_rows) == (0, stands.called)


def test_the_rate_of_a_campaign_is_its_limit() -> None:
    assert progress(overview(counts(), calls_per_second=3.0), None, NOW).rate_limit == 3


JOB = new_job(JobKind.IMPORT, "o", 0, "c", NOW)
READING = Reading("utf-8", ",", 0, 1, ("phone_number",), ("phone_numbers",), 9)


@pytest.mark.parametrize(
    ("job", "status", "error"),
    [
        (None, "completed", None),
        (JOB, "pending", None),
        (replace(JOB, reading=READING), "in_progress", None),
        (replace(JOB, kind=JobKind.REDIAL), "in_progress", None),
        (replace(JOB, state=JobState.DONE, finished_at=NOW), "completed", None),
        (replace(JOB, state=JobState.FAILED, finished_at=NOW, failed=Failed(CsvFlaw.NUL, 3)), "failed", "nul (row 3)"),
        (
            replace(JOB, state=JobState.CANCELLED, finished_at=NOW, failed=Failed(JobFailure.CANCELLED)),
            "failed",
            "cancelled",
        ),
    ],
)
def test_how_far_the_import_is(job: Job | None, status: str, error: str | None) -> None:
    shown = source_sync(job)
    assert (shown.status, shown.error) == (status, error)
    assert shown.last_synced_at == (None if job is None else job.finished_at)


@pytest.mark.parametrize(("stored", "shown"), [(0.5, 0.5), (1e-9, 0)])
def test_a_tripped_breaker_says_what_it_has_counted(stored: float, shown: float) -> None:
    facts = {"failures": 2, "calls": 3, "threshold": stored, "window_seconds": 120}
    failure = {"workflow_run_id": 5, "reason": "failed", "ts": NOW}
    entry = LogEntry("1", NOW, LogEvent.HALTED, "circuit_breaker", ENGINE, facts)
    view = log_view(entry, "circuit_breaker_tripped", [failure])
    assert view.level == "error"
    assert view.details == {
        "failure_rate": 0.6667,
        "failure_count": 2,
        "call_count": 3,
        "threshold": shown,
        "window_seconds": 120,
        "recent_failures": [failure],
    }


def test_a_number_of_a_configuration_carries_one_call_at_a_time() -> None:
    new = new_number(NewNumberBody(address="+14155550100"), "account")
    assert (new.max_calls, new.active, new.telephony_account_id, new.pools) == (1, True, "account", ())
    assert not new_number(NewNumberBody(address="+14155550100", is_active=False), "account").active


@pytest.mark.parametrize(
    ("fields", "default_number", "reason"),
    [
        ({}, None, None),
        ({"active": False}, "+14155550100", "inactive"),
        ({"active_numbers": 0}, None, "no_active_phone_number"),
        ({"active_numbers": 0}, "+14155550100", None),
    ],
)
def test_why_nothing_can_be_called_through_a_configuration(
    fields: dict[str, Any], default_number: str | None, reason: str | None
) -> None:
    account = TelephonyAccount("a", 1, "Main", AccountProvider.DIALSTREAM, True, True, None, None, 1, 1, NOW, NOW)
    assert blocked_reason(replace(account, **fields), default_number) == reason
