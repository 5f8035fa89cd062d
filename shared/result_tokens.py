"""Tokens that travel with calls: who has one may report the result of that call, and of no other.

A token is signed (`itsdangerous`, HMAC-SHA256) with keys derived from `DIALSTREAM_SECRET_KEY`: the newest, which stands
first, signs; all of them are read, so that calls go on while a key is replaced. Nothing is stored of it.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import SecretStr

from shared.domain.setting_rules import secret_key_texts

PREFIX: Final = "rt_"
# Agents report within minutes; what is written up by people, or by a batch over night, comes within days.
GOOD_SECONDS: Final = 30 * 24 * 3600
_MAX_CHARACTERS: Final = 1000
_PURPOSE: Final = "dialstream result token"
_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class TokenCall:
    """The call that a token is for."""

    organization_id: str
    contact_id: str
    attempt_id: str


class ResultTokens:
    """Makes and reads tokens. Without a key there are none, and none is good."""

    def __init__(self, secret_key: SecretStr | None) -> None:
        texts = () if secret_key is None else secret_key_texts(secret_key.get_secret_value())
        options = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        # The library signs with the last one.
        keys = list(reversed(texts))
        self._serializer = URLSafeTimedSerializer(keys, salt=_PURPOSE, signer_kwargs=options) if keys else None

    def issue(self, call: TokenCall) -> str | None:
        """The token of a call, good for 30 days; None where the operator has set no key."""
        if self._serializer is None:
            return None
        signed = self._serializer.dumps([call.organization_id, call.contact_id, call.attempt_id])
        return PREFIX + (signed if isinstance(signed, str) else signed.decode())

    def read(self, token: str) -> TokenCall | None:
        """The call that a token is for; None when it is forged, too old, or no token at all."""
        if self._serializer is None or not token.startswith(PREFIX) or len(token) > _MAX_CHARACTERS:
            return None
        try:
            parts = self._serializer.loads(token.removeprefix(PREFIX), max_age=GOOD_SECONDS)
        except BadData:
            return None
        is_ours = isinstance(parts, list) and len(parts) == _PARTS and all(isinstance(part, str) for part in parts)
        return TokenCall(*parts) if is_ours else None


NO_TOKENS: Final = ResultTokens(None)
