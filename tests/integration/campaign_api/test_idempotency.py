"""Requests that are sent again under the same Idempotency-Key are done once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.once import LEASE, key_id_of
from tests.integration.campaign_api.client import Answer, Customer
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.test_files import LIST, path_of

HEADER, REPLAYED = "Idempotency-Key", "idempotent-replayed"


async def _post(customer: Customer, path: str, body: Any, key: str = "k-1") -> Answer:
    return await customer.call("POST", path, body, headers={HEADER: key})


async def _claim(stack: Stack, organization_id: str, key: str, **changes: Any) -> None:
    """Have the key stand as a process that died in the middle has left it."""
    update = {"$set": {"claimed_at": utc_now() - LEASE - timedelta(seconds=1), "answer": None, **changes}}
    done = await stack.store["idempotency_keys"].update_one({"_id": key_id_of(organization_id, key)}, update)
    assert done.matched_count == 1


async def test_the_same_request_again_gets_the_same_answer_and_makes_nothing(acme: Customer, stack: Stack) -> None:
    configuration = await acme.new_configuration()
    campaign = {"name": "Once", "configuration_id": configuration}
    one = (await acme.new_campaign())["id"]
    bodies: list[tuple[str, Any, str]] = [
        ("/configurations", {"name": "Nine to five"}, "configurations"),
        ("/campaigns", {**campaign, "contacts": [{"phone_numbers": ["+14155550401"]}]}, "campaigns"),
        (f"/campaigns/{one}/contacts", {"contacts": [{"phone_numbers": ["+14155550402"]}]}, "contacts"),
        ("/do-not-call", {"phone_numbers": ["+14155550403"]}, "do_not_call"),
    ]
    for number, (path, body, collection) in enumerate(bodies):
        first = await _post(acme, path, body, f"key {number}")
        assert first.status == 200, first.raw
        there = await stack.store[collection].count_documents({})
        again = await _post(acme, path, body, f"key {number}")
        assert (again.status, again.raw) == (first.status, first.raw)
        assert (first.headers.get(REPLAYED), again.headers.get(REPLAYED)) == (None, "true")
        assert await stack.store[collection].count_documents({}) == there
        without = await acme.post(path, body)
        assert without.status == 200, "without a key each request is one of its own"


async def test_an_uploaded_file_is_imported_once_under_a_key_and_bytes_take_none(acme: Customer, stack: Stack) -> None:
    campaign = (await acme.new_campaign())["id"]
    made = (await acme.post("/files", {"name": "people.csv"})).body
    assert (await acme.api.call("PUT", path_of(made["upload_url"]), raw=LIST)).status == 200
    path, file = f"/campaigns/{campaign}/imports", made["id"]
    first, again = [await _post(acme, path, {"file_id": file}) for _ in range(2)]
    assert (first.status, again.status, again.raw) == (202, 202, first.raw)
    assert await stack.store["jobs"].count_documents({"campaign_id": campaign}) == 1
    assert (await _post(acme, path, {"file_id": file, "people": True})).status == 409
    assert (await acme.post(path, {"file_id": file})).body["id"] != first.body["id"]
    headers = {HEADER: "k-2", "Content-Type": "text/csv"}
    refused = await acme.call("POST", path, raw=LIST, headers=headers)
    assert refused.status == 422
    assert refused.body["errors"][0]["loc"] == ["header", HEADER]
    assert "upload this one" in refused.body["errors"][0]["msg"]


async def test_a_key_of_another_request_is_409(acme: Customer, other: Customer) -> None:
    body = {"phone_numbers": ["+14155550403"]}
    assert (await _post(acme, "/do-not-call", body)).status == 200
    assert (await _post(acme, "/do-not-call", {"phone_numbers": ["+14155550404"]})).status == 409
    assert (await _post(acme, "/do-not-call?x=1", body)).status == 409
    assert (await _post(other, "/do-not-call", body)).headers.get(REPLAYED) is None, "keys are an organization's own"


async def test_of_requests_at_once_one_is_done(acme: Customer, stack: Stack) -> None:
    configuration = await acme.new_configuration()
    body = {"name": "Raced", "configuration_id": configuration}
    answers = await asyncio.gather(*(_post(acme, "/campaigns", body) for _ in range(6)))
    assert await stack.store["campaigns"].count_documents({"name": "Raced"}) == 1
    refused = [answer for answer in answers if answer.status != 200]
    assert all(answer.status == 409 and int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert (await _post(acme, "/campaigns", body)).status == 200


async def test_killed_between_claim_and_answer(acme: Customer, stack: Stack) -> None:
    """What the lost process has made is found by the one that takes over, whatever it had come to."""
    organization_id = acme.organization_id
    configuration = await acme.new_configuration()
    contacts = [{"phone_numbers": [f"+1415555{number}"]} for number in range(1000, 1003)]
    body = {"name": "Lost", "configuration_id": configuration, "external_id": "lost", "contacts": contacts}
    first = await _post(acme, "/campaigns", body)
    await _claim(stack, organization_id, "k-1")
    # A part of the contacts is not there yet.
    gone = await stack.store["contacts"].find_one_and_delete({"campaign_id": first.body["id"]})
    assert gone is not None
    again = await _post(acme, "/campaigns", body)
    assert (again.status, again.body["id"]) == (200, first.body["id"])
    assert (again.body["contacts_result"]["inserted"], again.body["contacts_result"]["updated"]) == (1, 2)
    assert again.body["contacts_result"]["contact_ids"] == first.body["contacts_result"]["contact_ids"]
    made = await _post(acme, "/configurations", {"name": "Nights"}, "k-2")
    await _claim(stack, organization_id, "k-2")
    assert (await _post(acme, "/configurations", {"name": "Nights"}, "k-2")).body["id"] == made.body["id"]


async def test_while_it_runs_409_says_when_to_come_again(acme: Customer, stack: Stack) -> None:
    body = {"phone_numbers": ["+14155550405"]}
    assert (await _post(acme, "/do-not-call", body)).status == 200
    await _claim(stack, acme.organization_id, "k-1", claimed_at=utc_now())
    waits = await _post(acme, "/do-not-call", body)
    assert (waits.status, 0 < int(waits.headers["retry-after"]) <= LEASE.total_seconds()) == (409, True)
    await _claim(stack, acme.organization_id, "k-1", expires_at=utc_now())
    assert (await _post(acme, "/do-not-call", {"phone_numbers": ["+14155550406"]})).status == 200, "a day is over"


async def test_a_refused_request_leaves_its_key_free(acme: Customer) -> None:
    body = {"name": "Spring", "configuration_id": "none"}
    assert (await _post(acme, "/campaigns", body)).status == 404
    assert (await _post(acme, "/campaigns", {"name": ""})).status == 422
    configuration = await acme.new_configuration()
    assert (await _post(acme, "/campaigns", {**body, "configuration_id": configuration})).status == 200


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9"])
async def test_what_is_no_key_is_422(acme: Customer, key: str) -> None:
    refused = await _post(acme, "/do-not-call", {"phone_numbers": ["+14155550407"]}, key)
    assert refused.status == 422, refused.raw
    assert refused.body["errors"][0]["loc"] == ["header", HEADER]
