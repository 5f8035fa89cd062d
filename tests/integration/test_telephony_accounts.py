"""Organizations with accounts of their own: each calls through its carrier, and a fault of one disturbs no other."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
import pytest
from pydantic import SecretStr

from deploy.local.home import free_port
from services.campaign_api.server import serving
from services.campaign_api.settings import ApiSettings
from services.carrier_simulator.app import Simulator
from services.carrier_simulator.app import running as simulating
from services.carrier_simulator.settings import Behaviour, SimulatorSettings
from shared.store.client import Store
from shared.telephony.twilio_callback import CALLBACK_PATH
from shared.telephony.twilio_signature import sign
from tests.engine import Engine, address_of, running_engine
from tests.eventually import eventually
from tests.integration.campaign_api.client import ADMIN_TOKEN, CALLABLE, Api, Customer, lead

SECRET_KEY = "k" * 32
EVERYBODY_ANSWERS: dict[str, Any] = {
    **{f"simulator_{name}_rate": 0.0 for name in ("voicemail", "busy", "declined", "invalid", "failed")},
    "simulator_answer_rate": 1.0,
    "simulator_time_scale": 0.01,
}


@dataclass(frozen=True, slots=True)
class Carrier:
    """A simulated carrier, and the account that it knows."""

    simulator: Simulator
    sid: str
    token: str

    def account(self, name: str = "Own", **more: Any) -> dict[str, Any]:
        """The account as its customer adds it."""
        credentials = {"account_sid": self.sid, "auth_token": self.token, "base_url": self.simulator.url}
        return {"name": name, "provider": "twilio", **credentials, **more}

    def placed(self) -> list[str]:
        """The contacts that it has called, once for each call."""
        entries = map(json.loads, self.simulator.book.record_after(0, 1000))
        return sorted(entry["contact_id"] for entry in entries if entry["event"] == "placed")


@dataclass(frozen=True, slots=True)
class World:
    """Two carriers, a gateway that both reach, and the engine, whose operator has a scripted carrier."""

    carriers: tuple[Carrier, Carrier]
    api: Api
    engine: Engine


@contextlib.asynccontextmanager
async def carrier(letter: str) -> AsyncIterator[Carrier]:
    sid, token = f"AC{letter * 32}", f"token-of-{letter}"
    settings = SimulatorSettings(twilio_account_sid=sid, twilio_auth_token=SecretStr(token))
    async with simulating(settings, Behaviour(**EVERYBODY_ANSWERS)) as simulator:
        yield Carrier(simulator, sid, token)


@pytest.fixture
async def world(store: Store, kafka_address: str, topic_prefix: str) -> AsyncIterator[World]:
    port = free_port()
    async with contextlib.AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(carrier(letter)) for letter in "ab"]
        common = {
            "secret_key": SECRET_KEY,
            "account_base_urls": f"{first.simulator.url},{second.simulator.url}/",
            "callback_base_url": f"http://127.0.0.1:{port}",
            "twilio_answer_url": "https://agent.example/answer",
        }
        own = {"kafka": kafka_address, "topic_prefix": topic_prefix, "http_port": port, "admin_token": ADMIN_TOKEN}
        await stack.enter_async_context(
            serving(ApiSettings.model_validate({**common, **own, **await address_of(store)}))
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())
        engine = await stack.enter_async_context(running_engine(store, kafka_address, topic_prefix, settings=common))
        await engine.start_executor()
        await engine.start_scheduler()
        yield World((first, second), Api(f"http://127.0.0.1:{port}", session), engine)


async def campaign_of(customer: Customer, count: int, **fields: Any) -> tuple[str, list[str]]:
    """A campaign that calls so many people, and their contacts."""
    configuration_id = await customer.new_configuration(**CALLABLE)
    made = await customer.new_campaign(configuration_id=configuration_id, **fields)
    added = await customer.post(
        f"/campaigns/{made['id']}/contacts", {"contacts": [lead(n) for n in range(1, count + 1)]}
    )
    assert added.status == 200, added.raw
    return made["id"], sorted(added.body["contact_ids"])


async def statuses(customer: Customer, campaign_id: str) -> set[str]:
    contacts = (await customer.get(f"/campaigns/{campaign_id}/contacts")).body["contacts"]
    return {contact["status"] for contact in contacts}


async def test_each_organization_calls_through_its_own_carrier(world: World) -> None:
    customers = [await world.api.new_customer() for _ in range(3)]
    for customer, its in zip(customers[:2], world.carriers, strict=True):
        made = await customer.post("/telephony-accounts", its.account())
        assert (made.status, made.body["is_default"], its.token in made.raw.decode()) == (200, True, False)
    campaigns = [await campaign_of(customer, 5) for customer in customers]
    wrong = await customers[0].post("/telephony-accounts", world.carriers[0].account("Wrong", auth_token="nonsense"))
    refused, never = await campaign_of(customers[0], 2, telephony_account_id=wrong.body["id"])

    async def all_called() -> bool:
        assert not world.engine.failures()
        found = [await statuses(customer, each) for customer, (each, _) in zip(customers, campaigns, strict=True)]
        return all(every == {"completed"} for every in found)

    await eventually(all_called, timeout=40)

    async def rests() -> Any:
        return (await customers[0].get(f"/campaigns/{refused}/diagnosis")).body["resting"]

    [rest] = await eventually(rests, timeout=20)
    assert [its.placed() for its in world.carriers] == [contacts for _, contacts in campaigns[:2]]
    assert sorted(call.contact_id for call in world.engine.carriers[0].placements) == campaigns[2][1]
    # The wrong token rests that account alone, and what waits says so.
    assert (rest["what"], rest["telephony_account"]) == (f"account:{wrong.body['id']}", "Wrong")
    assert rest["code"] == 20003
    await eventually(lambda: _all(customers[0], refused, "pending"), timeout=20)
    diagnosis = (await customers[0].get(f"/campaigns/{refused}/diagnosis")).body
    assert [finding["reason"] for finding in diagnosis["reasons"]] == ["account_refused"]
    more, again = await campaign_of(customers[0], 1)
    await eventually(lambda: _all(customers[0], more, "completed"), timeout=20)
    assert world.carriers[0].placed() == sorted(campaigns[0][1] + again)
    assert (await customers[1].get(f"/campaigns/{campaigns[1][0]}/diagnosis")).body["resting"] == []
    assert not set(never) & set(world.carriers[0].placed())
    stored = await world.engine.store["attempts"].distinct("account", {"organization_id": customers[2].organization_id})
    assert stored == [], "the operator's account is no account of the organization's"


async def _all(customer: Customer, campaign_id: str, status: str) -> bool:
    return await statuses(customer, campaign_id) == {status}


async def test_an_account_signs_for_its_own_organization_alone(world: World) -> None:
    forger, victim = [await world.api.new_customer() for _ in range(2)]
    account = (await forger.post("/telephony-accounts", world.carriers[0].account())).body["id"]

    async def said(organization_id: str, token: str, **more: str) -> int:
        ids = {"attempt_id": "a", "organization_id": organization_id, "contact_id": "c", "shard": "0"}
        path = f"{CALLBACK_PATH}?{urlencode({**ids, 'account_id': account, **more})}"
        form = urlencode({"CallSid": "CA1", "CallStatus": "ringing"})
        # The repetitions of which the carrier was told are a part of the URL that it signs.
        signed = f"{world.api.url}{path}#rc=5&rp=ct,rt,5xx"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        headers["X-Twilio-Signature"] = sign(token, signed, parse_qsl(form))
        return (await world.api.call("POST", path, raw=form.encode(), headers=headers)).status

    assert await said(forger.organization_id, world.carriers[0].token) == 200
    assert await said(victim.organization_id, world.carriers[0].token) == 403
    assert await said(forger.organization_id, world.carriers[1].token) == 403
    assert await said(forger.organization_id, "", account_id="unknown") == 403
