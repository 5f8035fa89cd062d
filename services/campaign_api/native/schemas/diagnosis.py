"""Why nobody is called, or so slowly."""

from datetime import datetime

from pydantic import BaseModel, Field

from services.campaign_api.native.schemas.campaigns import SettingWarningView
from services.campaign_api.native.schemas.statistics import LastMinute
from shared.domain.reasons import EndReason, WaitReason
from shared.domain.shown_ids import UuidText


class ReasonView(BaseModel):
    """A reason for which contacts wait."""

    reason: WaitReason
    contacts: int = Field(description="How many wait for it.")
    estimated: bool = Field(description="The number is scaled up from 1,000 contacts that were looked at.")
    until: datetime | None = Field(description="When the first of them stops waiting for it; null: not by time alone.")
    what_to_do: str


class LimitView(BaseModel):
    """A limit on calls at once, of a caller number on calls a day (UTC), or of a run on its calls, and its use."""

    name: str = Field(
        examples=[
            "global",
            "organization",
            "campaign",
            "max_calls",
            "caller_number:+14155550100",
            "caller_number_daily:+14155550100",
        ]
    )
    limit: int
    held: int = Field(
        description="Calls that are up or about to be; of a daily limit those of today, of max_calls those of the run."
    )


class RateView(BaseModel):
    """A limit of calls a second that was set."""

    name: str = Field(examples=["organization", "campaign", "caller_number:+14155550100"])
    calls_per_second: float


class RestingView(BaseModel):
    """Something that the carrier has refused, and that is left alone until then."""

    what: str = Field(examples=["account", "caller_number:+14155550100", "country:MX"])
    telephony_account_id: UuidText | None = Field(
        description="The account that was refused, or may not call the country; null: the operator's, or neither."
    )
    telephony_account: str | None = Field(description="Its name.")
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

    campaign_id: UuidText | None = Field(description="null for contacts of no campaign.")
    at: datetime
    waiting: int = Field(description="Contacts that wait for a call.")
    active_calls: int = Field(description="The campaign's calls that are up or about to be.")
    reasons: list[ReasonView] = Field(description="Why they wait; the reason of most first.")
    settings: list[SettingWarningView] = Field(description="What the settings lack, all at once.")
    limits: list[LimitView] = Field(
        description="Limits and their use; of caller numbers that this campaign may call from those in use."
    )
    calls_per_second: float = Field(description="How fast the executors may place calls, all organizations together.")
    last_minute: LastMinute = Field(description="The campaign's calls of the last 60 seconds.")
    rates: list[RateView] = Field(description="Limits of calls a second of organization, campaign and its numbers.")
    resting: list[RestingView]
    refusals: list[RefusalView] = Field(description="The organization's last ones, oldest first.")
    ended: list[EndedView]
