"""Campaigns between this API and the engine, purely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic_core import PydanticCustomError

from services.campaign_api.http.faults import BadValue, ValuesInvalid
from services.campaign_api.talkturo.bodies import Given
from services.campaign_api.talkturo.schemas.campaigns import CampaignFields, CreateCampaign, Weighted
from shared.domain.caller_numbers import NumberChoice
from shared.domain.campaign import DEFAULT_PRIORITY
from shared.domain.json_rules import check_json
from shared.engine.caller_numbers import RegisteredNumber
from shared.engine.campaigns import NewCampaign
from shared.rendering.talkturo.settings import (
    KEPT,
    NAMES,
    WINDOW,
    Dialing,
    Machines,
    configuration_name,
    dialing_values,
)

_PAST: Final = timedelta(minutes=5)
DEFAULT_AT_ONCE: Final = 3
# Fields of a change that any state but a final one allows.
_LIGHT: Final = frozenset({"webhook_url", "webhook_enabled", "webhook_secret", "webhook_events", "no_auto_complete"})
_FOR_PEOPLE: Final = frozenset({"name", "description"})
_NO_SETTING: Final = frozenset({"team_id", "account_slug", "external_id", "status", "settings", "in_settings"})
_EVERGREEN: Final = "no_auto_complete"
_DIALING: Final = frozenset(NAMES)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a body says of dialing: the fields given, in the body or its settings, and when the campaign starts.

    `starts`: whether it says anything of that; `start_at` None: not by itself.
    """

    dialing: Mapping[str, Any]
    auto_complete: bool | None
    starts: bool
    start_at: datetime | None


def wanted_of(given: Given[Any], now: datetime) -> Wanted:
    """What the body says of dialing. Raises `ValuesInvalid`."""
    value: CampaignFields = given.value
    of_settings = value.in_settings
    inside = {} if of_settings is None else of_settings.model_dump(exclude_unset=True)
    fields = value.model_dump(include={*_DIALING, _EVERGREEN}, exclude_unset=True)
    schedule, faults = value.schedule, list[BadValue]()
    starts, start_at = "scheduled_start_at" in given.fields, value.scheduled_start_at
    if schedule is not None:
        zone = schedule.timezone
        names_zone = "timezone" in schedule.model_fields_set
        if names_zone and fields.setdefault("call_window_timezone", zone) != zone:
            faults.append(given.bad_value("Says another thing than callWindowTimezone", "schedule", "timezone"))
        if "start_at" in schedule.model_fields_set:
            if starts and schedule.start_at != start_at:
                faults.append(given.bad_value("Says another thing than scheduledStartAt", "schedule", "start_at"))
            starts, start_at = True, schedule.start_at
    if start_at is not None and start_at < now - _PAST:
        where = ("scheduled_start_at",) if "scheduled_start_at" in given.fields else ("schedule", "start_at")
        faults.append(given.bad_value("Write a time that is not past", *where))
    if faults:
        raise ValuesInvalid(faults)
    dialing = {**inside, **fields}
    auto_complete = not dialing.pop(_EVERGREEN) if _EVERGREEN in dialing else None
    return Wanted(dialing, auto_complete, starts, start_at)


def changed_dialing(before: Dialing, wanted: Wanted, given: Given[Any]) -> Dialing:
    """The settings of dialing after a body. Raises `ValuesInvalid` where they contradict each other."""
    defaults = Dialing()
    values = {name: getattr(defaults, name) if one is None else one for name, one in wanted.dialing.items()}
    if before.call_window_start is None and not wanted.dialing.keys().isdisjoint(WINDOW):
        # Hours of another API's making are replaced as a whole.
        before = replace(before, **{name: getattr(defaults, name) for name in WINDOW})
    after = replace(before, **values)
    if after.call_window_start is not None and after.call_window_start == after.call_window_end:
        name = "call_window_end" if "call_window_end" in given.fields else "call_window_start"
        raise given.bad("The window must end at another time than it starts", name)
    return after


def new_campaign(
    given: Given[CreateCampaign],
    wanted: Wanted,
    dialing: Dialing,
    *,
    agent_id: str,
    company_id: str | None,
    numbers: Sequence[RegisteredNumber],
) -> NewCampaign:
    """The campaign that the body asks for; its configuration is made with it."""
    body = given.value
    return NewCampaign(
        name=body.name,
        configuration_id="",
        external_id=body.external_id,
        priority=DEFAULT_PRIORITY,
        agent_id=agent_id,
        agent_version=None,
        agent_number=None,
        concurrency_limit=body.max_concurrent_calls or DEFAULT_AT_ONCE,
        is_draft=wanted.start_at is None,
        start_at=wanted.start_at,
        caller_numbers=listed_numbers(body.from_number_ids, numbers),
        caller_number_choice=NumberChoice.WEIGHTED_STICKY,
        auto_complete=True if wanted.auto_complete is None else wanted.auto_complete,
        description=body.description,
        company_id=company_id,
        kept_words=kept_words(dialing, body.settings or {}),
    )


def merged_settings(given: Given[Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
    """The free settings after a body: its top level merged, null for none. Raises `ValuesInvalid` (too large)."""
    body: CampaignFields = given.value
    if "settings" not in given.fields:
        return before
    try:
        merged: dict[str, Any] = check_json({**before, **body.settings}) if body.settings is not None else {}
    except PydanticCustomError as error:
        raise given.bad(error.message(), "settings") from None
    return merged


def kept_words(dialing: Dialing, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept beside the configuration."""
    return {KEPT: {"set": dialing.kept, "settings": settings}}


def listed_numbers(wanted: Sequence[Weighted], numbers: Sequence[RegisteredNumber]) -> list[dict[str, Any]]:
    """The numbers as a campaign lists them."""
    return [{"id": number.entry.id, "weight": one.weight} for one, number in zip(wanted, numbers, strict=True)]


def campaign_changes(given: Given[Any], wanted: Wanted) -> dict[str, Any]:
    """The fields of the campaign itself that a change names, but for those that refer to other things."""
    body: CampaignFields = given.value
    changes: dict[str, Any] = {name: getattr(body, name) for name in ("name", "description") if name in given.fields}
    if "max_concurrent_calls" in given.fields:
        changes["concurrency_limit"] = body.max_concurrent_calls or DEFAULT_AT_ONCE
    if wanted.auto_complete is not None:
        changes["auto_complete"] = wanted.auto_complete
    return changes


def core_fields(given: Given[Any], wanted: Wanted) -> frozenset[str]:
    """The fields of a change that decide who is called when, and how; a start time is judged as a move."""
    of_start = {"scheduled_start_at"} | ({"schedule"} if "call_window_timezone" not in wanted.dialing else set())
    return frozenset(given.fields - _LIGHT - _FOR_PEOPLE - _NO_SETTING - of_start) | wanted.dialing.keys()


def is_for_people(given: Given[Any]) -> bool:
    """Whether a change is of the name and the description alone, which every state allows."""
    return given.fields - {"team_id", "account_slug", "external_id"} <= _FOR_PEOPLE


def configuration_changes(name: str | None, dialing: Dialing, machines: Machines) -> dict[str, Any]:
    """The fields of the campaign's configuration; `name` is the campaign's new one, None: it stays."""
    named = {} if name is None else {"name": configuration_name(name)}
    return {**named, **dialing_values(dialing, machines)}
