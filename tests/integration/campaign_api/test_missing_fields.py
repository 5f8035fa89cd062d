"""Documents that lack fields, as late reports and older versions leave them, are shown and break no list."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.contact import ContactStatus
from shared.domain.ids import conversation_id_of
from shared.domain.outcome import Outcome
from shared.events import CallFinished
from shared.store.client import Document
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, do_shard_work
from shared.store.dialing.shards import take_over
from tests.factories import new_id
from tests.integration.campaign_api.client import Api, Customer, lead
from tests.integration.campaign_api.conftest import Stack


async def test_an_attempt_known_from_a_late_report_stands_among_the_others_without_its_numbers(
    acme: Customer, stack: Stack
) -> None:
    path = await one_contact(acme)
    contact = await stored_contact(acme, stack)
    ended = [an_attempt(contact, attempt_number=number, hours=number) for number in (1, 2)]
    late = [an_attempt(contact, hours=hours, **dict.fromkeys(OF_THE_CLAIM)) for hours in (1.5, 0, 3)]
    never_dated = an_attempt(contact, hours=0, **dict.fromkeys([*OF_THE_CLAIM, "started_at", "ended_at"]))
    await stack.store["attempts"].insert_many([*late, never_dated, *reversed(ended)])
    shown = (await acme.get(f"{path}/lead-1")).body
    assert [attempt["attempt_number"] for attempt in shown["attempts"]] == [None, None, 1, None, 2, None]
    assert shown["attempts"][0]["id"] == never_dated["_id"]
    known = shown["attempts"][3]
    assert {name for name in OF_THE_CLAIM if known[name] is not None} == set()
    assert (known["id"], known["outcome"], known["provider_call_id"]) == (late[0]["_id"], "busy", "CA1")
    listed = (await acme.get(path)).body
    assert (listed["contacts"], listed["total"]) == ([shown], 1)


async def test_the_only_attempt_of_a_contact_may_be_known_from_a_late_report(acme: Customer, stack: Stack) -> None:
    path = await one_contact(acme)
    contact = await stored_contact(acme, stack)
    owner = Ownership(contact["shard"], await take_over(stack.store, contact["shard"]))
    report = CallFinished(
        organization_id=acme.organization_id,
        shard=contact["shard"],
        contact_id=contact["_id"],
        attempt_id=new_id(),
        outcome=Outcome.NO_ANSWER,
        ended_at=utc_now(),
    )
    done = await do_shard_work(stack.store, owner, ShardWork(ended=[report]), utc_now())
    assert done.recorded.new == [report.attempt_id]
    [attempt] = (await acme.get(f"{path}/lead-1")).body["attempts"]
    assert (attempt["id"], attempt["outcome"], attempt["phone_number"]) == (report.attempt_id, "no_answer", None)
    assert attempt["conversation_id"] == conversation_id_of(report.attempt_id)


async def test_the_openapi_says_what_may_be_unknown_of_an_attempt(api: Api) -> None:
    document = (await api.call("GET", "/openapi.json")).body
    properties = document["components"]["schemas"]["AttemptView"]["properties"]
    for name in OF_THE_CLAIM:
        assert {"type": "null"} in properties[name]["anyOf"], name


@pytest.mark.parametrize("status", ["pending", "in_progress", "completed"])
async def test_a_contact_is_shown_with_what_is_known_of_it(acme: Customer, stack: Stack, status: str) -> None:
    path = await one_contact(acme)
    contact = await stored_contact(acme, stack)
    essential = {"_id", "organization_id", "shard", "campaign_id", "status", "created_at", "updated_at", "external_id"}
    kept = {name: value for name, value in contact.items() if name in essential} | {"status": status}
    kept["phone_numbers"] = contact["phone_numbers"]
    if status == ContactStatus.IN_PROGRESS:
        kept["lock"] = {"attempt": new_id()}
    await stack.store["contacts"].replace_one({"_id": contact["_id"]}, kept)
    shown = await acme.get(f"{path}/lead-1")
    assert shown.status == 200, shown.raw
    assert (shown.body["status"], shown.body["attempts_made"], shown.body["timezone"]) == (status, 0, None)
    assert [attempt["phone_number"] for attempt in shown.body["attempts"]] == [None] * ("lock" in kept)
    assert (await acme.get(path)).body["contacts"] == [shown.body]


# For each list: its collection, and what each of its documents has had from the beginning.
LISTS = [
    (
        "/campaigns",
        "campaigns",
        "campaigns",
        {"name", "number", "intent", "generation", "run", "started_at", "configuration_id"},
    ),
    ("/configurations", "configurations", "configurations", {"name"}),
    ("/do-not-call", "do_not_call", "do_not_call", {"phone_number"}),
    ("/ingest-batches", "ingest_batches", "ingest_batches", {"batch_id", "campaign_id", "status"}),
]


@pytest.mark.parametrize(("path", "name", "collection", "own"), LISTS)
async def test_a_list_shows_documents_that_lack_fields_as_if_nobody_had_set_them(
    acme: Customer, stack: Stack, path: str, name: str, collection: str, own: set[str]
) -> None:
    await one_contact(acme)
    await acme.post("/do-not-call", {"phone_numbers": ["+14155550123"]})
    await stack.store["ingest_batches"].insert_one(a_batch(acme))
    [document] = await stack.store[collection].find({"organization_id": acme.organization_id}).to_list()
    before = (await acme.get(path)).body[name]
    kept = {"_id", "organization_id", "shard", "created_at", "updated_at", *own}
    shortened = {field: value for field, value in document.items() if field in kept}
    await stack.store[collection].replace_one({"_id": document["_id"]}, shortened)
    answer = await acme.get(path)
    assert answer.status == 200, answer.raw
    assert answer.body[name] == before


async def test_the_operators_lists_show_organizations_and_keys_that_lack_fields(api: Api, stack: Stack) -> None:
    customer = await api.new_customer()
    of_organizations = {
        field: "" for field in ("concurrency_limit", "default_agent_number", "exclusive_caller_numbers")
    }
    await stack.store["organizations"].update_one({"_id": customer.organization_id}, {"$unset": of_organizations})
    of_keys = {"person": "", "expires_at": ""}
    await stack.store["api_keys"].update_many({"organization_ids": customer.organization_id}, {"$unset": of_keys})
    for path in ("/organizations", "/organization-pats"):
        assert (await api.admin("GET", path)).status == 200
    settings = await customer.get("/concurrency-settings")
    assert settings.body == {"concurrency_limit": 10, "active_calls": 0}


OF_THE_CLAIM = ("attempt_number", "phone_number", "caller_number", "conversation_id")


async def one_contact(customer: Customer) -> str:
    """The path of the contacts of a new campaign that has one."""
    # Without windows, so that its next possible call is not the time of each answer.
    configuration_id = await customer.new_configuration()
    campaign = await customer.new_campaign(configuration_id=configuration_id, contacts=[lead(1)])
    return f"/campaigns/{campaign['id']}/contacts"


async def stored_contact(customer: Customer, stack: Stack) -> Document:
    """The customer's only contact."""
    found = await stack.store["contacts"].find_one({"organization_id": customer.organization_id})
    assert found is not None
    return found


