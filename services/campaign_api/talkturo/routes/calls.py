"""Calls, and their recordings."""

from typing import Final

from fastapi import APIRouter

from services.campaign_api.http.bodies import BodyRoute
from services.campaign_api.http.credentials import Caller
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.requests import as_stored
from services.campaign_api.talkturo.answers import Answer, refusals, success
from services.campaign_api.talkturo.auth import Reader, confirm_query
from services.campaign_api.talkturo.finding import find_agent, find_campaign, find_person
from services.campaign_api.talkturo.queries import PAGED, TEAM, Ref, ThisQuery, documented, paging
from services.campaign_api.talkturo.reading import newest_calls, shown_calls
from shared.domain.calls import CallFilter, ListedCall
from shared.domain.ids import contact_id_of_person
from shared.domain.outcome import Outcome
from shared.engine import calls
from shared.engine.engine import Engine
from shared.errors import Kind, NotFound
from shared.rendering.talkturo.ids import Prefix, meant_by
from shared.rendering.talkturo.reading import call_objects
from shared.rendering.talkturo.words import CallOutcome, outcomes_behind

router = APIRouter(prefix="/api", tags=["Calls"], route_class=BodyRoute)
# One call's transcript may have a megabyte.
MOST_WITH_TRANSCRIPTS: Final = 100
_FILTERS: Final = (
    *TEAM,
    "campaignId",
    "contactId",
    "assistantId",
    "fromNumber",
    "toNumber",
    "outcome",
    "startDate",
    "endDate",
    "search",
)


@router.get("/crm/calls", responses=refusals(), openapi_extra=documented(*_FILTERS, *PAGED))
async def list_all(engine: ThisEngine, caller: Reader, query: ThisQuery) -> Answer:
    """List calls, those under way included, newest first; pages of more than 100 leave their transcripts out."""
    page, organization_id = paging(query), caller.organization_id
    campaign, contact, assistant = query.text("campaignId"), query.text("contactId"), query.text("assistantId")
    called, number = query.text("toNumber"), query.text("fromNumber")
    words, since, until = query.words("outcome", CallOutcome), query.instant("startDate"), query.instant("endDate")
    search = query.text("search") or ""
    await confirm_query(engine, caller, query)
    try:
        campaign_id = None if campaign is None else (await find_campaign(engine, organization_id, campaign)).id
        agent_id = None if assistant is None else (await find_agent(engine, organization_id, assistant)).id
        contact_ids = None if contact is None else await _contacts(engine, organization_id, contact)
    except NotFound:
        return page.around("calls", [], 0)
    # A person's wish not to be called again is told by the agent, not by the outcome.
    opted_out = CallOutcome.DO_NOT_CALL in words and CallOutcome.ANSWERED not in words
    which = CallFilter(
        campaign_id=campaign_id,
        contact_ids=contact_ids,
        called=called,
        caller=number,
        agent_id=agent_id,
        outcomes=outcomes_behind(words) | ({Outcome.ANSWERED} if opted_out else frozenset()),
        opted_out=opted_out or None,
        since=since,
        until=until,
        search=search,
    )
    if contact_ids == []:
        return page.around("calls", [], 0)
    whole = page.limit <= MOST_WITH_TRANSCRIPTS
    found = await newest_calls(engine, caller, which, limit=page.limit, offset=page.offset, transcripts=whole)
    return page.around("calls", await shown_calls(engine, caller, found), found.total)


@router.get("/crm/calls/{call}", responses=refusals())
async def get_one(engine: ThisEngine, caller: Reader, call: Ref) -> Answer:
    """Get one call, from its placement on."""
    found = await _call(engine, caller, call)
    [shown] = await call_objects(engine, caller.organization_id, [found], sensitive=caller.reads_sensitive)
    return success(call=shown)


@router.get("/calls/{call}/recording-url", responses=refusals())
async def recording_url(engine: ThisEngine, caller: Reader, call: Ref) -> Answer:
    """Get the address of a call's recording."""
    url = (await _call(engine, caller, call)).result.get("recording_url")
    if url is None:
        raise NotFound(Kind.ATTEMPT, call)
    return success(url=url)


async def _call(engine: Engine, caller: Caller, reference: str) -> ListedCall:
    meant = as_stored(meant_by(Prefix.CALL, reference)[0])
    return await calls.get_call(engine, caller.organization_id, meant, sensitive=caller.reads_sensitive)


async def _contacts(engine: Engine, organization_id: str, reference: str) -> list[str]:
    """The contacts of campaigns that a contact is: itself, or those of somebody of the contact book."""
    if reference.startswith(f"{Prefix.CAMPAIGN_CONTACT}_"):
        return [meant_by(Prefix.CAMPAIGN_CONTACT, reference)[0]]
    person = await find_person(engine, organization_id, reference)
    return [contact_id_of_person(campaign_id, person.id) for campaign_id in person.campaigns]
