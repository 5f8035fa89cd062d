"""The fields of campaigns and of a contact that is added by hand, purely: how they are typed, what the API is sent."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from services.console.forms import Field, Form, Kind
from shared.domain.call_rate import MAX_CALLS_PER_SECOND
from shared.domain.campaign import DEFAULT_PRIORITY, MAX_PRIORITY, CampaignState
from shared.domain.fields import MAX_CONCURRENCY
from shared.domain.run_calls import MAX_CALLS_OF_A_RUN

_NAME: Final = 255
# How a campaign begins: the words, and the state that the API is told.
BEGINNINGS: Final[Mapping[str, tuple[str, str | None]]] = MappingProxyType(
    {
        "draft": ("as a draft, to be started by hand", CampaignState.DRAFT.value),
        "now": ("at once", CampaignState.RUNNING.value),
        "later": ("at the time given", None),
    }
)
_NO_TIME: Final = "Choose the day and the time (UTC) at which it begins."
_TIME_TOO: Final = "A time is given: choose that it begins then, or take the time out."
_BEGIN: Final = Field(
    "begin",
    "It begins",
    Kind.CHOICE,
    required=True,
    options=tuple((name, words) for name, (words, _) in BEGINNINGS.items()),
    makes=("state",),
)
_START: Final = Field("start_at", "Begins at (UTC)", Kind.TIME)
# States in which the time of the beginning can still be changed.
NOT_BEGUN: Final = frozenset({CampaignState.DRAFT.value, CampaignState.SCHEDULED.value})
_WHAT: Final = (
    Field("name", "Name", required=True, most=_NAME, placeholder="Spring outreach"),
    Field("configuration_id", "Configuration", Kind.CHOICE, required=True),
    Field("agent_id", "Agent", most=_NAME, suggestions="agents", hint="Empty: the configuration's."),
    Field(
        "agent_number",
        "Caller number",
        Kind.PHONE,
        suggestions="numbers",
        hint="In E.164. Empty: the pool's, or the configuration's.",
    ),
    Field("caller_number_pool", "Pool of caller numbers", Kind.CHOICE, hint="Instead of one number."),
)
_HOW: Final = (
    Field("end_at", "Ends at (UTC)", Kind.TIME, hint="From then on nobody is called."),
    Field("auto_complete", "Completed once all contacts have ended", Kind.TICK),
    Field(
        "max_calls",
        "Calls of a run at most",
        Kind.WHOLE,
        least=1,
        most=MAX_CALLS_OF_A_RUN,
        placeholder="no limit",
        hint="From one start to the next.",
    ),
    Field("concurrency_limit", "Calls at once", Kind.WHOLE, least=1, most=MAX_CONCURRENCY, placeholder="no limit"),
    Field("calls_per_second", "Calls a second", Kind.DECIMAL, most=int(MAX_CALLS_PER_SECOND), placeholder="no limit"),
    Field("priority", "Priority", Kind.WHOLE, required=True, most=MAX_PRIORITY, hint="Higher ones are called first."),
    Field("objective", "What its calls are to reach", Kind.LONG, most=10_000),
    Field("external_id", "External id", most=_NAME, hint="Your own; unique among campaigns, or empty."),
)
NEW: Final = (*_WHAT, _BEGIN, _START, *_HOW)
NEW_VALUES: Final[Mapping[str, Any]] = MappingProxyType({"begin": "draft", "priority": DEFAULT_PRIORITY})
# Configurations are chosen from a list, so only this field of a new campaign can be the reason of a clash.
CLASHES: Final[Mapping[int, str]] = MappingProxyType({409: "external_id"})
CONTACT: Final = (
    Field(
        "phone_numbers",
        "Phone numbers",
        Kind.LIST,
        required=True,
        placeholder="+14155550123",
        hint="With commas between; the first is called first.",
    ),
    Field("external_id", "External id", most=_NAME, hint="Your own. Of one that is here already: that one is changed."),
    Field("timezone", "Zone", suggestions="zones", hint="Empty: the configuration's."),
    Field("scheduled_at", "Not before (UTC)", Kind.TIME),
    Field("expires_at", "Not from then on (UTC)", Kind.TIME),
    Field(
        "data",
        "What the agent is to know",
        Kind.PAIRS,
        placeholder="Name: Ada",
        hint="A line for each: a name, a colon, a value.",
    ),
)
LATER: Final = (
    Field("at", "Call at (UTC)", Kind.TIME, required=True),
    Field("notes", "Notes", most=1000),
)


def fields_of(state: str) -> tuple[Field, ...]:
    """What can be changed of a campaign in this state."""
    return (*_WHAT, *((_START,) if state in NOT_BEGUN else ()), *_HOW)


def new_form(form: Form) -> Form:
    """A filled form of a new campaign, looked at as a whole: a time is needed for a later beginning, and only then."""
    begin, at = form.typed.get("begin"), form.typed.get("start_at")
    if begin == "later" and not at:
        return form.with_faults({**form.faults, "start_at": _NO_TIME})
    if begin != "later" and at and "begin" not in form.faults:
        return form.with_faults({**form.faults, "begin": _TIME_TOO})
    return form


def new_body(form: Form) -> dict[str, Any]:
    """The campaign that a form asks for."""
    values = form.body()
    state = BEGINNINGS[values.pop("begin")][1]
    return values if state is None else {**values, "state": state}
