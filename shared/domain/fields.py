"""Checked field types for everything that crosses a border; each refusal says what is wrong and what to write.

Use them in request models, messages and stored documents alike, so that one rule is stated once.
"""

import re
from typing import Annotated, Any, Final

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from pydantic import AfterValidator, BeforeValidator, Field, StrictFloat, StrictInt, StrictStr
from pydantic_core import PydanticCustomError

from shared.domain.call_rate import MAX_CALLS_PER_SECOND
from shared.domain.phone import InvalidPhoneNumber, normalize
from shared.domain.run_calls import MAX_CALLS_OF_A_RUN
from shared.domain.timezones import is_known_timezone

MAX_DELAY_SECONDS: Final = 2_592_000  # 30 days
DEFAULT_MAX_ATTEMPTS: Final = 3
MAX_CONCURRENCY: Final = 10_000
MAX_GAP_MINUTES: Final = 10_080  # seven days

MAX_REMARK: Final = 1000

_WALL_TIME: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"
_COUNTRY_CODE: Final = r"^\+[1-9][0-9]{0,2}$"
_E164: Final = r"^\+[1-9][0-9]{1,14}$"


def _known_timezone(name: str) -> str:
    if not is_known_timezone(name):
        raise PydanticCustomError(
            "unknown_timezone", "This is not an IANA timezone; use a name such as America/New_York"
        )
    return name


def _wall_time(text: str) -> str:
    if not re.fullmatch(_WALL_TIME, text, re.ASCII):
        raise PydanticCustomError("wall_time", 'Write a time as "HH:MM" on the 24-hour clock, for example "09:00"')
    return text


def _calling_code(code: str) -> str:
    if not re.fullmatch(_COUNTRY_CODE, code, re.ASCII) or int(code) not in COUNTRY_CODE_TO_REGION_CODE:
        raise PydanticCustomError(
            "country_code", 'This is not a country calling code; write "+" and its digits, for example "+1" or "+44"'
        )
    return code


def _e164(number: str) -> str:
    try:
        return normalize(number, None).e164
    except InvalidPhoneNumber as error:
        raise PydanticCustomError("phone_number", "{reason}", {"reason": str(error)}) from error


def at_most(limit: int) -> BeforeValidator:
    """Refuses a list or object with more entries as one mistake, before any of its entries is looked at.

    pydantic's `max_length` lets bad entries of a tuple or dict pass uncounted and reports each of them: one
    request with a million of them would keep a process busy for half a minute.
    """

    def check(value: Any) -> Any:
        if isinstance(value, list | tuple | dict) and len(value) > limit:
            size = len(value)
            raise PydanticCustomError(
                "too_long", "Send at most {limit} of these, not {size}", {"limit": limit, "size": size}
            )
        return value

    return BeforeValidator(check)


TimezoneName = Annotated[StrictStr, AfterValidator(_known_timezone), Field(examples=["America/New_York"])]
"""An IANA name out of `known_timezones`."""

WallTime = Annotated[
    StrictStr, AfterValidator(_wall_time), Field(examples=["09:00"], json_schema_extra={"pattern": _WALL_TIME})
]
"""A time of day, "00:00" to "24:00"."""

CountryCode = Annotated[
    StrictStr, AfterValidator(_calling_code), Field(examples=["+1"], json_schema_extra={"pattern": _COUNTRY_CODE})
]
"""A country calling code that exists, "+" and digits."""

E164 = Annotated[
    StrictStr, AfterValidator(_e164), Field(examples=["+14155550123"], json_schema_extra={"pattern": _E164})
]
"""A possible phone number in E.164 and in no other form."""

MaxAttempts = Annotated[StrictInt, Field(ge=1, le=50)]
"""How many attempts there may be in all."""

CallsPerSecond = Annotated[StrictFloat, Field(gt=0, le=MAX_CALLS_PER_SECOND, allow_inf_nan=False)]
"""How many calls may be placed in a second; below one, a call every so many seconds."""

WeeklyAttempts = Annotated[StrictInt, Field(ge=1, le=350)]
"""How many attempts there may be in seven days: at most `MaxAttempts` on each."""

GapMinutes = Annotated[StrictInt, Field(ge=1, le=MAX_GAP_MINUTES)]
"""The least time between two calls to a phone, up to seven days."""

ConcurrencyLimit = Annotated[StrictInt, Field(ge=1, le=MAX_CONCURRENCY)]
"""How many calls may be up at once, of an organization or of one of its campaigns."""

MaxCalls = Annotated[StrictInt, Field(ge=1, le=MAX_CALLS_OF_A_RUN)]
"""How many calls one run of a campaign may make."""

DelaySeconds = Annotated[StrictInt, Field(ge=0, le=MAX_DELAY_SECONDS)]
"""A wait between two attempts, up to 30 days."""

RingSeconds = Annotated[StrictInt, Field(ge=5, le=120)]
"""How long a phone rings before the call counts as not answered: 5 s to 2 min."""

MaxCallSeconds = Annotated[StrictInt, Field(ge=10, le=14_400)]
"""After how long the carrier ends a call, from the answer on: 10 s to 4 h, the longest that Twilio allows."""

Multiplier = Annotated[StrictFloat, Field(ge=1.01, le=10, allow_inf_nan=False)]
"""By how much each wait is longer than the one before."""

Remark = Annotated[str, AfterValidator(lambda text: text[:MAX_REMARK].encode(errors="replace").decode())]
"""What somebody else said, for people to read: cut, never refused."""
