"""The fields of configurations and of an organization's hours, purely: how they are typed, and what the API is sent."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from services.console.forms import Field, Form, Kind
from services.console.week import DAYS, end_of_window
from shared.domain.call_rate import MAX_CALLS_PER_SECOND
from shared.domain.configuration import DEFAULT_TIMEZONE
from shared.domain.fields import DEFAULT_MAX_ATTEMPTS, MAX_CONCURRENCY, MAX_DELAY_SECONDS, MAX_GAP_MINUTES
from shared.domain.organization_hours import LegalHoursUse
from shared.domain.outcome import Outcome
from shared.domain.retry import NEVER_RETRIED, RetryMode

# The API's own bounds.
MOST_ATTEMPTS: Final = 50
_NAME: Final = 255
_TICKED_DAYS: Final = tuple((day, day.capitalize()) for day in DAYS)
# Whose clock windows and closed days are looked at by: the words, and what the API is sent.
CLOCKS: Final[Mapping[str, tuple[str, Mapping[str, bool]]]] = MappingProxyType(
    {
        "contact": (
            "each contact's, else the zone above",
            {"use_contact_timezone": True, "timezone_from_number": False},
        ),
        "number": (
            "each contact's, else all of the number's",
            {"use_contact_timezone": True, "timezone_from_number": True},
        ),
        "zone": ("the zone above, for everybody", {"use_contact_timezone": False, "timezone_from_number": False}),
    }
)
_CLOCK: Final = Field(
    "clock",
    "Hours by the clock of",
    Kind.CHOICE,
    required=True,
    options=tuple((name, words) for name, (words, _) in CLOCKS.items()),
    makes=("use_contact_timezone", "timezone_from_number"),
)
SETTINGS: Final = (
    Field("name", "Name", required=True, most=_NAME, placeholder="Office hours"),
    Field("default_timezone", "Zone", required=True, suggestions="zones", placeholder="Europe/Berlin"),
    _CLOCK,
    Field("default_country_code", "Country code", placeholder="+1", hint="For numbers without one. Empty: +1.", most=4),
    Field("agent_id", "Agent", most=_NAME, suggestions="agents", hint="A campaign may name another one."),
    Field("agent_number", "Caller number", Kind.PHONE, suggestions="numbers", hint="In E.164: +14155550100."),
    Field("ring_seconds", "Seconds to ring", Kind.WHOLE, least=5, most=120, hint="Empty: as the operator has set."),
    Field(
        "max_call_seconds",
        "Seconds of a call at most",
        Kind.WHOLE,
        least=10,
        most=14_400,
        hint="Empty: as the operator has set.",
    ),
)
ATTEMPTS: Final = (
    Field("max_attempts", "Attempts for each contact", Kind.WHOLE, required=True, least=1, most=MOST_ATTEMPTS),
    Field(
        "max_attempts_per_day",
        "Attempts in a day",
        Kind.WHOLE,
        least=1,
        most=MOST_ATTEMPTS,
        placeholder="no cap",
        hint="Of the contact's zone.",
    ),
)
WINDOW: Final = (
    Field("days", "Days", Kind.TICKS, required=True, options=_TICKED_DAYS),
    Field("start", "From", Kind.CLOCK, required=True),
    Field(
        "end",
        "To",
        Kind.CLOCK,
        required=True,
        hint="00:00: the day's end. Earlier than “From”: on the day after.",
        makes=("default_windows", "windows"),
    ),
    Field(
        "timezones",
        "Only in these zones",
        Kind.LIST,
        hint="With commas between: contacts there have these windows in place of the common ones. Empty: a common one.",
        makes=("overrides",),
    ),
)
_FIRST_WINDOW: Final = (
    Field("days", "Calls are made on", Kind.TICKS, options=_TICKED_DAYS, hint="None ticked: nobody is called yet."),
    Field("start", "From", Kind.CLOCK, required=True),
    WINDOW[2],
)
RULES: Final = (("again", "called again"), ("never", "not called again"), ("built-in", "as built in"))
RETRIED: Final = tuple(outcome for outcome in Outcome if outcome not in NEVER_RETRIED)
RETRY: Final = (
    Field(
        "outcome",
        "After",
        Kind.CHOICE,
        required=True,
        options=tuple((outcome.value, outcome.value.replace("_", " ")) for outcome in RETRIED),
    ),
    Field("rule", "a contact is", Kind.CHOICE, required=True, options=RULES),
    Field("minutes", "after minutes", Kind.WHOLE, most=MAX_DELAY_SECONDS // 60, makes=("delay_seconds",)),
    Field(
        "growth",
        "each wait so many times the one before",
        Kind.DECIMAL,
        least=1,
        most=10,
        placeholder="always the same",
        makes=("multiplier", "mode"),
    ),
    Field(
        "attempts",
        "up to so many that end so",
        Kind.WHOLE,
        least=1,
        most=MOST_ATTEMPTS,
        placeholder="as many as in all",
        makes=("max_attempts", "retry_rules"),
    ),
)
CALENDARS: Final = (
    Field(
        "holiday_calendars",
        "Holiday calendars",
        Kind.LIST,
        placeholder="US, DE-BY",
        hint="Countries, or parts of one, with commas between: nobody is called on their public holidays.",
    ),
)
CLOSURE: Final = (
    Field("first_day", "First day", Kind.DATE, required=True, makes=("closures",)),
    Field("last_day", "Last day", Kind.DATE, hint="Included. Empty: that one day."),
    Field("name", "Why", most=100, placeholder="Christmas"),
    Field("timezones", "Only in these zones", Kind.LIST, hint="With commas between. Empty: everywhere."),
    Field("yearly", "Again every year", Kind.TICK),
)
LEGAL_HOURS: Final = (
    Field(
        "legal_hours",
        "Legal hours of the number's country",
        Kind.CHOICE,
        required=True,
        options=(
            (LegalHoursUse.ON.value, "kept: nobody is called outside of them"),
            (LegalHoursUse.OFF.value, "not looked at"),
        ),
    ),
)
CONCURRENCY: Final = (
    Field("concurrency_limit", "Calls at once", Kind.WHOLE, required=True, least=1, most=MAX_CONCURRENCY),
)
LIMITS: Final = (
    Field(
        "calls_per_second",
        "Calls a second",
        Kind.DECIMAL,
        most=int(MAX_CALLS_PER_SECOND),
        placeholder="no limit",
        hint="0.1: one in ten seconds.",
    ),
    Field(
        "max_attempts_per_number_per_day",
        "Calls to a phone in a day",
        Kind.WHOLE,
        least=1,
        most=MOST_ATTEMPTS,
        placeholder="no limit",
        hint="Of its contact's zone.",
    ),
    Field(
        "max_attempts_per_number_per_week",
        "Calls to a phone in seven days",
        Kind.WHOLE,
        least=1,
        most=7 * MOST_ATTEMPTS,
        placeholder="no limit",
    ),
    Field(
        "min_minutes_between_calls",
        "Minutes between two calls to a phone",
        Kind.WHOLE,
        least=1,
        most=MAX_GAP_MINUTES,
        placeholder="none",
    ),
)
# Who calls, then how often, then what can wait.
NEW: Final = (*SETTINGS[:3], *_FIRST_WINDOW, *SETTINGS[4:6], *ATTEMPTS, *CALENDARS, SETTINGS[3], *SETTINGS[6:])
# What the form of a new one begins with.
NEW_VALUES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "default_timezone": DEFAULT_TIMEZONE,
        "clock": "contact",
        "days": list(DAYS[:5]),
        "start": "09:00",
        "end": "17:00",
        "max_attempts": DEFAULT_MAX_ATTEMPTS,
    }
)


def clock_of(configuration: Mapping[str, Any]) -> str:
    """Whose clock a configuration of the API goes by."""
    if not configuration["use_contact_timezone"]:
        return "zone"
    return "number" if configuration["timezone_from_number"] else "contact"


def settings_form(configuration: Mapping[str, Any]) -> Form:
    """The form with a configuration's settings."""
    return Form.of("settings", SETTINGS, {**configuration, "clock": clock_of(configuration)})


