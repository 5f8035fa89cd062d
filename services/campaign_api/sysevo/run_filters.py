"""The `filters` of lists of runs, purely: Dograh's list of attributes, or one object."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from pydantic_core import PydanticCustomError

from services.campaign_api.sysevo.values import utc_instant
from shared.domain.outcome import Outcome
from shared.engine.calls import CallFilter, CallStatus

_INCLUSIVE: Final = timedelta(milliseconds=1)
_COMPLETED: Final = frozenset({Outcome.ANSWERED, Outcome.VOICEMAIL})
_MAX_CODES: Final = 200
MAX_SECONDS: Final = 1_000_000
# The words of `mapped_call_disposition`, beside the engine's own.
_OUTCOMES_OF: Final[Mapping[str, frozenset[Outcome]]] = MappingProxyType(
    {
        "completed": frozenset({Outcome.ANSWERED}),
        "voicemail_detected": frozenset({Outcome.VOICEMAIL}),
        "no-answer": frozenset({Outcome.NO_ANSWER}),
        "canceled": frozenset({Outcome.DECLINED, Outcome.DO_NOT_CALL}),
        "failed": frozenset({Outcome.FAILED, Outcome.INVALID_NUMBER}),
        "error": frozenset({Outcome.INTERRUPTED, Outcome.UNKNOWN}),
        **{outcome.value: frozenset({outcome}) for outcome in Outcome if outcome is not Outcome.FAILED},
    }
)
_KEYS: Final = frozenset(
    {
        "status",
        "outcome",
        "disposition",
        "phone_number",
        "start_date",
        "end_date",
        "min_duration",
        "max_duration",
    }
)
_NOTHING: Final[tuple[Any, ...]] = (None, "", [], "all")


class BadFilter(ValueError):
    """The filter is no JSON, or has another shape or a wrong value."""


class UnknownAttribute(ValueError):
    """The filter names something that there is no filter for."""


def filter_of(text: str | None) -> CallFilter:
    """The calls that a filter asks for. Raises `BadFilter`, `UnknownAttribute`."""
    if text is None or not text.strip():
        return CallFilter()
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise BadFilter("filters is not JSON") from None
    if given in _NOTHING:
        return CallFilter()
    if isinstance(given, dict) and "attribute" not in given:
        return _of_object(given)
    which = CallFilter()
    for item in given if isinstance(given, list) else [given]:
        if not isinstance(item, dict) or not isinstance(item.get("attribute"), str):
            raise BadFilter("each filter is an object with an attribute and a value")
        which = _with_attribute(which, item["attribute"], item.get("value"))
    return which


def _with_attribute(which: CallFilter, attribute: str, value: Any) -> CallFilter:
    if attribute not in {"dateRange", "dispositionCode", "duration", "status", "tokenUsage"}:
        raise UnknownAttribute(attribute[:100])
    if value in _NOTHING:
        return which
    if not isinstance(value, dict):
        raise BadFilter(f"the value of {attribute} is an object")
    match attribute:
        case "dateRange":
            return _between(which, value.get("from"), value.get("to"))
        case "dispositionCode":
            return _with_codes(which, _words(value.get("codes"), attribute))
        case "duration":
            return _lasting(which, value.get("min"), value.get("max"))
        case "status":
            return _with_completion(which, value.get("status"))
        case _:
            least, most = _seconds(value.get("min"), attribute), _seconds(value.get("max"), attribute)
            none_is_so = (least is not None and least > 0) or (most is not None and most < 0)
            return replace(which, contact_ids=()) if none_is_so else which


def _of_object(given: Mapping[str, Any]) -> CallFilter:
    unknown = next((key for key in given if key not in _KEYS), None)
    if unknown is not None:
        raise UnknownAttribute(unknown[:100])
    which = _between(CallFilter(), given.get("start_date"), given.get("end_date"))
    which = _lasting(which, given.get("min_duration"), given.get("max_duration"))
    number = given.get("phone_number")
    if number not in _NOTHING:
        if not isinstance(number, str) or not re.fullmatch(r"\+?[0-9 ().-]{1,40}", number):
            raise BadFilter("phone_number is a number, such as +14155552671")
        which = replace(which, called=re.sub(r"[^+0-9]", "", number))
    ended: frozenset[Outcome] | None = None
    statuses = _words(given.get("status"), "status")
    if statuses:
        which, ended = _with_statuses(which, statuses)
    words = _words(given.get("outcome"), "outcome")
    if words:
        which = replace(which, under_way_too=False)
        outcomes = frozenset(outcome for word in words for outcome in _outcomes(word))
        ended = outcomes if ended is None else ended & outcomes
    dispositions = tuple(_words(given.get("disposition"), "disposition"))
    if ended is not None and not ended:
        return replace(which, contact_ids=())
    if dispositions:
        return replace(which, dispositions=dispositions, ended_as=ended or ())
    return replace(which, outcomes=ended or ())


def _with_statuses(which: CallFilter, words: list[str]) -> tuple[CallFilter, frozenset[Outcome] | None]:
    """By the status of runs: completed, failed, in_progress."""
    wanted = set(words)
    if not wanted <= {"completed", "failed", "in_progress"}:
        raise BadFilter("status is completed, failed or in_progress")
    if wanted == {"completed", "failed", "in_progress"}:
        return which, None
    if wanted == {"in_progress"}:
        return replace(which, status=CallStatus.IN_PROGRESS), None
    if wanted == {"completed", "failed"}:
        return replace(which, status=CallStatus.ENDED), None
    which = replace(which, under_way_too="in_progress" in wanted)
    return which, _COMPLETED if "completed" in wanted else frozenset(Outcome) - _COMPLETED


def _with_completion(which: CallFilter, word: Any) -> CallFilter:
    if word in _NOTHING:
        return which
    if word not in ("completed", "in_progress"):
        raise BadFilter("status is completed or in_progress")
    wanted = CallStatus.ENDED if word == "completed" else CallStatus.IN_PROGRESS
    if which.status is not None and which.status is not wanted:
        return replace(which, contact_ids=())
    return replace(which, status=wanted)


def _with_codes(which: CallFilter, codes: list[str]) -> CallFilter:
    if not codes:
        return which
    if which.dispositions:
        raise BadFilter("send all codes in one dispositionCode")
    outcomes = frozenset(outcome for code in codes for outcome in _outcomes(code))
    return replace(which, dispositions=tuple(codes), outcomes=outcomes)


def _outcomes(word: str) -> frozenset[Outcome]:
    return _OUTCOMES_OF.get(word.lower(), _OUTCOMES_OF.get(word.lower().replace("-", "_"), frozenset()))


def _between(which: CallFilter, first: Any, last: Any) -> CallFilter:
    since, until = _instant(first), _instant(last)
    if since is not None:
        which = replace(which, since=since if which.since is None else max(which.since, since))
    if until is not None:
        after = just_after(until)
        which = replace(which, until=after if which.until is None else min(which.until, after))
    return which


def just_after(until: datetime) -> datetime:
    """The exclusive end of a time that is meant inclusively."""
    try:
        return until + _INCLUSIVE
    except OverflowError:
        return until


def _lasting(which: CallFilter, least: Any, most: Any) -> CallFilter:
    shortest, longest = _seconds(least, "duration"), _seconds(most, "duration")
    if shortest is not None:
        which = replace(which, shortest=shortest if which.shortest is None else max(which.shortest, shortest))
    if longest is not None:
        which = replace(which, longest=longest if which.longest is None else min(which.longest, longest))
    return which


def _instant(value: Any) -> datetime | None:
    if value in _NOTHING:
        return None
    try:
        instant: datetime = utc_instant(value)
    except PydanticCustomError as error:
        raise BadFilter(error.message()) from None
    return instant


def _seconds(value: Any, name: str) -> float | None:
    if value in _NOTHING:
        return None
    try:
        number = float(value) if not isinstance(value, bool) else None
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or not -MAX_SECONDS <= number <= MAX_SECONDS:
        raise BadFilter(f"{name} has numbers up to {MAX_SECONDS}")
    return number


def _words(value: Any, name: str) -> list[str]:
    if value in _NOTHING:
        return []
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or len(words) > _MAX_CODES or not all(_is_word(word) for word in words):
        raise BadFilter(f"{name} is a word or a list of words")
    return words


def _is_word(word: Any) -> bool:
    return isinstance(word, str) and 0 < len(word) <= 255 and word.isprintable()
