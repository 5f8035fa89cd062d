"""The organization's do-not-call list."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.campaign_api.http.requests import RequestBody
from services.campaign_api.native.schemas.campaigns import SettingWarningView
from shared.domain.fields import E164
from shared.domain.json_rules import check_text

MAX_NUMBERS: Final = 1000


class AddNumbers(RequestBody):
    """Numbers that must not be called any more."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"phone_numbers": ["+14155550123"], "reason": "asked on the phone"}]}
    )

    phone_numbers: Annotated[list[E164], Field(min_length=1, max_length=MAX_NUMBERS)]
    reason: Annotated[str, Field(max_length=1000), AfterValidator(check_text)] | None = None


class DoNotCallView(BaseModel):
    """One number of the list."""

    model_config = ConfigDict(from_attributes=True)

    phone_number: str
    reason: str | None
    source: str
    created_at: datetime


class DoNotCallPage(BaseModel):
    """The list, newest first."""

    do_not_call: list[DoNotCallView]
    next_cursor: str | None


class AddedNumbers(BaseModel):
    """The entries of the numbers that were sent, in their order."""

    do_not_call: list[DoNotCallView]


class RemovedNumber(BaseModel):
    """The number may be called again."""

    phone_number: str
    deleted: Literal[True]
    warnings: list[SettingWarningView] = Field([], description="Only when contacts were skipped for it and stay so.")
