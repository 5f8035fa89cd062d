"""A client of the API over real HTTP, and customers of their own organizations."""

import io
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from yarl import URL

ADMIN_TOKEN = "operator-" + "x" * 20
# Settings by which contacts can be called; without them answers say what is missing.
CALLABLE: dict[str, Any] = {
    "default_windows": [
        {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"},
    ],
    "agent_id": "outreach",
    "agent_number": "+14155550100",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read whole."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """The answer's JSON."""
        return json.loads(self.raw)


@dataclass(frozen=True, slots=True)
class Api:
    """A running gateway."""

    url: str
    session: aiohttp.ClientSession

    async def call(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        body: Any = None,
        raw: Any = None,
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
    ) -> Answer:
        """One request; `path` goes out as it is. `body` is sent as JSON, `raw` as it is."""
        sent = list(headers.items() if isinstance(headers, Mapping) else headers or [])
        if key is not None:
            sent.append(("Authorization", f"Bearer {key}"))
        if body is not None:
            raw = json.dumps(body).encode()
        if isinstance(raw, bytes):
            raw = io.BytesIO(raw)  # aiohttp wants large bodies so
        named = {name.lower() for name, _ in sent}
        if raw is not None and "content-type" not in named:
            sent.append(("Content-Type", "application/json"))
        url = URL(self.url + path, encoded=True)
        async with self.session.request(method, url, data=raw, headers=sent) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def admin(self, method: str, path: str, body: Any = None) -> Answer:
        """A request of the operator."""
        return await self.call(method, f"/admin{path}", key=ADMIN_TOKEN, body=body)

    async def new_customer(self, scopes: list[str] | None = None, **organization: Any) -> "Customer":
        """A new organization with one key."""
        usual = {"name": "Acme", "default_agent_number": "+14155550100"}
        made = await self.admin("POST", "/organizations", usual | organization)
        assert made.status == 200, made.raw
        return await self.customer_of(made.body["id"], scopes)

    async def customer_of(self, organization_id: str, scopes: list[str] | None = None) -> "Customer":
        """Another key of an organization."""
        wish: dict[str, Any] = {"organization_id": organization_id, "name": "test"}
        made = await self.admin("POST", "/organization-pats", wish | ({"scopes": scopes} if scopes else {}))
        assert made.status == 200, made.raw
        return Customer(self, organization_id, made.body["key"])


@dataclass(frozen=True, slots=True)
class Customer:
    """An organization with its key."""

    api: Api
    organization_id: str
    key: str = field(repr=False)

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """A request under /campaign with the key."""
        return await self.api.call(method, f"/campaign{path}", key=self.key, body=body, **more)

    async def get(self, path: str) -> Answer:
        """GET"""
        return await self.call("GET", path)

    async def post(self, path: str, body: Any = None) -> Answer:
        """POST"""
        return await self.call("POST", path, body)

    async def patch(self, path: str, body: Any) -> Answer:
        """PATCH"""
        return await self.call("PATCH", path, body)

    async def put(self, path: str, body: Any) -> Answer:
        """PUT"""
        return await self.call("PUT", path, body)

    async def delete(self, path: str) -> Answer:
        """DELETE"""
        return await self.call("DELETE", path)

    async def new_configuration(self, **fields: Any) -> str:
        """A new configuration's id."""
        made = await self.post("/configurations", {"name": "Office hours", **fields})
        assert made.status == 200, made.raw
        return str(made.body["id"])

    async def new_campaign(self, **fields: Any) -> dict[str, Any]:
        """A new campaign, with a configuration of its own, which calls at any hour, unless one is named."""
        if "configuration_id" not in fields:
            fields["configuration_id"] = await self.new_configuration(**CALLABLE)
        made = await self.post("/campaigns", {"name": "Spring", **fields})
        assert made.status == 200, made.raw
        body: dict[str, Any] = made.body
        return body


def lead(number: int, **fields: Any) -> dict[str, Any]:
    """A contact with an external_id and a number of its own."""
    return {"external_id": f"lead-{number}", "phone_numbers": [f"+1415555{number:04d}"], **fields}


def unique(name: str) -> str:
    """A name that nobody else has."""
    return f"{name}-{uuid.uuid4().hex[:8]}"
