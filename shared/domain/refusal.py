"""Refusals that speak of us, not of the person: what they speak of, and how long that rests.

A carrier may refuse a call because of our account, our caller number or a country we may not call. Such a refusal
says nothing about the person, so it counts as no attempt; what it speaks of is left alone for a while and asked again.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from shared.domain.fields import Remark

# How long a thing rests after its first, second … refusal in a row; the last one holds from then on.
REST_STEPS: Final = (
    timedelta(seconds=30),
    timedelta(minutes=1),
    timedelta(minutes=2),
    timedelta(minutes=5),
    timedelta(minutes=15),
)


class RefusalSubject(StrEnum):
    """What a refusal speaks of, when it does not speak of the person called."""

    ACCOUNT = "account"  # the telephony account, or the request that we make for all its calls
    CALLER_NUMBER = "caller_number"  # the number we call from
    COUNTRY = "country"  # the country that we call


class Refusal(BaseModel):
    """A refusal as the carrier worded it: `subject` is what rests, `code` the carrier's own code where it gave one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    subject: RefusalSubject
    code: int | None = None
    message: Remark = ""


def rest_after(refusals: int) -> timedelta:
    """How long a thing rests after so many refusals in a row (from 1)."""
    return REST_STEPS[min(max(refusals, 1), len(REST_STEPS)) - 1]