def new_body(form: Form) -> dict[str, Any]:
    """The configuration that a form asks for."""
    values = _with_clock(form.body())
    days, start, end = (values.pop(name, None) for name in ("days", "start", "end"))
    return {**values, "default_windows": [_window(days, start, end)] if days else []}


def settings_changes(form: Form) -> dict[str, Any]:
    """What is to change in a configuration."""
    return _with_clock(form.changes())


def added_window(form: Form, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The windows of a configuration with one more: a common one, or one of the zones that are named."""
    values = form.body()
    window, zones = _window(values["days"], values["start"], values["end"]), values.get("timezones")
    if zones is None:
        return {"default_windows": [*configuration["default_windows"], window]}
    overrides = configuration["overrides"]
    of_zones = next((one for one in overrides if set(one["timezones"]) == set(zones)), None)
    windows = [*(of_zones["windows"] if of_zones else ()), window]
    others = [one for one in overrides if one is not of_zones]
    return {"overrides": [*others, {"timezones": zones, "windows": windows}]}


def retry_form(form: Form) -> Form:
    """A filled form of a retry rule, looked at as a whole: that a contact is called again needs a time."""
    if form.faults or form.typed["rule"] != "again" or form.typed.get("minutes"):
        return form
    return form.with_faults({"minutes": "Write after how many minutes it is called again."})


def retry_changes(form: Form, rules: Mapping[str, Any]) -> dict[str, Any]:
    """The retry rules of a configuration with the rule of one outcome set anew."""
    values = form.body()
    others = {outcome: rule for outcome, rule in rules.items() if outcome != values["outcome"]}
    if values["rule"] == "built-in":
        return {"retry_rules": others}
    if values["rule"] == "never":
        return {"retry_rules": {**others, values["outcome"]: {"retry": False}}}
    rule: dict[str, Any] = {"retry": True, "delay_seconds": values["minutes"] * 60}
    # Once the wait before, it does not grow.
    if values.get("growth", 1) > 1:
        rule |= {"mode": RetryMode.EXPONENTIAL.value, "multiplier": values["growth"]}
    if "attempts" in values:
        rule["max_attempts"] = values["attempts"]
    return {"retry_rules": {**others, values["outcome"]: rule}}


def _with_clock(values: dict[str, Any]) -> dict[str, Any]:
    clock = values.pop("clock", None)
    return values if clock is None else {**values, **CLOCKS[clock][1]}


def _window(days: Any, start: Any, end: Any) -> dict[str, Any]:
    return {"days": days, "start": start, "end": end_of_window(end)}
