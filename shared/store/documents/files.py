"""Files: what is known of them, and GridFS's own two collections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDocument:
    """`files`: one file of an organization, whether or not its bytes have come.

    `used_by` are the campaigns that use it; `copy_of` is the key that a campaign's own copy was made of. `sweep_at`:
    when the sweep looks at it next; None: never. `size` and `etag` are absent where S3 keeps the bytes.
    """

    id: str
    organization_id: str
    key: str
    name: str
    content_type: str
    created_at: datetime
    used_by: Sequence[str] = ()
    copy_of: str | None = None
    sweep_at: datetime | None = None
    size: int | None = None
    etag: str | None = None
    # Of GridFS: the bytes that hold, and all that were begun and are not removed yet, `{id, at}` each.
    content: Any = None
    contents: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContentDocument:
    """`file_contents.files`, by GridFS: the bytes of one upload as a whole."""

    id: Any
    filename: str
    length: int
    chunkSize: int
    uploadDate: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChunkDocument:
    """`file_contents.chunks`, by GridFS: a part of the bytes of one upload."""

    id: Any
    files_id: Any
    n: int
    data: bytes