def an_attempt(contact: Document, *, hours: float, **fields: Any) -> Document:
    """An attempt as it is stored, so many hours after its contact was made."""
    at: datetime = contact["created_at"] + timedelta(hours=hours)
    return {
        "_id": new_id(),
        "organization_id": contact["organization_id"],
        "campaign_id": contact["campaign_id"],
        "contact_id": contact["_id"],
        "contact_created_at": contact["created_at"],
        "attempt_number": None,
        "phone_number": "+14155550001",
        "caller_number": "+14155550100",
        "agent_id": "a",
        "agent_version": None,
        "outcome": "busy",
        "proven": True,
        "started_at": None,
        "answered_at": None,
        "ended_at": at,
        "duration_seconds": None,
        "conversation_id": new_id(),
        "provider_call_id": "CA1",
        "error": None,
        **fields,
    }


def a_batch(customer: Customer) -> Document:
    """The result of a batch of which nothing is known but that it was done."""
    return {
        "_id": f"{customer.organization_id}:b",
        "organization_id": customer.organization_id,
        "batch_id": "b",
        "campaign_id": "default",
        "status": "done",
        "received": 0,
        "inserted": 0,
        "updated": 0,
        "failed": [],
        "warnings": [],
        "reason": None,
        "created_at": utc_now(),
        "finished_at": None,
    }
