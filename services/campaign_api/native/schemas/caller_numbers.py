"""Caller numbers and their pools."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from services.campaign_api.http.requests import OurId, RequestBody, not_null
from shared.domain.answered_calls import MOST_COUNTED
from shared.domain.caller_numbers import (
    MAX_CALLS_A_DAY,
    MAX_CALLS_AT_ONCE,
    MAX_LABEL,
    MAX_LISTED,
    MAX_POOL_NAME,
    MAX_POOLS,
    MAX_WEIGHT,
    MIN_WEIGHT,
)
from shared.domain.fields import E164, CallsPerSecond
from shared.domain.json_rules import check_text
from shared.domain.shown_ids import UuidText

_EXAMPLE: Final[JsonDict] = {
    "number": "+14155550100",
    "label": "San Francisco 1",
    "weight": 2,
    "max_calls": 1,
    "daily_limit": 200,
    "calls_per_second": 0.5,
    "pools": ["west-coast"],
}


_ACCOUNT: Final = "The telephony account that it belongs to, and is called from; null: the campaign's, or the default."


def _addressable(name: str) -> str:
    """A pool's name is used in paths, which drop dots."""
    if name in {".", ".."}:
        raise ValueError('must not be "." or "..": these mean something else in a path')
    return name


def _each_once(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _numbers_once(listed: list["CampaignNumber"]) -> list["CampaignNumber"]:
    if len({each.id for each in listed}) < len(listed):
        raise ValueError("must name each caller number once; give it a higher weight instead")
    return listed


Label = Annotated[str, Field(max_length=MAX_LABEL), AfterValidator(check_text)]
Weight = Annotated[int, Field(ge=MIN_WEIGHT, le=MAX_WEIGHT)]
MaxCalls = Annotated[int, Field(ge=1, le=MAX_CALLS_AT_ONCE)]
DailyLimit = Annotated[int, Field(ge=1, le=MAX_CALLS_A_DAY)]
PoolName = Annotated[
    str, Field(min_length=1, max_length=MAX_POOL_NAME), AfterValidator(check_text), AfterValidator(_addressable)
]
# A pool may be named twice, and counts once.
Pools = Annotated[list[PoolName], Field(max_length=MAX_POOLS), AfterValidator(_each_once)]


class RegisterNumber(RequestBody):
    """A number to call from."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    number: E164 = Field(description="In E.164; it cannot be changed later.")
    label: Label = Field("", description="For people.")
    weight: Weight = Field(MIN_WEIGHT, description="Its share of a campaign's contacts under `weighted_sticky`.")
    max_calls: MaxCalls | None = Field(None, description="Calls at once; 1: exclusive; null: no limit.")
    daily_limit: DailyLimit | None = Field(None, description="Calls a day, from midnight UTC; null: no limit.")
    calls_per_second: CallsPerSecond | None = Field(
        None, description="Calls placed in a second, over all campaigns; null: no limit."
    )
    active: bool = Field(True, description="false: no call is made from it, whoever names it.")
    pools: Pools = Field([], description="The pools it is in; a pool exists as long as a number is in it.")
    telephony_account_id: OurId | None = Field(None, description=_ACCOUNT)


class EditNumber(RequestBody):
    """What is to change; fields left out stay, null takes a limit away."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"daily_limit": 100, "active": False}]})

    label: Annotated[Label | None, BeforeValidator(not_null)] = None
    weight: Annotated[Weight | None, BeforeValidator(not_null)] = None
    max_calls: MaxCalls | None = None
    daily_limit: DailyLimit | None = None
    calls_per_second: CallsPerSecond | None = None
    active: Annotated[bool | None, BeforeValidator(not_null)] = None
    pools: Annotated[Pools | None, BeforeValidator(not_null)] = None
    telephony_account_id: OurId | None = Field(None, description=_ACCOUNT)


class CallerNumberView(BaseModel):
    """A number of the registry."""

    id: UuidText
    number: str
    label: str
    weight: int
    max_calls: int | None
    daily_limit: int | None
    calls_per_second: float | None
    active: bool
    pools: list[str]
    telephony_account_id: UuidText | None
    serial: int | None = Field(description="Ascending in the organization, in order of creation; gaps are normal.")
    created_at: datetime
    updated_at: datetime


class CallerNumberPage(BaseModel):
    """Caller numbers, newest first."""

    caller_numbers: list[CallerNumberView]
    next_cursor: str | None


class NumberRestView(BaseModel):
    """The rest of a number that the carrier has refused."""

    until: datetime = Field(description="When the carrier is asked again, with one call.")
    since: datetime
    refusals: int = Field(description="How often in a row it was refused.")
    code: int | None = Field(description="The carrier's code.")
    said: str = Field(description="The carrier's words.")


class EndedCallsView(BaseModel):
    """The calls of a number that have ended."""

    ended: int = Field(description="All of them; one that the carrier has refused counts, too.")
    answered: int = Field(description="Those that a person has answered; a machine's are `voicemail`.")
    answer_rate: float | None = Field(description="Answered of all, from 0 to 1; null: no call has ended.")
    outcomes: dict[str, int] = Field(description="All of them by outcome; outcomes without a call are left out.")


class CallerNumberUseView(BaseModel):
    """What a number has in use."""

    id: UuidText
    number: str
    active_calls: int = Field(description="Calls from it that are up or about to be.")
    calls_today: int = Field(description="Calls from it since midnight UTC, as `daily_limit` counts them.")
    resting: NumberRestView | None = Field(description="null: it does not rest.")
    ended_calls: EndedCallsView | None = Field(
        description="Calls from it that began at `ended_calls_since` or later; null: `hours` was not sent."
    )


class CallerNumberUses(BaseModel):
    """All registered numbers at one moment, in order of their digits."""

    at: datetime
    ended_calls_since: datetime | None = Field(
        description="From when on `ended_calls` has all calls that began: `hours` ago, or later where that were more "
        f"than {MOST_COUNTED:,} calls of the organization. null: `hours` was not sent."
    )
    caller_numbers: list[CallerNumberUseView]


class PoolView(BaseModel):
    """A pool."""

    name: str
    numbers: int = Field(description="How many numbers are in it.")
    active: int = Field(description="How many of them are active.")


class PoolList(BaseModel):
    """All pools, by name."""

    pools: list[PoolView]


class DeletedPool(BaseModel):
    """The name of a pool that is no more; its numbers stay."""

    name: str


class CampaignNumber(RequestBody):
    """A number of the registry in a campaign."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: OurId = Field(description="The caller number's id.")
    weight: Weight | None = Field(None, description="Instead of the number's own; null: that one.")


CampaignNumbers = Annotated[
    list[CampaignNumber], Field(min_length=1, max_length=MAX_LISTED), AfterValidator(_numbers_once)
]
