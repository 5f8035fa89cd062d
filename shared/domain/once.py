"""Requests that are sent again under the same key are done once; what becomes of one that comes under a key."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

MAX_KEY: Final = 255
KEPT: Final = timedelta(hours=24)
"""An answer, and its key, are kept for so long."""
# One that has not answered for so long is taken for lost with its process: the next one with its key does the work
# anew, under the same ids.
LEASE: Final = timedelta(seconds=30)
# A larger answer is not kept: the work is done again, and finds that it was done.
MAX_KEPT_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Begun:
    """The request is the first with its key, or takes over from a lost one; ids of what it makes are by `work_id`."""

    key_id: str
    work_id: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered before."""

    status: int
    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The first request with the key is not answered yet; ask again in `seconds`."""

    seconds: int


@dataclass(frozen=True, slots=True)
class OtherRequest:
    """The key belongs to another request."""


Standing = Begun | Answered | UnderWay | OtherRequest


def key_id_of(organization_id: str, key: str) -> str:
    """Under what a key of an organization is filed."""
    return f"{organization_id}/{hashlib.sha256(key.encode()).hexdigest()}"


def fingerprint(method: str, target: str, body: bytes) -> str:
    """What tells one request from another under the same key; `target` is its path with the query."""
    digest = hashlib.sha256(f"{method} {target}\n".encode())
    digest.update(body)
    return digest.hexdigest()


def is_key(text: str) -> bool:
    """Whether the text can be a key: 1 to 255 printable characters of ASCII."""
    return 0 < len(text) <= MAX_KEY and text.isascii() and text.isprintable()
