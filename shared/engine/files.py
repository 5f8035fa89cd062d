"""Files of organizations: uploads and downloads by URLs that need no credential, and a campaign's own copy."""

import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.domain.ids import file_copy_id_of
from shared.domain.stored_files import (
    MAX_FILE_BYTES,
    FileKey,
    StoredFile,
    download_type,
    file_key,
    own_key,
    parsed_key,
)
from shared.engine.engine import Engine
from shared.engine.file_places import FilePlace
from shared.engine.transcripts import open_transcript
from shared.errors import FileUrlRefused, Kind, NotFound, TooLarge
from shared.file_urls import FileUrl, FileUse, expiry
from shared.store.catalog import files as stored
from shared.store.catalog.files import RegisteredFile
from shared.store.client import Store

__all__ = [
    "Download",
    "OpenedFile",
    "RegisteredFile",
    "Upload",
    "copy_key_of",
    "get_file",
    "new_download",
    "new_upload",
    "open_download",
    "receive_upload",
    "store_file",
    "sweep_files",
    "take_copy",
]

UPLOAD_SECONDS: Final = 900
DOWNLOAD_SECONDS: Final = 900
# What S3 allows at most.
LONGEST_SECONDS: Final = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Upload:
    """A new file, and the URL to which its bytes are PUT until it expires."""

    file: RegisteredFile
    url: str
    expires_at: datetime
    most_bytes: int


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is there, and the URL from which its bytes are had until it expires."""

    file: StoredFile
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A download that has begun: what to answer with, and the bytes."""

    file: StoredFile
    name: str
    media_type: str
    inline: bool
    chunks: AsyncIterator[bytes]


async def new_upload(
    engine: Engine,
    organization_id: str,
    *,
    name: str,
    content_type: str,
    base_url: str,
    now: datetime,
    seconds: int = UPLOAD_SECONDS,
    most_bytes: int = MAX_FILE_BYTES,
) -> Upload:
    """A new file under a key of its own, and where to upload it.

    `most_bytes` bounds what is stored; where S3 answers the URL, it bounds what `take_copy` takes. `base_url` is where
    campaign-api is reached, without a path.
    """
    key = file_key(organization_id, str(uuid.uuid4()), name)
    file = await stored.register_file(engine.store, key, name=name, content_type=content_type, now=now)
    url = FileUrl(FileUse.UPLOAD, file.key, expiry(now, seconds), most_bytes)
    return Upload(file, await engine.files.signed(url, base_url, now), url.expires_at, most_bytes)


async def store_file(
    engine: Engine,
    organization_id: str,
    chunks: AsyncIterator[bytes],
    *,
    name: str,
    content_type: str,
    now: datetime,
    most_bytes: int = MAX_FILE_BYTES,
) -> StoredFile:
    """A new file of these bytes, for what comes with a request. Raises `TooLarge`; nothing is kept then."""
    key = file_key(organization_id, str(uuid.uuid4()), name)
    await stored.register_file(engine.store, key, name=name, content_type=content_type, now=now)
    return await engine.files.contents.put(organization_id, str(key), chunks, most_bytes)


async def get_file(engine: Engine, organization_id: str, file_id: str) -> tuple[RegisteredFile, StoredFile | None]:
    """A file by its id, and what was uploaded to it: None before that. Raises `NotFound`."""
    file = await stored.find_file_by_id(engine.store, organization_id, file_id)
    try:
        return file, await engine.files.contents.stat(organization_id, file.key)
    except NotFound:
        return file, None


async def new_download(
    engine: Engine,
    organization_id: str,
    key: str,
    *,
    base_url: str,
    now: datetime,
    seconds: int = DOWNLOAD_SECONDS,
    inline: bool = False,
) -> Download:
    """Where the bytes under this key are had. Raises `NotFound` where there are none, for others' keys too."""
    file = await engine.files.contents.stat(organization_id, key)
    url = FileUrl(FileUse.DOWNLOAD, key, expiry(now, seconds), inline=inline)
    return Download(file, await engine.files.signed(url, base_url, now), url.expires_at)


