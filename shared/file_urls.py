"""URLs that let anybody who has one do one thing with one file, until they expire: those that campaign-api answers.

A URL names file, time and bounds in clear; its signature, by `itsdangerous`, covers them and the method. The keys are
derived from `DIALSTREAM_SECRET_KEY`: the newest signs, all of them prove.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

from itsdangerous import Signer
from pydantic import SecretStr

from shared.errors import FileUrlRefused
from shared.stored_secrets import derived_key, secret_keys

PATH: Final = "/files"
PURPOSE: Final = "file urls"
_EXPIRES, _MOST_BYTES, _INLINE, _SIGNATURE = "expires", "max_bytes", "inline", "signature"


class FileUse(StrEnum):
    """The methods that URLs are signed for."""

    UPLOAD = "PUT"
    DOWNLOAD = "GET"


@dataclass(frozen=True, slots=True)
class FileUrl:
    """The thing that a URL allows: `most_bytes` bounds an upload, `inline` shows a download instead of saving it."""

    use: FileUse
    key: str
    expires_at: datetime
    most_bytes: int = 0
    inline: bool = False


class FileUrls:
    """Signs URLs and proves them. Without a secret key they hold in this process alone, until it ends."""

    def __init__(self, secret_key: SecretStr | None) -> None:
        newest_first = [derived_key(text, PURPOSE) for text in secret_keys(secret_key)]
        # The last one signs.
        self._signer = Signer(
            newest_first[::-1] or secrets.token_bytes(32), salt=PURPOSE, key_derivation="hmac", digest_method=sha256
        )

    def signed(self, url: FileUrl, base_url: str) -> str:
        """The whole URL; `base_url` is the address of campaign-api without a path."""
        query = {_EXPIRES: str(int(url.expires_at.timestamp()))}
        if url.use is FileUse.UPLOAD:
            query[_MOST_BYTES] = str(url.most_bytes)
        elif url.inline:
            query[_INLINE] = "1"
        signature = self._signer.get_signature(_said(url.use, url.key, query)).decode()
        return f"{base_url.rstrip('/')}{PATH}/{url.key}?{urlencode({**query, _SIGNATURE: signature})}"

    def proven(self, method: str, key: str, query: Mapping[str, str], now: datetime) -> FileUrl:
        """The thing that a request's URL allows.

        Raises `FileUrlRefused` where method, key or query are not those that were signed, and where it has expired.
        """
        given = dict(query)
        signature = given.pop(_SIGNATURE, "")
        if not self._signer.verify_signature(_said(method, key, given), signature.encode(errors="replace")):
            raise FileUrlRefused(expired=False)
        expires_at = datetime.fromtimestamp(int(given[_EXPIRES]), now.tzinfo)
        if expires_at <= now:
            raise FileUrlRefused(expired=True)
        return FileUrl(FileUse(method), key, expires_at, int(given.get(_MOST_BYTES, "0")), _INLINE in given)


def _said(method: str, key: str, query: Mapping[str, str]) -> str:
    """What is signed: no two URLs that allow different things say the same."""
    return "\n".join((method, key, urlencode(sorted(query.items()))))


def expiry(now: datetime, seconds: int) -> datetime:
    """When a URL expires that holds for that long."""
    return now + timedelta(seconds=seconds)
