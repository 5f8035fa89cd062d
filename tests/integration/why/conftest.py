"""One gateway and one engine on the same servers: every test brings organizations of its own."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from deploy.create_topics import create_topics, delete_topics
from services.scheduler.timers.safety_net import SafetyNet
from shared.clock import monotonic
from shared.settings import KafkaSettings
from shared.store.client import connect
from shared.telephony.provider import PlaceCall
from shared.telephony.scripts import ScriptedCall
from tests.engine import Engine, running_engine
from tests.eventually import eventually
from tests.factories import ALWAYS_OPEN
from tests.integration.campaign_api.client import Answer, Api, Customer, lead
from tests.integration.campaign_api.conftest import serving, settings_for

CALLER_NUMBER = "+14155550100"
ANSWERED = ScriptedCall()


@dataclass(slots=True)
class Carrier:
    """What the carrier does with each organization's calls, and every order that it was given, taken or not."""

    plans: dict[str, ScriptedCall] = field(default_factory=dict)
    orders: list[tuple[float, PlaceCall]] = field(default_factory=list)

    def __call__(self, call: PlaceCall) -> ScriptedCall:
        """The script of the engine's executors."""
        self.orders.append((monotonic(), call))
        return self.plans.get(call.organization_id, ANSWERED)

    def orders_of(self, organization_id: str) -> list[PlaceCall]:
        """An organization's orders, oldest first."""
        return [call for _, call in self.orders if call.organization_id == organization_id]

    def times_of(self, organization_id: str) -> list[float]:
        """When an organization's orders came, oldest first."""
        return [at for at, call in self.orders if call.organization_id == organization_id]


@dataclass(frozen=True, slots=True)
class Office:
    """The gateway, the engine behind it, and the engine's carrier."""

    api: Api
    engine: Engine
    carrier: Carrier

    async def customer(self, **organization: Any) -> "Caller":
        """A new organization; without a caller number unless one is named."""
        made = await self.api.new_customer(**{"default_agent_number": None, **organization})
        return Caller(made, self)

    async def hang_up(self, organization_id: str | None = None) -> None:
        """End every call that an organization has up; without one, every call."""
        for provider in self.engine.carriers:
            for live in list(provider._live.values()):
                if organization_id in (None, live.call.organization_id):
                    await provider.hang_up(live.call_id)


@dataclass(frozen=True, slots=True)
class Caller:
    """An organization that wants people called."""

    its: Customer
    office: Office

    @property
    def id(self) -> str:
        """The organization's id."""
        return self.its.organization_id

    def plans(self, plan: ScriptedCall) -> None:
        """What becomes of its calls from now on."""
        self.office.carrier.plans[self.id] = plan

    async def campaign(self, *, windows: Any = ALWAYS_OPEN, agent_id: str | None = "agent-1", **fields: Any) -> Answer:
        """A new campaign with a configuration of its own; `windows` and `agent_id` are the configuration's."""
        configuration = {"default_timezone": "UTC", "default_windows": windows, "agent_id": agent_id}
        configuration |= fields.pop("configuration", {})
        configuration_id = await self.its.new_configuration(**configuration)
        made = await self.its.post("/campaigns", {"name": "Spring", "configuration_id": configuration_id, **fields})
        assert made.status == 200, made.raw
        return made

    async def upload(self, campaign_id: str, numbers: range | list[int], **fields: Any) -> Any:
        """Contacts by the numbers of their leads; the answer."""
        rows = [lead(number, **fields) for number in numbers]
        made = await self.its.post(f"/campaigns/{campaign_id}/contacts", {"contacts": rows})
        assert made.status == 200, made.raw
        return made.body

    async def change(self, path: str, **fields: Any) -> list[str]:
        """The codes of the warnings with which a change is answered."""
        made = await self.its.patch(path, fields)
        assert made.status == 200, made.raw
        return codes(made)

    async def contacts(self, campaign_id: str) -> list[dict[str, Any]]:
        """The campaign's contacts, oldest first."""
        page = await self.its.get(f"/campaigns/{campaign_id}/contacts?limit=200")
        assert page.status == 200, page.raw
        rows: list[dict[str, Any]] = page.body["contacts"]
        return rows

    async def diagnosis(self, campaign_id: str) -> dict[str, Any]:
        """Why nobody of the campaign is called."""
        found = await self.its.get(f"/campaigns/{campaign_id}/diagnosis")
        assert found.status == 200, found.raw
        body: dict[str, Any] = found.body
        return body

    async def stand(self, campaign_id: str, *wanted: str) -> list[dict[str, Any]]:
        """The contacts, as soon as their statuses are these, whatever their order."""

        async def look() -> list[dict[str, Any]]:
            found = await self.contacts(campaign_id)
            return found if sorted(contact["status"] for contact in found) == sorted(wanted) else []

        return await eventually(look, timeout=20, every=0.1, saying=f"contacts {wanted}")

    async def called(self, campaign_id: str, count: int) -> list[dict[str, Any]]:
        """The contacts, as soon as each of so many was called and has answered."""
        return await self.stand(campaign_id, *["completed"] * count)


class Rounds:
    """Counts the looks of the scheduler's safety net, one a second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, look = 0, SafetyNet.look

        async def counted(safety_net: SafetyNet) -> None:
            await look(safety_net)
            self.count += 1

        monkeypatch.setattr(SafetyNet, "look", counted)

    async def pass_by(self, rounds: int) -> None:
        """Wait until so many more looks were taken."""
        until = self.count + rounds
        await eventually(lambda: self.count >= until, timeout=60, saying="the safety net looks")


def codes(answer: Answer) -> list[str]:
    """The codes of an answer's warnings, which is left out where there are none."""
    return [warning["code"] for warning in answer.body.get("warnings", [])]


@pytest.fixture(scope="session")
async def office(kafka_address: str, mongodb_address: str) -> AsyncIterator[Office]:
    """The gateway and the engine."""
    topics = KafkaSettings(kafka=kafka_address, topic_prefix=f"why-{uuid.uuid4().hex[:12]}.")
    await create_topics(topics)
    settings = settings_for(kafka_address, mongodb_address, topics.topic_prefix)
    store, carrier = connect(settings), Carrier()
    await store.ensure_indexes()
    async with running_engine(store, kafka_address, topics.topic_prefix, script=carrier) as engine:
        await engine.start_executor()
        await engine.start_scheduler()
        async with serving(settings, store, await engine.producer()) as api:
            office = Office(api, engine, carrier)
            yield office
            # An executor waits for the calls it holds, also for one that a failed test has left.
            carrier.plans.clear()
            await office.hang_up()
        assert not engine.failures()
    await store.client.drop_database(settings.mongodb_database)
    await store.close()
    await delete_topics(topics)


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> Rounds:
    """The looks of the engine's safety net from now on."""
    return Rounds(monkeypatch)