async def receive_upload(
    engine: Engine,
    method: str,
    key: str,
    query: Mapping[str, str],
    chunks: AsyncIterator[bytes],
    *,
    declared_bytes: int | None,
    now: datetime,
) -> StoredFile:
    """Store what is PUT to one of our URLs, in place of what was stored there before.

    `declared_bytes`: how many are said to come. Raises `FileUrlRefused`, also where the file has been removed since;
    `TooLarge`, whereupon all is as before.
    """
    url = engine.files.urls.proven(method, key, query, now)
    if declared_bytes is not None and declared_bytes > url.most_bytes:
        raise TooLarge(Kind.FILE, key, url.most_bytes)
    try:
        return await engine.files.contents.put(_parts_of(key).organization_id, key, chunks, url.most_bytes)
    except NotFound as error:
        raise FileUrlRefused(expired=True) from error


async def open_download(engine: Engine, method: str, key: str, query: Mapping[str, str], now: datetime) -> OpenedFile:
    """The bytes that one of our URLs leads to. Raises `FileUrlRefused`; `NotFound` where they were removed since."""
    url = engine.files.urls.proven(method, key, query, now)
    transcript = await open_transcript(engine, key)
    if transcript is not None:
        return OpenedFile(transcript[0], key.rpartition("/")[2], "text/plain; charset=utf-8", url.inline, transcript[1])
    parts = _parts_of(key)
    file, chunks = await engine.files.contents.open(parts.organization_id, key)
    return OpenedFile(file, parts.name, download_type(parts.name), url.inline, chunks)


async def take_copy(
    engine: Engine,
    organization_id: str,
    key: str,
    campaign_id: str,
    now: datetime,
    most_bytes: int = MAX_FILE_BYTES,
) -> StoredFile:
    """A campaign's own copy of an upload, which later uploads to the same URL do not change; safe to repeat.

    Both are kept from now on. Raises `NotFound` where nothing was uploaded under the key, for others' keys too, and
    `TooLarge` for more than `most_bytes`; nothing is kept then.
    """
    contents = engine.files.contents
    original = await stored.find_file(engine.store, organization_id, key)
    copy_key = copy_key_of(organization_id, key, campaign_id)
    copy = await stored.register_file(
        engine.store, copy_key, name=original.name, content_type=original.content_type, copy_of=key, now=now
    )
    if copy.used_by:
        return await contents.stat(organization_id, copy.key)
    copied = await contents.copy(organization_id, key, copy.key, most_bytes)
    await stored.use_file(engine.store, organization_id, key, campaign_id)
    await stored.use_file(engine.store, organization_id, copy.key, campaign_id)
    return copied


def copy_key_of(organization_id: str, key: str, campaign_id: str) -> FileKey:
    """The key of a campaign's own copy of an upload. Raises `NotFound` where that is no key of the organization."""
    parts = own_key(organization_id, key)
    if parts is None:
        raise NotFound(Kind.FILE, key)
    return FileKey(organization_id, file_copy_id_of(campaign_id, key), parts.name)


async def sweep_files(store: Store, place: FilePlace, now: datetime) -> int:
    """Remove uploads that no campaign has used in 24 h, and bytes that were replaced; how many files it looked at.

    Any number of processes may do so at once. Asks for the first hundred: call it again while it finds some.
    """
    due = await stored.files_to_sweep(store, now)
    for file in due:
        if stored.is_unused(file, now):
            await place.contents.delete(file.organization_id, file.key)
            await stored.forget_file(store, file, now)
        else:
            if place.gridfs is not None:
                await place.gridfs.tidy(file.organization_id, file.key, now)
            await stored.put_off_sweep(store, file, now)
    return len(due)


def _parts_of(key: str) -> FileKey:
    """The parts of a key that a signature has proven."""
    parts = parsed_key(key)
    if parts is None:
        raise FileUrlRefused(expired=False)
    return parts
