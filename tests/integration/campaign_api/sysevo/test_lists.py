"""Lists from their upload to contacts, and redials of them; contact-ingest's part works in this process."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import md5
from typing import Any

import pytest

from services.campaign_api.sysevo.schemas.campaigns import RedialCampaign
from services.contact_ingest.jobs import Jobs
from shared.clock import utc_now
from shared.domain.campaign_log import LogEvent
from shared.store.catalog.campaign_log import NewEntry, log_document, write_log
from shared.store.catalog.file_contents import GridFSFiles
from tests.eventually import eventually
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.sysevo.client import LIST, Client
from tests.integration.campaign_api.sysevo.test_campaigns import SEED, stand

# A file as a spreadsheet may write it: a nameless column, a short row, one with a cell too many, one without a number.
MESSY = (
    "\ufeffNote; Phone_Number ;;greeting_override_type;Greeting_Override_Text\r\n"
    '"=1+1;""a""";+1 (415) 555-2671;dropped;text;Hello\r\n'
    "\r\n"
    "007;'+14155552672.0\r\n"
    "nobody;;x\r\n"
    "listed;+14155552673;;;;one cell too many\r\n"
)


@pytest.fixture
async def jobs(stack: Stack) -> AsyncIterator[Jobs]:
    working = Jobs(stack.store, stack.producer, GridFSFiles(stack.store), "ingest-1")
    yield working
    await working.stop()


async def done(stack: Stack, jobs: Jobs, campaign: dict[str, Any]) -> None:
    """Do the job of a campaign to its end."""
    job = await stack.store["jobs"].find_one({"campaign_id": campaign["native_id"]})
    assert job is not None
    jobs.begin(job["_id"])

    async def ended() -> bool:
        stored = await stack.store["jobs"].find_one({"_id": job["_id"]})
        return stored is not None and stored["state"] == "done"

    await eventually(ended, timeout=20, saying="the contacts are in")


