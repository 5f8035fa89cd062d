"""Calls: lists, one call, reports, the download of a campaign, and its numbers as they change."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import AfterValidator

from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.paging import DEFAULT_LIMIT, MAX_OFFSET, Cursor, Limit
from services.campaign_api.native.auth import CampaignReader
from services.campaign_api.native.paths import CallRef, CampaignRef, ContactsCampaignRef
from services.campaign_api.native.schemas.calls import CallPage, CallView
from services.campaign_api.native.schemas.problems import problems
from services.campaign_api.native.translate_calls import (
    call_page,
    call_view,
    csv_header,
    csv_rows,
    json_lines,
    numbered_call_page,
)
from services.campaign_api.native.translate_reports import campaign_statistics
from shared.clock import utc_now
from shared.domain.contact_input import Instant
from shared.domain.json_rules import check_text
from shared.domain.outcome import Outcome
from shared.engine import calls, campaigns
from shared.engine.calls import CallFilter, CallOrder, CallStatus, Reader
from shared.errors import InvalidCursor

router = APIRouter(prefix="/campaign", tags=["Calls"])
MAX_SECONDS: Final = 1_000_000
Text = Annotated[str | None, AfterValidator(lambda text: text if text is None else check_text(text))]
Texts = Annotated[list[Annotated[str, AfterValidator(check_text)]], Query(description="Repeatable.")]
Since = Annotated[Instant | None, Query(description="Only calls that began at this time or later.")]
Until = Annotated[Instant | None, Query(description="Only calls that began before this time.")]
PageOffset = Annotated[
    int | None,
    Query(ge=0, le=MAX_OFFSET, description="Rows to leave out before the page, which then has a total; no cursor."),
]
Order = Annotated[CallOrder, Query(description="By time, or by duration, which takes pages by `offset`.")]


def _streamed(media_type: str) -> dict[str, Any]:
    """The options of a route whose answer is written as it is read."""
    content = {media_type: {"schema": {"type": "string"}}}
    responses = {200: {"description": "Line by line.", "content": content}, **problems(404)}
    return {"responses": responses, "response_class": StreamingResponse}


async def _filter(
    contact: Annotated[Text, Query(max_length=255, description="Its id; in a campaign also its external_id.")] = None,
    phone_number: Annotated[Text, Query(max_length=64, description="The number called, in E.164.")] = None,
    caller_number: Annotated[Text, Query(max_length=64, description="The number called from, in E.164.")] = None,
    number: Annotated[Text, Query(max_length=64, description="Either of both, in E.164.")] = None,
    agent_id: Annotated[Text, Query(max_length=255)] = None,
    status: CallStatus | None = None,
    direction: Annotated[Text, Query(max_length=64, description="All calls are outbound.")] = None,
    outcome: Annotated[list[Outcome], Query(description="One of these; repeatable.")] = [],  # noqa: B006
    disposition: Texts = [],  # noqa: B006 - FastAPI copies defaults
    sentiment: Texts = [],  # noqa: B006
    tag: Annotated[Texts, Query(description="All of these; repeatable.")] = [],  # noqa: B006
    since: Since = None,
    until: Until = None,
    min_duration: Annotated[float | None, Query(ge=0, le=MAX_SECONDS, description="Seconds.")] = None,
    max_duration: Annotated[float | None, Query(ge=0, le=MAX_SECONDS, description="Seconds.")] = None,
    search: Annotated[
        str, Query(max_length=255, description="Part of a number or of the contact's name."), AfterValidator(check_text)
    ] = "",
) -> tuple[CallFilter, str | None]:
    """The filter that the query asks for, and the contact that it names."""
    which = CallFilter(
        called=phone_number,
        caller=caller_number,
        number=number,
        agent_id=agent_id,
        status=status,
        direction=direction,
        outcomes=tuple(outcome),
        dispositions=tuple(disposition),
        sentiments=tuple(sentiment),
        tags=tuple(tag),
        since=since,
        until=until,
        shortest=min_duration,
        longest=max_duration,
        search=search,
    )
    return which, contact


Filter = Annotated[tuple[CallFilter, str | None], Depends(_filter)]


@router.get("/calls", responses=problems(400, 404))
async def list_all(
    engine: ThisEngine,
    caller: CampaignReader,
    filtered: Filter,
    campaign: Annotated[
        Text, Query(min_length=1, max_length=255, description="Its id or external_id, or `default`.")
    ] = None,
    order: Order = CallOrder.NEWEST,
    cursor: Cursor = None,
    offset: PageOffset = None,
    limit: Limit = DEFAULT_LIMIT,
) -> CallPage:
    """List calls, those under way included, newest first: by cursor, or by `offset` with a total."""
    which, contact = filtered
    which = await calls.filter_of(engine, caller.organization_id, campaign, contact, which)
    reader = Reader(caller.reads_sensitive)
    by_time = order in {CallOrder.NEWEST, CallOrder.OLDEST}
    if cursor is not None and (offset is not None or not by_time):
        raise InvalidCursor(cursor)
    if offset is None and by_time:
        page = await calls.list_calls(
            engine, caller.organization_id, which, order=order, cursor=cursor, limit=limit, reader=reader
        )
        return call_page(page)
    numbered = await calls.numbered_calls(
        engine, caller.organization_id, which, order=order, offset=offset or 0, limit=limit, reader=reader
    )
    return numbered_call_page(numbered)


@router.get("/campaigns/{campaign}/calls", responses=problems(400, 404))
async def list_of_campaign(
    engine: ThisEngine,
    caller: CampaignReader,
    campaign: ContactsCampaignRef,
    filtered: Filter,
    order: Order = CallOrder.NEWEST,
    cursor: Cursor = None,
    offset: PageOffset = None,
    limit: Limit = DEFAULT_LIMIT,
) -> CallPage:
    """List a campaign's calls, those under way included, newest first."""
    return await list_all(engine, caller, filtered, campaign, order, cursor, offset, limit)


