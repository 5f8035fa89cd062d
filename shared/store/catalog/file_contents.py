"""The bytes of files in MongoDB, by GridFS: the place where no S3 is set.

The file's document names the bytes that hold, so a new upload is seen whole or not at all. Before its first byte an
upload is noted in that document, so that the sweep finds what a killed process has left; those bytes, and those that
were replaced, stay for an hour, for readers that are not at the end.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bson import ObjectId
from gridfs import AsyncGridFSBucket
from gridfs.errors import CorruptGridFile, NoFile

from shared.clock import utc_now
from shared.domain.stored_files import MAX_FILE_BYTES, StoredFile
from shared.errors import Kind, NotFound, TooLarge, Unavailable
from shared.store.catalog.files import FILES, file_document, selector
from shared.store.client import Document, Store, translated
from shared.store.documents.completing import complete
from shared.store.documents.files import FileDocument

BUCKET: Final = "file_contents"
CHUNK_BYTES: Final = 255 * 1024
REPLACED_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class GridFSFiles:
    """A `FileStore` on MongoDB. Keys must be registered (shared/store/catalog/files.py)."""

    store: Store

    async def put(
        self, organization_id: str, key: str, chunks: AsyncIterator[bytes], most_bytes: int = MAX_FILE_BYTES
    ) -> StoredFile:
        """Store the bytes under the key; see `FileStore`."""
        content, now = ObjectId(), utc_now()
        await self._begin(organization_id, key, content, now)
        try:
            size, digest = await self._write(content, key, chunks, most_bytes)
        except BaseException:
            with suppress(Unavailable):  # the sweep will
                await self._remove([content], organization_id, key)
            raise
        stored = StoredFile(key, size, f'"{digest}"')
        async with translated():
            changes = {"content": content, "size": size, "etag": stored.etag}
            done = await self.store[FILES].update_one(selector(organization_id, key), {"$set": changes})
        if not done.matched_count:
            await self._remove([content], organization_id, key)
            raise NotFound(Kind.FILE, key)
        return stored

    async def read(self, organization_id: str, key: str) -> AsyncIterator[bytes]:
        """The bytes, a chunk at a time; see `FileStore`."""
        document = await self._stored(organization_id, key)
        try:
            async with translated():
                bucket = AsyncGridFSBucket(self.store.db, bucket_name=BUCKET)
                source = await bucket.open_download_stream(document["content"])
                while chunk := await source.readchunk():
                    yield chunk
        except (NoFile, CorruptGridFile) as error:
            raise NotFound(Kind.FILE, key) from error  # it was removed meanwhile

    async def stat(self, organization_id: str, key: str) -> StoredFile:
        """What is stored under the key; see `FileStore`."""
        document = await self._stored(organization_id, key)
        return StoredFile(key, document["size"], document["etag"])

    async def copy(self, organization_id: str, key: str, to_key: str) -> StoredFile:
        """Store the same bytes under another key; see `FileStore`."""
        return await self.put(organization_id, to_key, self.read(organization_id, key))

    async def delete(self, organization_id: str, key: str) -> None:
        """Remove all bytes that were ever stored under the key; see `FileStore`."""
        async with translated():
            document = await self.store[FILES].find_one_and_update(
                selector(organization_id, key), {"$unset": {"content": True, "size": True, "etag": True}}
            )
        if document is not None:
            await self._remove(
                [one["id"] for one in complete(FileDocument, document)["contents"]], organization_id, key
            )

    async def tidy(self, organization_id: str, key: str, now: datetime) -> None:
        """Remove the bytes of uploads that were replaced or left unfinished an hour ago or longer."""
        async with translated():
            document = await file_document(self.store, organization_id, key)
        others = [one for one in document["contents"] if one["id"] != document["content"]]
        await self._remove([one["id"] for one in others if one["at"] <= now - REPLACED_FOR], organization_id, key)

    async def _begin(self, organization_id: str, key: str, content: ObjectId, now: datetime) -> None:
        begun = [{"$ifNull": ["$contents", []]}, [{"id": content, "at": now}]]
        sweep_at = {"$min": ["$sweep_at", now + REPLACED_FOR]}  # null, never, is left out by this operator
        async with translated():
            done = await self.store[FILES].update_one(
                selector(organization_id, key),
                [{"$set": {"contents": {"$concatArrays": begun}, "sweep_at": sweep_at}}],
            )
        if not done.matched_count:
            raise NotFound(Kind.FILE, key)

    async def _write(
        self, content: ObjectId, key: str, chunks: AsyncIterator[bytes], most_bytes: int
    ) -> tuple[int, str]:
        """Write the bytes as GridFS has them: parts, then the document that makes them a file; their size and digest.

        By hand, because the driver's own writer keeps 48 MB of every upload in memory before it sends any.
        """
        # What S3 gives as an ETag too; it protects nothing.
        size, digest, parts, gathered = 0, hashlib.md5(usedforsecurity=False), 0, bytearray()
        async for chunk in chunks:
            size += len(chunk)
            if size > most_bytes:
                raise TooLarge(Kind.FILE, key, most_bytes)
            digest.update(chunk)
            gathered += chunk
            while len(gathered) >= CHUNK_BYTES:
                await self._write_part(content, parts, bytes(gathered[:CHUNK_BYTES]))
                parts += 1
                del gathered[:CHUNK_BYTES]
        if gathered:
            await self._write_part(content, parts, bytes(gathered))
        whole = {"_id": content, "filename": key, "length": size, "chunkSize": CHUNK_BYTES, "uploadDate": utc_now()}
        async with translated():
            await self.store[f"{BUCKET}.files"].insert_one(whole)
        return size, digest.hexdigest()

    async def _write_part(self, content: ObjectId, n: int, data: bytes) -> None:
        async with translated():
            await self.store[f"{BUCKET}.chunks"].insert_one({"files_id": content, "n": n, "data": data})

    async def _stored(self, organization_id: str, key: str) -> Document:
        async with translated():
            document = await file_document(self.store, organization_id, key)
        if document["content"] is None:
            raise NotFound(Kind.FILE, key)
        return document

    async def _remove(self, contents: list[Any], organization_id: str, key: str) -> None:
        """Remove these bytes, whole or not, and what the document at this key says of them."""
        async with translated():
            for content in contents:
                # GridFS's own `delete` raises where an upload was not finished.
                await self.store[f"{BUCKET}.files"].delete_one({"_id": content})
                await self.store[f"{BUCKET}.chunks"].delete_many({"files_id": content})
            gone = {"$pull": {"contents": {"id": {"$in": contents}}}}
            await self.store[FILES].update_one(selector(organization_id, key), gone)
