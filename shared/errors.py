"""The error tree. A class says what the caller should do, not where the error came from.

DialstreamError
├── PermanentError        do not try again: refuse, dead-letter or mark failed
│   └── ConfigurationError    the process must not start
├── TemporaryError        try again later; nothing was changed
│   └── Unavailable           Kafka, MongoDB or the carrier is away
├── OutcomeUnknown        it may have happened: find out, never repeat blindly
└── OwnershipLost         another scheduler owns the shard now: drop memory and rejoin
"""


class DialstreamError(Exception):
    """Everything that Dialstream raises on purpose."""


class PermanentError(DialstreamError):
    """Trying again cannot help."""


class ConfigurationError(PermanentError):
    """Settings are missing or contradict each other; the message names setting, rule and value."""


class NotFound(PermanentError):
    """The organization has no such thing. The message is one sentence for the customer."""


class WrongState(PermanentError):
    """The thing's state does not allow the change; nothing was changed. One sentence for the customer."""


class Conflict(PermanentError):
    """The name is taken or the thing is in use; nothing was changed. One sentence for the customer."""


class TemporaryError(DialstreamError):
    """Nothing was changed; the same operation may be tried again later."""


class Unavailable(TemporaryError):
    """A server we need is away. `what` names it."""

    def __init__(self, what: str, detail: str = "") -> None:
        super().__init__(f"{what} is not reachable{': ' + detail if detail else ''}")
        self.what = what


class OutcomeUnknown(DialstreamError):
    """The request may have reached the other side. Ask it, or wait for its report; never repeat blindly."""


class OwnershipLost(DialstreamError):
    """The shard's epoch has moved on: a newer owner is at work. Drop what is in memory and rejoin."""
