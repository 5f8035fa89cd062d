"""Uploads of lists, and signed URLs of what is there."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEdge
from services.campaign_api.sysevo.auth import Manager, Reader
from services.campaign_api.sysevo.errors import Declined
from services.campaign_api.sysevo.schemas.files import DOWNLOAD_SECONDS, NewUpload, SignedUrl, UploadView
from services.campaign_api.sysevo.schemas.problems import body_problems, problems
from services.campaign_api.sysevo.values import MAX_BODY_BYTES
from shared.clock import utc_now
from shared.domain.csv_check import MAX_FILE_BYTES
from shared.domain.json_rules import check_text
from shared.domain.stored_files import own_key, parsed_key
from shared.engine.files import LONGEST_SECONDS, UPLOAD_SECONDS, new_download, new_upload
from shared.engine.transcripts import open_transcript, parsed_transcript, transcript_key, transcript_url

router = APIRouter(prefix="/api/v1/s3", tags=["Files"], route_class=BodyRoute)
NOT_YOURS: Final = "The file is not your organization's"
NO_KEY: Final = "key is no file_key, and no transcript_url or recording_url of a run"
_FILES: Final = "/files/"
Key = Annotated[str, Query(max_length=4096, description="A file_key."), AfterValidator(check_text)]
ExpiresIn = Annotated[int, Query(ge=1, le=LONGEST_SECONDS, description="Seconds.")]


@router.post("/presigned-upload-url", responses=body_problems())
async def new(
    request: Request, edge: ThisEdge, caller: Manager, body: Annotated[NewUpload, json_body(NewUpload, MAX_BODY_BYTES)]
) -> UploadView:
    """Get a URL to PUT a list to, without a credential; what no campaign has used after 24 hours is removed."""
    upload = await new_upload(
        edge.engine,
        caller.organization_id,
        name=body.name,
        content_type=body.content_type or "text/csv",
        base_url=edge.base_url(request),
        now=utc_now(),
        most_bytes=MAX_FILE_BYTES,
    )
    return UploadView(upload_url=upload.url, file_key=upload.file.key, expires_in=UPLOAD_SECONDS)


@router.get("/signed-url", responses=problems(400, 404))
async def signed(
    request: Request,
    edge: ThisEdge,
    caller: Reader,
    key: Key,
    expires_in: ExpiresIn = DOWNLOAD_SECONDS,
    inline: bool = False,
) -> SignedUrl:
    """Get a URL for a file, a transcript or a recording."""
    base_url, now = edge.base_url(request), utc_now()
    if parsed_key(key) is not None:
        if own_key(caller.organization_id, key) is None:
            raise Declined(403, NOT_YOURS)
        download = await new_download(
            edge.engine, caller.organization_id, key, base_url=base_url, now=now, seconds=expires_in, inline=inline
        )
        return SignedUrl(url=download.url, expires_in=expires_in)
    path = _path(key)
    if path is None:
        raise Declined(400, NO_KEY)
    transcript = parsed_transcript(path.rpartition(_FILES)[2])
    if transcript is None:
        # A recording lies where the agent has put it.
        return SignedUrl(url=key, expires_in=expires_in)
    organization_id, attempt_id = transcript
    if organization_id != caller.organization_id or not caller.reads_sensitive:
        raise Declined(403, NOT_YOURS)
    await open_transcript(edge.engine, transcript_key(organization_id, attempt_id))
    url = transcript_url(
        edge.engine, organization_id, attempt_id, base_url=base_url, now=now, seconds=expires_in, inline=inline
    )
    return SignedUrl(url=url, expires_in=expires_in)


def _path(url: str) -> str | None:
    """The path of a web address; None for what is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.path if parts.scheme in {"http", "https"} and parts.netloc else None
