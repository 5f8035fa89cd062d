"""The URLs of files, which need no credential: a signature says what each of them allows, and until when."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from services.campaign_api.http.edge import ThisEngine
from services.campaign_api.http.faults import Refused, RequestFault
from services.campaign_api.native.schemas.problems import only_problems
from shared.clock import utc_now
from shared.engine.files import open_download, receive_upload
from shared.errors import FileUrlRefused
from shared.file_urls import PATH

router = APIRouter(prefix=PATH, tags=["Files"])
# Methods for which no URL is ever signed.
OTHERS: Final = ["DELETE", "HEAD", "PATCH", "POST"]
_BYTES: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_UPLOAD: Final[dict[str, Any]] = {**_BYTES, "example": "phone,name\r\n+14155550123,Ann\r\n"}
_UPLOADED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The file is stored.", "headers": {"ETag": {"schema": {"type": "string"}}}}
}
# What was uploaded is nothing that a browser may run as a page of ours.
_HARMLESS: Final = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}


@router.put(
    "/{key:path}",
    responses={**_UPLOADED, **only_problems(400, 403, 413, 415, 503)},
    response_class=Response,
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": _UPLOAD}}},
)
async def upload(request: Request, engine: ThisEngine, key: str) -> Response:
    """Upload a file: its raw bytes, to an upload_url, as often as you like until that expires; the last ones stay."""
    _require_bare(request)
    declared = request.headers.get("content-length", "")
    stored = await receive_upload(
        engine,
        request.method,
        key,
        _query(request),
        request.stream(),
        declared_bytes=int(declared) if declared.isascii() and declared.isdigit() else None,
        now=utc_now(),
    )
    return Response(headers={"ETag": stored.etag})


@router.get(
    "/{key:path}",
    responses={200: {"content": {"text/csv": _BYTES}}, **only_problems(400, 403, 404, 503)},
    response_class=StreamingResponse,
)
async def download(request: Request, engine: ThisEngine, key: str) -> StreamingResponse:
    """Download a file from a download_url."""
    _require_bare(request)
    opened = await open_download(engine, request.method, key, _query(request), utc_now())
    shown = "inline" if opened.inline else "attachment"
    headers = {
        "Content-Length": str(opened.file.size),
        "Content-Disposition": f'{shown}; filename="{opened.name}"',
        "ETag": opened.file.etag,
        **_HARMLESS,
    }
    return StreamingResponse(opened.chunks, headers=headers, media_type=opened.media_type)


@router.api_route("/{key:path}", methods=OTHERS, include_in_schema=False)
async def other_method(key: str) -> None:
    """Refuse what no URL is signed for."""
    raise FileUrlRefused(expired=False)


def _require_bare(request: Request) -> None:
    """Refuse what must not be beside a URL that is a credential itself, as S3 does."""
    if "authorization" in request.headers:
        raise Refused(RequestFault.CREDENTIAL_BESIDE_URL)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(RequestFault.BODY_COMPRESSED)


def _query(request: Request) -> Mapping[str, str]:
    """The parameters of the URL; none where one stands there twice, which proves nothing."""
    pairs = request.query_params.multi_items()
    return {} if len({name for name, _ in pairs}) < len(pairs) else dict(pairs)
