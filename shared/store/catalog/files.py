"""The register of files: whose they are, which campaigns use them, and when the sweep looks at them.

The bytes are elsewhere: in GridFS (shared/store/catalog/file_contents.py) or in S3 (shared/files). Every question
is for one organization, but for the sweep's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.domain.stored_files import UNUSED_FOR, FileKey, own_key
from shared.errors import Kind, NotFound
from shared.store.client import Document, Store, translates
from shared.store.documents.completing import complete
from shared.store.documents.files import FileDocument

FILES: Final = "files"
MOST_SWEPT: Final = 100


@dataclass(frozen=True, slots=True)
class RegisteredFile:
    """A file as it is registered. `used_by`: ids of campaigns; `copy_of`: the key that this copy was made of."""

    id: str
    organization_id: str
    key: str
    name: str
    content_type: str
    created_at: datetime
    used_by: tuple[str, ...]
    copy_of: str | None

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "RegisteredFile":
        """The file as it is stored."""
        document = complete(FileDocument, stored)
        return cls(
            id=document["_id"],
            organization_id=document["organization_id"],
            key=document["key"],
            name=document["name"],
            content_type=document["content_type"],
            created_at=document["created_at"],
            used_by=tuple(document["used_by"]),
            copy_of=document["copy_of"],
        )


@translates
async def register_file(
    store: Store, key: FileKey, *, name: str, content_type: str, copy_of: str | None = None, now: datetime
) -> RegisteredFile:
    """Register a file before its bytes come; the same key again gives the file that is there."""
    document: Document = {
        "organization_id": key.organization_id,
        "key": str(key),
        "name": name,
        "content_type": content_type,
        "created_at": now,
        "used_by": [],
        "copy_of": copy_of,
        "sweep_at": now + UNUSED_FOR,
    }
    await store[FILES].update_one({"_id": key.file_id}, {"$setOnInsert": document}, upsert=True)
    return await find_file(store, key.organization_id, str(key))


@translates
async def find_file(store: Store, organization_id: str, key: str) -> RegisteredFile:
    """The file under this key, whether or not its bytes have come. Raises `NotFound`, for others' keys too."""
    return RegisteredFile.from_document(await file_document(store, organization_id, key))


@translates
async def find_file_by_id(store: Store, organization_id: str, file_id: str) -> RegisteredFile:
    """The file with this id. Raises `NotFound`."""
    document = await store[FILES].find_one({"_id": file_id, "organization_id": organization_id})
    if document is None:
        raise NotFound(Kind.FILE, file_id)
    return RegisteredFile.from_document(document)


@translates
async def use_file(store: Store, organization_id: str, key: str, campaign_id: str) -> None:
    """Note that a campaign uses the file, which the sweep leaves alone from now on. Raises `NotFound`."""
    done = await store[FILES].update_one(
        selector(organization_id, key), {"$addToSet": {"used_by": campaign_id}, "$set": {"sweep_at": None}}
    )
    if not done.matched_count:
        raise NotFound(Kind.FILE, key)


@translates
async def files_to_sweep(store: Store, now: datetime) -> list[RegisteredFile]:
    """The first files, of all organizations, whose time for the sweep has come."""
    due = store[FILES].find({"sweep_at": {"$lte": now}}).sort("sweep_at").limit(MOST_SWEPT)
    return [RegisteredFile.from_document(document) async for document in due]


@translates
async def forget_file(store: Store, file: RegisteredFile, now: datetime) -> bool:
    """Take a file that no campaign uses off the register, and say whether that was done."""
    gone = await store[FILES].delete_one(
        {"_id": file.id, "used_by": [], "sweep_at": {"$lte": now}, "created_at": {"$lte": now - UNUSED_FOR}}
    )
    return bool(gone.deleted_count)


async def file_document(store: Store, organization_id: str, key: str) -> Document:
    """The file's document. Raises `NotFound`."""
    document = await store[FILES].find_one(selector(organization_id, key))
    if document is None:
        raise NotFound(Kind.FILE, key)
    return complete(FileDocument, document)


def selector(organization_id: str, key: str) -> Document:
    """The query for the file under this key of this organization. Raises `NotFound` where the key cannot be its."""
    parts = own_key(organization_id, key)
    if parts is None:
        raise NotFound(Kind.FILE, key)
    return {"_id": parts.file_id, "key": key, "organization_id": organization_id}