async def contacts_of(client: Client, campaign: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await client.customer.get(f"/campaigns/{campaign['native_id']}/contacts")
    contacts: list[dict[str, Any]] = answer.body["contacts"]
    return contacts


async def test_rows_become_contacts_as_the_page_says(client: Client, stack: Stack, jobs: Jobs) -> None:
    await client.customer.post("/do-not-call", {"phone_numbers": ["+14155552673"]})
    campaign = await client.new_campaign(MESSY)
    assert campaign["total_rows"] == 3
    await done(stack, jobs, campaign)
    key = f"csv_{md5(campaign['source_id'].encode(), usedforsecurity=False).hexdigest()[:8]}_row_"
    greeting = {"greeting_override": {"type": "text", "text": "Hello"}}
    contacts = await contacts_of(client, campaign)
    assert [(one["external_id"], one["phone_numbers"], one["data"], one["status"]) for one in contacts] == [
        (f"{key}1", ["+14155552671"], {"note": '=1+1;"a"', **greeting}, "pending"),
        (f"{key}3", ["+14155552672"], {"note": "007"}, "pending"),
        (f"{key}5", ["+14155552673"], {"note": "listed"}, "skipped"),
    ]
    assert [one["initial_context"] for one in contacts][1] == {"note": "007", "phone_number": "'+14155552672.0"}
    progress = await client.ok("GET", f"/campaign/{campaign['id']}/progress")
    assert progress["source_sync"]["status"] == "completed"
    assert progress["source_sync"]["last_synced_at"].endswith("Z")
    shown = {name: progress[name] for name in ("total_contacts", "pending", "dialled", "failed", "processed_rows")}
    assert shown == {"total_contacts": 3, "pending": 2, "dialled": 0, "failed": 1, "processed_rows": 1}
    more = {"contacts": [{"external_id": "late", "phone_numbers": ["+14155552674"]}]}
    native = f"/campaigns/{campaign['native_id']}"
    assert (await client.customer.post(f"{native}/contacts", more)).status == 200
    progress = await client.ok("GET", f"/campaign/{campaign['id']}/progress")
    assert (progress["total_contacts"], progress["pending"]) == (4, 3), "those of another API are counted here"
    assert (await client.customer.post(f"{native}/close")).status == 200
    assert (await client.customer.post(f"{native}/contacts", more)).status == 400


async def test_one_upload_may_serve_several_campaigns(client: Client) -> None:
    key = await client.upload()
    made = [await client.new_campaign(contacts_file_key=key) for _ in range(2)]
    assert {one["contacts_file_key"] for one in made} == {key}
    for one in made:
        source = await client.ok("GET", f"/campaign/{one['id']}/source-download-url")
        assert (await client.fetch(source["download_url"])).raw == LIST.encode()


async def test_all_campaigns_are_listed_newest_first_but_those_deleted_elsewhere(client: Client) -> None:
    made = [await client.new_campaign(name=name) for name in ("first", "second", "third")]
    assert (await client.customer.delete(f"/campaigns/{made[1]['native_id']}")).status == 200
    listed = (await client.ok("GET", "/campaign/"))["campaigns"]
    assert [one["name"] for one in listed] == ["third", "first"]
    assert (await client.get(f"/campaign/{made[1]['id']}")).status == 404


async def test_the_newest_200_entries_of_its_events_are_shown(client: Client, stack: Stack) -> None:
    campaign = await client.new_campaign()
    await client.ok("POST", f"/campaign/{campaign['id']}/start")

    async def add(event: LogEvent, many: int) -> None:
        entry, organization = NewEntry(event), client.customer.organization_id
        documents = [log_document(campaign["native_id"], organization, entry, utc_now()) for _ in range(many)]
        await stack.store.in_transaction(lambda session: write_log(stack.store, session, documents))

    async def events() -> list[str]:
        return [entry["event"] for entry in (await client.ok("GET", f"/campaign/{campaign['id']}"))["logs"]]

    await add(LogEvent.RESTING, 250)
    assert await events() == ["campaign_started"], "what it has no word for does not push it out"
    await add(LogEvent.PAUSED, 201)
    assert await events() == ["campaign_paused"] * 200


async def called(stack: Stack, contact_id: str, *outcomes: str) -> None:
    """Attempts of a contact that has ended with the last of these outcomes."""
    contact = await stack.store["contacts"].find_one({"_id": contact_id})
    assert contact is not None
    for number, outcome in enumerate(outcomes, start=1):
        attempt = {"_id": f"{contact_id}/{number}", "contact_id": contact_id, "outcome": outcome}
        of_contact = {name: contact[name] for name in ("organization_id", "campaign_id")}
        at = {"contact_created_at": contact["created_at"], "ended_at": utc_now()}
        await stack.store["attempts"].insert_one(attempt | of_contact | at)
    ended = {"status": "exhausted", "ended_because": outcomes[-1], "last_attempt": f"{contact_id}/{len(outcomes)}"}
    await stack.store["contacts"].update_one({"_id": contact_id}, {"$set": ended})


INHERITED = (
    "workflow_id",
    "max_concurrency",
    "calling_hours",
    "circuit_breaker",
    "rate_limit_per_second",
    "telephony_configuration_id",
    "contacts_file_key",
    "retry_config",
)


async def test_a_completed_campaign_is_redialled_once_and_its_child_too(
    client: Client, stack: Stack, jobs: Jobs
) -> None:
    config = await client.ok("POST", "/organizations/telephony-configs", {"name": "Main", "provider": "dialstream"})
    breaker = {"enabled": False, "min_calls_in_window": 9}
    more = {"telephony_configuration_id": config["id"], "circuit_breaker": breaker, "rate_limit_per_second": 3}
    parent = await client.new_campaign(**SEED | more | {"name": "a" * 255})
    path = f"/campaign/{parent['id']}/redial"
    await done(stack, jobs, parent)
    first, second = await contacts_of(client, parent)
    await called(stack, first["id"], "no_answer", "busy")
    await called(stack, second["id"], "answered", "busy")
    too_early = await client.post(path, {})
    assert (too_early.status, "created" in too_early.body["detail"]) == (400, True)
    await stand(stack, parent, "completed")
    assert (await client.post(path, {"redial_statuses": ["no-answer"]})).status == 400, "the latest attempt decides"
    example = RedialCampaign.model_json_schema()["examples"][0]
    asked = await asyncio.gather(client.post(path), client.post(path, example))
    child, refused = (answer.body for answer in sorted(asked, key=lambda answer: answer.status))
    assert (sorted(answer.status for answer in asked), list(refused)) == ([200, 400], ["detail"])
    assert (child["status"], child["name"]) == ("draft", ("a" * 255 + " (Redial)")[:255])
    assert {name: child[name] for name in INHERITED} == {name: parent[name] for name in INHERITED}
    again = await client.ok("GET", f"/campaign/{parent['id']}")
    assert (child["parent_campaign_id"], again["redialed_campaign_id"]) == (parent["id"], child["id"])
    assert again["logs"][-1]["event"] == "campaign_redialed"
    assert (await client.post(path)).body == {"detail": "Campaign has been redialled already."}
    await done(stack, jobs, child)
    [copied] = await contacts_of(client, child)
    for name in ("external_id", "phone_numbers", "data", "initial_context"):
        assert copied[name] == first[name], name
    source = await client.ok("GET", f"/campaign/{child['id']}/source-download-url")
    assert (await client.fetch(source["download_url"])).raw == LIST.encode()
    await called(stack, copied["id"], "voicemail")
    await stand(stack, child, "completed")
    retries = {"enabled": False, "max_retries": 7, "retry_on_busy": False}
    grandchild = await client.ok(
        "POST", f"/campaign/{child['id']}/redial", {"name": "Third", "retry_config": retries, "retry_on_busy": False}
    )
    assert (grandchild["name"], grandchild["parent_campaign_id"]) == ("Third", child["id"])
    assert grandchild["retry_config"] == {**SEED["retry_config"], **retries}
    assert grandchild["circuit_breaker"] == parent["circuit_breaker"]


async def test_files_of_others_and_those_that_are_not_there_are_not_signed(client: Client, stranger: Client) -> None:
    key = await client.upload()
    assert (await stranger.get(f"/s3/signed-url?key={key}")).status == 403
    signed = await client.ok("GET", f"/s3/signed-url?key={key}")
    assert signed["expires_in"] == 3600
    assert (await client.fetch(signed["url"])).headers["Content-Disposition"].startswith("attachment")
    for seconds in (0, 604_801):
        assert (await client.get(f"/s3/signed-url?key={key}&expires_in={seconds}")).status == 422
    nobodys = f"http://any/files/transcripts/{client.customer.organization_id}/nobody.txt?expires=1"
    assert (await client.get(f"/s3/signed-url?key={nobodys}")).status == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        *(
            ({"file_name": "a.csv", "content_type": kind}, 200)
            for kind in ("text/csv", "application/csv", "application/vnd.ms-excel", "text/plain", None)
        ),
        ({"file_name": "a.csv", "file_size": 10_485_760, "purpose": None}, 200),
        ({"file_name": "a.csv", "file_size": 0}, 422),
        ({"file_name": ".csv"}, 200),
        ({"file_name": ""}, 422),
    ],
)
async def test_what_may_be_uploaded(client: Client, body: dict[str, Any], status: int) -> None:
    assert (await client.post("/s3/presigned-upload-url", body)).status == status
