"""How Twilio proves that a request comes from it: HMAC-SHA1 over the exact URL and the sorted parameters."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit, urlunsplit

Parameters = Iterable[tuple[str, str]]

_STANDARD_PORTS = {"http": 80, "https": 443}


def sign(auth_token: str, url: str, parameters: Parameters) -> str:
    """The `X-Twilio-Signature` of a form POST to `url` (scheme, host, path and query as Twilio calls it).

    Names are sorted; several values of one name are sorted and each counted once.
    """
    text = url + "".join(name + value for name, value in sorted(set(parameters)))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def is_signed(auth_token: str, url: str, parameters: Parameters, signature: str | None) -> bool:
    """Whether `signature` fits, compared in constant time. Never raises; a missing signature is a no.

    Twilio has signed URLs with and without the port over the years, so every spelling of the same URL
    counts. The fragment (Twilio's connection overrides) never reaches a server: pass it in `url` if it
    was part of what Twilio was told, and both forms are tried.
    """
    if not signature:
        return False
    pairs = list(parameters)
    given = signature.encode("utf-8", "replace")
    # No early exit: how long this takes must not say which spelling came close.
    fits = [hmac.compare_digest(sign(auth_token, spelling, pairs).encode(), given) for spelling in _spellings(url)]
    return any(fits)


def _spellings(url: str) -> Iterator[str]:
    scheme, netloc, path, query, fragment = urlsplit(url)
    bare, _, port = netloc.rpartition(":")
    host = bare if port.isdigit() else netloc
    hosts = dict.fromkeys((netloc, host, f"{host}:{_STANDARD_PORTS.get(scheme, 443)}"))
    for spelled in hosts:
        for part in dict.fromkeys(("", fragment)):
            yield urlunsplit((scheme, spelled, path, query, part))
