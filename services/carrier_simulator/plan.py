"""What will happen to one call: decided when it is ordered, by rule or by a seeded mix."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from phonenumbers import NumberParseException, parse, region_code_for_number

from services.carrier_simulator.settings import Behaviour, CallbackFault, Ending, Fault, OrderRefusal, Rule

Choice = TypeVar("Choice")

PICKED_UP = frozenset({Ending.ANSWERED, Ending.VOICEMAIL, Ending.FAX})


@dataclass(frozen=True, slots=True)
class Plan:
    """The fate of one call."""

    ending: Ending
    ring_seconds: float
    talk_seconds: float
    latency_seconds: float
    fault: Fault | None = None
    callback_fault: CallbackFault | None = None
    refusal_code: int = 21211
    refusal_status: int = 400
    # Of a call that is taken and fails.
    error_code: int | None = None
    # From the answer until a person is told from a machine, and until the machine's greeting is over.
    detection_seconds: float = 0
    greeting_seconds: float = 0


def plan_call(behaviour: Behaviour, number: str, nth: int) -> Plan:
    """The fate of the `nth` call to `number`; the same for the same seed, in whatever order calls come."""
    dice = random.Random(f"{behaviour.simulator_seed}/{number}/{nth}")
    mixed = Plan(
        ending=_pick(dice, behaviour.endings()) or Ending.NO_ANSWER,
        ring_seconds=dice.uniform(*behaviour.span("ring")) * behaviour.simulator_time_scale,
        talk_seconds=dice.uniform(*behaviour.span("talk")) * behaviour.simulator_time_scale,
        latency_seconds=dice.uniform(*behaviour.span("latency")),
        fault=_pick(dice, behaviour.faults()),
        callback_fault=_pick(dice, behaviour.callbacks()),
        detection_seconds=behaviour.simulator_detection_seconds * behaviour.simulator_time_scale,
        greeting_seconds=behaviour.simulator_greeting_seconds * behaviour.simulator_time_scale,
    )
    rule = next((rule for rule in behaviour.simulator_rules if re.search(rule.pattern, number)), None)
    return mixed if rule is None else _ruled(mixed, rule)


def with_refusals(plan: Plan, behaviour: Behaviour, caller: str, number: str) -> Plan:
    """The plan of a call from `caller` to `number`, after what the carrier refuses at the moment."""
    refusal = next((one for one in behaviour.simulator_refusals if _concerns(one, caller, number)), None)
    if refusal is None:
        return plan
    if refusal.placed:
        return replace(plan, ending=Ending.FAILED, ring_seconds=0, error_code=refusal.code)
    return replace(plan, ending=Ending.REFUSED, refusal_code=refusal.code, refusal_status=refusal.status)


def _concerns(refusal: OrderRefusal, caller: str, number: str) -> bool:
    if refusal.caller not in {None, caller} or not number.startswith(refusal.to_prefix or ""):
        return False
    return refusal.country is None or refusal.country == _country(number)


def _country(number: str) -> str | None:
    try:
        return region_code_for_number(parse(number))
    except NumberParseException:
        return None


def _ruled(mixed: Plan, rule: Rule) -> Plan:
    return replace(
        mixed,
        ending=rule.ending,
        ring_seconds=mixed.ring_seconds if rule.ring_seconds is None else rule.ring_seconds,
        talk_seconds=mixed.talk_seconds if rule.talk_seconds is None else rule.talk_seconds,
        fault=rule.fault,
        callback_fault=rule.callback_fault,
        refusal_code=rule.code,
    )


def _pick(dice: random.Random, shares: Mapping[Choice, float]) -> Choice | None:
    point = dice.random()
    for choice, share in shares.items():
        if point < share:
            return choice
        point -= share
    return None
