"""Hours, retries and breakers between this API and the engine, purely."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final

from services.campaign_api.sysevo.schemas.campaigns import (
    BreakerView,
    CreateCampaign,
    HoursView,
    PatchCampaign,
    RetryView,
    ScheduleView,
)
from services.campaign_api.sysevo.schemas.settings import (
    ABSENT_BREAKER,
    DAYS,
    CircuitBreaker,
    PatchedSchedule,
    RetryConfig,
    ScheduleConfig,
)
from shared.domain.breaker import CircuitBreaker as Breaker
from shared.domain.calling_window import Weekday
from shared.domain.configuration import Configuration
from shared.domain.outcome import Outcome
from shared.domain.retry import BUILT_IN_RULES, RetryMode, RetryRule

_WEEK: Final = tuple(day.value for day in Weekday)
_MIDNIGHT, _END_OF_DAY = "00:00", "24:00"
# The hours of a campaign are meant in its own zone for every contact.
_FOR_EVERYBODY: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "use_contact_timezone": False,
        "timezone_from_number": False,
        "overrides": [],
        "scheduled_windows": None,
        "scheduled_overrides": None,
    }
)
_FLAGS: Final = (
    (Outcome.BUSY, "retry_on_busy"),
    (Outcome.NO_ANSWER, "retry_on_no_answer"),
    (Outcome.VOICEMAIL, "retry_on_voicemail"),
)
# The engine's breaker needs some failure to trip; below this a share is shown as 0.
_LEAST_THRESHOLD: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of a week in one zone; each slot is `(weekday from Monday 0, start, end)`. Off: they restrict nothing."""

    timezone: str
    slots: tuple[tuple[int, str, str], ...]
    enabled: bool = True


class SlotsMissing(ValueError):
    """Hours that restrict something need slots, and there are none to keep."""


def hours_of(body: CreateCampaign) -> Hours | None:
    """The hours that a new campaign is to have, in whichever spelling they are sent; None: any time."""
    given = body.calling_hours or body.schedule_config
    if given is None:
        return None
    slots = tuple((slot.day, slot.start, slot.end) for slot in given.slots)
    return Hours(given.timezone, slots, given.enabled if isinstance(given, ScheduleConfig) else True)


def patched_hours(body: PatchCampaign, before: Hours | None) -> Hours | None:
    """The hours after a change. Raises `SlotsMissing`."""
    patch = body.calling_hours or body.schedule_config
    if patch is None:
        return None if body.clears_hours else before
    base = before or Hours("UTC", ())
    slots = base.slots if patch.slots is None else tuple((slot.day, slot.start, slot.end) for slot in patch.slots)
    if not slots:
        raise SlotsMissing
    # SysEvo's hours cannot be switched off.
    enabled = patch.enabled if isinstance(patch, PatchedSchedule) else True
    return Hours(patch.timezone or base.timezone, slots, base.enabled if enabled is None else enabled)


def hours_fields(hours: Hours | None) -> dict[str, Any]:
    """The fields of a configuration for these hours, as JSON values."""
    if hours is None or not hours.enabled:
        windows = [{"days": list(_WEEK), "start": _MIDNIGHT, "end": _END_OF_DAY}]
    else:
        windows = [{"days": [_WEEK[day]], "start": start, "end": end} for day, start, end in hours.slots]
    zone = "UTC" if hours is None else hours.timezone
    return {**_FOR_EVERYBODY, "default_timezone": zone, "default_windows": windows}


def shown_hours(values: Mapping[str, Any], kept: Mapping[str, Any] | None) -> Hours | None:
    """The hours of a configuration; None: any time. `kept` has those that were switched off."""
    slots = tuple(_slots(values["default_windows"]))
    if not _is_any_time(slots):
        return Hours(values["default_timezone"], slots)
    off = (kept or {}).get("hours")
    if off is None:
        return None
    return Hours(off["timezone"], tuple((day, start, end) for day, start, end in off["slots"]), enabled=False)


def _slots(windows: Sequence[Mapping[str, Any]]) -> list[tuple[int, str, str]]:
    """The windows day by day; one that crosses midnight is two."""
    slots = []
    for window in windows:
        for name in window["days"]:
            day, start, end = _WEEK.index(name), window["start"], window["end"]
            if start < end:
                slots.append((day, start, end))
                continue
            slots.append((day, start, _END_OF_DAY))
            if end != _MIDNIGHT:
                slots.append(((day + 1) % 7, _MIDNIGHT, end))
    return slots


