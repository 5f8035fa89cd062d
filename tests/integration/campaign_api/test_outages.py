from collections.abc import AsyncIterator

import pytest
from pymongo import AsyncMongoClient

from shared.bus.producer import Producer
from shared.store.client import Document, Store
from tests.eventually import eventually
from tests.integration.campaign_api.client import ADMIN_TOKEN, Api, Customer, lead
from tests.integration.campaign_api.conftest import Stack, serving


@pytest.fixture
async def without_kafka(stack: Stack) -> AsyncIterator[Api]:
    """A gateway whose Kafka does not answer."""
    producer = Producer(stack.settings.model_copy(update={"kafka": "127.0.0.1:1"}))
    async with serving(stack.settings, stack.store, producer) as api:
        yield api
    await producer.stop()


@pytest.fixture
async def without_mongodb(stack: Stack) -> AsyncIterator[Api]:
    """A gateway whose MongoDB does not answer."""
    client: AsyncMongoClient[Document] = AsyncMongoClient("mongodb://127.0.0.1:1", serverSelectionTimeoutMS=100)
    async with serving(stack.settings, Store(client, client["away"]), stack.producer) as api:
        yield api
    await client.close()


async def test_everything_is_live_and_ready(api: Api) -> None:
    assert (await api.call("GET", "/health/live")).body == {"status": "live"}
    assert (await api.call("GET", "/health/ready")).body == {"status": "ready"}
    metrics = await api.call("GET", "/metrics")
    assert b'dialstream_http_requests_total{method="GET",status="200"}' in metrics.raw


async def test_without_kafka_customers_go_on_working_and_ready_names_it(without_kafka: Api, stack: Stack) -> None:
    acme = await without_kafka.new_customer()
    campaign = await acme.new_campaign(contacts=[lead(1)])
    path = f"/campaigns/{campaign['id']}"
    assert (await acme.post(f"{path}/contacts", {"contacts": [lead(2)]})).status == 200
    before = await stack.store["organizations"].find_one({"_id": acme.organization_id})
    assert (await acme.post(f"{path}/pause")).status == 200
    after = await stack.store["organizations"].find_one({"_id": acme.organization_id})
    assert before is not None
    assert after is not None
    assert after["changed_at"] > before["changed_at"]
    ready = await without_kafka.call("GET", "/health/ready")
    assert (ready.status, ready.body["away"]) == (503, ["kafka"])
    assert ready.headers["Retry-After"]


async def test_without_mongodb_every_request_is_503_with_retry_after(without_mongodb: Api) -> None:
    key = "ak_3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21.secret"
    for answer in (
        await without_mongodb.call("GET", "/campaign/campaigns", key=key),
        await without_mongodb.call("POST", "/admin/organizations", key=ADMIN_TOKEN, body={"name": "A"}),
    ):
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert "MongoDB" in answer.body["detail"]
    ready = await without_mongodb.call("GET", "/health/ready")
    assert (ready.status, ready.body["away"]) == (503, ["mongodb"])
    assert (await without_mongodb.call("GET", "/health/live")).status == 200


async def test_requests_above_the_limit_are_429_until_retry_after(stack: Stack) -> None:
    limited = stack.settings.model_copy(update={"requests_per_minute": 60, "request_limits": "30/2 second"})
    async with serving(limited, stack.store, stack.producer) as api:
        acme, other = await api.new_customer(), await api.new_customer()
        statuses = [(await acme.get("/timezones")).status for _ in range(100)]
        assert statuses[:30] == [200] * 30
        assert 429 in statuses
        refused = await refusal(acme)
        assert refused in {"1", "2"}
        assert (await other.get("/timezones")).status == 200

        async def allowed_again() -> bool:
            return (await acme.get("/timezones")).status == 200

        await eventually(allowed_again, within=int(refused) + 1)


async def refusal(customer: Customer) -> str:
    """Retry-After of the next request that is refused."""
    while True:
        answer = await customer.get("/timezones")
        if answer.status == 429:
            return answer.headers["Retry-After"]
