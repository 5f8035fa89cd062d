"""One batch_id, several messages: the same bytes are a repeat, other bytes are refused and kept as a dead letter."""

import asyncio
import json
from typing import Any

import pytest

from deploy.replay import run as run_replay
from services.contact_ingest.app import running
from services.contact_ingest.settings import IngestSettings
from shared.clock import utc_now
from shared.domain.contact_input import ContactInput, prepare_contacts
from shared.domain.upload import UpsertResult
from shared.errors import Conflict
from shared.store.client import Store
from shared.store.contacts.ingest_batches import (
    BatchStatus,
    IngestBatch,
    accept_ingest_batch,
    get_ingest_batch,
    refuse_ingest_batch,
)
from shared.store.contacts.upsert import upsert_contacts
from tests.integration.contact_ingest.customer import Customer, new_key

ADA = {"external_id": "ada", "phone_numbers": ["+14155550100"]}
BOB = {"external_id": "bob", "phone_numbers": ["+14155550123"]}
EVE = {"external_id": "eve", "phone_numbers": ["+14155550199"]}


async def all_before_is_done(customer: Customer) -> None:
    """A later message of the same partition is done, so all before it are."""
    await customer.done(await customer.publish(customer.batch(BOB)))


async def names(customer: Customer) -> set[str]:
    return set(await customer.store["contacts"].distinct("external_id"))


async def classes(customer: Customer, expected: int) -> list[str]:
    letters = await customer.dead_letters(expected)
    return [dict(letter.headers)["dialstream-error-class"].decode() for letter in letters]


@pytest.mark.usefixtures("ingest")
async def test_other_bytes_under_a_stored_batch_id_are_refused_and_its_result_stays(customer: Customer) -> None:
    batch = customer.batch(ADA)
    first = await customer.done(await customer.publish(batch))
    others: list[dict[str, Any]] = [
        batch | {"contacts": [EVE]},
        batch | {"contacts": [ADA | {"agent_id": "changed"}]},
        batch | {"campaign": "default"},
        batch | {"campaign": "unknown"},
        batch | {"credential": await new_key(customer.store, customer.organization_id)},
    ]
    for other in others:
        await customer.publish(other)
    await customer.publish_bytes(json.dumps(batch).encode() + b" ")
    await all_before_is_done(customer)

    letters = await customer.dead_letters(len(others) + 1)
    assert await classes(customer, len(letters)) == ["BatchIdReused"] * (len(others) + 1)
    assert json.loads(letters[0].value or b"") == others[0]
    told = dict(letters[0].headers)["dialstream-error-message"].decode()
    assert repr(batch["batch_id"]) in told
    assert "new batch_id" in told
    assert await customer.result(batch["batch_id"]) == first
    assert await names(customer) == {"ada", "bob"}
    assert await customer.store["contacts"].count_documents({"agent_id": "changed"}) == 0


async def test_the_same_bytes_change_nothing_with_another_signature_and_after_their_campaign_has_gone(
    customer: Customer, settings: IngestSettings
) -> None:
    batch = customer.batch(ADA, credential=None)
    value = json.dumps(batch).encode()
    async with running(settings):
        await customer.publish_bytes(value, customer.signed(value))
        first = await customer.done(batch["batch_id"])
        customer.credential = await new_key(customer.store, customer.organization_id)
        await customer.publish_bytes(value, [*customer.signed(value), ("trace", b"1")], partition=0)
        await all_before_is_done(customer)
        await customer.store["campaigns"].delete_one({"_id": customer.campaign_id})
        await customer.publish_bytes(value, customer.signed(value))
        await customer.publish_bytes(b"garbage")
        assert await classes(customer, 1) == ["UnreadableBatch"]
    assert await customer.result(first.batch_id) == first


@pytest.mark.usefixtures("ingest")
async def test_a_result_of_an_older_version_has_no_digest_and_takes_every_repeat_for_its_own(
    customer: Customer,
) -> None:
    batch = customer.batch(ADA)
    await customer.done(await customer.publish(batch))
    await customer.store["ingest_batches"].update_many({}, {"$unset": {"digest": ""}})
    first = await customer.result(batch["batch_id"])
    await customer.publish(batch | {"contacts": [EVE]})
    await all_before_is_done(customer)
    assert await customer.result(first.batch_id) == first
    assert await names(customer) == {"ada", "bob"}


