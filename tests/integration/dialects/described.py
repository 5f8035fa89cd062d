"""Descriptions of dialects for the tests that all of them must pass: add a line to `DESCRIBED`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from shared.clock import utc_now
from shared.engine.keys import Scope
from tests.integration.campaign_api.client import Answer, Customer, unique
from tests.integration.campaign_api.sysevo.client import Client
from tests.integration.smartalex.client import ALWAYS, Alex, phone
from tests.integration.talkturo.team import new_team

IN_A_MONTH: Final = (utc_now() + timedelta(days=30)).isoformat()


@dataclass(frozen=True, slots=True)
class Described:
    """A dialect: its prefix, how a key is sent, which scopes may do what, and things of it.

    `things` makes one of each thing that paths name, by parameter; `bodies` are good ones by method and path, where
    the dialect's own examples do not fit. `denied`: the status of a request whose key lacks the scope. `numbered`: ids
    are small integers of each organization, which say nothing of whose they are. `open_to_all` are paths that every
    valid key may read. `moves` are the requests that move the campaign among the things; `refused`: the status of one
    that the campaign's state does not allow; `repeats`: a move to where the campaign is already is none of these.
    """

    prefix: str
    headers: Callable[[str], Mapping[str, str]]
    things: Callable[[Customer], Awaitable[dict[str, str]]]
    reads: frozenset[Scope] = frozenset({Scope.CAMPAIGNS_READ, Scope.CAMPAIGNS_MANAGE})
    writes: frozenset[Scope] = frozenset({Scope.CAMPAIGNS_MANAGE})
    bodies: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    denied: int = 403
    numbered: bool = False
    open_to_all: frozenset[str] = frozenset()
    moves: Mapping[str, tuple[str, str, Any]] = field(default_factory=dict)
    refused: int = 409
    repeats: bool = False

    async def call(self, customer: Customer, method: str, path: str, key: str | None = None, **more: Any) -> Answer:
        """A request under the prefix, with the customer's key or another one."""
        headers = [*self.headers(customer.key if key is None else key).items(), *more.pop("headers", [])]
        return await customer.api.call(method, f"{self.prefix}{path}", headers=headers, **more)

    async def document(self, customer: Customer) -> Any:
        """Its OpenAPI document."""
        return (await customer.api.call("GET", f"{self.prefix}/openapi.json")).body


async def _of_smartalex(customer: Customer) -> dict[str, str]:
    alex = Alex(customer)
    agent = await alex.new_agent()
    campaign = await alex.new_campaign(phone(1), agent_id=agent, settings=ALWAYS)
    [contact] = (await alex.get(f"/campaigns/{campaign}/contacts"))["data"]
    asked = {"contact_id": contact["id"], "scheduled_at": IN_A_MONTH}
    callback = (await alex.post(f"/campaigns/{campaign}/callbacks", asked, 201))["data"]["id"]
    hook = await alex.post("/webhooks", {"url": "https://1.1.1.1/hooks", "event_types": ["call.completed"]}, 201)
    listed = [("Content-Type", "text/csv")]
    imported = await alex.call("POST", "/contacts/import", raw=b"phone\r\n+14155550001\r\n", headers=listed)
    return {
        "import_id": imported.body["data"]["id"],
        "campaign": campaign,
        "contact": contact["id"],
        "callback": callback,
        "agent": agent,
        "webhook": hook["id"],
        "call": campaign,
    }


async def _of_sysevo(customer: Customer) -> dict[str, str]:
    client = Client(customer)
    name = {"name": unique("Main"), "provider": "dialstream"}
    config = (await client.ok("POST", "/organizations/telephony-configs", name))["id"]
    own = {"address": f"+1415555{config:04d}"}
    number = (await client.ok("POST", f"/organizations/telephony-configs/{config}/phone-numbers", own))["id"]
    campaign = await client.new_campaign()
    things = {"campaign_id": campaign["id"], "workflow_id": campaign["workflow_id"], "run_id": 1}
    return {name: str(thing) for name, thing in (things | {"config_id": config, "number_id": number}).items()}


async def _of_talkturo(customer: Customer) -> dict[str, str]:
    team = await new_team(customer)
    campaign = await team.campaign()
    [contact] = await team.enrolled(campaign)
    return {
        "campaign": campaign["id"],
        "contact": contact["id"],
        "company": team.company,
        "assistant": team.assistant,
        "number": team.number,
        "call": campaign["id"],
    }


DESCRIBED: Final = (
    Described(
        prefix="/talkturo",
        headers=lambda key: {"Authorization": f"Bearer {key}"},
        things=_of_talkturo,
        open_to_all=frozenset({"/api/test-api-key"}),
        moves={
            move: ("PATCH", "/api/crm/campaigns/{campaign}", {"status": status})
            for move, status in (("start", "running"), ("pause", "paused"), ("cancel", "cancelled"))
        },
        repeats=True,
    ),
    Described(
        prefix="/smartalex",
        headers=lambda key: {"Authorization": f"Bearer {key}"},
        things=_of_smartalex,
        bodies={
            ("POST", "/v1/callbacks/{callback}/reschedule"): {"scheduled_at": IN_A_MONTH},
            ("PATCH", "/v1/callbacks/{callback}"): {"scheduled_at": IN_A_MONTH},
            ("PUT", "/v1/callbacks/{callback}"): {"scheduled_at": IN_A_MONTH},
        },
        moves={
            move: ("POST", f"/v1/campaigns/{{campaign}}/{move}", None)
            for move in ("start", "pause", "resume", "cancel")
        },
    ),
    Described(
        prefix="/sysevo",
        headers=lambda key: {"X-API-Key": key},
        things=_of_sysevo,
        numbered=True,
        moves={
            move: ("POST", f"/api/v1/campaign/{{campaign_id}}/{move}", None) for move in ("start", "pause", "resume")
        },
        refused=400,
    ),
)


def routes_of(document: Any) -> list[tuple[str, str, Any]]:
    """Method, path and description of every route of a document."""
    return [
        (method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]


def example_of(document: Any, described: Any) -> Any:
    """The first example of the route's JSON body; None where it reads none."""
    content = described.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    schema = content["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema["examples"][0]
