"""What a telephony provider promises, in values and one `Protocol`; the dialing protocol rests on every word here.

Order: `start`, then any of `place`, `look_up` and `hang_up` at the same time from many tasks of one event
loop, then `close`. No method blocks the loop, and none retries anything by itself: whether a call may be
placed again is for the dialing protocol to decide.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from shared.domain.outcome import Outcome
from shared.domain.refusal import Refusal
from shared.domain.voicemail import Voicemail


class CallMode(StrEnum):
    """Who holds a call while it is up."""

    CALLBACK = "callback"  # the carrier holds it and reports over HTTP; our processes may come and go
    IN_PROCESS = "in_process"  # the process that placed it holds it and must live until it ends


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceCall:
    """One call to place. The carrier itself enforces both time limits (whole seconds, at least 1).

    `voicemail` None: as the provider's own settings say. `send_by`, on `shared.clock.monotonic`: a request that has not
    left by then must not leave, for what was looked at before it holds no more; None: at any time. By `result_token`
    the voice agent reports the call's result; None: the operator has set no key for such tokens.
    """

    attempt_id: str
    organization_id: str
    shard: int
    contact_id: str
    campaign_id: str
    phone_number: str
    caller_number: str
    conversation_id: str
    ring_timeout_seconds: float
    max_call_seconds: float  # from the answer on
    agent_id: str | None = None
    agent_version: str | None = None
    agent_config: Mapping[str, Any] | None = None
    initial_context: str | Mapping[str, Any] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    voicemail: Voicemail | None = None
    send_by: float | None = None
    # The customer's telephony account; None: the operator's.
    account_id: str | None = None
    result_token: str | None = None


@dataclass(frozen=True, slots=True)
class CallPlaced:
    """The carrier has the call. For a short call its report may be older than this answer."""

    call_id: str


@dataclass(frozen=True, slots=True)
class CallRefused:
    """The carrier's definite no about the number called: no call exists and none will. `outcome` ends the attempt."""

    outcome: Outcome
    error: str


@dataclass(frozen=True, slots=True)
class CallDenied:
    """The carrier's definite no about us: no call exists and none will. The person has had no attempt.

    `refusal` says what it speaks of: our account, our caller number, or the country that we may not call.
    """

    refusal: Refusal
    error: str


PlaceAnswer = CallPlaced | CallRefused | CallDenied


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """How a call ended, as the carrier says. It may arrive twice, and before `place` has returned.

    Instants are aware UTC. `started_at` and `answered_at` are None when the carrier did not say or it did
    not happen; `duration_seconds` counts from the answer and is None when nobody answered. `refusal` is set when
    the call failed for a reason that speaks of us; `outcome` is `failed` then. `message_left` is an in-process
    provider's word; of calls that the carrier holds the store knows (shared/store/dialing/answering_machines.py).
    """

    attempt_id: str
    outcome: Outcome
    ended_at: datetime
    started_at: datetime | None = None
    answered_at: datetime | None = None
    duration_seconds: float | None = None
    call_id: str | None = None
    error: str | None = None
    refusal: Refusal | None = None
    message_left: bool = False


OnReport = Callable[[CallReport], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineDetected:
    """A call that is up was taken by a machine. The carrier may say so twice, and before `place` has returned.

    `outcome` is the one that the call has for it; `greeting_over`: what is spoken now is recorded.
    """

    attempt_id: str
    organization_id: str
    contact_id: str
    call_id: str
    outcome: Outcome
    greeting_over: bool
    account_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReference:
    """What we know of an attempt whose call is looked for.

    `started_at` is the instant of START, aware UTC: no call of this attempt is older. `other_calls` are ids of calls
    that are known to be of other attempts.
    """

    attempt_id: str
    phone_number: str
    caller_number: str
    started_at: datetime
    call_id: str | None = None
    other_calls: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CallLive:
    """The call is up or about to be (queued, ringing, answered); `answered_at` is aware UTC where known."""

    call_id: str
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call has ended, and how."""

    report: CallReport


@dataclass(frozen=True, slots=True)
class CallNotFound:
    """The carrier knows no such call now. Proof of absence only after the PLACE and SETTLE limits:
    a request that timed out on our side may still be on its way."""


LookUp = CallLive | CallEnded | CallNotFound


class TelephonyProvider(Protocol):
    """A way to place calls. In-process providers are also given an `OnReport`, called on the event loop
    once for every ended call, quickly and without raising."""

    @property
    def name(self) -> str:
        """The word in settings and metrics, for example `twilio`."""
        ...

    @property
    def mode(self) -> CallMode:
        """Who holds a call while it is up; never changes."""
        ...

    @property
    def can_look_up(self) -> bool:
        """Whether `look_up` can answer from any process, not only from the one that placed the call."""
        ...

    async def start(self) -> None:
        """Makes ready to place calls; opens no connection yet. Call once, before anything else."""
        ...

    async def close(self) -> None:
        """Ends it all. Safe to call twice.

        Callback providers: calls at the carrier live on. In-process providers: a call that is still up
        ends here and is reported as `interrupted` before this returns, so wait for calls first.
        """
        ...

    async def place(self, call: PlaceCall, timeout_seconds: float) -> PlaceAnswer:
        """Asks the carrier once, and waits at most `timeout_seconds` (waiting for a connection included).

        Raises `OutcomeUnknown` when the call may exist (timeout after sending, 5xx, connection lost in the
        middle): never place it again; wait for the report or `look_up`.
        Raises `TemporaryError` when it certainly does not (connection refused, rate limited, no free
        connection in time): release the job, somebody may try again later.
        """
        ...

    async def look_up(self, reference: CallReference) -> LookUp:
        """What the carrier knows of the attempt's call; changes nothing; answers within 10 seconds.

        Raises `TemporaryError` when it cannot tell now: carrier away, or several calls fit the reference.
        Leave the contact as it is and ask again later; past its `hold_until` it ends as `unknown`.
        """
        ...

    async def hang_up(self, call_id: str) -> None:
        """Asks the carrier to end the call, within 10 seconds. Safe to repeat; a call that is over or
        unknown is no error. The end itself comes as a report. Raises `TemporaryError`: ask again later."""
        ...

    async def leave_message(self, call_id: str, voicemail: Voicemail) -> bool:
        """Has the carrier speak the message on a call that is up, and then end it; answers within 10 seconds.

        False: it certainly will not, for the call is over or not answered yet. Not safe to repeat: it might be spoken
        twice. Raises `OutcomeUnknown` when it may be spoken (timeout after sending, 5xx): leave it at that; and
        `TemporaryError` when it certainly is not: ask again, soon.
        """
        ...
