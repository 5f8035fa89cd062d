"""A person at the console, without a browser: follows redirects, keeps cookies, sends the forms that pages have."""

import html
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from pydantic import SecretStr

from deploy.local.home import free_port
from services.console.app import serving
from services.console.settings import ConsoleSettings

LOCALHOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Page:
    """An answer, read whole."""

    status: int
    path: str
    headers: Mapping[str, str]
    text: str

    @property
    def csrf(self) -> str:
        """The token of its forms; empty where it has none."""
        return self._hidden("csrf")

    @property
    def once(self) -> str:
        """What tells the page's form from that of every other; empty where it has none of the kind."""
        return self._hidden("once")

    @property
    def notice(self) -> str:
        """The sentence that it shows once."""
        found = re.search(r'<p class="notice (?:good|bad)"[^>]*>([^<]*)</p>', self.text)
        return html.unescape(found[1]) if found else ""

    def _hidden(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]+)"', self.text)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Person:
    """A person with a cookie jar of their own."""

    url: str
    session: aiohttp.ClientSession

    async def get(self, path: str) -> Page:
        """Open a page."""
        async with self.session.get(self.url + path) as answer:
            return await _page(answer)

    async def post(self, path: str, page: Page | None = None, **fields: Any) -> Page:
        """Send a form of that page, or one without a token."""
        data = {**fields, **({} if page is None else {"csrf": page.csrf, "once": page.once})}
        async with self.session.post(self.url + path, data=data) as answer:
            return await _page(answer)

    async def sign_in(self, key: str, to: str = "/", **fields: str) -> Page:
        """Sign in with a key."""
        return await self.post("/sign-in", await self.get("/sign-in"), key=key, to=to, **fields)


async def _page(answer: aiohttp.ClientResponse) -> Page:
    return Page(answer.status, answer.url.path_qs, answer.headers, await answer.text())


@asynccontextmanager
async def person_at(api_url: str, **settings: Any) -> AsyncIterator[Person]:
    """A console in front of this API, and a person at it."""
    values: dict[str, Any] = {"console_secret": SecretStr("c" * 32), "console_shutdown_seconds": 1.0, **settings}
    known = ConsoleSettings(console_api_url=api_url, http_host=LOCALHOST, http_port=free_port(), **values)
    jar = aiohttp.CookieJar(unsafe=True)
    async with serving(known), aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Person(f"http://{LOCALHOST}:{known.http_port}", session)
