"""A client of Talkturo's against the gateway: a team with an assistant, a company and a number."""

import itertools
import uuid
from dataclasses import dataclass, replace
from typing import Any

from tests.eventually import eventually
from tests.integration.campaign_api.client import Answer, Customer

NUMBERS = itertools.count(1)
ANY_TIME = {"callWindowStart": "00:00", "callWindowEnd": "23:59"}


@dataclass(frozen=True, slots=True)
class Team:
    """A team, its key, and the ids of what its campaigns need."""

    customer: Customer
    team: str = ""
    assistant: str = ""
    company: str = ""
    number: str = ""

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """A request under /talkturo/api with the team's key."""
        return await self.customer.api.call(method, f"/talkturo/api{path}", key=self.customer.key, body=body, **more)

    async def get(self, path: str) -> Answer:
        """GET"""
        return await self.call("GET", path)

    async def post(self, path: str, body: Any = None) -> Answer:
        """POST"""
        return await self.call("POST", path, body)

    async def patch(self, path: str, body: Any) -> Answer:
        """PATCH"""
        return await self.call("PATCH", path, body)

    async def delete(self, path: str) -> Answer:
        """DELETE"""
        return await self.call("DELETE", path)

    async def done(self, method: str, path: str, body: Any = None) -> Any:
        """A request that succeeds; its JSON."""
        answer = await self.call(method, path, body)
        assert answer.status == 200, answer.raw
        assert answer.body["success"] is True
        return answer.body

    def wish(self, **fields: Any) -> dict[str, Any]:
        """A body that creates a campaign."""
        return {
            "teamId": self.team,
            "assistantId": self.assistant,
            "companyId": self.company,
            "fromNumberIds": [self.number],
            "name": "Q1 Trade Show Follow-Up",
            **fields,
        }

    async def campaign(self, **fields: Any) -> dict[str, Any]:
        """A new campaign."""
        made: dict[str, Any] = (await self.done("POST", "/crm/campaigns", self.wish(**fields)))["campaign"]
        return made

    async def contact(self, **fields: Any) -> dict[str, Any]:
        """A new contact with a number of its own, unless one is named."""
        usual = {"firstName": "Ada", "lastName": "Lovelace", "phone": f"+1415556{next(NUMBERS):04}"}
        made: dict[str, Any] = (await self.done("POST", "/crm/contacts", usual | fields))["contact"]
        return made

    async def enrolled(self, campaign: dict[str, Any], count: int = 1) -> list[dict[str, Any]]:
        """New contacts that are enrolled in a campaign."""
        made = [await self.contact() for _ in range(count)]
        ids = [contact["id"] for contact in made]
        await self.done("POST", f"/crm/campaigns/{campaign['id']}/contacts", {"contactIds": ids})
        return made


def uuid_in(prefix: str, identifier: str) -> str:
    """The UUID in a TypeID."""
    value = 0
    for digit in identifier.removeprefix(f"{prefix}_"):
        value = value * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(digit)
    return str(uuid.UUID(int=value))


async def campaign_once(team: Team, path: str, status: str) -> dict[str, Any]:
    """The campaign once it has this status."""

    async def look() -> dict[str, Any] | None:
        found: dict[str, Any] = (await team.done("GET", path))["campaign"]
        return found if found["status"] == status else None

    found: dict[str, Any] | None = await eventually(look, timeout=20, saying=status)
    assert found is not None
    return found


async def new_team(customer: Customer) -> Team:
    """A customer's team with an assistant, a company and a number, new ones each time."""
    bare = Team(customer)
    company = (await bare.done("POST", "/crm/companies", {"name": "Trade Show"}))["company"]
    assistant = (await bare.done("POST", "/assistants", {"name": "Outreach"}))["assistant"]
    new = {"phoneNumber": f"+1415560{next(NUMBERS):04}"}
    number = (await bare.done("POST", "/phone-numbers", new))["phoneNumber"]
    return Team(customer, company["team_id"], assistant["id"], company["id"], number["id"])


async def team_of(customer: Customer) -> Team:
    """A customer as a team that calls from +14155550100."""
    team = await new_team(customer)
    await team.done("DELETE", f"/phone-numbers/{team.number}")
    number = (await team.done("POST", "/phone-numbers", {"phoneNumber": "+14155550100"}))["phoneNumber"]
    return replace(team, number=number["id"])
