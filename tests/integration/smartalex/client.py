"""A client of this dialect, as its customers have one."""

from dataclasses import dataclass
from typing import Any

from tests.integration.campaign_api.client import Answer, Customer

PREFIX = "/smartalex/v1"
ALWAYS = {"calling_hours_start": "00:00", "calling_hours_end": "24:00"}


@dataclass(frozen=True, slots=True)
class Alex:
    """An organization with its key; `native` is its access to the native API."""

    native: Customer

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """A request of this dialect with the key."""
        return await self.native.api.call(method, f"{PREFIX}{path}", key=self.native.key, body=body, **more)

    async def get(self, path: str) -> Any:
        """What is read: a thing, or a list with its meta."""
        return self._sound(await self.call("GET", path), 200)

    async def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        """What is made or done."""
        return self._sound(await self.call("POST", path, body), status)

    async def patch(self, path: str, body: Any) -> Any:
        """What is changed."""
        return self._sound(await self.call("PATCH", path, body), 200)

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """The status and the code of a refusal, whose form is checked."""
        return said(await self.call(method, path, body))

    async def new_agent(self, **fields: Any) -> str:
        """A new agent's id."""
        made = await self.post("/agents", {"name": "Outreach", **fields}, 201)
        return str(made["data"]["id"])

    async def new_campaign(self, *phones: str, **fields: Any) -> str:
        """A new campaign's id: a draft that calls at any hour, with these contacts."""
        agent = fields.pop("agent_id", None) or await self.new_agent()
        body = {"name": "Spring", "agent_id": agent, "settings": ALWAYS, **fields}
        campaign = str((await self.post("/campaigns", body, 201))["data"]["id"])
        if phones:
            await self.post(f"/campaigns/{campaign}/contacts", {"contacts": [{"phone": phone} for phone in phones]})
        return campaign

    @staticmethod
    def _sound(answer: Answer, status: int) -> Any:
        assert answer.status == status, answer.raw
        return answer.body


def said(answer: Answer) -> tuple[int, str]:
    """The status and the code of a refusal, whose form is checked."""
    assert list(answer.body) == ["error"], answer.raw
    error = answer.body["error"]
    assert error["status"] == answer.status
    assert error["message"]
    assert ("details" in error) == (error["code"] == "invalid_request")
    return answer.status, error["code"]


def fields_of(answer: Answer) -> list[str]:
    """The fields that a refusal names."""
    said(answer)
    return [detail["field"] for detail in answer.body["error"]["details"]]


def phone(number: int) -> str:
    """A phone of its own."""
    return f"+1415555{number:04}"
