"""How a campaign dials, as Talkturo's clients set it, and the configuration that this is; purely, both ways.

The configuration is what holds. The words that were set are kept beside it, because several of them say the same to it;
where somebody has changed it through another API they are read from it anew.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from shared.domain.calling_window import Weekday
from shared.domain.configuration import DEFAULT_TIMEZONE, Configuration
from shared.domain.outcome import Outcome
from shared.domain.retry import RetryMode, RetryPolicy
from shared.domain.voicemail import Voicemail, VoicemailAction

WHOLE_DAY: Final = ("00:00", "23:59")
WINDOW: Final = (
    "call_window_start",
    "call_window_end",
    "call_window_timezone",
    "use_contact_timezone_for_call_window",
)
_MIDNIGHT: Final = "24:00"
_MINUTE: Final = 60
_EVERY_DAY: Final = [day.value for day in Weekday]
LEAVE: Final = "leave_message"
HANG_UP: Final = "hangup"
# The key of this API's words among a campaign's.
KEPT: Final = "talkturo"
# Fields that are read from the configuration, whatever was set.
_READ: Final = (*WINDOW, "max_attempts_per_contact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialing:
    """The settings of dialing, with their defaults; delays in minutes, times of day on the contact's clock.

    None of an outcome: as the shared one. Windows None: the configuration has none that can be said so.
    """

    call_window_start: str | None = "09:00"
    call_window_end: str | None = "17:00"
    call_window_timezone: str | None = DEFAULT_TIMEZONE
    use_contact_timezone_for_call_window: bool | None = True
    max_attempts_per_contact: int = 3
    retry_delay_minutes: int = 60
    retry_delay_minutes_no_answer: int | None = None
    retry_delay_minutes_busy: int | None = None
    retry_delay_minutes_error: int | None = None
    retry_on_error: bool = False
    retry_backoff_mode: str = "fixed"
    retry_backoff_multiplier: float = 2.0
    retry_backoff_max_minutes: int | None = None
    voicemail_detection_enabled: bool | None = None
    voicemail_action: str | None = None
    voicemail_drop_message: str | None = None
    unavailable_action: str | None = None
    max_attempts_no_answer: int | None = None
    max_attempts_busy: int | None = None
    max_attempts_error: int | None = None

    @property
    def kept(self) -> dict[str, Any]:
        """What is kept of this beside the configuration."""
        return {name: value for name, value in asdict(self).items() if name not in _READ}


NAMES: Final = tuple(field.name for field in fields(Dialing))


@dataclass(frozen=True, slots=True)
class Machines:
    """What an assistant does about answering machines, where its campaigns say nothing."""

    detect: bool = True
    action: VoicemailAction | None = None


def configuration_values(name: str, dialing: Dialing, machines: Machines) -> dict[str, Any]:
    """All fields of the private configuration of a campaign of this name, as JSON values."""
    return {
        **Configuration().model_dump(mode="json"),
        "name": configuration_name(name),
        **dialing_values(dialing, machines),
    }


def configuration_name(campaign_name: str) -> str:
    """The name of the configuration of a campaign of this name."""
    return f"{campaign_name[:240]} (Talkturo)"


def dialing_values(dialing: Dialing, machines: Machines) -> dict[str, Any]:
    """The fields of a configuration that these settings are, as JSON values; without windows, its own stay."""
    return {
        **({} if dialing.call_window_start is None else _hours(dialing)),
        "max_attempts": dialing.max_attempts_per_contact,
        "retry_rules": _rules(dialing, machines),
        "voicemail": _voicemail(dialing, machines),
    }


def _hours(dialing: Dialing) -> dict[str, Any]:
    start, end = dialing.call_window_start, dialing.call_window_end
    ends = _MIDNIGHT if (start, end) == WHOLE_DAY else end
    return {
        "default_timezone": dialing.call_window_timezone,
        "default_windows": [{"days": _EVERY_DAY, "start": start, "end": ends}],
        "use_contact_timezone": dialing.use_contact_timezone_for_call_window,
        "overrides": [],
        "scheduled_windows": None,
        "scheduled_overrides": None,
    }


def says_nothing_to_machines(dialing: Dialing, machines: Machines) -> bool:
    """Whether a message is to be left and there is none, so that machines are hung up on."""
    detects, leaves = _machine_rule(dialing, machines)
    return detects and leaves and dialing.voicemail_drop_message is None


def dialing_of(values: Mapping[str, Any], kept: Mapping[str, Any] | None, machines: Machines) -> Dialing:
    """The settings that a stored configuration is; `kept` are the words that were set, None: in another API."""
    shared = {**_window(values), "max_attempts_per_contact": values["max_attempts"]}
    if kept is not None:
        said = replace(Dialing(**shared), **{name: value for name, value in kept.items() if name in NAMES})
        as_said = (_rules(said, machines), _voicemail(said, machines))
        if as_said == (values["retry_rules"], values["voicemail"]):
            return said
    return replace(Dialing(**shared), **_retries(values), **_on_machines(values))


def _window(values: Mapping[str, Any]) -> dict[str, Any]:
    windows = values["default_windows"]
    others = (values["overrides"], values["scheduled_windows"], values["scheduled_overrides"])
    if any(others) or len(windows) != 1 or set(windows[0]["days"]) != set(_EVERY_DAY):
        return dict.fromkeys(WINDOW)
    start, end = windows[0]["start"], windows[0]["end"]
    return {
        "call_window_start": start,
        "call_window_end": WHOLE_DAY[1] if (start, end) == (WHOLE_DAY[0], _MIDNIGHT) else end,
        "call_window_timezone": values["default_timezone"],
        "use_contact_timezone_for_call_window": values["use_contact_timezone"],
    }


def _machine_rule(dialing: Dialing, machines: Machines) -> tuple[bool, bool]:
    """Whether machines are told from people, and whether a message is to be left on them."""
    detects = machines.detect if dialing.voicemail_detection_enabled is None else dialing.voicemail_detection_enabled
    of_assistant = HANG_UP if machines.action is VoicemailAction.HANG_UP else LEAVE
    return detects, (dialing.voicemail_action or of_assistant) == LEAVE


def _voicemail(dialing: Dialing, machines: Machines) -> dict[str, Any]:
    detects, leaves = _machine_rule(dialing, machines)
    message = dialing.voicemail_drop_message
    if not (detects and leaves) or message is None:
        return Voicemail(detect=detects).model_dump(mode="json")
    return Voicemail(action=VoicemailAction.LEAVE_MESSAGE, message=message).model_dump(mode="json")


def _rules(dialing: Dialing, machines: Machines) -> dict[str, Any]:
    on_failure = dialing.unavailable_action or ("retry" if dialing.retry_on_error else "fail")
    detects, leaves = _machine_rule(dialing, machines)
    hung_up_on = detects and not (leaves and dialing.voicemail_drop_message is not None)
    no_answer = _rule(dialing, dialing.retry_delay_minutes_no_answer, dialing.max_attempts_no_answer)
    on_error = _rule(dialing, dialing.retry_delay_minutes_error, dialing.max_attempts_error)
    never = {"retry": False}
    return {
        Outcome.NO_ANSWER.value: no_answer,
        Outcome.VOICEMAIL.value: no_answer if hung_up_on else never,
        Outcome.BUSY.value: _rule(dialing, dialing.retry_delay_minutes_busy, dialing.max_attempts_busy),
        Outcome.FAILED.value: on_error if on_failure == "retry" else never,
        Outcome.INTERRUPTED.value: never,
        Outcome.UNKNOWN.value: never,
    }


def _rule(dialing: Dialing, own_minutes: int | None, own_limit: int | None) -> dict[str, Any]:
    minutes = dialing.retry_delay_minutes if own_minutes is None else own_minutes
    most = dialing.retry_backoff_max_minutes
    rule: dict[str, Any] = {"retry": True, "delay_seconds": min(minutes, minutes if most is None else most) * _MINUTE}
    if dialing.retry_backoff_mode == RetryMode.EXPONENTIAL:
        rule |= {"mode": RetryMode.EXPONENTIAL.value, "multiplier": dialing.retry_backoff_multiplier}
    else:
        rule |= {"mode": RetryMode.FIXED.value}
    if most is not None:
        rule["max_delay_seconds"] = most * _MINUTE
    return rule if own_limit is None else {**rule, "max_attempts": own_limit}


def _retries(values: Mapping[str, Any]) -> dict[str, Any]:
    stored = Configuration.model_validate({name: values[name] for name in ("max_attempts", "retry_rules")})
    policy = RetryPolicy(stored.max_attempts, stored.retry_rules)
    no_answer, busy, failed = (policy.rule_for(one) for one in (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED))
    most = no_answer.max_delay_seconds
    return {
        "retry_delay_minutes": no_answer.delay_seconds // _MINUTE,
        "retry_delay_minutes_busy": busy.delay_seconds // _MINUTE,
        "retry_delay_minutes_error": failed.delay_seconds // _MINUTE,
        "retry_on_error": failed.retry,
        "retry_backoff_mode": "exponential" if no_answer.mode is RetryMode.EXPONENTIAL else "fixed",
        "retry_backoff_multiplier": no_answer.multiplier,
        "retry_backoff_max_minutes": None if most is None else most // _MINUTE,
        "max_attempts_no_answer": no_answer.max_attempts,
        "max_attempts_busy": busy.max_attempts,
        "max_attempts_error": failed.max_attempts,
    }


def _on_machines(values: Mapping[str, Any]) -> dict[str, Any]:
    voicemail = values["voicemail"]
    if voicemail is None:
        return {}
    return {
        "voicemail_detection_enabled": voicemail["detect"],
        "voicemail_action": LEAVE if voicemail["action"] == VoicemailAction.LEAVE_MESSAGE else HANG_UP,
        "voicemail_drop_message": voicemail["message"],
    }
