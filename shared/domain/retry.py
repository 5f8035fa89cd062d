"""What follows an attempt: call again at a time, or stop, and in which state the contact then ends.

Rule 5 of the design: nobody is called again because we lost track. An ending nobody can vouch for is an
`error`, unless the customer set a rule that says otherwise in so many words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from shared.domain.contact import ContactStatus
from shared.domain.fields import (
    DEFAULT_MAX_ATTEMPTS,
    MAX_DELAY_SECONDS,
    DelaySeconds,
    MaxAttempts,
    Multiplier,
    at_most,
)
from shared.domain.outcome import Outcome
from shared.domain.reasons import ENDED_BY, EndReason

# Endings after which another call would be pointless or unwelcome, whatever a rule says.
NEVER_RETRIED: Final = frozenset({Outcome.ANSWERED, Outcome.DECLINED, Outcome.INVALID_NUMBER, Outcome.DO_NOT_CALL})
MAX_LISTED_DELAYS: Final = 50  # one for every attempt there can be


class RetryMode(StrEnum):
    """How the wait develops from one retry to the next."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"
    LIST = "list"


def _without_defaults(schema: dict[str, Any]) -> None:
    for field_schema in schema["properties"].values():
        field_schema.pop("default", None)


class RetryRule(BaseModel):
    """What to do after one outcome; a field left out keeps the built-in value of that outcome.

    `max_attempts` counts the attempts with this outcome and wins over the configuration's; without it the
    configuration's holds. `after_message` is for voicemail: whether to call again somebody for whom a message was left.
    """

    # Dumped with `exclude_unset=True` a rule comes back as it was set. The defaults below only fill the built-in
    # rules; what holds for a field left out depends on the outcome, so the schema shows no default.
    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_without_defaults)

    retry: StrictBool = True
    max_attempts: MaxAttempts | None = None
    delay_seconds: DelaySeconds = 1800
    mode: RetryMode = RetryMode.FIXED
    multiplier: Multiplier = 2.0
    max_delay_seconds: DelaySeconds | None = None
    delays_seconds: Annotated[
        tuple[DelaySeconds, ...], Field(max_length=MAX_LISTED_DELAYS), at_most(MAX_LISTED_DELAYS)
    ] = ()
    after_message: StrictBool = False

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if not self.retry:
            return self
        if self.mode is RetryMode.LIST and not self.delays_seconds:
            raise PydanticCustomError(
                "delays_missing", 'The mode "list" needs delays_seconds: the wait before each retry, in seconds'
            )
        given = {"delay_seconds", "max_delay_seconds"} <= self.model_fields_set
        if given and self.max_delay_seconds is not None and self.max_delay_seconds < self.delay_seconds:
            raise PydanticCustomError(
                "delay_above_its_maximum",
                "max_delay_seconds must not be less than delay_seconds; raise it or leave it out",
            )
        return self

    def over(self, built_in: "RetryRule") -> "RetryRule":
        """This rule with the fields it leaves out taken from the built-in one, the attempt limit excepted."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return built_in.model_copy(update={"max_attempts": None, **given})

    def delay_after(self, times: int) -> timedelta:
        """How long to wait after the outcome came for the `times`-th time (from 1); at most 30 days."""
        if self.mode is RetryMode.LIST and self.delays_seconds:
            seconds: float = self.delays_seconds[min(times, len(self.delays_seconds)) - 1]
        elif self.mode is RetryMode.EXPONENTIAL:
            seconds = _grown(self.delay_seconds, self.multiplier, times - 1)
        else:
            seconds = self.delay_seconds
        longest = MAX_DELAY_SECONDS if self.max_delay_seconds is None else self.max_delay_seconds
        return timedelta(seconds=min(seconds, longest))


def _only_outcomes_that_can_be_retried(rules: dict[Outcome, RetryRule]) -> dict[Outcome, RetryRule]:
    for outcome, rule in rules.items():
        if outcome in NEVER_RETRIED and rule.retry:
            raise PydanticCustomError(
                "never_retried",
                'After "{outcome}" a contact is never called again; leave the rule out or set retry to false',
                {"outcome": outcome.value},
            )
        if outcome is not Outcome.VOICEMAIL and rule.after_message:
            raise PydanticCustomError(
                "after_message_elsewhere", "after_message belongs to the rule of voicemail; leave it out elsewhere"
            )
    return rules


RetryRules = Annotated[
    dict[Outcome, RetryRule], AfterValidator(_only_outcomes_that_can_be_retried), at_most(len(Outcome))
]
"""Rules by outcome, for request models and stored documents."""

_HOUR: Final = 3600
_NO_RETRY: Final = RetryRule(retry=False)

BUILT_IN_RULES: Final[Mapping[Outcome, RetryRule]] = MappingProxyType(
    {
        Outcome.NO_ANSWER: RetryRule(retry=True, max_attempts=3, delay_seconds=24 * _HOUR),
        Outcome.VOICEMAIL: RetryRule(retry=True, max_attempts=3, delay_seconds=24 * _HOUR),
        Outcome.BUSY: RetryRule(retry=True, max_attempts=5, delay_seconds=_HOUR),
        Outcome.FAILED: RetryRule(retry=True, max_attempts=3, delay_seconds=_HOUR // 2),
        Outcome.INTERRUPTED: _NO_RETRY,
        Outcome.UNKNOWN: _NO_RETRY,
        Outcome.DECLINED: _NO_RETRY,
        Outcome.INVALID_NUMBER: _NO_RETRY,
        Outcome.DO_NOT_CALL: _NO_RETRY,
        Outcome.ANSWERED: _NO_RETRY,
    }
)


@dataclass(frozen=True)
class RetryPolicy:
    """A configuration's shared attempt limit and the rules its customer set; `RetryPolicy()` is the built-in policy."""

    max_attempts: int = DEFAULT_MAX_ATTEMPTS
    rules: Mapping[Outcome, RetryRule] = field(default_factory=dict)

    def rule_for(self, outcome: Outcome) -> RetryRule:
        """The rule that holds after an outcome: the customer's over the built-in one.

        The built-in attempt limits belong to the built-in shared limit: where the customer chose another
        number of attempts, that number holds for every outcome without a limit of its own. Otherwise a
        configuration with `max_attempts` 1 would call people three times.
        """
        built_in, own = BUILT_IN_RULES[outcome], self.rules.get(outcome)
        if own is not None:
            return own.over(built_in)
        if self.max_attempts != DEFAULT_MAX_ATTEMPTS:
            return built_in.model_copy(update={"max_attempts": None})
        return built_in

    @cached_property
    def ceiling(self) -> int:
        """How often a contact is called at most in all: the highest limit there is, the shared one or an outcome's own.

        Attempts that no limit counts are apart: those before a reset, and those that spoke of a number or of us.
        """
        rules = [self.rule_for(outcome) for outcome in Outcome if outcome not in NEVER_RETRIED]
        return max(self.max_attempts, *(rule.max_attempts or 0 for rule in rules if rule.retry))


