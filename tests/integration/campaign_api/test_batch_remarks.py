"""Remarks on the rows of a Kafka batch: stored as codes, worded when they are shown; older ones are stored in words."""

import uuid

from services.campaign_api.native.sentences import LACKS
from shared.clock import utc_now
from shared.domain.contact_input import ContactInput, NumberRules
from shared.domain.setting_faults import SettingFault
from shared.store.contacts.ingest_batches import IngestBatch
from shared.store.contacts.upsert import upsert_contacts
from tests.integration.campaign_api.client import CALLABLE, Customer, lead
from tests.integration.campaign_api.conftest import Stack


async def store_batch(stack: Stack, customer: Customer, campaign_id: str, rows: int) -> str:
    """Store a batch as contact-ingest does; its id."""
    organization = await stack.store["organizations"].find_one({"_id": customer.organization_id})
    assert organization is not None
    prepared = NumberRules("+1").prepare(
        [ContactInput.model_validate(lead(number)) for number in range(100, 100 + rows)]
    )
    batch_id, now = str(uuid.uuid4()), utc_now()
    await upsert_contacts(
        stack.store,
        organization_id=customer.organization_id,
        shard=organization["shard"],
        campaign_id=campaign_id,
        rows=prepared.rows,
        source="ingest-0",
        now=now,
        warnings=prepared.warnings,
        batch=IngestBatch(batch_id, campaign_id, rows, (), now, "digest"),
    )
    return batch_id


async def test_a_batch_says_what_its_rows_lack_and_why_some_stay_ended(acme: Customer, stack: Stack) -> None:
    hours = await acme.new_configuration(**CALLABLE | {"default_windows": []})
    campaign_id = (await acme.new_campaign(configuration_id=hours))["id"]
    batch_id = await store_batch(stack, acme, campaign_id, rows=3)
    shown = (await acme.get(f"/ingest-batches/{batch_id}")).body
    sentence = f"{LACKS[SettingFault.NO_WINDOWS]} (2 more rows like this)"
    assert shown["warnings"] == [{"index": 0, "external_id": "lead-100", "field": None, "reason": sentence}]

    await stack.store["contacts"].update_many(
        {"campaign_id": campaign_id}, {"$set": {"status": "completed", "ended_because": "answered"}}
    )
    again = await store_batch(stack, acme, campaign_id, rows=1)
    reasons = [row["reason"] for row in (await acme.get(f"/ingest-batches/{again}")).body["warnings"]]
    assert "was changed, but is not called again: it ended as completed (answered)" in reasons


async def test_remarks_that_an_older_version_stored_are_shown_as_they_are(acme: Customer, stack: Stack) -> None:
    campaign_id = (await acme.new_campaign())["id"]
    batch_id = await store_batch(stack, acme, campaign_id, rows=1)
    stored = {"index": 0, "external_id": "lead-100", "field": None, "reason": "There is no agent."}
    await stack.store["ingest_batches"].update_one({"batch_id": batch_id}, {"$set": {"warnings": [stored]}})
    assert (await acme.get(f"/ingest-batches/{batch_id}")).body["warnings"] == [stored]
