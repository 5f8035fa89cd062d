"""A small client of the public API: JSON over HTTP, a key, one exception for refusals, patience with 503 and 429."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

# The gateway says with `Retry-After` when to come again; so often we do.
TRIES: Final = 5


class Refused(Exception):
    """The API has refused a request. `errors` names every bad value of a 422."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.detail = str(body.get("detail", "no reason given"))
        self.errors: list[dict[str, Any]] = body.get("errors", [])
        super().__init__(f"{status}: {self.detail}")


@dataclass(frozen=True, slots=True)
class Api:
    """The API at `url`, with a key of an organization, or with the operator's token."""

    session: aiohttp.ClientSession
    url: str
    key: str

    async def get(self, path: str, **query: str | int) -> Any:
        """GET; raises Refused."""
        return await self._call("GET", path, query=query)

    async def post(self, path: str, body: Any = None) -> Any:
        """POST; raises Refused."""
        return await self._call("POST", path, body=body)

    async def put(self, path: str, body: Any) -> Any:
        """PUT; raises Refused."""
        return await self._call("PUT", path, body=body)

    async def patch(self, path: str, body: Any) -> Any:
        """PATCH; raises Refused."""
        return await self._call("PATCH", path, body=body)

    async def delete(self, path: str) -> Any:
        """DELETE; raises Refused."""
        return await self._call("DELETE", path)

    async def contacts(self, campaign: str, page_size: int = 200) -> AsyncIterator[dict[str, Any]]:
        """All contacts of a campaign with their attempts, oldest first, page by page."""
        offset, total = 0, 1
        while offset < total:
            page = await self.get(f"/campaign/campaigns/{campaign}/contacts", limit=page_size, offset=offset)
            for contact in page["contacts"]:
                yield contact
            offset, total = offset + page_size, page["total"]

    async def _call(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, str | int] | None = None
    ) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        for attempt in range(1, TRIES + 1):
            async with self.session.request(
                method, self.url + path, json=body, params=query, headers=headers
            ) as answer:
                if answer.status in {429, 503} and attempt < TRIES:
                    await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
                    continue
                content = await answer.json(content_type=None)
                if answer.status not in {200, 202}:
                    raise Refused(answer.status, content)
                return content
        raise RuntimeError("unreachable: the last try returns or raises")
