"""Settings of the simulated carrier: what never changes, and how it behaves (changeable while it runs)."""

import json
import re
from enum import StrEnum
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

from shared.domain.setting_rules import account_sid
from shared.settings import DAY_SECONDS, PositiveSeconds, Secret, Settings, StartSettings

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=DAY_SECONDS, allow_inf_nan=False)]
BEHAVIOUR_PREFIX = "simulator_"


class Ending(StrEnum):
    """What becomes of a call."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    FAX = "fax"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DECLINED = "declined"
    INVALID_NUMBER = "invalid_number"  # accepted, then failed: the number is not assigned
    FAILED = "failed"
    REFUSED = "refused"  # the REST request itself gets a 400, no call exists


class Fault(StrEnum):
    """What goes wrong with the request that creates a call."""

    RATE_LIMITED = "rate_limited"  # 429, no call
    ERROR_BEFORE = "error_before"  # 503, no call
    ERROR_AFTER = "error_after"  # 503, and the call exists
    SILENT_BEFORE = "silent_before"  # no answer, no call
    SILENT_AFTER = "silent_after"  # no answer, and the call exists
    DROPPED_AFTER = "dropped_after"  # the connection breaks, and the call exists


class CallbackFault(StrEnum):
    """What goes wrong with a call's callbacks."""

    LOST = "lost"  # none is sent
    LATE = "late"  # all are held back
    EARLY = "early"  # all are sent before the creating request is answered; the call takes no time
    DOUBLED = "doubled"  # each is sent twice


class Rule(BaseModel):
    """What happens to numbers that `pattern` (a regular expression, searched) is found in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: str
    ending: Ending = Ending.ANSWERED
    fault: Fault | None = None
    callback_fault: CallbackFault | None = None
    ring_seconds: Seconds | None = None
    talk_seconds: Seconds | None = None
    code: int = Field(21211, description="Twilio's error code of a refused call.")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from error
        return pattern


class OrderRefusal(BaseModel):
    """Orders that the carrier refuses: those from `caller`, to `to_prefix` or to `country`, where named; else all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: int = Field(description="Twilio's error code.")
    status: int = Field(400, ge=400, le=499, description="HTTP status of the refused order.")
    caller: str | None = Field(None, description="The number called from, exactly.")
    to_prefix: str | None = Field(None, description="What the number called begins with.")
    country: str | None = Field(None, pattern="^[A-Z]{2}$", description="The country of the number called, `DE`.")
    placed: bool = Field(False, description="Take the call; it then fails, with the code in its callback.")


def _from_json(given: object) -> object:
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except ValueError as error:
        raise ValueError(
            f'must be a JSON list, [{{"pattern": "99$", "ending": "busy"}}] for example: {error}'
        ) from error


