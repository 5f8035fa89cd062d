"""Refusals that speak of us, not of the person: what they speak of, and how long that rests.

A carrier may refuse a call because of our account, our caller number or a country we may not call. Such a refusal
says nothing about the person, so it counts as no attempt; what it speaks of is left alone for a while and asked again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.domain.number_places import country_of

# How long a thing rests after its first, second … refusal in a row; the last one holds from then on.
REST_STEPS: Final = (
    timedelta(seconds=30),
    timedelta(minutes=1),
    timedelta(minutes=2),
    timedelta(minutes=5),
    timedelta(minutes=15),
)


# The carrier's words are kept with what rests: cut, so that a transaction can read what rests in many organizations.
MAX_MESSAGE: Final = 200
# A carrier's codes are among these; a number that is not can be none of its codes, and perhaps not be stored.
CODES: Final = range(2**31)
# What was not asked for again within this is of no use any more.
FORGOTTEN_AFTER: Final = timedelta(hours=1)
# Of so many at most is kept that they rest: what a customer may make up, such as caller numbers, has no bound.
MAX_RESTS: Final = 200


class RefusalSubject(StrEnum):
    """What a refusal speaks of, when it does not speak of the person called."""

    ACCOUNT = "account"  # the telephony account, or the request that we make for all its calls
    CALLER_NUMBER = "caller_number"  # the number we call from
    COUNTRY = "country"  # the country that we call


class Refusal(BaseModel):
    """A refusal as the carrier worded it: `subject` is what rests, `code` the carrier's own code where it gave one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    subject: RefusalSubject
    code: Annotated[int, Field(ge=CODES.start, lt=CODES.stop)] | None = None
    message: Annotated[str, AfterValidator(lambda text: text[:MAX_MESSAGE].encode(errors="replace").decode())] = ""


def rest_after(refusals: int) -> timedelta:
    """How long a thing rests after so many refusals in a row (from 1)."""
    return REST_STEPS[min(max(refusals, 1), len(REST_STEPS)) - 1]


@dataclass(frozen=True, slots=True)
class Rest:
    """Something of an organization that rests until an instant (UTC) after so many refusals in a row.

    `asking`: a call is under way that asks the carrier again; until then nothing else needs to try. `in_ending`: the
    refusal came as the ending of a call that the carrier had taken, so that taking one proves nothing.
    """

    until: datetime
    refusals: int
    since: datetime
    refusal: Refusal
    asking: bool = False
    in_ending: bool = False

    def is_forgotten(self, now: datetime) -> bool:
        """Whether nothing has needed it for so long that it says nothing any more."""
        return now - self.until > FORGOTTEN_AFTER


def rest_key(subject: RefusalSubject, value: str) -> str:
    """The name under which a thing rests in its organization: `account`, `caller_number:+1…`, `country:MX`."""
    return f"{subject}:{value}" if value else str(subject)


def what_rests(subject: RefusalSubject, *, caller_number: str, number: str, account_id: str | None = None) -> str:
    """The key of what a refusal of a call between these numbers (E.164), through this account, speaks of.

    Accounts and countries rest for the account that was refused alone: `account:{id}`, `country:MX:{id}`; without an
    id for the operator's.
    """
    match subject:
        case RefusalSubject.ACCOUNT:
            return rest_key(subject, account_id or "")
        case RefusalSubject.CALLER_NUMBER:
            return rest_key(subject, caller_number)
        case RefusalSubject.COUNTRY:
            return rest_key(subject, country_of(number) + (f":{account_id}" if account_id else ""))


def account_in(key: str) -> str | None:
    """The account that the key of a rest names; None: the operator's, or a caller number rests."""
    subject, _, value = key.partition(":")
    match subject:
        case RefusalSubject.ACCOUNT:
            return value or None
        case RefusalSubject.COUNTRY:
            return value.partition(":")[2] or None
        case _:
            return None


def refused_again(before: Rest | None, refusal: Refusal, now: datetime, *, in_ending: bool = False) -> Rest:
    """The rest after a refusal: longer than the one before it.

    Refusals that come while it rests are of calls placed before it began, and change nothing.
    """
    if before is None:
        return Rest(now + rest_after(1), 1, now, refusal, in_ending=in_ending)
    if before.until > now and not before.asking:
        return before
    refusals = before.refusals + 1
    return Rest(now + rest_after(refusals), refusals, before.since, refusal, in_ending=in_ending)


def asked_again(rest: Rest, now: datetime, answer_seconds: float) -> Rest:
    """The rest while one call asks the carrier again; without an answer in time the next call may ask."""
    return replace(rest, until=now + timedelta(seconds=answer_seconds), asking=True)


def superfluous(rests: Mapping[str, Rest], now: datetime) -> list[str]:
    """The keys of rests that need not be kept: those not asked about for long, and the oldest of too many.

    Of too many, caller numbers go first: a customer may make up any number of them, but no account and no country.
    """
    forgotten = [key for key, rest in rests.items() if rest.is_forgotten(now)]
    kept = sorted(
        (not key.startswith(f"{RefusalSubject.CALLER_NUMBER}:"), rest.until, key)
        for key, rest in rests.items()
        if not rest.is_forgotten(now)
    )
    return forgotten + [key for *_, key in kept[: max(0, len(kept) - MAX_RESTS)]]
