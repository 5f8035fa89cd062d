"""Files, as they go over the wire. Pure."""

from datetime import datetime

from services.campaign_api.native.schemas.files import FileUpload, FileView
from shared.engine.files import Download, RegisteredFile, Upload


def file_upload(upload: Upload, now: datetime) -> FileUpload:
    """A new file, and where to upload it."""
    return FileUpload(
        id=upload.file.id,
        key=upload.file.key,
        upload_url=upload.url,
        expires_in=round((upload.expires_at - now).total_seconds()),
        max_bytes=upload.most_bytes,
    )


def file_view(file: RegisteredFile, download: Download | None, now: datetime) -> FileView:
    """A file; `download` is where its bytes are, None before they were uploaded."""
    return FileView(
        id=file.id,
        key=file.key,
        name=file.name,
        content_type=file.content_type,
        created_at=file.created_at,
        size=None if download is None else download.file.size,
        etag=None if download is None else download.file.etag,
        campaign_ids=list(file.used_by),
        download_url=None if download is None else download.url,
        expires_in=None if download is None else round((download.expires_at - now).total_seconds()),
    )
