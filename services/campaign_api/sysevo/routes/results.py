"""What has come of a campaign: progress, runs, report, and the list that it was made of."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from math import ceil
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from services.campaign_api.http.bodies import BodyRoute
from services.campaign_api.http.credentials import Caller
from services.campaign_api.http.edge import Edge, ThisEdge, ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET
from services.campaign_api.sysevo import translate, translate_runs
from services.campaign_api.sysevo.auth import Reader
from services.campaign_api.sysevo.errors import Declined
from services.campaign_api.sysevo.run_filters import BadFilter, UnknownAttribute, filter_of, just_after
from services.campaign_api.sysevo.schemas.campaigns import Progress
from services.campaign_api.sysevo.schemas.files import SourceUrl
from services.campaign_api.sysevo.schemas.problems import problems
from services.campaign_api.sysevo.schemas.runs import RunPage, RunView
from services.campaign_api.sysevo.translate_runs import RunsOf
from services.campaign_api.sysevo.values import Id, Instant
from shared.clock import utc_now
from shared.engine import calls, campaigns
from shared.engine.agents import agent_of_number, agents_by_id
from shared.engine.calls import CallFilter, ListedCall
from shared.engine.calls import Reader as ResultReader
from shared.engine.campaigns import Campaign
from shared.engine.contacts import ContactTarget
from shared.engine.engine import Engine
from shared.engine.files import DOWNLOAD_SECONDS, new_download
from shared.engine.overviews import last_import_of, overviews
from shared.engine.telephony_accounts import list_accounts, outgoing_account
from shared.engine.transcripts import transcript_url
from shared.errors import Kind, NotFound

router = APIRouter(prefix="/api/v1", tags=["Results"], route_class=BodyRoute)
# Contacts that are read at a time: each may have 64 KiB of columns.
CONTACTS_AT_ONCE: Final = 100
NO_FILE: Final = "This campaign was not made of an uploaded file"
Page = Annotated[int, Query(ge=1, description="The page, from 1.")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Runs on a page.")]
Filters = Annotated[str | None, Query(description="JSON: a list of {attribute, type, value}, or one object.")]
SortBy = Annotated[str | None, Query(description="`duration`; anything else is the time.")]
_CSV: Final[dict[str, Any]] = {
    "responses": {
        200: {"description": "CSV.", "content": {"text/csv": {"schema": {"type": "string"}}}},
        **problems(404),
    },
    "response_class": StreamingResponse,
}


@router.get("/campaign/{campaign_id}/progress", responses=problems(404))
async def get_progress(engine: ThisEngine, caller: Reader, campaign_id: Id) -> Progress:
    """How far a campaign is, from counters: the cost does not grow with the campaign."""
    campaign = await campaigns.campaign_of_number(engine, caller.organization_id, campaign_id)
    [overview] = await overviews(engine, caller.organization_id, [campaign])
    return translate.progress(overview, await last_import_of(engine, campaign), utc_now())


@router.get("/campaign/{campaign_id}/runs", responses=problems(400, 404))
async def list_runs(
    request: Request,
    edge: ThisEdge,
    caller: Reader,
    campaign_id: Id,
    page: Page = 1,
    limit: Limit = DEFAULT_LIMIT,
    filters: Filters = None,
    sort_by: SortBy = None,
    sort_order: Literal["asc", "desc"] = "desc",
) -> RunPage:
    """List the runs of a campaign."""
    campaign = await campaigns.campaign_of_number(edge.engine, caller.organization_id, campaign_id)
    try:
        wanted = filter_of(filters)
    except BadFilter as error:
        raise Declined(400, f"filters: {error}") from None
    except UnknownAttribute as error:
        raise Declined(403, f"filters: there is no filter {error}") from None
    which = await calls.filter_of(edge.engine, caller.organization_id, campaign.id, None, wanted)
    listed = await calls.numbered_calls(
        edge.engine,
        caller.organization_id,
        which,
        order=translate_runs.order_of(sort_by, sort_order),
        offset=min((page - 1) * limit, MAX_OFFSET),
        limit=limit,
        reader=ResultReader(caller.reads_sensitive, transcripts=True),
    )
    runs = await _views(request, edge, caller, campaign, listed.rows)
    return RunPage(runs=runs, total_count=listed.total, page=page, limit=limit, total_pages=ceil(listed.total / limit))


@router.get("/workflow/{workflow_id}/runs/{run_id}", responses=problems(404))
async def get_run(request: Request, edge: ThisEdge, caller: Reader, workflow_id: Id, run_id: Id) -> RunView:
    """Get one run of a workflow."""
    organization_id = caller.organization_id
    agent = await agent_of_number(edge.engine, organization_id, workflow_id)
    listed = await calls.get_numbered_call(edge.engine, organization_id, run_id, sensitive=caller.reads_sensitive)
    if listed.call.agent_id != agent.id:
        raise NotFound(Kind.ATTEMPT, str(run_id))
    campaign: Campaign | None = None
    if listed.call.campaign_id is not None:
        found = await campaigns.campaigns_by_id(edge.engine, organization_id, [listed.call.campaign_id])
        campaign = found.get(listed.call.campaign_id)
    [view] = await _views(request, edge, caller, campaign, [listed])
    return view


@router.get("/campaign/{campaign_id}/report", **_CSV)
async def report(
    request: Request,
    edge: ThisEdge,
    caller: Reader,
    campaign_id: Id,
    start_date: Annotated[Instant | None, Query(description="Only runs from then on.")] = None,
    end_date: Annotated[Instant | None, Query(description="Only runs up to then, inclusive.")] = None,
) -> StreamingResponse:
    """Download the runs that have ended as CSV, newest first."""
    campaign = await campaigns.campaign_of_number(edge.engine, caller.organization_id, campaign_id)
    until = None if end_date is None else just_after(end_date)
    named = translate_runs.report_name(campaign.number)
    return StreamingResponse(
        _report(request, edge, caller, campaign, CallFilter(since=start_date, until=until)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{named}"'},
    )


@router.get("/campaign/{campaign_id}/source-download-url", responses=problems(400, 404))
async def source(request: Request, edge: ThisEdge, caller: Reader, campaign_id: Id) -> SourceUrl:
    """Get a URL to download the list that the campaign was made of, exactly as it was uploaded."""
    campaign = await campaigns.campaign_of_number(edge.engine, caller.organization_id, campaign_id)
    if campaign.source_file is None:
        raise Declined(400, NO_FILE)
    download = await new_download(
        edge.engine,
        caller.organization_id,
        campaign.source_file.copy_key,
        base_url=edge.base_url(request),
        now=utc_now(),
    )
    return SourceUrl(download_url=download.url, expires_in=DOWNLOAD_SECONDS)


async def _report(
    request: Request, edge: Edge, caller: Caller, campaign: Campaign, which: CallFilter
) -> AsyncIterator[str]:
    """The report, some lines at a time. It is read twice: the names of variables stand in the header."""
    target = ContactTarget.of(campaign)

    def rows() -> AsyncIterator[list[Mapping[str, Any]]]:
        return calls.report(edge.engine, target, which.since, which.until, sensitive=caller.reads_sensitive)

    seen: dict[str, None] = {}
    if caller.reads_sensitive:
        async for some in rows():
            for row in some:
                seen |= dict.fromkeys((row["result"] or {}).get("extracted") or ())
    variables = list(seen)
    yield translate_runs.report_lines([translate_runs.report_header(variables)])
    runs = await _runs_of(edge.engine, caller.organization_id, campaign, ())
    async for some in rows():
        for first in range(0, len(some), CONTACTS_AT_ONCE):
            part = some[first : first + CONTACTS_AT_ONCE]
            runs = await _with_agents(edge.engine, caller.organization_id, runs, {row["agent_id"] for row in part})
            ids = {row["contact_id"] for row in part}
            contacts = await calls.called_contacts(edge.engine, caller.organization_id, ids)
            lines = [
                translate_runs.report_row(
                    row,
                    contacts.get(row["contact_id"]),
                    runs,
                    variables,
                    _transcript(request, edge, caller, row["id"]),
                )
                for row in part
            ]
            yield translate_runs.report_lines(lines)


async def _views(
    request: Request, edge: Edge, caller: Caller, campaign: Campaign | None, rows: Sequence[ListedCall]
) -> list[RunView]:
    agent_ids = {one.call.agent_id for one in rows if one.call.agent_id is not None}
    runs = await _runs_of(edge.engine, caller.organization_id, campaign, agent_ids)
    ids = {one.call.contact_id for one in rows}
    contacts = await calls.called_contacts(edge.engine, caller.organization_id, ids)
    return [
        translate_runs.run_view(
            one, contacts.get(one.call.contact_id), runs, _transcript(request, edge, caller, one.call.id)
        )
        for one in rows
    ]


async def _runs_of(
    engine: Engine, organization_id: str, campaign: Campaign | None, agent_ids: Collection[str]
) -> RunsOf:
    accounts = await list_accounts(engine, organization_id)
    named = campaign.telephony_account_id if campaign is not None else None
    account = (
        outgoing_account(accounts) if named is None else next((each for each in accounts if each.id == named), None)
    )
    agents = await agents_by_id(engine, organization_id, agent_ids)
    return RunsOf(
        campaign=None if campaign is None else campaign.number,
        account=None if account is None else account.number,
        provider="dialstream" if account is None else account.provider.value,
        workflows={agent_id: agent.number for agent_id, agent in agents.items()},
    )


async def _with_agents(engine: Engine, organization_id: str, runs: RunsOf, ids: Collection[str | None]) -> RunsOf:
    new = {agent_id for agent_id in ids if agent_id is not None and agent_id not in runs.workflows}
    if not new:
        return runs
    found = await agents_by_id(engine, organization_id, new)
    numbers = {agent_id: found[agent_id].number if agent_id in found else 0 for agent_id in new}
    return RunsOf(runs.campaign, runs.account, runs.provider, {**runs.workflows, **numbers})


def _transcript(request: Request, edge: Edge, caller: Caller, attempt_id: str) -> str | None:
    """Where the transcript of a run is had, if there is one and the caller may read it."""
    if not caller.reads_sensitive:
        return None
    return transcript_url(
        edge.engine, caller.organization_id, attempt_id, base_url=edge.base_url(request), now=utc_now()
    )