@router.get("/calls/{call}", responses=problems(404))
async def get_one(engine: ThisEngine, caller: CampaignReader, call: CallRef) -> CallView:
    """Get one call, from its placement on."""
    return call_view(await calls.get_call(engine, caller.organization_id, call, sensitive=caller.reads_sensitive))


@router.get("/campaigns/{campaign}/calls.csv", **_streamed("text/csv"))
async def report_csv(
    engine: ThisEngine,
    caller: CampaignReader,
    campaign: ContactsCampaignRef,
    since: Since = None,
    until: Until = None,
) -> StreamingResponse:
    """Download the ended calls of a campaign as CSV, newest first."""
    target = await calls.campaign_of_calls(engine, caller.organization_id, campaign)
    rows = calls.report(engine, target, since, until, sensitive=caller.reads_sensitive)
    return _attachment(_written(rows, csv_rows, csv_header()), "text/csv; charset=utf-8", "calls.csv")


@router.get("/campaigns/{campaign}/calls.jsonl", **_streamed("application/jsonl"))
async def report_json_lines(
    engine: ThisEngine,
    caller: CampaignReader,
    campaign: ContactsCampaignRef,
    since: Since = None,
    until: Until = None,
) -> StreamingResponse:
    """Download the ended calls of a campaign as JSON Lines, newest first."""
    target = await calls.campaign_of_calls(engine, caller.organization_id, campaign)
    rows = calls.report(engine, target, since, until, sensitive=caller.reads_sensitive)
    return _attachment(_written(rows, json_lines), "application/jsonl", "calls.jsonl")


@router.get("/campaigns/{campaign}/export.jsonl", **_streamed("application/jsonl"))
async def export(engine: ThisEngine, caller: CampaignReader, campaign: ContactsCampaignRef) -> StreamingResponse:
    """Download everything of a campaign as JSON Lines: `{"contact"}` lines, then `{"call"}` lines with results."""
    target = await calls.campaign_of_calls(engine, caller.organization_id, campaign)
    rows = calls.download(engine, target, sensitive=caller.reads_sensitive)
    return _attachment(_written(rows, json_lines), "application/jsonl", "export.jsonl")


@router.get("/campaigns/{campaign}/events", **_streamed("text/event-stream"))
async def events(engine: ThisEngine, caller: CampaignReader, campaign: CampaignRef) -> StreamingResponse:
    """Follow a campaign's numbers (as GET …/stats has them) as server-sent events, at most one a second.

    There is nothing to resume: a new connection begins with the numbers as they are.
    """
    numbers = await campaigns.follow_numbers(engine, caller.organization_id, campaign)
    # FastAPI's own response for this wants the route to be the generator: a campaign that is not there would be no 404.
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_told(numbers), media_type="text/event-stream", headers=headers)


async def _told(numbers: AsyncIterator[campaigns.CampaignNumbers | None]) -> AsyncIterator[bytes]:
    async for now_known in numbers:
        if now_known is None:
            yield KEEPALIVE_COMMENT
        else:
            view = campaign_statistics(now_known, utc_now())
            yield format_sse_event(event="stats", data_str=view.model_dump_json())


async def _written(
    rows: AsyncIterator[list[Mapping[str, Any]]],
    write: Callable[[Sequence[Mapping[str, Any]]], bytes],
    header: bytes = b"",
) -> AsyncIterator[bytes]:
    if header:
        yield header
    async for some in rows:
        # Beside the loop: other requests, and carriers' reports, go on.
        yield await asyncio.to_thread(write, some)


def _attachment(content: AsyncIterator[bytes], media_type: str, name: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(content, media_type=media_type, headers=headers)
