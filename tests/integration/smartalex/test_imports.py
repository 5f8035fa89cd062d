"""Lists that are imported into the contact book in this dialect; contact-ingest does the work."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from services.campaign_api.app import DIALECTS
from services.contact_ingest.app import running
from services.contact_ingest.settings import IngestSettings
from shared.bus.producer import Producer
from shared.store.client import Store
from tests.eventually import eventually
from tests.integration.campaign_api.client import Answer
from tests.integration.campaign_api.conftest import serving, settings_for
from tests.integration.smartalex.client import Alex, phone, said

LIST = (
    f"Mobile,First Name,E-Mail,Plan\r\n{phone(1)},Ada,ada@example.com,pro\r\nfront desk,Bob,,\r\n{phone(1)},Ada,,\r\n"
)


@pytest.fixture
async def importing(store: Store, kafka_address: str, mongodb_address: str, topic_prefix: str) -> AsyncIterator[Alex]:
    """A customer, and a contact-ingest at work."""
    settings = settings_for(kafka_address, mongodb_address, topic_prefix, mongodb_database=store.db.name)
    async with AsyncExitStack() as stack:
        producer = Producer(settings)
        await producer.start()
        stack.push_async_callback(producer.stop)
        ingest = IngestSettings(
            kafka=kafka_address, topic_prefix=topic_prefix, mongodb=mongodb_address, mongodb_database=store.db.name
        )
        await stack.enter_async_context(running(ingest))
        api = await stack.enter_async_context(serving(settings, store, producer, DIALECTS))
        yield Alex(await api.new_customer())


async def sent(alex: Alex, query: str, raw: bytes, kind: str = "text/csv") -> Answer:
    return await alex.call("POST", f"/contacts/import{query}", raw=raw, headers=[("Content-Type", kind)])


async def ended(alex: Alex, answer: Answer) -> Any:
    assert answer.status == 201, answer.raw
    made = answer.body["data"]
    assert (made["status"], made["errors"], made["completed_at"]) == ("processing", [], None)

    async def done() -> Any:
        read = (await alex.get(f"/contacts/imports/{made['id']}"))["data"]
        return read if read["status"] != "processing" else None

    return await eventually(done, timeout=30, saying="the import")


async def test_a_list_goes_into_the_book_and_a_campaign(importing: Alex) -> None:
    campaign = await importing.new_campaign()
    read = await ended(importing, await sent(importing, f"?campaign_id={campaign}", LIST.encode()))
    assert (read["status"], read["campaign_id"], read["rows"]) == ("completed", campaign, 3)
    assert (read["imported"], read["duplicates"], read["invalid"]) == (1, 1, 1)
    assert [error["row"] for error in read["errors"]] == [3]
    [contact] = (await importing.get(f"/campaigns/{campaign}/contacts"))["data"]
    assert (contact["phone"], contact["first_name"], contact["email"]) == (phone(1), "Ada", "ada@example.com")
    assert contact["metadata"] == {"Plan": "pro"}
    page = await importing.get("/contacts/imports")
    assert (page["meta"]["total"], page["data"][0]["id"]) == (1, read["id"])


async def test_a_form_brings_a_list_for_the_book_alone(importing: Alex) -> None:
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        + LIST.encode()
        + b"\r\n--x--\r\n"
    )
    read = await ended(importing, await sent(importing, "", form, "multipart/form-data; boundary=x"))
    assert (read["status"], read["campaign_id"], read["invalid"]) == ("completed", None, 1)
    assert (await importing.get("/contacts"))["meta"]["total"] == 1


async def test_what_is_no_list_is_refused(importing: Alex) -> None:
    assert said(await sent(importing, "", b"{}", "application/json")) == (415, "invalid_request")
    assert said(await sent(importing, "", b"--x--", "multipart/form-data; boundary=x")) == (400, "invalid_request")
    assert said(await sent(importing, "?campaign_id=x", LIST.encode())) == (404, "campaign_not_found")
    cancelled = await importing.new_campaign()
    await importing.post(f"/campaigns/{cancelled}/cancel")
    assert said(await sent(importing, f"?campaign_id={cancelled}", LIST.encode())) == (409, "campaign_not_active")
    failed = await ended(importing, await sent(importing, "", b"name\r\nAda\r\n"))
    assert (failed["status"], failed["errors"][0]["row"]) == ("failed", 1)
    assert await importing.refused("GET", "/contacts/imports/nothing") == (404, "not_found")
