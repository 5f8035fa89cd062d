"""The bytes of files in S3, or what speaks like it: an object under each key; URLs that S3 signs and answers itself.

S3 cannot bound what a signed PUT uploads, so who uses a file looks at its size first (`stat`).
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from shared.domain.stored_files import MAX_FILE_BYTES, StoredFile, download_type, own_key
from shared.errors import ConfigurationError, Kind, NotFound, TooLarge, Unavailable
from shared.settings import FileSettings

if TYPE_CHECKING:
    from obstore import ObjectMeta  # neither is there when it runs
    from obstore.store import S3Config

READ_BYTES: Final = 256 * 1024
# S3's smallest part of an upload; two are on the way at once, so an upload holds 10 MiB of memory.
PART_BYTES: Final = 5 * 1024 * 1024
PARTS_AT_ONCE: Final = 2
ANSWER_SECONDS: Final = 30


class S3Files:
    """A `FileStore` on a bucket, and the signer of its URLs. Raises `ConfigurationError` for settings it cannot use."""

    def __init__(self, settings: FileSettings) -> None:
        self._bucket = _bucket(settings, settings.s3_endpoint)
        # The host is signed too: URLs are signed for the address under which customers reach the bucket.
        self._signing = _bucket(settings, settings.s3_public_endpoint or settings.s3_endpoint)

    async def put(
        self, organization_id: str, key: str, chunks: AsyncIterator[bytes], most_bytes: int = MAX_FILE_BYTES
    ) -> StoredFile:
        """Store the bytes under the key; see `FileStore`."""
        parts = own_key(organization_id, key)
        if parts is None:
            raise NotFound(Kind.FILE, key)
        # An error inside of the iterator comes back as S3's own, so it is kept here.
        failed: list[BaseException] = []

        async def bounded() -> AsyncIterator[bytes]:
            size = 0
            try:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > most_bytes:
                        raise TooLarge(Kind.FILE, key, most_bytes)
                    yield chunk
            except BaseException as error:
                failed.append(error)
                raise

        try:
            with _translated(key):
                await obstore.put_async(
                    self._bucket,
                    key,
                    bounded(),
                    attributes={
                        "Content-Type": download_type(parts.name),
                        "Content-Disposition": f'attachment; filename="{parts.name}"',
                    },
                    chunk_size=PART_BYTES,
                    max_concurrency=PARTS_AT_ONCE,
                )
        except Exception:
            if failed:
                raise failed[0] from None
            raise
        return await self.stat(organization_id, key)

    async def open(self, organization_id: str, key: str) -> tuple[StoredFile, AsyncIterator[bytes]]:
        """What is stored under the key, and its bytes; see `FileStore`."""
        _require_own(organization_id, key)
        with _translated(key):
            found = await obstore.get_async(self._bucket, key)

        async def chunks() -> AsyncIterator[bytes]:
            with _translated(key):
                async for chunk in found.stream(READ_BYTES):
                    yield bytes(chunk)

        return _stored(key, found.meta), chunks()

    async def read(self, organization_id: str, key: str) -> AsyncIterator[bytes]:
        """The bytes, a chunk at a time; see `FileStore`."""
        _, chunks = await self.open(organization_id, key)
        async for chunk in chunks:
            yield chunk

    async def stat(self, organization_id: str, key: str) -> StoredFile:
        """What is stored under the key; see `FileStore`."""
        _require_own(organization_id, key)
        with _translated(key):
            return _stored(key, await obstore.head_async(self._bucket, key))

    async def copy(self, organization_id: str, key: str, to_key: str, most_bytes: int = MAX_FILE_BYTES) -> StoredFile:
        """Store the same bytes under another key; see `FileStore`.

        Through this process: a copy that S3 makes would keep the headers that the uploader chose.
        """
        if (await self.stat(organization_id, key)).size > most_bytes:
            raise TooLarge(Kind.FILE, key, most_bytes)
        return await self.put(organization_id, to_key, self.read(organization_id, key), most_bytes)

    async def delete(self, organization_id: str, key: str) -> None:
        """Remove the bytes; see `FileStore`."""
        _require_own(organization_id, key)
        with _translated(key):
            await obstore.delete_async(self._bucket, key)

    async def signed_url(self, method: Literal["GET", "PUT"], key: str, seconds: int) -> str:
        """A URL that lets anybody do this one thing for that long."""
        with _translated(key):
            return await obstore.sign_async(self._signing, method, key, timedelta(seconds=seconds))


def _stored(key: str, meta: "ObjectMeta") -> StoredFile:
    return StoredFile(key, meta["size"], meta["e_tag"] or "")


def _bucket(settings: FileSettings, endpoint: str) -> S3Store:
    secret = settings.s3_secret_access_key.get_secret_value()
    config: S3Config = {"region": settings.s3_region}
    if endpoint:
        config["endpoint"] = endpoint
    if secret:
        config |= {"access_key_id": settings.s3_access_key_id, "secret_access_key": secret}
    try:
        return S3Store(
            settings.s3_bucket,
            config=config,
            client_options={"allow_http": True, "timeout": timedelta(seconds=ANSWER_SECONDS)},
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=ANSWER_SECONDS)},
        )
    except BaseError as error:
        raise ConfigurationError(f"DIALSTREAM_S3_* cannot be used: {error}") from error


def _require_own(organization_id: str, key: str) -> None:
    if own_key(organization_id, key) is None:
        raise NotFound(Kind.FILE, key)


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise NotFound(Kind.FILE, key) from error
    except BaseError as error:
        raise Unavailable("S3", type(error).__name__) from error