# What holds for contacts of no campaign.
BUILT_IN_POLICY: Final = RetryPolicy()


@dataclass(frozen=True, slots=True)
class CallAgain:
    """The contact waits and is called again, at the earliest at `at`.

    `counted`: whether limits of attempts count the attempt that has ended.
    """

    at: datetime
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Ended:
    """The contact is not called again; `status` is final."""

    status: ContactStatus
    because: EndReason


def after_attempt(
    policy: RetryPolicy,
    outcome: Outcome,
    *,
    proven: bool,
    attempts_made: int,
    outcome_count: int,
    now: datetime,
    other_numbers: bool = False,
    not_before: datetime | None = None,
    message_left: bool = False,
) -> CallAgain | Ended:
    """What follows an attempt that ended in `outcome`.

    `attempts_made` and `outcome_count` (attempts of this contact with this outcome) include this attempt, and leave out
    those that no limit counts. `proven`: the carrier itself vouches for the ending. `other_numbers`: the contact has
    numbers left that may be called and are not known to be invalid. `not_before` is given when the ending speaks of us
    and not of the person: the contact is called again from then on. `message_left`: a message was left on a machine, or
    may have been. The delay counts from `now`.
    """
    if outcome is Outcome.ANSWERED:
        return Ended(ContactStatus.COMPLETED, EndReason.ANSWERED)
    if not_before is not None:
        return CallAgain(max(now, not_before), counted=False)
    if outcome is Outcome.INVALID_NUMBER and other_numbers:
        return CallAgain(now, counted=False)
    if _lost_track(policy, outcome, proven):
        return Ended(ContactStatus.ERROR, EndReason.LOST)
    rule = policy.rule_for(outcome)
    unwelcome = outcome in NEVER_RETRIED or (message_left and not policy.rule_for(Outcome.VOICEMAIL).after_message)
    if unwelcome or not rule.retry or not retries_left(policy, outcome, attempts_made, outcome_count):
        # A contact whose last call nobody can vouch for says so, also when its retries are used up.
        lost = outcome in {Outcome.INTERRUPTED, Outcome.UNKNOWN}
        return Ended(ContactStatus.ERROR if lost else ContactStatus.EXHAUSTED, ENDED_BY[outcome])
    return CallAgain(now + rule.delay_after(outcome_count))


def _lost_track(policy: RetryPolicy, outcome: Outcome, proven: bool) -> bool:
    """Whether the call's fate cannot be known, and no rule allows to call again all the same."""
    if outcome is Outcome.UNKNOWN:
        return not policy.rule_for(outcome).retry
    return outcome is Outcome.INTERRUPTED and not (proven and policy.rule_for(outcome).retry)


def retries_left(policy: RetryPolicy, outcome: Outcome, attempts_made: int, outcome_count: int) -> int:
    """How many more calls the limits allow after an attempt with this outcome; the counts as in `after_attempt`.

    An outcome's own limit wins, also when it is the higher one; in all there is a ceiling.
    """
    own = policy.rule_for(outcome).max_attempts
    left = policy.max_attempts - attempts_made if own is None else own - outcome_count
    return max(0, min(left, policy.ceiling - attempts_made))


def _grown(first: float, multiplier: float, times: int) -> float:
    try:
        return float(first * multiplier**times)
    except OverflowError:
        return float(MAX_DELAY_SECONDS)
