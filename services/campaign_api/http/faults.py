"""Faults of requests, as codes and facts: each dialect has its own words and its own form for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from types import MappingProxyType
from typing import Final

from shared.domain.campaign import CampaignMove, CampaignUse
from shared.domain.repeating import quoted, repeated
from shared.errors import (
    BadSetting,
    Clash,
    Conflict,
    ContactsNotStored,
    FileUrlRefused,
    Flaw,
    InvalidCursor,
    Kind,
    NotFound,
    SecretKeyMissing,
    TemporaryError,
    TooLarge,
    WrongState,
)

RETRY_AFTER_SECONDS: Final = 1
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class RequestFault(StrEnum):
    """Faults of a request or its answer, beside what the engine refuses."""

    NO_ADDRESS = "no such address"
    WRONG_METHOD = "method not possible here"
    NO_CREDENTIAL = "no credential"
    UNKNOWN_CREDENTIAL = "unknown credential"
    NO_ORGANIZATION_NAMED = "no organization named"
    FOREIGN_ORGANIZATION = "organization of others"
    NOT_THE_OPERATOR = "not the operator"
    MISSING_SCOPE = "missing scope"
    TOO_MANY_REQUESTS = "too many requests"
    BODY_TOO_LARGE = "body too large"
    BODY_CUT_OFF = "body cut off"
    BODY_COMPRESSED = "body compressed"
    NOT_JSON = "body not JSON"
    NO_CONTENT_TYPE = "no content type"
    FILE_URL_FORGED = "URL of a file not signed so"
    FILE_URL_EXPIRED = "URL of a file expired"
    CREDENTIAL_BESIDE_URL = "credential beside a signed URL"
    NOT_CSV = "body neither JSON nor CSV"
    VALUES_INVALID = "values invalid"
    NAMES_UNKNOWN_ORGANIZATION = "body names an unknown organization"
    UNKNOWN_CURSOR = "unknown cursor"
    CONTACTS_NOT_STORED = "contacts not stored"
    TRY_AGAIN = "try again"
    NO_SECRET_KEY = "no key to store secrets with"
    OUR_FAULT = "our fault"


Code = RequestFault | Kind | CampaignMove | CampaignUse | Clash | Flaw
"""The codes that a dialect has words for: a request's own fault, a kind not found, a move or use refused, a clash, a
flaw of the one bad value."""


@dataclass(frozen=True, slots=True)
class BadValue:
    """One bad value of a request: the way to it, what is wrong with it, and the kind of mistake for programs.

    The message is empty where the fault's code says what is wrong.
    """

    loc: tuple[str | int, ...]
    message: str
    kind: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The fault for which a request is refused, before a dialect has found words.

    `facts` are texts that an answer can carry as they are; `values` are the bad values, all of them; `headers` belong
    to the answer in every dialect.
    """

    code: Code
    facts: Mapping[str, str] = field(default_factory=dict)
    values: Sequence[BadValue] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """The request is refused for a fault of its own."""

    def __init__(self, code: RequestFault, *, headers: Mapping[str, str] = _NO_HEADERS, **facts: str) -> None:
        super().__init__(code.value)
        self.fault = Fault(code, facts, headers=headers)


class Unauthorized(Refused):
    """The request has no valid credential."""

    def __init__(self, code: RequestFault) -> None:
        super().__init__(code, headers={"WWW-Authenticate": "Bearer"})


class ValuesInvalid(Exception):
    """Values of the request break the rules; `values` has every one of them."""

    def __init__(self, values: Sequence[BadValue]) -> None:
        super().__init__(f"{len(values)} values are invalid")
        self.fault = Fault(RequestFault.VALUES_INVALID, values=values)


def too_many(seconds: float) -> Refused:
    """The refusal of a request whose credential has used up its limit; `seconds` until there is room again."""
    wait = str(ceil(seconds))
    return Refused(RequestFault.TOO_MANY_REQUESTS, headers={"Retry-After": wait}, seconds=wait)


EngineError = (
    NotFound
    | WrongState
    | Conflict
    | BadSetting
    | InvalidCursor
    | SecretKeyMissing
    | TooLarge
    | FileUrlRefused
    | TemporaryError
)


def fault_of(error: EngineError) -> Fault:
    """The fault that an error of the engine's is to its caller.

    Facts: `reference` is what was referred to, `named` the same in quotation marks, both shortened; `campaigns` names
    those that use it.
    """
    match error:
        case NotFound():
            return Fault(error.kind, _referring_to(error.reference))
        case WrongState():
            return Fault(error.asked, {**_referring_to(error.reference), "state": error.state.value})
        case Conflict():
            campaigns = ", ".join(f"{quoted(campaign.name)} ({campaign.id})" for campaign in error.campaigns)
            return Fault(error.clash, {**_referring_to(error.reference), "campaigns": campaigns})
        case BadSetting():
            value = BadValue(("body", *error.place), "", error.flaw.name.lower())
            facts = {**_referring_to(error.reference), "value": repeated(error.value)}
            return Fault(error.flaw, facts, values=[value])
        case InvalidCursor():
            return Fault(RequestFault.UNKNOWN_CURSOR)
        case SecretKeyMissing():
            return Fault(RequestFault.NO_SECRET_KEY)
        case FileUrlRefused():
            return Fault(RequestFault.FILE_URL_EXPIRED if error.expired else RequestFault.FILE_URL_FORGED)
        case TooLarge():
            return Fault(RequestFault.BODY_TOO_LARGE, {"limit": str(error.most_bytes)})
        case ContactsNotStored():
            facts = {**_referring_to(error.campaign_id), "why": error.why}
            return Fault(RequestFault.CONTACTS_NOT_STORED, facts, headers=_again())
        case TemporaryError():
            return Fault(RequestFault.TRY_AGAIN, {"why": str(error)}, headers=_again())


def _referring_to(reference: str) -> dict[str, str]:
    return {"reference": repeated(reference), "named": quoted(reference)}


def _again() -> dict[str, str]:
    return {"Retry-After": str(RETRY_AFTER_SECONDS)}
