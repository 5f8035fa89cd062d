"""Credentials of customers: organization keys `ak_<id>.<secret>` and personal tokens `pat_<id>.<secret>`.

The secret itself is never stored, only its SHA-256 digest; it is random and long, so it needs no salt.
Every check reads the document again: a deleted key is refused at once.
"""

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pymongo import ReturnDocument

from shared.domain.page import Page
from shared.errors import Kind, NotFound
from shared.store.client import Store, translates
from shared.store.documents.catalog import ApiKeyDocument
from shared.store.documents.completing import complete
from shared.store.paging import newest_first

SECRET_BYTES: Final = 32
_TOKEN: Final = re.compile(r"(ak|pat)_([0-9a-f-]{36})\.([A-Za-z0-9_-]{1,200})")


class KeyKind(StrEnum):
    """The kind of holder that a key stands for."""

    ORGANIZATION = "organization"
    PERSONAL = "personal"


class Scope(StrEnum):
    """What a key may do."""

    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_MANAGE = "campaigns:manage"
    CONCURRENCY_READ = "concurrency:read"
    CONCURRENCY_MANAGE = "concurrency:manage"
    CONVERSATIONS_READ_SENSITIVE = "conversations:read_sensitive"


_PREFIXES: Final = {KeyKind.ORGANIZATION: "ak", KeyKind.PERSONAL: "pat"}
_KINDS: Final = {KeyKind.ORGANIZATION: Kind.ORGANIZATION_KEY, KeyKind.PERSONAL: Kind.PERSONAL_TOKEN}


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One credential, without its secret. An organization key has exactly one organization."""

    id: str
    kind: KeyKind
    name: str
    person: str | None
    organization_ids: tuple[str, ...]
    scopes: frozenset[Scope]
    expires_at: datetime | None
    created_at: datetime
    request_limits: str | None = None

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "ApiKey":
        """The key as it is stored."""
        document = complete(ApiKeyDocument, stored)
        return cls(
            id=document["_id"],
            kind=KeyKind(document["kind"]),
            name=document["name"],
            person=document["person"],
            organization_ids=tuple(document["organization_ids"]),
            scopes=frozenset(Scope(scope) for scope in document["scopes"]),
            expires_at=document["expires_at"],
            created_at=document["created_at"],
            request_limits=document["request_limits"],
        )


@translates
async def create_key(
    store: Store,
    *,
    kind: KeyKind,
    name: str,
    person: str | None,
    organization_ids: Sequence[str],
    scopes: Sequence[Scope],
    expires_at: datetime | None,
    request_limits: str | None = None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """A new credential and its full text, which cannot be read again afterwards."""
    key_id, secret = str(uuid.uuid4()), secrets.token_urlsafe(SECRET_BYTES)
    document = {
        "_id": key_id,
        "kind": kind.value,
        "digest": digest_of(secret),
        "name": name,
        "person": person,
        "organization_ids": list(organization_ids),
        "scopes": sorted(scopes),
        "expires_at": expires_at,
        "request_limits": request_limits,
        "created_at": now,
    }
    await store["api_keys"].insert_one(document)
    return ApiKey.from_document(document), f"{_PREFIXES[kind]}_{key_id}.{secret}"


@translates
async def find_key(store: Store, credential: str, now: datetime) -> ApiKey | None:
    """The key that this credential's full text proves; None when it is malformed, unknown or expired.

    The digest is compared in constant time, also when there is no such key.
    """
    parts = _TOKEN.fullmatch(credential)
    if parts is None:
        return None
    document = await store["api_keys"].find_one({"_id": parts[2]})
    digest = digest_of(parts[3])
    if not hmac.compare_digest(digest, document["digest"] if document else digest_of("")) or document is None:
        return None
    key = ApiKey.from_document(document)
    expired = key.expires_at is not None and key.expires_at <= now
    return None if expired or _PREFIXES[key.kind] != parts[1] else key


@translates
async def list_keys(
    store: Store, kind: KeyKind, *, organization_id: str | None, cursor: str | None, limit: int
) -> Page[ApiKey]:
    """All keys of this kind, newest first; those of one organization, or (None) all. Raises `InvalidCursor`."""
    query: dict[str, Any] = {"kind": kind.value}
    if organization_id is not None:
        query["organization_ids"] = organization_id
    page = await newest_first(store["api_keys"], query, cursor=cursor, limit=limit)
    return Page([ApiKey.from_document(row) for row in page.rows], page.next_cursor)


@translates
async def set_request_limits(store: Store, kind: KeyKind, key_id: str, request_limits: str | None) -> ApiKey:
    """The key with these request limits, as `request_windows` reads them. Raises `NotFound`."""
    document = await store["api_keys"].find_one_and_update(
        {"_id": key_id, "kind": kind.value},
        {"$set": {"request_limits": request_limits}},
        return_document=ReturnDocument.AFTER,
    )
    if document is None:
        raise NotFound(_KINDS[kind], key_id)
    return ApiKey.from_document(document)


@translates
async def delete_key(store: Store, kind: KeyKind, key_id: str) -> None:
    """Delete the key: its next use is refused. Raises `NotFound`."""
    result = await store["api_keys"].delete_one({"_id": key_id, "kind": kind.value})
    if not result.deleted_count:
        raise NotFound(_KINDS[kind], key_id)


def digest_of(secret: str) -> str:
    """SHA-256 in hexadecimal: the only form a secret is stored in."""
    return hashlib.sha256(secret.encode()).hexdigest()
