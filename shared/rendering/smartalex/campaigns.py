"""Campaigns in this dialect, purely."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from shared.domain.counts import CampaignCounts
from shared.domain.outcome import Outcome
from shared.engine.campaigns import Campaign
from shared.engine.configurations import StoredConfiguration
from shared.rendering.smartalex.campaign_views import CampaignView, SettingsView, Statistics
from shared.rendering.smartalex.week import on_all_days, week_of, week_view
from shared.rendering.smartalex.words import STATUS_OF

# The five results of calls that statistics have; every other outcome is a failed call.
_COUNTED: Final[Mapping[str, tuple[Outcome, ...]]] = MappingProxyType(
    {
        "answered_count": (Outcome.ANSWERED, Outcome.DO_NOT_CALL),
        "voicemail_count": (Outcome.VOICEMAIL,),
        "no_answer_count": (Outcome.NO_ANSWER, Outcome.DECLINED),
        "busy_count": (Outcome.BUSY,),
    }
)


def campaign_view(
    campaign: Campaign,
    configuration: StoredConfiguration,
    organizations_calls: int,
    now: datetime,
    counts: CampaignCounts | None = None,
) -> CampaignView:
    """The campaign as it is at `now`; without `counts` it has no statistics."""
    values = configuration.values
    week = week_of(values["default_windows"])
    start, end = on_all_days(week) or (None, None)
    settings = SettingsView(
        calling_hours_start=start,
        calling_hours_end=end,
        timezone=values["default_timezone"],
        concurrent_calls=calls_of(campaign, organizations_calls),
        max_retries=values["max_attempts"] - 1,
    )
    more = {} if counts is None else {"statistics": statistics_of(counts)}
    return CampaignView(
        id=campaign.id,
        name=campaign.name,
        description=campaign.description,
        objective=campaign.objective,
        agent_id=campaign.agent_id,
        phone_number_id=campaign.agent_number,
        campaign_mode="outbound",
        status=STATUS_OF[campaign.shown(now).state],
        timezone=values["default_timezone"],
        business_hours=week_view(week),
        settings=settings,
        created_at=campaign.created_at,
        updated_at=campaign.updated_at,
        started_at=campaign.started_at,
        completed_at=campaign.completed_at or campaign.last_completed_at,
        **more,
    )


def calls_of(campaign: Campaign, organizations_calls: int) -> int:
    """How many calls the campaign may have at once, as it is shown: without a limit of its own the organization's."""
    return organizations_calls if campaign.concurrency_limit is None else campaign.concurrency_limit


def statistics_of(counts: CampaignCounts) -> Statistics:
    """A campaign's numbers in this dialect's buckets."""
    calls = sum(counts.outcomes.values())
    results = {name: sum(counts.outcomes.get(one, 0) for one in some) for name, some in _COUNTED.items()}
    answered = results["answered_count"]
    return Statistics(
        contacts_count=counts.total,
        pending_count=counts.pending,
        in_progress_count=counts.active,
        completed_count=counts.completed,
        failed_count=counts.exhausted + counts.error,
        skipped_count=counts.skipped,
        calls_count=calls,
        **results,
        failed_calls_count=calls - sum(results.values()),
        callbacks_count=counts.retrying + counts.called_back,
        active_calls=counts.active,
        answer_rate=round(answered / calls, 4) if calls else 0.0,
        average_duration=round(counts.talk_seconds / answered, 1) if answered else 0.0,
    )
