"""Sessions in cookies: encrypted and signed (Fernet), so that no server keeps them and none can be forged.

Two cookies, both HttpOnly and SameSite=Lax: the session (whose key, and the token that its forms carry), and a sentence
that the next page shows once.
"""

import base64
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from services.console.api import Credential
from shared.stored_secrets import derived_key, secret_keys

SESSION_COOKIE: Final = "dialstream_console"
NOTICE_COOKIE: Final = "dialstream_notice"
NOTICE_SECONDS: Final = 60
# Browsers keep 4,096 bytes of a cookie, of which the cipher and its base64 take more than a quarter; a sentence that
# does not fit is cut.
NOTICE_BYTES: Final = 2700
MANAGE: Final = "campaigns:manage"
SENSITIVE: Final = "conversations:read_sensitive"
READ: Final = frozenset({MANAGE, "campaigns:read"})
# In the place of scopes: the operator's token has none.
OPERATOR: Final = "operator"


@dataclass(frozen=True, slots=True)
class Session:
    """One browser: signed in with a credential, or not yet."""

    csrf: str
    credential: Credential | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_operator(self) -> bool:
        """Whether the operator's token has signed in, which is of no organization."""
        return OPERATOR in self.scopes

    @property
    def may_manage(self) -> bool:
        """Whether the key may change anything."""
        return MANAGE in self.scopes

    @property
    def sees_numbers(self) -> bool:
        """Whether phone numbers are shown whole."""
        return SENSITIVE in self.scopes

    def has_sent(self, token: str) -> bool:
        """Whether a form comes from a page of this session; compared in constant time."""
        return hmac.compare_digest(self.csrf.encode(), token.encode())


class Sessions:
    """Reads and writes the cookies."""

    def __init__(self, secret: SecretStr | None, *, seconds: float, https: bool) -> None:
        texts = secret_keys(secret) or (secrets.token_hex(32),)
        # A key for each cookie, so that none can be sent in the place of the other.
        self._ciphers = {name: _cipher(texts, name) for name in (SESSION_COOKIE, NOTICE_COOKIE)}
        self._seconds, self._https = round(seconds), https

    def read(self, request: Request, now: datetime) -> Session:
        """The browser's session; a new one that is not signed in where it has none, or one that is over or forged."""
        values = self._decrypt(request, SESSION_COOKIE, self._seconds, now)
        if values is None:
            return Session(secrets.token_urlsafe(32))
        key, organization_id = values["key"], values["organization_id"]
        credential = None if key is None else Credential(key, organization_id)
        return Session(values["csrf"], credential, frozenset(values["scopes"]))

    def begin(self, credential: Credential, scopes: frozenset[str]) -> Session:
        """A new session, signed in."""
        return Session(secrets.token_urlsafe(32), credential, scopes)

    def write(self, response: Response, session: Session, now: datetime) -> None:
        """Have the browser keep this session."""
        credential = session.credential
        values = {
            "csrf": session.csrf,
            "key": credential and credential.key,
            "organization_id": credential and credential.organization_id,
            "scopes": sorted(session.scopes),
        }
        self._set(response, SESSION_COOKIE, values, self._seconds, now)

    def forget(self, response: Response) -> None:
        """Have the browser forget its session."""
        response.delete_cookie(SESSION_COOKIE, secure=self._https, httponly=True, samesite="lax")

    def say(self, response: Response, sentence: str, *, good: bool, now: datetime) -> None:
        """Have the next page show a sentence."""
        values = {"sentence": _fitting(sentence), "good": good}
        self._set(response, NOTICE_COOKIE, values, NOTICE_SECONDS, now)

    def said(self, request: Request, now: datetime) -> "Notice | None":
        """The sentence that this page is to show."""
        values = self._decrypt(request, NOTICE_COOKIE, NOTICE_SECONDS, now)
        return None if values is None else Notice(values["sentence"], values["good"])

    def shown(self, response: Response) -> None:
        """Have the browser forget the sentence."""
        response.delete_cookie(NOTICE_COOKIE, secure=self._https, httponly=True, samesite="lax")

    def _decrypt(self, request: Request, name: str, seconds: int, now: datetime) -> dict[str, Any] | None:
        cookie = request.cookies.get(name)
        if cookie is None:
            return None
        try:
            text = self._ciphers[name].decrypt_at_time(cookie.encode(), ttl=seconds, current_time=int(now.timestamp()))
        except InvalidToken:
            return None
        values: dict[str, Any] = json.loads(text)
        return values

    def _set(self, response: Response, name: str, values: object, seconds: int, now: datetime) -> None:
        token = self._ciphers[name].encrypt_at_time(_json(values), int(now.timestamp())).decode()
        response.set_cookie(name, token, max_age=seconds, secure=self._https, httponly=True, samesite="lax")


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode(errors="replace")


def _fitting(sentence: str) -> str:
    """As much of a sentence as a cookie holds."""
    while (size := len(_json(sentence))) > NOTICE_BYTES:
        sentence = sentence[: len(sentence) * NOTICE_BYTES // size]
    return sentence


def _cipher(texts: Sequence[str], cookie: str) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(derived_key(text, f"cookie {cookie}"))) for text in texts])


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that a page shows once: good news, or a refusal."""

    sentence: str
    good: bool
