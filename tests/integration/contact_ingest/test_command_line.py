"""`dialstream ingest`: a file over Kafka, signed, and what became of its rows."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.bus.producer import Producer
from shared.health import HealthServer
from shared.store.client import Store
from tests.command_line import Ran, dialstream
from tests.integration.campaign_api.client import Api
from tests.integration.campaign_api.conftest import serving, settings_for
from tests.integration.contact_ingest.customer import Customer


@pytest.fixture
async def gateway(store: Store, kafka_address: str, mongodb_address: str, topic_prefix: str) -> AsyncIterator[Api]:
    settings = settings_for(kafka_address, mongodb_address, topic_prefix)
    producer = Producer(settings)
    await producer.start()
    async with serving(settings, store, producer) as api:
        yield api
    await producer.stop()


async def test_a_file_is_published_signed_and_every_row_accounted_for(
    customer: Customer, ingest: HealthServer, gateway: Api, kafka_address: str, topic_prefix: str, tmp_path: Path
) -> None:
    file = tmp_path / "people.ndjson"
    rows = [
        {"external_id": "a", "phone_numbers": ["+4915123456789"]},
        {"external_id": "b", "phone_numbers": ["nonsense"]},
        {"external_id": "c", "phone_numbers": ["+4915123456788"], "data": {"name": "Zoë"}},
    ]
    file.write_text("\n".join(["no JSON", *map(json.dumps, rows)]) + "\n")

    async def send() -> Ran:
        return await dialstream(
            *("ingest", str(file), "--kafka", kafka_address, "--campaign", "spring", "--prefix", topic_prefix),
            "--json",
            home=tmp_path,
            URL=gateway.url,
            API_KEY=customer.credential,
            ORGANIZATION_ID=customer.organization_id,
        )

    first = await send()
    assert first.code == 1, first.err
    refused = tmp_path / "people.ndjson.refused.csv"
    counts = {"batches": 1, "inserted": 2, "updated": 0, "refused": 2, "refused_rows": str(refused)}
    assert first.json == counts
    head, *named = refused.read_text().splitlines()
    assert head == "row,field,reason"
    assert [line.split(",")[:2] for line in named] == [["1", ""], ["3", "phone_numbers[0]"]]

    # The same bytes under the same id: nothing is stored twice.
    assert (await send()).json == counts
    assert await customer.contacts() == 2


async def test_a_kafka_that_is_not_there_ends_with_3(customer: Customer, gateway: Api, tmp_path: Path) -> None:
    file = tmp_path / "people.ndjson"
    file.write_text('{"external_id": "a", "phone_numbers": ["+4915123456789"]}\n')
    ran = await dialstream(
        *("ingest", str(file), "--kafka", "127.0.0.1:1"),
        home=tmp_path,
        URL=gateway.url,
        API_KEY=customer.credential,
        ORGANIZATION_ID=customer.organization_id,
    )
    assert (ran.code, ran.out) == (3, "")
    assert "127.0.0.1:1" in ran.err
