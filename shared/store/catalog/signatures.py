"""Messages signed with an organization key, whose secret never travels.

The signature is `v1=` and the hexadecimal HMAC-SHA256 of the exact bytes of the message, under the
hexadecimal SHA-256 digest of the key's secret (as ASCII): the very text that is stored, so the secret
itself is never needed here.
"""

import hashlib
import hmac
from datetime import datetime

from shared.store.catalog.keys import ApiKey
from shared.store.client import Store, translates


def signature_of(value: bytes, digest: str) -> str:
    """The signature of these bytes under a key's stored digest."""
    return "v1=" + hmac.new(digest.encode(), value, hashlib.sha256).hexdigest()


@translates
async def find_signer(store: Store, *, key_id: str, signature: str, value: bytes, now: datetime) -> ApiKey | None:
    """The key that has signed these bytes; None when it is unknown or expired, or the signature is wrong."""
    document = await store["api_keys"].find_one({"_id": key_id})
    expected = signature_of(value, document["digest"] if document is not None else "")
    if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")) or document is None:
        return None
    key = ApiKey.from_document(document)
    return None if key.expires_at is not None and key.expires_at <= now else key
