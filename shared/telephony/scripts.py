"""What scripted calls do: one plan per call, from a rule, a table by number, or a seeded mix."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal
from shared.telephony.provider import PlaceCall

# Endings for which somebody or something picked up first.
PICKED_UP = frozenset({Outcome.ANSWERED, Outcome.VOICEMAIL})


class Placement(StrEnum):
    """What happens to the request that places a call."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # a definite no about the number, with the plan's outcome
    DENIED = "denied"  # a definite no about us, with the plan's refusal
    RATE_LIMITED = "rate_limited"  # not placed; may be tried again
    LOST_BEFORE = "lost_before"  # outcome unknown to us, and no call exists
    LOST_AFTER = "lost_after"  # outcome unknown to us, and the call exists


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedCall:
    """The plan of one call. Ring and call limits of the order still hold, as at a carrier.

    `report_early` ends and reports the call before `place` returns; `lose_report` never reports it. `refusal` is what
    a denied placement, or the report of a call that was taken and failed, says of us.
    """

    outcome: Outcome = Outcome.ANSWERED
    placement: Placement = Placement.ACCEPTED
    ring_seconds: float = 0.0
    talk_seconds: float = 0.0
    latency_seconds: float = 0.0
    error: str | None = None
    report_early: bool = False
    lose_report: bool = False
    refusal: Refusal | None = None

    def __post_init__(self) -> None:
        if self.placement is Placement.DENIED and self.refusal is None:
            raise ValueError("a denied placement needs a refusal that says what it speaks of")
        if self.placement is not Placement.DENIED and self.refusal is not None and self.outcome is not Outcome.FAILED:
            raise ValueError(f"a call that ends with a refusal of us has failed; its outcome cannot be {self.outcome}")


Script = Callable[[PlaceCall], ScriptedCall]


def always(plan: ScriptedCall) -> Script:
    """A script in which every call follows the same plan."""
    return lambda call: plan


def seeded_mix(
    seed: int,
    weights: Mapping[Outcome, float],
    *,
    ring_seconds: tuple[float, float] = (0.0, 0.0),
    talk_seconds: tuple[float, float] = (0.0, 0.0),
) -> Script:
    """Outcomes in proportion to `weights`, durations even between minimum and maximum.

    The plan follows from `seed` and the attempt id alone, so neither the order nor the number of
    processes changes what happens to an attempt. Raises ValueError when no weight is positive.
    """
    outcomes, shares = list(weights), list(weights.values())
    if not any(share > 0 for share in shares) or any(share < 0 for share in shares):
        raise ValueError(f"weights must not be negative and one must be positive: {dict(weights)}")

    def plan(call: PlaceCall) -> ScriptedCall:
        dice = random.Random(f"{seed}/{call.attempt_id}")
        return ScriptedCall(
            outcome=dice.choices(outcomes, shares)[0],
            ring_seconds=dice.uniform(*ring_seconds),
            talk_seconds=dice.uniform(*talk_seconds),
        )

    return plan