def _is_any_time(slots: Sequence[tuple[int, str, str]]) -> bool:
    return {day for day, start, end in slots if (start, end) == (_MIDNIGHT, _END_OF_DAY)} == set(range(7))


def hours_view(hours: Hours | None) -> HoursView | None:
    """SysEvo's form; None also for hours that are switched off."""
    if hours is None or not hours.enabled:
        return None
    slots = [{"day": DAYS[day], "start": start, "end": end} for day, start, end in hours.slots]
    return HoursView(timezone=hours.timezone, slots=slots)


def schedule_view(hours: Hours | None) -> ScheduleView | None:
    """Dograh's form."""
    if hours is None:
        return None
    slots: list[dict[str, int | str]] = [
        {"day_of_week": day, "start_time": start, "end_time": end} for day, start, end in hours.slots
    ]
    return ScheduleView(enabled=hours.enabled, timezone=hours.timezone, slots=slots)


def retry_fields(retry: RetryConfig | RetryView) -> dict[str, Any]:
    """The fields of a configuration for these retries, as JSON values."""
    rules: dict[str, Any] = {
        outcome.value: {
            "retry": getattr(retry, flag),
            "mode": RetryMode.FIXED.value,
            "delay_seconds": retry.retry_delay_seconds,
        }
        for outcome, flag in _FLAGS
    }
    rules[Outcome.FAILED.value] = {"retry": False}
    return {"max_attempts": 1 + retry.max_retries if retry.enabled else 1, "retry_rules": rules}


def retry_view(values: Mapping[str, Any], kept: Mapping[str, Any] | None) -> RetryView:
    """The retries of a configuration, whichever API it was made through."""
    rules = {
        outcome: RetryRule.model_validate(values["retry_rules"].get(outcome.value, {})).over(BUILT_IN_RULES[outcome])
        if outcome.value in values["retry_rules"]
        else BUILT_IN_RULES[outcome]
        for outcome, _ in _FLAGS
    }
    off = (kept or {}).get("retry") if values["max_attempts"] == 1 else None
    return RetryView(
        enabled=off is None,
        max_retries=values["max_attempts"] - 1 if off is None else off["max_retries"],
        retry_delay_seconds=rules[Outcome.NO_ANSWER].delay_seconds,
        **{flag: rules[outcome].retry for outcome, flag in _FLAGS},
    )


def breaker_field(breaker: CircuitBreaker | BreakerView) -> dict[str, Any] | None:
    """The engine's breaker; None: it is switched off."""
    if not breaker.enabled:
        return None
    return {
        "threshold": float(max(breaker.failure_threshold, _LEAST_THRESHOLD)),
        "window_seconds": breaker.window_seconds,
        "min_calls": breaker.min_calls_in_window,
    }


def shown_threshold(threshold: float) -> float:
    """The share of failures at which a breaker trips, as its customer has sent it."""
    return 0.0 if threshold <= _LEAST_THRESHOLD else threshold


def breaker_view(breaker: Breaker | None, kept: Mapping[str, Any] | None) -> BreakerView:
    """A campaign's breaker; one that has none shows it switched off."""
    if breaker is None:
        off = (kept or {}).get("breaker") or ABSENT_BREAKER.model_dump()
        return BreakerView(**{**off, "enabled": False})
    return BreakerView(
        enabled=True,
        failure_threshold=shown_threshold(breaker.threshold),
        window_seconds=breaker.window_seconds,
        min_calls_in_window=breaker.min_calls,
    )


def kept_words(
    hours: Hours | None, retry: RetryConfig | RetryView, breaker: CircuitBreaker | BreakerView
) -> dict[str, Any] | None:
    """What of these settings is switched off, and so has no place in the engine; None: nothing."""
    kept: dict[str, Any] = {}
    if hours is not None and not hours.enabled:
        kept["hours"] = {**asdict(hours), "slots": [list(slot) for slot in hours.slots]}
    if not retry.enabled:
        kept["retry"] = {"max_retries": retry.max_retries}
    if not breaker.enabled:
        kept["breaker"] = breaker.model_dump()
    return kept or None


def own_configuration(name: str, hours: Hours | None, retry: RetryConfig) -> dict[str, Any]:
    """All fields of the configuration of a campaign that is made here, as JSON values."""
    built_in = Configuration().model_dump(mode="json")
    return {"name": name, **built_in, **hours_fields(hours), **retry_fields(retry)}
