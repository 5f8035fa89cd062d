import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from deploy.demo.client import Refused
from deploy.demo.dial import new_campaign
from deploy.local.servers import Addresses
from shared.clock import utc_now
from shared.topics import CONTACT_BATCHES
from tests.e2e.system import System, SystemCustomer, system_on
from tests.eventually import eventually

EVERYBODY_ANSWERS = {"DIALSTREAM_SIMULATOR_ANSWER_RATE": "1"} | {
    f"DIALSTREAM_SIMULATOR_{ending}_RATE": "0" for ending in ("VOICEMAIL", "BUSY", "DECLINED", "INVALID", "FAILED")
}


@pytest.fixture(scope="module")
async def system(servers: Addresses, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with system_on(servers, tmp_path_factory.mktemp("logs"), settings=EVERYBODY_ANSWERS) as system:
        await system.start()
        yield system


async def completed(customer: SystemCustomer, campaign: str, contact: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        try:
            found = await customer.contact(campaign, contact)
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
            return None
        return found if found["status"] == "completed" else None

    found: dict[str, Any] | None = await eventually(look, timeout=30, saying=f"{contact} completed")
    assert found is not None
    return found


async def test_a_contact_posted_over_http_is_called_and_completed(system: System) -> None:
    customer = await system.new_customer()
    campaign = await new_campaign(customer.api, utc_now())
    contacts = [{"external_id": "lead-1", "phone_numbers": ["(415) 555-0123"], "data": {"first_name": "Ada"}}]
    posted = await customer.api.post(f"/campaign/campaigns/{campaign}/contacts", {"contacts": contacts})
    assert posted["inserted"] == 1
    contact = await completed(customer, campaign, "lead-1")
    assert contact["id"] == posted["contact_ids"][0]
    [attempt] = contact["attempts"]
    assert (attempt["status"], attempt["outcome"], attempt["attempt_number"]) == ("ended", "answered", 1)
    assert (attempt["phone_number"], attempt["caller_number"]) == ("+14155550123", "+14155550100")
    assert attempt["started_at"] <= attempt["answered_at"] <= attempt["ended_at"]
    assert attempt["conversation_id"]
    placed, ended = [entry for entry in await system.carrier_record() if entry["contact_id"] == contact["id"]]
    assert (placed["event"], ended["event"]) == ("placed", "ended")
    assert placed["call_id"] == attempt["provider_call_id"]
    assert placed["attempt_id"] == attempt["id"]
    statistics = await customer.statistics(campaign)
    assert statistics["contacts"]["completed"] == statistics["contacts"]["total"] == 1
    assert statistics["active_calls"] == 0
    system.check()


async def test_a_contact_published_to_kafka_is_called_and_completed(system: System) -> None:
    customer = await system.new_customer()
    campaign = await new_campaign(customer.api, utc_now())
    batch = {
        "schema_version": 1,
        "batch_id": "monday",
        "organization_id": customer.organization_id,
        "credential": customer.who.key,
        "campaign": campaign,
        "contacts": [
            {"external_id": "lead-1", "phone_numbers": ["+442079460123"]},
            {"external_id": "lead-2", "phone_numbers": ["front desk"]},
        ],
    }
    producer = AIOKafkaProducer(bootstrap_servers=system.addresses.kafka)
    await producer.start()
    try:
        await producer.send_and_wait(
            system.topic_prefix + CONTACT_BATCHES.name, json.dumps(batch).encode(), key=campaign.encode()
        )
    finally:
        await producer.stop()
    contact = await completed(customer, campaign, "lead-1")
    assert [attempt["outcome"] for attempt in contact["attempts"]] == ["answered"]
    result = await customer.api.get("/campaign/ingest-batches/monday")
    assert (result["status"], result["received"], result["inserted"]) == ("done", 2, 1)
    assert [(row["index"], row["external_id"]) for row in result["failed"]] == [(1, "lead-2")]
    system.check()