async def test_a_refused_batch_leaves_its_id_to_another_and_its_dead_letter_is_refused_then(
    customer: Customer, settings: IngestSettings
) -> None:
    batch = customer.batch(ADA, campaign="unknown")
    async with running(settings):
        await customer.publish(batch)
        assert (await customer.result(batch["batch_id"])).status == BatchStatus.REFUSED
        await customer.publish(customer.batch(EVE, batch_id=batch["batch_id"]))
        done = await customer.done(batch["batch_id"])
        assert (await run_replay(settings, "contact.batches", None)).put_back == 1
        assert await classes(customer, 2) == ["CampaignNotUsable", "BatchIdReused"]
        assert await customer.result(batch["batch_id"]) == done
    assert await names(customer) == {"eve"}


async def test_of_two_messages_under_one_id_at_once_one_is_stored_and_the_other_set_aside(
    customer: Customer, settings: IngestSettings
) -> None:
    ids = [f"batch-{number}" for number in range(12)]
    async with running(settings), running(settings):
        for batch_id in ids:
            values = [json.dumps(customer.batch(row, batch_id=batch_id)).encode() for row in (ADA, EVE)]
            await asyncio.gather(*(customer.publish_bytes(value, partition=2 + n) for n, value in enumerate(values)))
        for batch_id in ids:
            await customer.done(batch_id)
        letters = await customer.dead_letters(len(ids))
    assert {json.loads(letter.value or b"")["batch_id"] for letter in letters} == set(ids)
    assert await classes(customer, len(ids)) == ["BatchIdReused"] * len(ids)


async def put(customer: Customer, batch_id: str, *rows: dict[str, Any]) -> UpsertResult:
    """Store rows as contact-ingest would; their text stands for the digest of their message."""
    shard = (await customer.store["organizations"].find_one({"_id": customer.organization_id}) or {})["shard"]
    inputs = [ContactInput.model_validate(row) for row in rows]
    prepared = prepare_contacts(inputs, default_country_code=None, strict_e164=True)
    now = utc_now()
    return await upsert_contacts(
        customer.store,
        organization_id=customer.organization_id,
        shard=shard,
        campaign_id=customer.campaign_id,
        rows=prepared.rows,
        source="ingest-0",
        now=now,
        batch=IngestBatch(batch_id, customer.campaign_id, len(rows), (), now, json.dumps(rows)),
    )


async def agent_of_ada(store: Store) -> str:
    found = await store["contacts"].find_one({"external_id": "ada"})
    assert found is not None
    return str(found["agent_id"])


async def test_a_message_that_loses_its_id_to_another_at_once_has_changed_no_contact(customer: Customer) -> None:
    """Existing contacts are changed outside of the transaction that stores the result."""
    await put(customer, "first", ADA)
    for number in range(20):
        agents = [f"{number}-{side}" for side in range(4)]
        answers = await asyncio.gather(
            *(put(customer, f"b-{number}", ADA | {"agent_id": agent}) for agent in agents), return_exceptions=True
        )
        won = [agent for agent, answer in zip(agents, answers, strict=True) if not isinstance(answer, BaseException)]
        lost = [answer for answer in answers if isinstance(answer, BaseException)]
        assert [type(error) for error in lost] == [Conflict] * 3, lost
        assert await agent_of_ada(customer.store) == won[0]


async def test_the_message_that_has_its_id_goes_on_after_its_process_died(customer: Customer) -> None:
    await put(customer, "first", ADA)
    changed = ADA | {"agent_id": "changed"}
    accepted = IngestBatch("b", customer.campaign_id, 1, (), utc_now(), json.dumps([changed]))
    assert await accept_ingest_batch(customer.store, customer.organization_id, accepted)
    assert (await get_ingest_batch(customer.store, customer.organization_id, "b")).status == BatchStatus.ACCEPTED
    with pytest.raises(Conflict):
        await put(customer, "b", EVE)
    other = IngestBatch("b", "unknown", 1, (), utc_now(), "another")
    with pytest.raises(Conflict):
        await refuse_ingest_batch(customer.store, customer.organization_id, other, reason="unknown", now=utc_now())
    assert (await put(customer, "b", changed)).updated == 1
    assert not await accept_ingest_batch(customer.store, customer.organization_id, accepted)
    assert (await put(customer, "b", changed)).repeated
    assert await names(customer) == {"ada"}
