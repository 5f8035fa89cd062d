"""Credentials: the operator makes and deletes them, customers prove themselves by them."""

import hmac
from collections.abc import Sequence
from datetime import datetime

from shared.domain.page import Page
from shared.engine.engine import Engine
from shared.errors import Kind, NotFound
from shared.store.catalog import keys as stored
from shared.store.catalog.keys import ApiKey, KeyKind, Scope
from shared.store.catalog.organizations import missing_organizations

__all__ = [
    "ApiKey",
    "KeyKind",
    "Scope",
    "create_key",
    "delete_key",
    "is_same_secret",
    "list_keys",
    "prove_key",
    "set_request_limits",
]


async def prove_key(engine: Engine, credential: str, now: datetime) -> ApiKey | None:
    """The key that this credential's full text proves; None when it is malformed, unknown or expired."""
    return await stored.find_key(engine.store, credential, now)


async def create_key(
    engine: Engine,
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
    """A new key and its full text, which can be shown this once alone.

    Raises `NotFound` with the first of the organizations that there is none of; no key is made then.
    """
    missing = await missing_organizations(engine.store, tuple(organization_ids))
    if missing:
        raise NotFound(Kind.ORGANIZATION, missing[0])
    return await stored.create_key(
        engine.store,
        kind=kind,
        name=name,
        person=person,
        organization_ids=organization_ids,
        scopes=scopes,
        expires_at=expires_at,
        request_limits=request_limits,
        now=now,
    )


async def list_keys(
    engine: Engine, kind: KeyKind, *, organization_id: str | None, cursor: str | None, limit: int
) -> Page[ApiKey]:
    """All keys of this kind, newest first; those of one organization, or (None) all.

    Raises `InvalidCursor`: ask for the first page.
    """
    return await stored.list_keys(engine.store, kind, organization_id=organization_id, cursor=cursor, limit=limit)


async def set_request_limits(engine: Engine, kind: KeyKind, key_id: str, request_limits: str | None) -> ApiKey:
    """The key with these request limits, from its next use on; None: its organization's. Raises `NotFound`."""
    return await stored.set_request_limits(engine.store, kind, key_id, request_limits)


async def delete_key(engine: Engine, kind: KeyKind, key_id: str) -> None:
    """Forget the key: its next use is refused. Raises `NotFound`."""
    await stored.delete_key(engine.store, kind, key_id)


def is_same_secret(given: str, expected: str) -> bool:
    """Secrets are compared in a time that tells nothing of either, not even its length."""
    return hmac.compare_digest(stored.digest_of(given), stored.digest_of(expected))
