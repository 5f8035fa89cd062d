"""Imports over HTTP, from the request to the contacts, and redials; contact-ingest's part works in this process."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from services.contact_ingest.jobs import Jobs
from shared.clock import utc_now
from shared.domain.csv_check import Breach, Checked, Refusal
from shared.domain.ids import contact_id_of_person
from shared.engine.imports import check_csv
from shared.store.catalog.file_contents import GridFSFiles
from tests.eventually import eventually
from tests.integration.campaign_api.client import Answer, Customer
from tests.integration.campaign_api.conftest import Stack

CSV = {"Content-Type": "text/csv"}


@pytest.fixture
async def jobs(stack: Stack) -> AsyncIterator[Jobs]:
    working = Jobs(stack.store, stack.producer, GridFSFiles(stack.store), "ingest-1")
    yield working
    await working.stop()


async def _send(customer: Customer, campaign_id: str, data: bytes, mapping: Mapping[str, str] | None = None) -> Answer:
    query = "" if mapping is None else f"&mapping={quote(json.dumps(mapping))}"
    path = f"/campaigns/{campaign_id}/imports?file_name=people.csv{query}"
    return await customer.call("POST", path, raw=data, headers=CSV)


async def _ended(customer: Customer, import_id: str) -> Any:
    async def look() -> Any:
        body = (await customer.get(f"/imports/{import_id}")).body
        return None if body["status"] == "running" else body

    return await eventually(look, timeout=20, saying="the import has ended")


async def test_a_list_is_imported_and_its_bad_rows_are_told(acme: Customer, jobs: Jobs) -> None:
    campaign = await acme.new_campaign()
    text = "Handset;Name\n+14155550101;Ann\n=1+1;Bob\n"
    begun = await _send(acme, campaign["id"], text.encode("utf-16"), {"Handset": "phone_numbers"})
    assert (begun.status, begun.body["status"], begun.body["file_name"]) == (202, "running", "people.csv")
    assert (await acme.get(f"/campaigns/{campaign['id']}")).body["state"] == "syncing"
    jobs.begin(begun.body["id"])
    done = await _ended(acme, begun.body["id"])
    assert done["columns"] == [{"name": "Handset", "field": "phone_numbers"}, {"name": "Name", "field": "data"}]
    counts = {name: done[name] for name in ("total_rows", "rows", "inserted", "updated", "refused", "passed_over")}
    assert counts == {"total_rows": 2, "rows": 2, "inserted": 1, "updated": 0, "refused": 1, "passed_over": 0}
    [refused] = done["refused_rows"]
    assert (refused["row"], refused["field"]) == (3, "phone_numbers[0]")
    download = await acme.get(f"/imports/{done['id']}/refused")
    assert download.raw.decode().splitlines()[0] == "row,field,reason"
    assert download.raw.decode().splitlines()[1].startswith("3,phone_numbers[0],")
    [contact] = (await acme.get(f"/campaigns/{campaign['id']}/contacts")).body["contacts"]
    assert (contact["phone_numbers"], contact["data"]) == (["+14155550101"], {"Name": "Ann"})
    [listed] = (await acme.get(f"/campaigns/{campaign['id']}/imports")).body["imports"]
    assert listed == {name: value for name, value in done.items() if name != "refused_rows"}
    assert (await acme.get(f"/campaigns/{campaign['id']}")).body["state"] == "running"


async def test_a_failed_import_says_why_and_where(acme: Customer, jobs: Jobs) -> None:
    campaign = await acme.new_campaign()
    begun = await _send(acme, campaign["id"], b'phone,name\n+14155550101,"Ann\n')
    jobs.begin(begun.body["id"])
    failure = (await _ended(acme, begun.body["id"]))["failure"]
    assert failure == {
        "code": "unclosed_quote",
        "message": "Row 2: A quotation mark opens a cell and nothing closes it.",
        "row": 2,
        "column": None,
    }


async def test_an_import_is_cancelled_once_and_one_that_has_ended_is_not(
    acme: Customer, other: Customer, jobs: Jobs
) -> None:
    campaign = await acme.new_campaign()
    begun = (await _send(acme, campaign["id"], b"phone\n+14155550101\n")).body
    here = f"/imports/{begun['id']}/cancel"
    assert (await other.post(here)).status == 404
    cancelled = await acme.post(here)
    assert (cancelled.status, cancelled.body["status"], cancelled.body["rows"]) == (200, "cancelled", 0)
    assert cancelled.body["failure"]["code"] == "cancelled"
    assert cancelled.body["finished_at"] is not None
    assert (await acme.post(here)).body == cancelled.body
    jobs.begin(begun["id"])
    assert (await acme.get(f"/campaigns/{campaign['id']}")).body["state"] == "running"
    done = (await _send(acme, campaign["id"], b"phone\n+14155550101\n")).body
    jobs.begin(done["id"])
    await _ended(acme, done["id"])
    refused = await acme.post(f"/imports/{done['id']}/cancel")
    assert (refused.status, refused.body["detail"].endswith("has ended already; its rows stay as they are.")) == (
        409,
        True,
    )
    assert (await acme.get(f"/imports/{begun['id']}")).body["status"] == "cancelled"
    log = (await acme.get(f"/campaigns/{campaign['id']}/log")).body["entries"]
    [entry] = [entry for entry in log if entry["event"] == "import_cancelled"]
    assert (entry["by"]["kind"], entry["details"]["import_id"]) == ("key", begun["id"])


@pytest.mark.parametrize(
    ("headers", "raw", "path", "status"),
    [
        ({"Content-Type": "image/png"}, b"x", "", 415),
        ({"Content-Type": "text/csv", "Content-Encoding": "gzip"}, b"x", "", 415),
        ({"Content-Type": "text/csv"}, b"phone\n", "?mapping={", 422),
        ({"Content-Type": "text/csv"}, b"phone\n", "?mapping=%7B%22a%22%3A%22b%22%7D", 422),
        ({"Content-Type": "text/csv"}, b"phone\n", "?file_name=%00", 422),
        ({"Content-Type": "application/json"}, b"{}", "", 422),
        ({"Content-Type": "application/json"}, b'{"file_id": "none"}', "", 404),
    ],
)
async def test_a_bad_request_begins_nothing(
    acme: Customer, headers: dict[str, str], raw: bytes, path: str, status: int
) -> None:
    campaign = await acme.new_campaign()
    answer = await acme.call("POST", f"/campaigns/{campaign['id']}/imports{path}", raw=raw, headers=headers)
    assert answer.status == status, answer.raw
    assert (await acme.get("/imports")).body["imports"] == []


async def test_a_closed_campaign_takes_no_import(acme: Customer) -> None:
    campaign = await acme.new_campaign()
    await acme.post(f"/campaigns/{campaign['id']}/close")
    assert (await _send(acme, campaign["id"], b"phone\n+14155550101\n")).status == 400


async def test_rows_are_people_where_that_is_asked(acme: Customer, jobs: Jobs) -> None:
    campaign = await acme.new_campaign()
    path = f"/campaigns/{campaign['id']}/imports?people=true&mapping="
    mapping = quote(json.dumps({"Rufname": "first_name"}))
    text = b"Handy,Rufname,Plan\n+14155550301,Ann,pro\n+14155550301,Anna,\n"
    begun = await acme.call("POST", path + mapping, raw=text, headers=CSV)
    assert (begun.status, begun.body["people"]) == (202, True)
    jobs.begin(begun.body["id"])
    done = await _ended(acme, begun.body["id"])
    assert (done["inserted"], done["duplicates"], done["rows"]) == (1, 1, 2)
    [person] = (await acme.get("/people")).body["people"]
    assert (person["first_name"], person["phone"], person["custom_fields"]) == ("Anna", "+14155550301", {"Plan": "pro"})
    [contact] = (await acme.get(f"/campaigns/{campaign['id']}/contacts")).body["contacts"]
    assert contact["person_id"] == person["id"]
    of_contacts = quote(json.dumps({"Rufname": "external_id"}))
    assert (await acme.call("POST", path + of_contacts, raw=text, headers=CSV)).status == 422
    body = {"file_id": "none", "mapping": {"Rufname": "first_name"}}
    assert (await acme.post(f"/campaigns/{campaign['id']}/imports", body)).status == 422


async def _attempt(stack: Stack, contact_id: str, outcome: str, number: int) -> None:
    """Record an attempt as a call's end leaves it."""
    contact = await stack.store["contacts"].find_one({"_id": contact_id})
    assert contact is not None
    attempt = f"{contact_id}/{number}"
    fields = ("organization_id", "campaign_id")
    await stack.store["attempts"].insert_one(
        {"_id": attempt, "contact_id": contact_id, "contact_created_at": contact["created_at"], "outcome": outcome}
        | {name: contact[name] for name in fields}
        | {"ended_at": utc_now()}
    )
    ended = {"status": "exhausted", "ended_because": outcome, "last_attempt": attempt, "attempts_made": number}
    await stack.store["contacts"].update_one({"_id": contact_id}, {"$set": ended})


