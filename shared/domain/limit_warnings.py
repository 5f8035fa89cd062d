"""Limits of a campaign that are above what there is: they are legal, and what is below them holds all the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.caller_numbers import NumberChoice
from shared.domain.dialing import number_plan
from shared.domain.dialing_values import CallFields, Rules


@dataclass(frozen=True, slots=True)
class CallLimits:
    """The limits on calls that a campaign or its organization has set: at once, and placed in a second; None: none."""

    calls_at_once: int | None = None
    calls_per_second: float | None = None


class Holder(StrEnum):
    """What holds a campaign below its own limit."""

    ORGANIZATION = "organization"  # its calls at once
    CALLER_NUMBERS = "caller_numbers"  # what the campaign's numbers carry at once
    ORGANIZATION_RATE = "organization_rate"  # its calls a second


@dataclass(frozen=True, slots=True)
class LimitAbove:
    """A campaign's limit that is above `most`, which the holder allows."""

    limit: float
    most: float
    holder: Holder = Holder.ORGANIZATION


def limits_above(own: CallLimits, organization: CallLimits, rules: Rules) -> list[LimitAbove]:
    """The limits of a campaign that are above those of its organization, or above what its caller numbers carry."""
    return [
        LimitAbove(limit, most, holder)
        for limit, most, holder in _pairs(own, organization, rules)
        if limit is not None and most is not None and limit > most
    ]


def _pairs(
    own: CallLimits, organization: CallLimits, rules: Rules
) -> Iterator[tuple[float | None, float | None, Holder]]:
    yield own.calls_at_once, organization.calls_at_once, Holder.ORGANIZATION
    yield own.calls_at_once, carried_at_once(rules), Holder.CALLER_NUMBERS
    yield own.calls_per_second, organization.calls_per_second, Holder.ORGANIZATION_RATE


def carried_at_once(rules: Rules) -> int | None:
    """How many calls the numbers of a campaign carry at once, for contacts without one of their own.

    None: one of them carries any number of calls, or there is none that makes calls (which is another fault).
    """
    plan = number_plan(CallFields(), rules)
    if plan is None:
        return None
    offers = plan.offers[:1] if plan.choice is NumberChoice.FIXED else plan.offers
    limits = [rules.numbers.max_calls(offer.number) for offer in offers if not rules.numbers.is_off(offer.number)]
    known = [limit for limit in limits if limit is not None]
    return sum(known) if known and len(known) == len(limits) else None
