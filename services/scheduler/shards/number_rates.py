"""Caller numbers with a limit of calls a second: which an organization has, and which of them a campaign depends on."""

from collections.abc import Mapping

from shared.domain.caller_numbers import CallerNumber, in_use
from shared.domain.dialing import number_plan
from shared.domain.dialing_values import CallFields, Rules


def rates_of(registered: Mapping[str, CallerNumber]) -> dict[str, float]:
    """The limits of calls a second among an organization's numbers, by number."""
    return {
        number: entry.calls_per_second
        for number, entry in registered.items()
        if entry.calls_per_second is not None and entry.active
    }


def bound_to(rules: Rules, rates: Mapping[str, float]) -> tuple[str, ...]:
    """The numbers whose times all calls of a campaign need, contacts with a number of their own apart.

    None where any of its numbers has no such limit: its calls need not wait for a time of theirs.
    """
    plan = number_plan(CallFields(), rules) if rates else None
    numbers = [number for number in in_use(plan) if not rules.numbers.is_off(number)] if plan is not None else []
    return tuple(numbers) if all(number in rates for number in numbers) else ()