async def test_a_redial_calls_those_again_who_were_not_reached_once(acme: Customer, stack: Stack, jobs: Jobs) -> None:
    campaign = await acme.new_campaign(priority=7)
    stories: dict[str, tuple[str, list[str]]] = {
        "busy": ("+14155550201", ["no_answer", "busy"]),
        "failed": ("+14155550202", ["busy", "failed"]),
        "reached-before": ("+14155550203", ["answered", "busy"]),
        "same-number": ("+14155550201", ["busy"]),
        "listed": ("+14155550204", ["busy"]),
        "never-called": ("+14155550205", []),
        "opted-out": ("+14155550206", ["busy"]),
    }
    rows = [
        {"external_id": name, "phone_numbers": [number], "data": {"name": name}}
        for name, (number, _) in stories.items()
    ]
    added = await acme.post(f"/campaigns/{campaign['id']}/contacts", {"contacts": rows})
    for contact_id, (_, outcomes) in zip(added.body["contact_ids"], stories.values(), strict=True):
        for number, outcome in enumerate(outcomes, start=1):
            await _attempt(stack, contact_id, outcome, number)
    person = (await acme.post("/people", {"first_name": "Ida", "phone": "+14155550207", "external_id": "ida"})).body
    enrolled = await acme.post(f"/campaigns/{campaign['id']}/people", {"people": ["ida"]})
    assert enrolled.status == 200, enrolled.raw
    [ida] = await stack.store["contacts"].find({"person_id": person["id"]}).to_list()
    await _attempt(stack, ida["_id"], "busy", 1)
    await acme.post("/do-not-call", {"phone_numbers": ["+14155550204"]})
    await stack.store["contacts"].update_one({"external_id": "opted-out"}, {"$set": {"opted_out": True}})
    path = f"/campaigns/{campaign['id']}/redial"
    assert (await acme.post(path)).status == 400  # it is active
    await acme.post(f"/campaigns/{campaign['id']}/close")
    assert (await acme.post(path, {"outcomes": ["voicemail"]})).status == 409
    child = await acme.post(path, {"outcomes": ["busy", "no_answer"]})
    assert child.status == 200, child.raw
    shown = {name: child.body[name] for name in ("name", "state", "priority", "redial_of", "configuration_id")}
    assert shown == {
        "name": "Spring (Redial)",
        "state": "draft",
        "priority": 7,
        "redial_of": campaign["id"],
        "configuration_id": campaign["configuration_id"],
    }
    again = await acme.post(path)
    assert (again.status, child.body["id"] in again.body["detail"]) == (409, True)
    assert (await acme.get(f"/campaigns/{campaign['id']}")).body["redialed_as"] == child.body["id"]
    job = await stack.store["jobs"].find_one({"campaign_id": child.body["id"]})
    assert job is not None
    jobs.begin(job["_id"])

    async def copied() -> Any:
        stored = await stack.store["jobs"].find_one({"_id": job["_id"]})
        return stored is not None and stored["state"] == "done"

    await eventually(copied, timeout=20, saying="the contacts are copied")
    contacts = (await acme.get(f"/campaigns/{child.body['id']}/contacts")).body["contacts"]
    assert [(one["external_id"], one["data"], one["attempts"]) for one in contacts if one["person_id"] is None] == [
        ("busy", {"name": "busy"}, [])
    ]
    [second] = [one for one in contacts if one["person_id"] is not None]
    assert (second["person_id"], second["id"]) == (person["id"], contact_id_of_person(child.body["id"], person["id"]))
    await acme.patch(f"/people/{person['id']}", {"phone": "+14155550208"})
    followed = (await acme.get(f"/campaigns/{child.body['id']}/contacts/{second['id']}")).body
    assert followed["phone_numbers"] == ["+14155550208"], "who is called again follows the person"
    log = (await acme.get(f"/campaigns/{campaign['id']}/log")).body["entries"]
    assert (log[0]["event"], log[0]["details"]) == ("redialed", {"campaign_id": child.body["id"]})
    assert (await acme.get("/imports")).body["imports"] == []


async def test_a_list_is_checked_in_a_process_of_its_own() -> None:
    assert isinstance(await check_csv(b"phone_number,name\n+491701234500,Ann\n", ["name"]), Checked)
    assert await check_csv(b"phone\n1\n") == Refusal(Breach.NO_PHONE_COLUMN)
