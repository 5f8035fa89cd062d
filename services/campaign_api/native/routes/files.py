"""Files that are uploaded and downloaded by URLs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.campaign_api.http.bodies import BodyRoute, json_body
from services.campaign_api.http.edge import ThisEdge
from services.campaign_api.http.paths import OurRef
from services.campaign_api.native import translate_files as translate
from services.campaign_api.native.auth import CampaignManager, CampaignReader
from services.campaign_api.native.schemas.files import FileUpload, FileView, NewFile
from services.campaign_api.native.schemas.problems import body_problems, problems
from shared.clock import utc_now
from shared.engine.files import DOWNLOAD_SECONDS, LONGEST_SECONDS, get_file, new_download, new_upload

router = APIRouter(prefix="/campaign/files", tags=["Files"], route_class=BodyRoute)
ExpiresIn = Annotated[int, Query(ge=1, le=LONGEST_SECONDS, description="Seconds that the download_url shall hold.")]
Inline = Annotated[bool, Query(description="Whether a browser shows the file instead of saving it.")]


@router.post("", responses=body_problems())
async def create(
    request: Request, edge: ThisEdge, caller: CampaignManager, body: Annotated[NewFile, json_body(NewFile)]
) -> FileUpload:
    """Get a URL to upload a file to. A file that no campaign uses within 24 hours is removed."""
    now = utc_now()
    upload = await new_upload(
        edge.engine,
        caller.organization_id,
        name=body.name,
        content_type=body.content_type,
        most_bytes=body.max_bytes,
        base_url=edge.base_url(request),
        now=now,
    )
    return translate.file_upload(upload, now)


@router.get("/{file_id}", responses=problems(404))
async def get(
    request: Request,
    edge: ThisEdge,
    caller: CampaignReader,
    file_id: OurRef,
    expires_in: ExpiresIn = DOWNLOAD_SECONDS,
    inline: Inline = False,
) -> FileView:
    """Get a file, and a URL to download it from."""
    now = utc_now()
    file, uploaded = await get_file(edge.engine, caller.organization_id, file_id)
    if uploaded is None:
        return translate.file_view(file, None, now)
    download = await new_download(
        edge.engine,
        caller.organization_id,
        file.key,
        base_url=edge.base_url(request),
        now=now,
        seconds=expires_in,
        inline=inline,
    )
    return translate.file_view(file, download, now)
