"""Telephony accounts."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from services.campaign_api.http.requests import RequestBody, not_null
from shared.domain.json_rules import check_text
from shared.domain.setting_rules import is_usable_secret
from shared.domain.shown_ids import UuidText
from shared.domain.telephony_accounts import MAX_ACCOUNT_NAME, AccountProvider

_EXAMPLE: Final[JsonDict] = {
    "name": "Sales",
    "provider": "twilio",
    "account_sid": "AC00000000000000000000000000000000",
    "auth_token": "00000000000000000000000000000000",
}
_SID: Final = "Twilio's Account SID; for `twilio` alone, which needs it."
_TOKEN: Final = "Twilio's auth token; for `twilio` alone, which needs it. Never shown again."
_BASE_URL: Final = "Where the carrier's API is, of those that the operator has allowed; null: the operator's."


def _in_a_header(token: str) -> str:
    if not is_usable_secret(token):
        raise ValueError("must be printable ASCII without white space, and has others (it is not shown)")
    return token


AccountName = Annotated[str, Field(min_length=1, max_length=MAX_ACCOUNT_NAME), AfterValidator(check_text)]
AccountSid = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,64}$")]
AuthToken = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_in_a_header)]
BaseUrl = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(check_text)]


class CreateAccount(RequestBody):
    """A telephony account."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    name: AccountName = Field(description="Unique in the organization.")
    provider: AccountProvider = Field(
        strict=False, description="`twilio`: an account of your own; `dialstream`: stands for the operator's."
    )
    account_sid: AccountSid | None = Field(None, description=_SID)
    auth_token: AuthToken | None = Field(None, description=_TOKEN)
    base_url: BaseUrl | None = Field(None, description=_BASE_URL)
    active: bool = Field(True, description="false: no call is placed through it.")
    is_default: bool = Field(False, description="Places the calls for which nothing names another; the first one does.")


class EditAccount(RequestBody):
    """What is to change; fields left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Sales, north", "active": False}]})

    name: Annotated[AccountName | None, BeforeValidator(not_null)] = None
    account_sid: Annotated[AccountSid | None, BeforeValidator(not_null)] = Field(None, description=_SID)
    auth_token: Annotated[AuthToken | None, BeforeValidator(not_null)] = Field(None, description=_TOKEN)
    base_url: BaseUrl | None = Field(None, description=_BASE_URL)
    active: Annotated[bool | None, BeforeValidator(not_null)] = None


class AccountView(BaseModel):
    """A telephony account, without its token."""

    id: UuidText
    number: int = Field(description="Ascending in the organization, in order of creation; gaps are normal.")
    name: str
    provider: AccountProvider
    active: bool
    is_default: bool
    account_sid: str | None
    base_url: str | None
    numbers: int = Field(description="How many caller numbers belong to it.")
    active_numbers: int = Field(description="How many of them are active.")
    created_at: datetime
    updated_at: datetime


class AccountList(BaseModel):
    """All telephony accounts, in order of creation."""

    telephony_accounts: list[AccountView]
