"""The public API as the console speaks to it: over HTTP, with the key of the person who has signed in."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from yarl import URL

from shared.cancelling import cancel
from shared.file_urls import PATH

# Numbers of a campaign come at least this often, or a comment does: a silent stream is dead.
STREAM_SILENCE_SECONDS: Final = 60
# Requests to campaign-api in flight at once.
CONNECTIONS: Final = 200
# A file may take its time; one of which nothing moves for so long is given up.
_FILE_PATIENCE: Final = aiohttp.ClientTimeout(total=None, connect=10, sock_read=60)
# 202: begun, and done in the background.
_DONE: Final = (200, 202)
# For the answer of a request that was sent twice.
_LOOK_AGAIN_SECONDS: Final = 0.5
# In the query of a URL that S3 answers itself.
_S3_SIGNATURE: Final = "X-Amz-Signature"

Query = Mapping[str, str | int | None] | Sequence[tuple[str, str | int | None]]


# A refused value: its place in the request, and the sentence on it.
BadValue = tuple[tuple[str | int, ...], str]


class ApiRefused(Exception):
    """The API has refused a request. Show `detail`; with 401 the person has to sign in again.

    `values` are the refused values of the request, where the API names some.
    """

    def __init__(self, status: int, detail: str, values: Sequence[BadValue] = ()) -> None:
        super().__init__(f"{status}: {detail}")
        self.status, self.detail, self.values = status, detail, tuple(values)


class _FirstUnderWay(Exception):
    """The API is still about the same request, sent before; this one may be sent again for its answer."""


class ApiAway(Exception):
    """The API cannot be reached or does not answer in time. The same request may be sent later."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What the API is asked with: a key, and for a personal token the organization."""

    key: str
    organization_id: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request."""
        named = {} if self.organization_id is None else {"X-Anyreach-Org": self.organization_id}
        return {"Authorization": f"Bearer {self.key}", **named}


class Api:
    """The connections to campaign-api. Use it as a context, inside the running loop."""

    def __init__(self, url: str, *, seconds: float) -> None:
        self._url = url.rstrip("/")
        self._patience = aiohttp.ClientTimeout(total=seconds)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS))
        self._streams: set[aiohttp.ClientResponse] = set()

    async def __aenter__(self) -> "Api":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    def leave(self) -> None:
        """End all streams: each ends as if the API had ended it."""
        for answer in list(self._streams):
            answer.close()

    async def is_ready(self) -> bool:
        """Whether campaign-api says that it is ready."""
        try:
            async with self._session.get(f"{self._url}/health/ready", timeout=self._patience) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def get(self, credential: Credential, path: str, query: Query = ()) -> Any:
        """The JSON at a path. Raises `ApiRefused` and `ApiAway`."""
        return await self.call(credential, "GET", path, query=query)

    async def call(
        self,
        credential: Credential,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Query = (),
        once: str = "",
    ) -> Any:
        """The JSON of an answer. Raises `ApiRefused` and `ApiAway`.

        What is asked for under the same `once` is done once: whoever asks again has the first one's answer, and waits
        for it as long as for any other.
        """
        headers = credential.headers | ({"Idempotency-Key": once} if once else {})
        try:
            async with asyncio.timeout(self._patience.total):
                while True:
                    try:
                        return await self._called(headers, method, path, body, query)
                    except _FirstUnderWay:
                        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        except TimeoutError as error:
            raise ApiAway from error

    async def _called(self, headers: Mapping[str, str], method: str, path: str, body: Any, query: Query) -> Any:
        try:
            async with self._session.request(
                method,
                URL(self._url + path, encoded=True),
                json=body,
                params=_given(query),
                headers=headers,
                timeout=self._patience,
                allow_redirects=False,
            ) as answer:
                if answer.status == 409 and "Retry-After" in answer.headers:
                    raise _FirstUnderWay
                return await _read(answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiAway from error

    async def upload(self, url: str, chunks: AsyncIterator[bytes], size: int) -> None:
        """Send a file of `size` bytes, as it comes, to one of the API's signed URLs.

        Raises `ApiRefused` and `ApiAway`, also where `chunks` raise: then nothing is stored.
        """
        # S3 takes no file whose length is not said before.
        headers = {"Content-Length": str(size)}
        to = reached(url, self._url)
        try:
            async with self._session.put(to, data=chunks, headers=headers, timeout=_FILE_PATIENCE) as answer:
                if answer.status != 200:
                    await _read(answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiAway from error

    async def first_bytes(self, url: str, most: int) -> bytes:
        """The beginning of a file at one of the API's signed URLs. Raises `ApiRefused` and `ApiAway`."""
        found = bytearray()
        try:
            async with self._session.get(reached(url, self._url), timeout=_FILE_PATIENCE) as answer:
                if answer.status != 200:
                    await _read(answer)
                async for chunk in answer.content.iter_any():
                    found += chunk
                    if len(found) >= most:
                        break
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiAway from error
        return bytes(found[:most])

    @asynccontextmanager
    async def stream(
        self, credential: Credential, path: str, query: Query = ()
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer that is read as it comes, ended by `leave`. Raises `ApiRefused` and `ApiAway` at its beginning."""
        patience = aiohttp.ClientTimeout(total=None, connect=self._patience.total, sock_read=STREAM_SILENCE_SECONDS)
        try:
            answer = await self._session.get(
                URL(self._url + path, encoded=True), params=_given(query), headers=credential.headers, timeout=patience
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiAway from error
        self._streams.add(answer)
        try:
            if answer.status != 200:
                await _read(answer)
            yield answer
        finally:
            self._streams.discard(answer)
            answer.close()

    async def numbers(
        self, credential: Credential, campaign: str, *, silence: float
    ) -> AsyncIterator[dict[str, Any] | None]:
        """A campaign's numbers whenever they change; None where nothing has for `silence` seconds, again and again.

        Ends when the API ends it, or breaks it off. Raises `ApiRefused` and `ApiAway` at its beginning.
        """
        async with self.stream(credential, f"/campaign/campaigns/{segment(campaign)}/events") as answer:
            # A line that is being read is waited for again: to cancel it would lose what has come of it.
            coming: asyncio.Task[bytes] | None = None
            try:
                while True:
                    coming = coming or asyncio.create_task(answer.content.readline())
                    await asyncio.wait({coming}, timeout=silence)
                    if not coming.done():
                        yield None
                        continue
                    line, coming = coming.result(), None
                    if not line:
                        return
                    if line.startswith(b"data:"):
                        yield json.loads(line[5:])
            except (aiohttp.ClientError, TimeoutError):
                return
            finally:
                if coming is not None:
                    cancel(coming)


def reached(url: str, api_url: str) -> URL:
    """A signed URL from where the console stands: campaign-api at `api_url` may have another address for the public.

    One that S3 answers itself stays as it is.
    """
    signed = URL(url, encoded=True)
    if not signed.path.startswith(f"{PATH}/") or _S3_SIGNATURE in signed.query:
        return signed
    return URL(f"{api_url}{signed.raw_path_qs}", encoded=True)


def segment(reference: str) -> str:
    """An id as one segment of a path; one of dots alone is not left out on its way either."""
    quoted = quote(reference, safe="")
    return quoted.replace(".", "%2E") if quoted in {".", ".."} else quoted


def _given(query: Query) -> list[tuple[str, str]]:
    pairs = query.items() if isinstance(query, Mapping) else query
    return [(name, str(value)) for name, value in pairs if value not in (None, "")]


async def _read(answer: aiohttp.ClientResponse) -> Any:
    try:
        body = await answer.json(content_type=None)
    except ValueError:
        body = None
    if answer.status == 503:
        raise ApiAway
    if answer.status not in _DONE:
        told = body if isinstance(body, dict) else {}
        detail = str(told.get("detail") or f"The API has answered {answer.status}.")
        raise ApiRefused(answer.status, detail, [(tuple(one["loc"]), one["msg"]) for one in told.get("errors", ())])
    if body is None:
        raise ApiAway
    return body
