"""Imports of CSV files into campaigns."""

from email.message import Message
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from services.campaign_api.http.bodies import bad_value, bad_values, read_json
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.faults import BadValue, Refused, RequestFault, ValuesInvalid
from services.campaign_api.http.paging import DEFAULT_LIMIT, Cursor, Limit
from services.campaign_api.http.paths import OurRef
from services.campaign_api.native import translate_imports
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.once import KEY_PLACE, KeyHeader, OnceRoute, work_id_of
from services.campaign_api.native.paths import ContactsCampaignRef
from services.campaign_api.native.schemas.imports import (
    ImportPage,
    ImportView,
    ImportWithRows,
    StartImport,
    mapping_for,
)
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.clock import utc_now
from shared.domain.json_rules import check_text
from shared.domain.repeating import quoted
from shared.engine import imports
from shared.engine.imports import ImportOrder

router = APIRouter(prefix="/campaign", tags=["Imports"], route_class=OnceRoute)
CSV_TYPES: Final = frozenset(
    {"text/csv", "application/csv", "application/vnd.ms-excel", "text/plain", "application/octet-stream"}
)
_FILE_NAME: Final = "contacts.csv"
# Its bytes are not kept to be compared with those of a second request.
_NO_KEY: Final = "is for files that were uploaded before: upload this one, and import it by its id"
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": StartImport.model_json_schema()},
            "text/csv": {"schema": {"type": "string", "examples": ["phone,name\r\n+14155550123,Ann\r\n"]}},
        },
    }
}
_CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The rows, with a header."}
}
MappingText = Annotated[
    str | None,
    Query(max_length=2000, description="With a CSV body: what columns hold, by name, as a JSON object."),
]
OfPeople = Annotated[bool, Query(description="With a CSV body: each row is a person of the contact book.")]
FileName = Annotated[str, Query(min_length=1, max_length=255, description="With a CSV body: the file's name.")]


@router.post("/campaigns/{campaign}/imports", status_code=202, responses=body_problems(400, 404), openapi_extra=_BODY)
async def start(
    engine: ThisEngine,
    caller: CampaignManager,
    campaign: ContactsCampaignRef,
    request: Request,
    mapping: MappingText = None,
    file_name: FileName = _FILE_NAME,
    people: OfPeople = False,
    key: KeyHeader = None,
) -> ImportView:
    """Import a CSV file: its bytes as the body, or the id of an uploaded one in JSON. Answered at once.

    An uploaded one may be imported under an `Idempotency-Key`: each import has rows without an `external_id` called.
    With `people` its rows are people of the contact book who are enrolled in the campaign, or under `default` in none.
    """
    kind = _content_type(request)
    if kind in CSV_TYPES and key is not None:
        raise ValuesInvalid([BadValue(KEY_PLACE, _NO_KEY, "idempotency_key")])
    if kind in CSV_TYPES:
        order = ImportOrder("", _text(file_name), _mapping(mapping, people), people=people)
        job = await imports.import_bytes(
            engine, caller.organization_id, campaign, request.stream(), order, utc_now(), by=caller.actor
        )
        return translate_imports.import_view(job)
    if kind != "application/json":
        raise Refused(RequestFault.NOT_CSV, given=quoted(kind))
    raw = await read_json(request)
    try:
        body = StartImport.model_validate_json(raw)
    except ValidationError as error:
        raise ValuesInvalid(bad_values(error, StartImport, raw)) from None
    job_id = await work_id_of(request, engine, caller.organization_id, key)
    file_key, name = await imports.file_key_of(engine, caller.organization_id, body.file_id)
    order = ImportOrder(file_key, name, dict(body.mapping), people=body.people)
    job = await imports.begin_import(
        engine, caller.organization_id, campaign, order, utc_now(), job_id=job_id, by=caller.actor
    )
    return translate_imports.import_view(job)


@router.get("/campaigns/{campaign}/imports", responses=problems(400, 404))
async def list_of_campaign(
    engine: ThisEngine,
    caller: CampaignReader,
    campaign: ContactsCampaignRef,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> ImportPage:
    """List a campaign's imports, newest first."""
    page = await imports.list_imports(engine, caller.organization_id, campaign, cursor=cursor, limit=limit)
    return translate_imports.import_page(page)


@router.get("/imports", responses=problems(400))
async def list_all(
    engine: ThisEngine, caller: CampaignReader, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> ImportPage:
    """List the imports of all campaigns, newest first."""
    page = await imports.list_imports(engine, caller.organization_id, None, cursor=cursor, limit=limit)
    return translate_imports.import_page(page)


@router.get("/imports/{import_id}", responses=problems(404))
async def get_one(engine: ThisEngine, caller: CampaignReader, import_id: OurRef) -> ImportWithRows:
    """Get how an import stands, and the first 1,000 rows that it has refused."""
    report = await imports.get_import(engine, caller.organization_id, import_id)
    return translate_imports.import_report(report)


@router.post("/imports/{import_id}/cancel", responses=problems(404, 409))
async def cancel(engine: ThisEngine, caller: CampaignManager, import_id: OurRef) -> ImportView:
    """Stop an import before its next thousand rows; those that were read stay. Repeated, it is answered alike."""
    job = await imports.cancel_import(engine, caller.organization_id, import_id, utc_now(), by=caller.actor)
    return translate_imports.import_view(job)


@router.get("/imports/{import_id}/refused", responses={**problems(404), **_CSV}, response_class=StreamingResponse)
async def refused(engine: ThisEngine, caller: CampaignReader, import_id: OurRef) -> StreamingResponse:
    """Download all rows that an import has refused, as CSV: row, field, reason."""
    report = await imports.get_import(engine, caller.organization_id, import_id)
    return StreamingResponse(
        imports.refused_csv(engine, caller.organization_id, report.job.id),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="import_{report.job.id}_refused.csv"'},
    )


def _content_type(request: Request) -> str:
    message = Message()
    message["content-type"] = request.headers.get("content-type") or "none/none"
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(RequestFault.BODY_COMPRESSED)
    return message.get_content_type()


def _mapping(text: str | None, people: bool) -> dict[str, str]:
    if text is None:
        return {}
    try:
        return {**mapping_for(people).validate_json(text)}
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise ValuesInvalid([bad_value(one, ["query", "mapping"]) for one in found]) from None


def _text(value: str) -> str:
    try:
        return check_text(value)
    except ValueError as error:
        raise ValuesInvalid([bad_value({"loc": (), "type": "string_unicode"}, ["query", "file_name"])]) from error
