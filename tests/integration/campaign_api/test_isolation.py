"""Nobody reaches another organization's things: every route of the OpenAPI, with that organization's ids."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.ids import batch_key
from tests.factories import new_id
from tests.integration.campaign_api.client import Answer, Api, Customer, lead
from tests.integration.campaign_api.conftest import Stack

LISTED = "+14155550177"
IN_A_MONTH = (utc_now() + timedelta(days=30)).isoformat()
CALLER_NUMBER = "+14155550155"
# What a route asks for in its query, without which it looks at nothing.
QUERIES = {("GET", "/configurations/{configuration_id}/next-call"): "?number=%2B442071838750"}
BODIES: dict[tuple[str, str], Any] = {
    ("PATCH", "/campaigns/{campaign}"): {"name": "Mine"},
    ("PATCH", "/campaigns/{campaign}/configuration"): {"name": "Mine"},
    ("POST", "/campaigns/{campaign}/contacts"): {"contacts": [lead(1)]},
    ("POST", "/campaigns/{campaign}/contacts/reset"): {"status": "error"},
    ("POST", "/campaigns/{campaign}/contacts/{contact}/callback"): {"at": IN_A_MONTH},
    ("POST", "/callbacks/{callback}/reschedule"): {"at": IN_A_MONTH},
    ("POST", "/attempts/{attempt}/result"): {"opt_out": True},
    ("POST", "/campaigns/{campaign}/imports"): {"file_id": str(uuid.uuid4())},
    ("PATCH", "/configurations/{configuration_id}"): {"name": "Mine"},
    ("PATCH", "/caller-numbers/{caller_number_id}"): {"active": False},
    ("PATCH", "/agents/{agent}"): {"active": False},
    ("PATCH", "/companies/{company}"): {"name": "Mine"},
    ("PATCH", "/people/{person}"): {"phone": "+14155550111"},
    ("POST", "/campaigns/{campaign}/people"): {"people": ["ada"]},
    ("PATCH", "/telephony-accounts/{telephony_account_id}"): {"active": False},
    ("PATCH", "/webhooks/{webhook_id}"): {"active": False},
}


@dataclass(frozen=True, slots=True)
class Victim:
    """An organization with one of everything."""

    customer: Customer
    ids: dict[str, str]

    async def everything(self) -> list[Any]:
        """All that it can read of its own."""
        paths = (
            "/campaigns",
            f"/campaigns/{self.ids['campaign']}",
            f"/campaigns/{self.ids['campaign']}/contacts",
            f"/campaigns/{self.ids['campaign']}/stats",
            "/configurations",
            "/do-not-call",
            "/callbacks",
            "/calls",
            f"/calls/{self.ids['call']}",
            f"/callbacks/{self.ids['callback']}",
            f"/attempts/{self.ids['attempt']}/result",
            "/caller-numbers",
            "/caller-number-pools",
            "/agents",
            "/companies",
            f"/people/{self.ids['person']}",
            "/telephony-accounts",
            "/imports",
            "/webhooks",
            f"/webhooks/{self.ids['webhook_id']}/deliveries",
            "/ingest-batches",
            "/concurrency-settings",
            "/limits",
        )
        file = (await self.customer.get(f"/files/{self.ids['file_id']}")).body
        return [file, *[(await self.customer.get(path)).body for path in paths]]


async def a_call(customer: Customer, stack: Stack, contact_id: str) -> str:
    """A call that has ended, of which something was reported."""
    attempt = {"_id": new_id(), "organization_id": customer.organization_id, "contact_id": contact_id}
    ended = {"outcome": "no_answer", "ended_at": utc_now(), "conversation_id": new_id()}
    await stack.store["attempts"].insert_one(attempt | ended)
    reported = await customer.post(f"/attempts/{attempt['_id']}/result", {"summary": "Hello"})
    assert reported.status == 200, reported.raw
    return str(attempt["_id"])


@pytest.fixture
async def victim(api: Api, stack: Stack) -> Victim:
    customer = await api.new_customer()
    # Without windows, so that a contact's next possible call is not the time of each answer.
    configuration_id = await customer.new_configuration()
    campaign = await customer.new_campaign(external_id="spring", configuration_id=configuration_id)
    upserted = await customer.post(f"/campaigns/{campaign['id']}/contacts", {"contacts": [lead(1)]})
    asked = await customer.post(f"/campaigns/{campaign['id']}/contacts/lead-1/callback", {"at": IN_A_MONTH})
    await customer.post("/do-not-call", {"phone_numbers": [LISTED]})
    registered = await customer.post("/caller-numbers", {"number": CALLER_NUMBER, "pools": ["west-coast"]})
    account = await customer.post("/telephony-accounts", {"name": "Sales", "provider": "dialstream"})
    uploaded = await customer.post("/files", {"name": "people.csv"})
    imported = await customer.call(
        "POST", f"/campaigns/{campaign['id']}/imports", raw=b"phone\n+1\n", headers={"Content-Type": "text/csv"}
    )
    webhook = await customer.post("/webhooks", {"url": "https://203.0.114.5/hooks"})
    delivery = await customer.post(f"/webhooks/{webhook.body['id']}/test")
    batch = {"batch_id": "monday", "organization_id": customer.organization_id, "campaign_id": campaign["id"]}
    counts = {"received": 0, "inserted": 0, "updated": 0, "failed": [], "warnings": [], "reason": None}
    await stack.store["ingest_batches"].insert_one(
        {
            "_id": batch_key(customer.organization_id, "monday"),
            **batch,
            **counts,
            "status": "done",
            "created_at": utc_now(),
            "finished_at": utc_now(),
        }
    )
    call = {
        "_id": str(uuid.uuid4()),
        "organization_id": customer.organization_id,
        "campaign_id": campaign["id"],
        "contact_id": upserted.body["contact_ids"][0],
        "outcome": "busy",
        "created_at": utc_now(),
        "ended_at": utc_now(),
        "call_number": 1,
    }
    await stack.store["attempts"].insert_one(call)
    agent = await customer.post("/agents", {"name": "Outreach"})
    company = await customer.post("/companies", {"name": "Acme"})
    person = await customer.post("/people", {"phone": "+14155550178", "company_id": company.body["id"]})
    ids = {
        "agent": agent.body["id"],
        "company": company.body["id"],
        "person": person.body["id"],
        "attempt": await a_call(customer, stack, upserted.body["contact_ids"][0]),
        "campaign": campaign["id"],
        "call": call["_id"],
        "contact": upserted.body["contact_ids"][0],
        "callback": asked.body["callback"]["id"],
        "configuration_id": campaign["configuration_id"],
        "phone_number": LISTED,
        "batch_id": "monday",
        "import_id": imported.body["id"],
        "caller_number_id": registered.body["id"],
        "pool": "west-coast",
        "telephony_account_id": account.body["id"],
        "file_id": uploaded.body["id"],
        "webhook_id": webhook.body["id"],
        "delivery_id": delivery.body["id"],
    }
    return Victim(customer, ids)


async def routes(api: Api) -> list[tuple[str, str]]:
    document = (await api.call("GET", "/openapi.json")).body
    return [
        (method.upper(), path.removeprefix("/campaign"))
        for path, methods in document["paths"].items()
        if path.startswith("/campaign/")
        for method in methods
    ]


async def test_no_route_gives_or_changes_what_is_anothers(api: Api, victim: Victim) -> None:
    stranger = await api.new_customer()
    before = await victim.everything()
    tried = 0
    for method, path in await routes(api):
        if "{" not in path:
            continue
        asked = path.format_map(victim.ids) + QUERIES.get((method, path), "")
        answer = await stranger.call(method, asked, BODIES.get((method, path)))
        assert answer.status == 404, f"{method} {path}: {answer.raw!r}"
        tried += 1
    assert tried >= 15
    assert await victim.everything() == before


async def test_no_list_shows_what_is_anothers(api: Api, victim: Victim) -> None:
    stranger = await api.new_customer()
    for method, path in await routes(api):
        if method != "GET" or "{" in path:
            continue
        answer: Answer = await stranger.get(path)
        assert answer.status == 200
        for own in victim.ids.values():
            assert own.encode() not in answer.raw, path


async def test_anothers_configuration_cannot_be_used(api: Api, victim: Victim) -> None:
    stranger = await api.new_customer()
    wish = {"name": "Mine", "configuration_id": victim.ids["configuration_id"]}
    answer = await stranger.post("/campaigns", wish)
    assert answer.status in {404, 422}, answer.raw


async def test_anothers_telephony_account_cannot_be_used(api: Api, victim: Victim) -> None:
    stranger, account = await api.new_customer(), {"telephony_account_id": victim.ids["telephony_account_id"]}
    wish = {"name": "Mine", "configuration_id": await stranger.new_configuration(), **account}
    for path, body in (("/campaigns", wish), ("/caller-numbers", {"number": CALLER_NUMBER, **account})):
        answer = await stranger.post(path, body)
        assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", "telephony_account_id"])


@pytest.mark.parametrize("name", ["caller_numbers", "caller_number_pool"])
async def test_anothers_caller_numbers_cannot_be_used(api: Api, victim: Victim, name: str) -> None:
    stranger = await api.new_customer()
    theirs = {"caller_numbers": [{"id": victim.ids["caller_number_id"]}], "caller_number_pool": victim.ids["pool"]}
    wish = {"name": "Mine", "configuration_id": await stranger.new_configuration(), name: theirs[name]}
    answer = await stranger.post("/campaigns", wish)
    assert (answer.status, answer.body["errors"][0]["loc"][:2]) == (422, ["body", name])
    mine = await stranger.post("/caller-numbers", {"number": CALLER_NUMBER, "pools": [victim.ids["pool"]]})
    assert mine.status == 200, "two organizations may have one number, each with limits of its own"


async def test_anothers_person_and_company_cannot_be_used(api: Api, victim: Victim) -> None:
    stranger = await api.new_customer()
    answer = await stranger.post("/people", {"first_name": "Eve", "company_id": victim.ids["company"]})
    assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", "company_id"])
    campaign = await stranger.new_campaign()
    enrolled = await stranger.post(f"/campaigns/{campaign['id']}/people", {"people": [victim.ids["person"]]})
    assert enrolled.body["people"] == [
        {"person_id": victim.ids["person"], "contact_id": None, "enrolment": "unknown", "because": None}
    ]


async def test_a_personal_token_reaches_no_organization_but_its_own(api: Api, victim: Victim) -> None:
    own = await api.new_customer()
    wish = {"person": "Ada", "name": "laptop", "organization_ids": [own.organization_id]}
    token = (await api.admin("POST", "/personal-tokens", wish)).body["key"]
    path = f"/campaign/campaigns/{victim.ids['campaign']}"
    mine = await api.call("GET", path, key=token, headers={"X-Org-Id": own.organization_id})
    theirs = await api.call("GET", path, key=token, headers={"X-Org-Id": victim.customer.organization_id})
    assert (mine.status, theirs.status) == (404, 403)
