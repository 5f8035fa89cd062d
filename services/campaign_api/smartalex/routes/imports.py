"""Imports of lists into the contact book, and into a campaign."""

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import Message
from email.policy import HTTP
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from services.campaign_api.http.bodies import MAX_BODY_BYTES, read_body
from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.faults import BadValue, Refused, RequestFault, ValuesInvalid
from services.campaign_api.http.paths import OurRef
from services.campaign_api.smartalex.auth import Manager, Reader
from services.campaign_api.smartalex.paging import IdFilter, ThisPage
from services.campaign_api.smartalex.paths import campaign_of
from services.campaign_api.smartalex.schemas.common import Many, One, many, one
from services.campaign_api.smartalex.schemas.imports import ImportView
from services.campaign_api.smartalex.schemas.problems import body_problems, problems
from services.campaign_api.smartalex.translate_imports import import_view
from shared.clock import utc_now
from shared.domain.ids import DEFAULT_CAMPAIGN
from shared.domain.repeating import quoted
from shared.engine import imports
from shared.engine.imports import ImportOrder

router = APIRouter(prefix="/v1/contacts", tags=["Imports"])
_FILE_NAME: Final = "contacts.csv"
_TEXT: Final = {"schema": {"type": "string", "examples": ["phone,first_name\r\n+14155550123,Ada\r\n"]}}
_FILE: Final = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
        "examples": [{"file": "phone,first_name\r\n+14155550123,Ada\r\n"}],
    }
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"text/csv": _TEXT, "multipart/form-data": _FILE}}
}
IntoCampaign = Annotated[IdFilter, Query(description="Add the contacts to this campaign, too.")]


@router.post(
    "/import",
    status_code=201,
    responses=body_problems(404, 409),
    openapi_extra=_BODY,
    response_model_exclude_unset=True,
)
async def start(
    engine: ThisEngine, caller: Manager, request: Request, campaign_id: IntoCampaign = ""
) -> One[ImportView]:
    """Import a CSV list, whose header names its columns; GET /contacts/imports/{id} says how far it is."""
    data = await _list_of(request)
    reference = DEFAULT_CAMPAIGN
    if campaign_id:
        reference = (await campaign_of(engine, caller.organization_id, campaign_id)).id

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    order = ImportOrder("", _FILE_NAME, people=True)
    job = await imports.import_bytes(
        engine, caller.organization_id, reference, chunks(), order, utc_now(), by=caller.actor
    )
    return one(import_view(job))


@router.get("/imports", responses=problems(), response_model_exclude_unset=True)
async def list_all(engine: ThisEngine, caller: Reader, asked: ThisPage) -> Many[ImportView]:
    """List imports, newest first."""
    page = await imports.numbered_imports(
        engine, caller.organization_id, None, offset=asked.offset, limit=asked.per_page
    )
    return many([import_view(job) for job in page.rows], page.total, asked)


@router.get("/imports/{import_id}", responses=problems(404), response_model_exclude_unset=True)
async def get_one(engine: ThisEngine, caller: Reader, import_id: OurRef) -> One[ImportView]:
    """Get how an import stands, and the first 1,000 rows that are no contacts."""
    report = await imports.get_import(engine, caller.organization_id, import_id)
    return one(import_view(report.job, report.refused))


async def _list_of(request: Request) -> bytes:
    """The list's bytes: the body, or the part `file` of a form."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(RequestFault.BODY_COMPRESSED)
    given = request.headers.get("content-type", "")
    kind = Message()
    kind["content-type"] = given or "none/none"
    if kind.get_content_type() == "text/csv":
        return await read_body(request, MAX_BODY_BYTES)
    if kind.get_content_type() != "multipart/form-data":
        raise Refused(RequestFault.NOT_CSV, given=quoted(given))
    data = await read_body(request, MAX_BODY_BYTES)
    # Others do not wait for a large one.
    found = await asyncio.to_thread(_file_in, given, data)
    if found is None:
        raise ValuesInvalid([BadValue(("body", "file"), "Send the list as the form's file", "missing")])
    return found


def _file_in(content_type: str, data: bytes) -> bytes | None:
    """The part `file` of a form; None without one."""
    form = message_from_bytes(b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + data, policy=HTTP)
    for part in form.iter_parts() if form.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == "file":
            payload = part.get_payload(decode=True)
            return payload if isinstance(payload, bytes) else None
    return None
