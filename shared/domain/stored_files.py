"""Files of organizations: their keys, their names, and what every place that keeps them can do.

A key is `campaigns/<organization id>/<file id>_<name>`: it says whose the file is, so that a look at the key alone
refuses those of others.
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

# The most bytes a file may have where its upload sets no limit of its own: 1,000,000 rows of 250 bytes.
MAX_FILE_BYTES: Final = 256 * 1024 * 1024
MAX_FILE_NAME: Final = 255
# An upload that no campaign has used by then is removed.
UNUSED_FOR: Final = timedelta(hours=24)
_FOLDER: Final = "campaigns"
_ID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY: Final = re.compile(rf"{_FOLDER}/({_ID})/({_ID})_([A-Za-z0-9._-]{{1,{MAX_FILE_NAME}}})")
_NOT_KEPT: Final = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True)
class FileKey:
    """The parts of a key."""

    organization_id: str
    file_id: str
    name: str

    def __str__(self) -> str:
        return f"{_FOLDER}/{self.organization_id}/{self.file_id}_{self.name}"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file whose bytes are stored. `etag` is in quotation marks, and another one when the bytes are others."""

    key: str
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The uploaded file that a campaign's contacts came from.

    `key` is the upload's, `copy_key` that of the campaign's own copy; `rows` is how many of its rows have a number.
    """

    key: str
    copy_key: str
    rows: int

    @classmethod
    def from_document(cls, stored: Mapping[str, Any] | None) -> "SourceFile | None":
        """The file as a campaign has stored it; None: it has none."""
        return None if stored is None else cls(stored["key"], stored["copy_key"], stored["rows"])


class FileStore(Protocol):
    """A place for the bytes of files. Every question names the organization: for another one's key there is no file.

    All raise `Unavailable` when the place is away: try again later. All but `put` and `delete` raise
    `NotFound(Kind.FILE, key)` where nothing is stored under the key.
    """

    async def put(
        self, organization_id: str, key: str, chunks: AsyncIterator[bytes], most_bytes: int = MAX_FILE_BYTES
    ) -> StoredFile:
        """Store the bytes under a key, in place of those that are there; seen whole or not at all.

        Raises `TooLarge`, and what `chunks` raises, whereupon all is as before; and `NotFound` for a key that no file
        was registered under.
        """

    async def open(self, organization_id: str, key: str) -> tuple[StoredFile, AsyncIterator[bytes]]:
        """What is stored under the key, and exactly its bytes, as `read` gives them."""

    def read(self, organization_id: str, key: str) -> AsyncIterator[bytes]:
        """The bytes in chunks of at most some hundred KiB. Memory does not grow with the file."""

    async def stat(self, organization_id: str, key: str) -> StoredFile:
        """What is stored under the key."""

    async def copy(self, organization_id: str, key: str, to_key: str, most_bytes: int = MAX_FILE_BYTES) -> StoredFile:
        """Store what is under `key` under `to_key` too; later changes of the one do not reach the other.

        Raises `TooLarge`, whereupon all is as before.
        """

    async def delete(self, organization_id: str, key: str) -> None:
        """Remove the bytes, if there are any."""


def file_key(organization_id: str, file_id: str, name: str) -> FileKey:
    """The key of a new file: of the name its last path segment, in the characters that every store takes."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return FileKey(organization_id, file_id, _NOT_KEPT.sub("_", last)[-MAX_FILE_NAME:] or "_")


def download_type(name: str) -> str:
    """The media type of a download: a list is `text/csv`; a browser shows none of the others as a page of ours."""
    return "text/csv" if name.lower().endswith(".csv") else "application/octet-stream"


def parsed_key(key: str) -> FileKey | None:
    """The parts of a key; None where the text is none."""
    parts = _KEY.fullmatch(key)
    return None if parts is None else FileKey(*parts.groups())


def own_key(organization_id: str, key: str) -> FileKey | None:
    """The parts of a key of this organization; None where the text is none, or another one's."""
    parsed = parsed_key(key)
    return parsed if parsed is not None and parsed.organization_id == organization_id else None
