"""Translation of a campaign's numbers and of what stands in its way, purely: from the engine's values to the wire."""

from datetime import datetime
from typing import Any

from services.campaign_api.native.campaign_words import STATUS_OF
from services.campaign_api.native.schemas.diagnosis import (
    DiagnosisView,
    EndedView,
    LimitView,
    RateView,
    ReasonView,
    RefusalView,
    RestingView,
)
from services.campaign_api.native.schemas.next_call import NextCallView
from services.campaign_api.native.schemas.preview import NotCalledView, PreviewedCallView, PreviewView
from services.campaign_api.native.schemas.statistics import (
    AttemptCounts,
    CampaignStatistics,
    ContactCounts,
    ForecastView,
    LastMinute,
    ReachedCounts,
)
from services.campaign_api.native.sentences import RESET_CALLS_AGAIN, WHAT_TO_DO
from services.campaign_api.native.translate import setting_warnings
from shared.domain.asked_phone import NextCall
from shared.domain.diagnosis import Diagnosis
from shared.domain.dialing_values import End, Wait
from shared.domain.preview import Preview, PreviewedContact
from shared.domain.reasons import EndReason
from shared.domain.refusal import account_in
from shared.engine.campaigns import CampaignNumbers


def campaign_statistics(numbers: CampaignNumbers, now: datetime) -> CampaignStatistics:
    """The campaign's numbers."""
    counts, minute = numbers.counts, numbers.counts.last_minute(now)
    return CampaignStatistics(
        campaign_id=numbers.campaign.id,
        status=STATUS_OF[numbers.campaign.shown(now).state],
        contacts=ContactCounts(
            total=counts.total,
            pending=counts.pending,
            in_progress=counts.active,
            completed=counts.completed,
            exhausted=counts.exhausted,
            error=counts.error,
            skipped=counts.skipped,
        ),
        attempts=AttemptCounts(total=counts.attempts, average_per_contact=counts.average_attempts),
        active_calls=counts.active,
        concurrency_limit=numbers.calls_at_once,
        reached=ReachedCounts(
            called=counts.called,
            answered=counts.answered,
            opted_out=counts.opted_out,
            waiting_for_retry=counts.retrying,
            waiting_for_callback=counts.called_back,
        ),
        ended=dict(counts.ended),
        outcomes=dict(counts.outcomes),
        talk_seconds=counts.talk_seconds,
        calls_of_run=counts.calls_of_run(numbers.campaign.course.generation),
        last_minute=LastMinute(placed=minute.claimed, ended=minute.ended),
        forecast=ForecastView.model_validate(numbers.forecast, from_attributes=True),
    )


def diagnosis_view(diagnosis: Diagnosis) -> DiagnosisView:
    """The obstacles to a campaign's calls, and what to do about each."""
    return DiagnosisView(
        campaign_id=diagnosis.campaign_id,
        at=diagnosis.at,
        waiting=diagnosis.counts.pending,
        active_calls=diagnosis.counts.active,
        reasons=[
            ReasonView(
                reason=finding.reason,
                contacts=finding.contacts,
                estimated=finding.estimated,
                until=finding.until,
                what_to_do=WHAT_TO_DO[finding.reason],
            )
            for finding in diagnosis.findings
        ],
        settings=setting_warnings(diagnosis.settings),
        limits=[LimitView(name=one.name, limit=one.use.limit, held=one.use.held) for one in diagnosis.limits],
        calls_per_second=diagnosis.calls_per_second,
        last_minute=LastMinute(placed=diagnosis.minute.claimed, ended=diagnosis.minute.ended),
        rates=[RateView(name=name, calls_per_second=rate) for name, rate in diagnosis.rates.items()],
        resting=[
            RestingView(
                what=key,
                telephony_account_id=account_in(key),
                telephony_account=diagnosis.account_names.get(account_in(key) or ""),
                until=rest.until,
                since=rest.since,
                refusals=rest.refusals,
                code=rest.refusal.code,
                said=rest.refusal.message,
            )
            for key, rest in diagnosis.rests.items()
        ],
        refusals=[
            RefusalView(at=refusal.at, what=refusal.what, code=refusal.code, said=refusal.said)
            for refusal in diagnosis.refusals
        ],
        ended=[
            EndedView(
                because=EndReason(because),
                contacts=count,
                what_to_do=RESET_CALLS_AGAIN.get(EndReason(because)),
            )
            for because, count in diagnosis.counts.ended.items()
        ],
    )


def preview_view(preview: Preview) -> PreviewView:
    """The calls that would be made, and why others would not."""
    return PreviewView(
        campaign_id=preview.campaign_id,
        at=preview.at,
        calls=[
            PreviewedCallView(
                **_told_apart(call.contact),
                attempt_number=call.attempt_number,
                phone_number=call.phone_number,
                caller_number=call.caller_number,
                agent_id=call.agent_id,
                agent_version=call.agent_version,
            )
            for call in preview.calls
        ],
        not_called=[NotCalledView(**_told_apart(other.contact), **_instead(other.instead)) for other in preview.others],
    )


def next_call_view(answer: NextCall, now: datetime) -> NextCallView:
    """When a phone may be called next, and what is in the way at `now`."""
    instead = {} if answer.instead is None else _instead(answer.instead)
    return NextCallView(
        phone_number=answer.number,
        at=now,
        callable_at=answer.at,
        timezones=list(answer.timezones),
        reason=instead.get("reason"),
        until=instead.get("until"),
        ended_because=instead.get("ended_because"),
        what_to_do=instead.get("what_to_do"),
    )


def _told_apart(contact: PreviewedContact) -> dict[str, Any]:
    return {
        "contact_id": contact.id,
        "external_id": contact.external_id,
        "timezone": contact.timezone,
        "priority": contact.priority,
    }


def _instead(instead: Wait | End) -> dict[str, Any]:
    if isinstance(instead, Wait):
        what_to_do: str | None = WHAT_TO_DO[instead.reason]
        waits = {"reason": instead.reason, "until": instead.until}
        return {**waits, "status": None, "ended_because": None, "what_to_do": what_to_do}
    what_to_do = RESET_CALLS_AGAIN.get(instead.because)
    ends = {"status": instead.status, "ended_because": instead.because}
    return {"reason": None, "until": None, **ends, "what_to_do": what_to_do}
