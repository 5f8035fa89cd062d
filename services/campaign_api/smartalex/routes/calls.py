"""Calls: lists, and one call. They are placed by campaigns, never by a request."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paths import OurRef
from services.campaign_api.smartalex.auth import Reader
from services.campaign_api.smartalex.paging import EMPTY_IS_NONE, IdFilter, TextFilter, ThisPage
from services.campaign_api.smartalex.schemas.common import Many, One, many, one
from services.campaign_api.smartalex.schemas.problems import problems
from services.campaign_api.smartalex.translate_calls import first_time, time_after
from shared.clock import utc_now
from shared.domain.call_results import Sentiment
from shared.domain.contact_input import is_uuid, read_instant
from shared.domain.ids import contact_id_of_person
from shared.engine import calls, people
from shared.engine.calls import CallFilter, CallOrder, CallStatus
from shared.engine.engine import Engine
from shared.rendering.smartalex.call_views import CallView, WholeCall
from shared.rendering.smartalex.calls import call_view, whole_call
from shared.rendering.smartalex.reading import called_people
from shared.rendering.smartalex.words import CallResultStatus, outcomes_of

router = APIRouter(prefix="/v1/calls", tags=["Calls"])
MAX_HOURS: Final = 8760
_DATE_LENGTH: Final = len("2026-01-15")
_YEARS: Final = range(1970, 9999)


def _time_or_date(value: Any) -> Any:
    """A date is the whole day in UTC; nothing is no bound."""
    if not isinstance(value, str) or not value:
        return None
    try:
        given = date.fromisoformat(value) if len(value) == _DATE_LENGTH else read_instant(value)
    except ValueError as error:
        if isinstance(error, PydanticCustomError):
            raise
        raise ValueError("Write a date like 2026-01-15, or a time like 2026-01-15T10:30:00Z") from None
    if given.year not in _YEARS:
        raise ValueError("Write a time between the years 1970 and 9998")
    return given


Bound = Annotated[
    datetime | date | None,
    BeforeValidator(_time_or_date),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}],
            "examples": ["2026-01-15", "2026-01-15T10:30:00Z"],
        }
    ),
    Query(description="A time with its offset, or a date: the whole day in UTC. Inclusive."),
]


@router.get("", responses=problems(), response_model_exclude_unset=True)
async def list_all(
    engine: ThisEngine,
    caller: Reader,
    asked: ThisPage,
    agent_id: TextFilter = "",
    campaign_id: IdFilter = "",
    contact_id: IdFilter = "",
    direction: Annotated[
        Literal["inbound", "outbound", "web"] | None, EMPTY_IS_NONE, Query(description="All are outbound.")
    ] = None,
    status: Annotated[CallResultStatus | None, EMPTY_IS_NONE, Query(description="What the call came to.")] = None,
    sentiment: Annotated[Sentiment | None, EMPTY_IS_NONE, Query(description="As the agent has said.")] = None,
    from_date: Bound = None,
    to_date: Bound = None,
    since_hours: Annotated[
        Annotated[int, Field(ge=1, le=MAX_HOURS)] | None, EMPTY_IS_NONE, Query(description="Of the last so many hours.")
    ] = None,
) -> Many[CallView]:
    """List calls that have ended, newest first."""
    since = [] if from_date is None else [first_time(from_date)]
    since += [] if since_hours is None else [utc_now() - timedelta(hours=since_hours)]
    contacts = await _contacts_of(engine, caller.organization_id, contact_id) if contact_id else None
    if contacts == [] or (campaign_id and not is_uuid(campaign_id)):
        return many([], 0, asked)
    which = CallFilter(
        campaign_id=campaign_id or None,
        contact_ids=contacts,
        agent_id=agent_id or None,
        status=CallStatus.ENDED,
        direction=direction,
        outcomes=outcomes_of(status) if status else (),
        sentiments=(sentiment,) if sentiment else (),
        since=max(since, default=None),
        until=None if to_date is None else time_after(to_date),
    )
    page = await calls.numbered_calls(
        engine,
        caller.organization_id,
        which,
        order=CallOrder.NEWEST,
        offset=asked.offset,
        limit=asked.per_page,
        reader=calls.Reader(caller.reads_sensitive),
    )
    ids = {each.call.contact_id for each in page.rows}
    persons = await called_people(engine, caller.organization_id, ids)
    rows = [call_view(each, persons.get(each.call.contact_id)) for each in page.rows]
    return many(rows, page.total, asked)


@router.get("/{call}", responses=problems(404), response_model_exclude_unset=True)
async def get_one(engine: ThisEngine, caller: Reader, call: OurRef) -> One[WholeCall]:
    """Get one call, from its placement on, with what was said."""
    found = await calls.get_call(engine, caller.organization_id, call, sensitive=caller.reads_sensitive)
    persons = await called_people(engine, caller.organization_id, [found.call.contact_id])
    return one(whole_call(found, persons.get(found.call.contact_id)))


async def _contacts_of(engine: Engine, organization_id: str, person_id: str) -> list[str]:
    """The contacts that a person is in its campaigns; none where there is no such person."""
    found = (await people.people_of(engine, organization_id, [person_id])).get(person_id)
    if found is None or found.id != person_id:
        return []
    return [contact_id_of_person(campaign_id, found.id) for campaign_id in found.campaigns]
