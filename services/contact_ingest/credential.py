"""Whose batch is it? Proven by an organization key in the message, or by a signature in its headers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.contact_ingest.refusals import UnprovenOrganization, sentence_for
from shared.domain.repeating import quoted
from shared.errors import NotFound
from shared.events import ContactBatch
from shared.store.catalog.keys import ApiKey, KeyKind, Scope, find_key
from shared.store.catalog.organizations import Organization, get_organization
from shared.store.catalog.signatures import find_signer
from shared.store.client import Store

KEY_HEADER: Final = "dialstream-key"
SIGNATURE_HEADER: Final = "dialstream-signature"
Headers = Sequence[tuple[str, bytes | None]]


async def prove_organization(
    store: Store, batch: ContactBatch, *, value: bytes, headers: Headers, now: datetime
) -> Organization:
    """The organization that the batch is for, once it is proven that one of its keys sent it.

    `value` is the message as it arrived, byte by byte. Raises `UnprovenOrganization`.
    """
    key = await _key(store, batch, value, headers, now)
    if key is None or key.kind is not KeyKind.ORGANIZATION:
        raise UnprovenOrganization("The credential or signature is not that of a valid organization key.")
    if batch.organization_id not in key.organization_ids:
        raise UnprovenOrganization(f"The key belongs to another organization than {quoted(batch.organization_id)}.")
    if Scope.CAMPAIGNS_MANAGE not in key.scopes:
        raise UnprovenOrganization(f"The key lacks the scope {Scope.CAMPAIGNS_MANAGE}.")
    try:
        return await get_organization(store, batch.organization_id)
    except NotFound as error:
        raise UnprovenOrganization(sentence_for(error)) from error


async def _key(store: Store, batch: ContactBatch, value: bytes, headers: Headers, now: datetime) -> ApiKey | None:
    if batch.credential is not None:
        return await find_key(store, batch.credential, now)
    key_id, signature = _one(headers, KEY_HEADER), _one(headers, SIGNATURE_HEADER)
    if key_id is None or signature is None:
        raise UnprovenOrganization(
            f"The batch proves no organization: set credential, or the headers {KEY_HEADER} and {SIGNATURE_HEADER}."
        )
    return await find_signer(store, key_id=key_id, signature=signature, value=value, now=now)


def _one(headers: Headers, wanted: str) -> str | None:
    """The header's text; None when it is missing, given twice, or no ASCII."""
    values = [value for name, value in headers if name == wanted]
    if len(values) != 1 or values[0] is None or not values[0].isascii() or b"\x00" in values[0]:
        return None
    return values[0].decode()
