"""Why nobody is called, or so slowly."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from services.campaign_api.native.schemas.campaigns import SettingWarningView
from services.campaign_api.native.what_to_do import RESET_CALLS_AGAIN, WHAT_TO_DO
from shared.domain.reasons import EndReason, WaitReason
from shared.store.reports.diagnosis import Diagnosis, Finding, NamedLimit


class ReasonView(BaseModel):
    """A reason for which contacts wait."""

    reason: WaitReason
    contacts: int = Field(description="How many wait for it.")
    estimated: bool = Field(description="The number is scaled up from 1,000 contacts that were looked at.")
    until: datetime | None = Field(description="When the first of them stops waiting for it; null: not by time alone.")
    what_to_do: str

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """As the customer sees it."""
        return cls(
            reason=finding.reason,
            contacts=finding.contacts,
            estimated=finding.estimated,
            until=finding.until,
            what_to_do=WHAT_TO_DO[finding.reason],
        )


class LimitView(BaseModel):
    """A limit on calls at once, and its use."""

    name: str = Field(examples=["global", "organization", "campaign", "caller_number:+14155550100"])
    limit: int
    held: int = Field(description="Calls that are up or about to be.")

    @classmethod
    def of(cls, limit: NamedLimit) -> Self:
        """As the customer sees it."""
        return cls(name=limit.name, limit=limit.use.limit, held=limit.use.held)


class RestingView(BaseModel):
    """Something that the carrier has refused, and that is left alone until then."""

    what: str = Field(examples=["account", "caller_number:+14155550100", "country:MX"])
    until: datetime = Field(description="When the carrier is asked again, with one call.")
    since: datetime
    refusals: int = Field(description="How often in a row it was refused.")
    code: int | None = Field(description="The carrier's code.")
    said: str = Field(description="The carrier's words.")


class RefusalView(BaseModel):
    """One of the organization's last refusals that spoke of us."""

    at: datetime
    what: str
    code: int | None
    said: str


class EndedView(BaseModel):
    """Contacts that have ended for one reason."""

    because: EndReason
    contacts: int
    what_to_do: str | None = Field(description="How to have them called again; null where nothing is amiss.")


class DiagnosisView(BaseModel):
    """What stands in the way of a campaign's calls, now."""

    campaign_id: str | None = Field(description="null for contacts of no campaign.")
    at: datetime
    waiting: int = Field(description="Contacts that wait for a call.")
    active_calls: int = Field(description="The campaign's calls that are up or about to be.")
    reasons: list[ReasonView] = Field(description="Why they wait; the reason of most first.")
    settings: list[SettingWarningView] = Field(description="What the settings lack, all at once.")
    limits: list[LimitView] = Field(description="Limits on calls at once; of exclusive caller numbers those in use.")
    calls_per_second: float = Field(description="How fast the executors may place calls, all organizations together.")
    resting: list[RestingView]
    refusals: list[RefusalView] = Field(description="The organization's last ones, oldest first.")
    ended: list[EndedView]

    @classmethod
    def of(cls, diagnosis: Diagnosis, *, campaign_id: str | None, at: datetime) -> Self:
        """As the customer sees it."""
        return cls(
            campaign_id=campaign_id,
            at=at,
            waiting=diagnosis.counts.pending,
            active_calls=diagnosis.counts.active,
            reasons=[ReasonView.of(finding) for finding in diagnosis.findings],
            settings=[SettingWarningView.of(warning) for warning in diagnosis.settings],
            limits=[LimitView.of(limit) for limit in diagnosis.limits],
            calls_per_second=diagnosis.calls_per_second,
            resting=[
                RestingView(
                    what=key,
                    until=rest.until,
                    since=rest.since,
                    refusals=rest.refusals,
                    code=rest.refusal.code,
                    said=rest.refusal.message,
                )
                for key, rest in diagnosis.rests.items()
            ],
            refusals=[
                RefusalView(at=refusal["at"], what=refusal["key"], code=refusal["code"], said=refusal["message"])
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