class Behaviour(Settings):
    """How calls go. Shares are of all calls; what the endings leave over is `no_answer`."""

    simulator_seed: int = Field(1, description="The same seed, number and count of calls to it: the same fate.")
    simulator_rules: Annotated[tuple[Rule, ...], NoDecode, BeforeValidator(_from_json)] = Field(
        (), description="By number, the first that fits; JSON."
    )
    simulator_refusals: Annotated[tuple[OrderRefusal, ...], NoDecode, BeforeValidator(_from_json)] = Field(
        (), description="Orders refused, before any rule; JSON."
    )
    simulator_answer_rate: Share = Field(0.6, description="Share answered by a person.")
    simulator_voicemail_rate: Share = Field(0.1, description="Share answered by a machine.")
    simulator_busy_rate: Share = Field(0.08, description="Share busy.")
    simulator_declined_rate: Share = Field(0.02, description="Share declined.")
    simulator_invalid_rate: Share = Field(0.01, description="Share of unassigned numbers.")
    simulator_failed_rate: Share = Field(0.01, description="Share that fails for other reasons.")
    simulator_ring_min_seconds: Seconds = Field(2.0, description="Shortest ringing.")
    simulator_ring_max_seconds: Seconds = Field(10.0, description="Longest ringing (the order's Timeout still holds).")
    simulator_talk_min_seconds: Seconds = Field(10.0, description="Shortest talk.")
    simulator_talk_max_seconds: Seconds = Field(90.0, description="Longest talk (the order's TimeLimit still holds).")
    simulator_detection_seconds: Seconds = Field(1.0, description="From the answer until a machine is known as one.")
    simulator_greeting_seconds: Seconds = Field(4.0, description="From the answer until a machine takes messages.")
    simulator_time_scale: PositiveSeconds = Field(
        1.0, description="Ringing, talk and machines' times are multiplied by this."
    )
    simulator_latency_min_seconds: Seconds = Field(0.0, description="Shortest time to answer a request.")
    simulator_latency_max_seconds: Seconds = Field(0.0, description="Longest time to answer a request.")
    simulator_calls_per_second: int = Field(0, ge=0, le=1_000_000, description="Above this, 429; 0 is no limit.")
    simulator_rate_limited_rate: Share = Field(0.0, description="Share of creations answered 429.")
    simulator_error_before_rate: Share = Field(0.0, description="Share answered 503 without a call.")
    simulator_error_after_rate: Share = Field(0.0, description="Share answered 503 although the call exists.")
    simulator_silent_before_rate: Share = Field(0.0, description="Share never answered, without a call.")
    simulator_silent_after_rate: Share = Field(0.0, description="Share never answered although the call exists.")
    simulator_dropped_after_rate: Share = Field(0.0, description="Share whose connection breaks after the call exists.")
    simulator_lookup_blind: bool = Field(False, description="Look-ups find no call, as if there had never been one.")
    simulator_callback_lost_rate: Share = Field(0.0, description="Share of calls without any callback.")
    simulator_callback_late_rate: Share = Field(0.0, description="Share of calls whose callbacks are held back.")
    simulator_callback_late_seconds: Seconds = Field(5.0, description="How long late callbacks are held back.")
    simulator_callback_early_rate: Share = Field(0.0, description="Share whose callbacks overtake the answer.")
    simulator_callback_doubled_rate: Share = Field(0.0, description="Share of calls with every callback twice.")
    simulator_callback_retries: int = Field(3, ge=0, le=5, description="Repeats after a 5xx; a URL's #rc= wins.")
    simulator_callback_retry_seconds: PositiveSeconds = Field(0.2, description="First pause; doubles each time.")
    simulator_callback_timeout_seconds: PositiveSeconds = Field(
        15.0, description="Patience with a callback's receiver."
    )

    @model_validator(mode="after")
    def _consistent(self) -> "Behaviour":
        for what, shares in (("endings", self.endings()), ("faults", self.faults()), ("callbacks", self.callbacks())):
            if sum(shares.values()) > 1 + 1e-9:
                listed = ", ".join(f"{name} {share:g}" for name, share in shares.items())
                raise ValueError(f"the simulator's shares of {what} must not add up to more than 1: {listed}")
        for what in ("ring", "talk", "latency"):
            low, high = self.span(what)
            if low > high:
                raise ValueError(f"simulator_{what}_min_seconds ({low:g}) must not exceed the maximum ({high:g})")
        return self

    def endings(self) -> dict[Ending, float]:
        """Shares of endings, without the one that takes the rest."""
        return {
            Ending.ANSWERED: self.simulator_answer_rate,
            Ending.VOICEMAIL: self.simulator_voicemail_rate,
            Ending.BUSY: self.simulator_busy_rate,
            Ending.DECLINED: self.simulator_declined_rate,
            Ending.INVALID_NUMBER: self.simulator_invalid_rate,
            Ending.FAILED: self.simulator_failed_rate,
        }

    def faults(self) -> dict[Fault, float]:
        """Shares of faulty creations."""
        return {fault: getattr(self, f"simulator_{fault}_rate") for fault in Fault}

    def callbacks(self) -> dict[CallbackFault, float]:
        """Shares of calls with faulty callbacks."""
        return {fault: getattr(self, f"simulator_callback_{fault}_rate") for fault in CallbackFault}

    def span(self, what: str) -> tuple[float, float]:
        """Minimum and maximum seconds of `ring`, `talk` or `latency`."""
        return getattr(self, f"simulator_{what}_min_seconds"), getattr(self, f"simulator_{what}_max_seconds")

    def changed(self, changes: dict[str, object]) -> "Behaviour":
        """This with `changes` (names without the prefix). Raises pydantic's ValidationError, a ValueError."""
        names = {f"{BEHAVIOUR_PREFIX}{name}": value for name, value in changes.items()}
        unknown = sorted(set(names) - set(type(self).model_fields))
        if unknown:
            raise ValueError(f"no such settings: {', '.join(name.removeprefix(BEHAVIOUR_PREFIX) for name in unknown)}")
        return Behaviour.model_validate({**self.model_dump(), **names})

    def plain(self) -> dict[str, object]:
        """For JSON: names without the prefix."""
        values = self.model_dump(mode="json")
        return {name.removeprefix(BEHAVIOUR_PREFIX): value for name, value in values.items()}


class SimulatorSettings(StartSettings):
    """What stays as it was at start. Account and token are the ones the engine uses."""

    twilio_account_sid: Annotated[str, AfterValidator(account_sid)] = Field("", description="Account SID.")
    twilio_auth_token: Secret = Field(SecretStr(""), description="Auth token; also signs the callbacks.")
    simulator_record_file: str = Field("", description="Append the record of all calls to this file (JSON lines).")
    simulator_record_kept: int = Field(
        500_000, ge=1, le=100_000_000, description="Entries of the record kept in memory."
    )
    simulator_calls_kept: int = Field(
        200_000, ge=1, le=100_000_000, description="Ended calls that can still be looked up."
    )

    @model_validator(mode="after")
    def _complete(self) -> "SimulatorSettings":
        if not self.twilio_account_sid or not self.twilio_auth_token.get_secret_value():
            raise ValueError("DIALSTREAM_TWILIO_ACCOUNT_SID and DIALSTREAM_TWILIO_AUTH_TOKEN must be set")
        return self
