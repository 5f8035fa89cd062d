"""The public API over HTTP: a credential, JSON, patience with 429 and 503, one exception for each kind of refusal.

urllib3 and no larger client, because a command imports it at every start: 0.1 s, where httpx or aiohttp take 0.5.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError

from dialstream_cli.faults import NotReachable, Refused, UsageFault

Query = Mapping[str, str | int | bool | list[str] | None]
CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 60.0
# A stream of campaign events says something every 15 seconds at least.
STREAM_SECONDS: Final = 60.0
TRIES: Final = 5
LONGEST_WAIT_SECONDS: Final = 60.0
_TOO_MANY, _AWAY = 429, 503
# They would lead to another path.
_NO_SEGMENTS: Final = frozenset({"", ".", ".."})
_STRANGE: Final = "That is no answer of campaign-api; is the address right?"


@dataclass(frozen=True, slots=True)
class Api:
    """The API at `url` (no slash at its end). `key` is an organization key, a personal token or the operator's token.

    `organization` is the one that a personal token works for; None for the others.
    """

    url: str
    key: str
    organization: str | None
    pool: urllib3.PoolManager

    def get(self, path: str, query: Query | None = None) -> Any:
        """GET; the answer's JSON. Raises Refused and NotReachable, as all of these do."""
        return self.send("GET", path, query=query, again=True)

    def post(self, path: str, body: Any = None, *, again: bool = False) -> Any:
        """POST. `again`: doing it twice is doing it once, so a 503 may be tried again."""
        return self.send("POST", path, body=body, again=again)

    def delete(self, path: str) -> Any:
        """DELETE."""
        return self.send("DELETE", path)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        content: tuple[bytes, str] | None = None,
        again: bool = False,
    ) -> Any:
        """One request and its JSON. `body` goes out as JSON, `content` as bytes of a media type."""
        sent = (json.dumps(body).encode(), "application/json") if body is not None else content
        for left in range(TRIES - 1, -1, -1):
            answer = self._request(method, path, query, sent)
            if left and (answer.status == _TOO_MANY or (again and answer.status == _AWAY)):
                time.sleep(_seconds(answer.headers.get("Retry-After")))
                continue
            return _checked(answer.status, answer.data)
        raise AssertionError("the last try returns or raises")

    def pages(self, path: str, name: str, query: Query | None = None, *, most: int | None = None) -> Iterator[Any]:
        """The rows of a list that is paged by cursor, at most so many; `name` is the list's field."""
        cursor, given = None, 0
        while most is None or given < most:
            limit = 200 if most is None else min(200, most - given)
            page = self.get(path, {**(query or {}), "cursor": cursor, "limit": limit})
            if not isinstance(page.get(name), list):
                raise Refused(200, {"detail": _STRANGE})
            yield from page[name]
            given += len(page[name])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def probe(self, path: str) -> tuple[int, Any]:
        """The status and the JSON of a GET, whatever they are; None for a body that is no JSON. Raises NotReachable."""
        answer = self._request("GET", path, None, None)
        return answer.status, _json(answer.data)

    def stream(self, path: str, query: Query | None = None) -> Iterator[bytes]:
        """The answer's bytes as they come, for downloads and events."""
        answer = self._request("GET", path, query, None, preload=False, read_seconds=STREAM_SECONDS)
        try:
            if answer.status >= 300:
                _checked(answer.status, answer.read())
            yield from answer.stream(65_536, decode_content=True)
        except HTTPError as error:
            raise NotReachable(f"The connection to {self.url} has ended in the middle: {error}") from None
        finally:
            answer.release_conn()

    def _request(
        self,
        method: str,
        path: str,
        query: Query | None,
        sent: tuple[bytes, str] | None,
        *,
        preload: bool = True,
        read_seconds: float = READ_SECONDS,
    ) -> urllib3.BaseHTTPResponse:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if self.organization is not None:
            headers["X-Org-Id"] = self.organization
        if sent is not None:
            headers["Content-Type"] = sent[1]
        try:
            return self.pool.request(
                method,
                f"{self.url}{path}{_written(query or {})}",
                headers=headers,
                body=None if sent is None else sent[0],
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
                retries=False,
                redirect=False,
                preload_content=preload,
            )
        except HTTPError as error:
            raise NotReachable(f"{self.url} does not answer: {error}") from None


def connect(url: str, key: str, organization: str | None) -> Api:
    """The API at an address, by the proxy that the environment names for it (`HTTPS_PROXY`, `NO_PROXY`).

    Raises UsageFault for a proxy that is none.
    """
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    direct = proxy is None or bool(proxy_bypass(parts.hostname or ""))
    try:
        pool = urllib3.PoolManager() if direct or proxy is None else urllib3.ProxyManager(proxy)
    except HTTPError:
        name = f"{parts.scheme.upper()}_PROXY"
        raise UsageFault(
            f"{name} is no address of an HTTP proxy; write it like http://proxy.example.com:3128."
        ) from None
    return Api(url.rstrip("/"), key, organization, pool)


def segment(reference: str) -> str:
    """An id or external_id as one segment of a path. Raises UsageFault for one that a path cannot hold."""
    if reference in _NO_SEGMENTS:
        raise UsageFault(f"{reference!r} is no id.")
    return quote(reference, safe="")


def stats_of_events(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The numbers in a campaign's server-sent events (`event: stats`, one line of `data:` each)."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield json.loads(line.removeprefix(b"data:"))


def _written(query: Query) -> str:
    pairs = [
        (name, str(value).lower() if isinstance(value, bool) else str(value))
        for name, values in query.items()
        for value in (values if isinstance(values, list) else [values])
        if value is not None
    ]
    return f"?{urlencode(pairs)}" if pairs else ""


def _checked(status: int, raw: bytes) -> Any:
    body = _json(raw)
    if 200 <= status < 300 and isinstance(body, dict):
        return body
    if not isinstance(body, dict):
        body = {"detail": f"HTTP {status}: {_STRANGE}"}
    if status == _AWAY:
        raise NotReachable(str(body.get("detail", "A server behind campaign-api is away.")))
    raise Refused(status, body)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw or b"{}")
    except ValueError:
        return None


def _seconds(retry_after: str | None) -> float:
    """How long a refusal asks to wait; a second where it does not say so in seconds."""
    return min(float(retry_after), LONGEST_WAIT_SECONDS) if (retry_after or "").isdecimal() and retry_after else 1.0
