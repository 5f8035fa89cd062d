"""The headers by which a receiver knows that a webhook is ours: Standard Webhooks always, a dialect's own beside them.

Every try is signed anew, because receivers refuse old timestamps (five minutes in Standard Webhooks and in SmartAlex).
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from standardwebhooks import Webhook

from shared.domain.webhooks import Dialect

_PREFIX: Final = "whsec_"


def signed_headers(
    dialect: Dialect, event_id: str, body: str, secrets: Sequence[str], now: datetime
) -> Mapping[str, str]:
    """The signature headers of one try at `now` (UTC).

    `secrets` are the subscription's, the newest first: each signs in `webhook-signature`; a dialect's own header has
    room for one, the newest.
    """
    own = _OWN.get(dialect)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(standard_secret(secret)).sign(event_id, now, body) for secret in secrets),
        **(own(secrets[0], body.encode(), now) if own is not None else {}),
    }


def standard_secret(secret: str) -> str:
    """A secret as the verifiers of Standard Webhooks take it: `whsec_` and the base64 of its bytes.

    One that is already written so is itself; the bytes of all others are their UTF-8 text.
    """
    if secret.startswith(_PREFIX) and _is_base64(secret.removeprefix(_PREFIX)):
        return secret
    return _PREFIX + base64.b64encode(secret.encode()).decode()


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


def _smartalex(secret: str, body: bytes, now: datetime) -> Mapping[str, str]:
    milliseconds = int(now.timestamp() * 1000)
    digest = _hmac(secret, f"{milliseconds}.".encode() + body).hex()
    return {"X-SmartAlex-Signature": f"t={milliseconds},v1={digest}"}


def _talkturo(secret: str, body: bytes, _: datetime) -> Mapping[str, str]:
    digest = _hmac(secret, body)
    return {"X-Talkturo-Secret": digest.hex(), "X-Signature": base64.b64encode(digest).decode()}


def _hmac(secret: str, message: bytes) -> bytes:
    return hmac.new(secret.encode(), message, hashlib.sha256).digest()


_OWN: Final[Mapping[Dialect, Callable[[str, bytes, datetime], Mapping[str, str]]]] = MappingProxyType(
    {Dialect.SMARTALEX: _smartalex, Dialect.TALKTURO: _talkturo}
)
