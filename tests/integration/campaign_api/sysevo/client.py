"""A client of this API, as one written for SysEvo or Dograh would speak."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yarl import URL

from tests.integration.campaign_api.client import Answer, Customer

PREFIX = "/sysevo/api/v1"
LIST = "phone_number,name,company\n+14155552671,Jane Smith,Acme Corp\n+14155552672,Bob Jones,Widget Inc\n"
ANY_KEY = {"purpose": "campaign", "content_type": "text/csv"}


@dataclass(frozen=True, slots=True)
class Client:
    """A customer that speaks this API."""

    customer: Customer

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """A request below the prefix, with the key."""
        headers = {"X-API-Key": self.customer.key, **dict(more.pop("headers", {}))}
        return await self.customer.api.call(method, f"{PREFIX}{path}", body=body, headers=headers, **more)

    async def get(self, path: str) -> Answer:
        """GET"""
        return await self.call("GET", path)

    async def post(self, path: str, body: Any = None) -> Answer:
        """POST"""
        return await self.call("POST", path, body)

    async def patch(self, path: str, body: Any) -> Answer:
        """PATCH"""
        return await self.call("PATCH", path, body)

    async def ok(self, method: str, path: str, body: Any = None) -> Any:
        """The body of an answer that must be 200."""
        answer = await self.call(method, path, body)
        assert answer.status == 200, (answer.status, answer.raw)
        return answer.body

    async def put(self, url: str, data: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """PUT raw bytes to a presigned URL, without a credential."""
        async with self.customer.api.session.put(
            URL(url, encoded=True), data=io.BytesIO(data), headers=headers
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def fetch(self, url: str) -> Answer:
        """GET a presigned URL, without a credential."""
        async with self.customer.api.session.get(URL(url, encoded=True)) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def upload(self, text: str | bytes = LIST, name: str = "contacts.csv") -> str:
        """The file_key of an uploaded list."""
        made = await self.ok("POST", "/s3/presigned-upload-url", {"filename": name, **ANY_KEY})
        stored = await self.put(made["upload_url"], text.encode() if isinstance(text, str) else text)
        assert stored.status == 200, stored.raw
        return str(made["file_key"])

    async def new_workflow(self, definition: Mapping[str, Any] | None = None, name: str = "Outreach") -> int:
        """The id of a new workflow."""
        body = {"name": name, "workflow_definition": definition or {"nodes": []}}
        return int((await self.ok("POST", "/workflow/create/definition", body))["id"])

    async def new_campaign(self, text: str | bytes = LIST, **fields: Any) -> dict[str, Any]:
        """A new campaign of a list of its own."""
        wish = {
            "name": "June",
            "workflow_id": fields.pop("workflow_id", None) or await self.new_workflow(),
            "contacts_file_key": await self.upload(text),
            "max_concurrency": 5,
        }
        made: dict[str, Any] = await self.ok("POST", "/campaign/create", wish | fields)
        return made
