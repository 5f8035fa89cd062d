"""A client of SysEvo's first day: from an empty organization to the report, by its own requests; and the other APIs."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from yarl import URL

from deploy.local.servers import Addresses
from tests.e2e.system import System, SystemCustomer, system_on
from tests.eventually import eventually

# Some answer, and the phones of the others ring out.
SOME_ANSWER = {"DIALSTREAM_SIMULATOR_ANSWER_RATE": "0.5"} | {
    f"DIALSTREAM_SIMULATOR_{ending}_RATE": "0" for ending in ("VOICEMAIL", "BUSY", "DECLINED", "INVALID", "FAILED")
}
PEOPLE = 24
LIST = "phone_number,name,company\r\n" + "".join(f"+1415555{2000 + n},Person {n},Acme Corp\r\n" for n in range(PEOPLE))
NUMBERS = [f"+1415555010{n}" for n in range(6)]


@pytest.fixture(scope="module")
async def system(servers: Addresses, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with system_on(servers, tmp_path_factory.mktemp("logs"), settings=SOME_ANSWER) as system:
        await system.start()
        yield system


class Client:
    """A client with base URL and key, and nothing else of ours."""

    def __init__(self, system: System, customer: SystemCustomer) -> None:
        self.base, self.session = f"{system.lineup.api.url}/sysevo/api/v1", system.session
        self.headers = {"X-API-Key": customer.who.key}

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self.base}{path}"
        async with self.session.request(method, url, json=body, headers=self.headers) as answer:
            assert answer.status == 200, (path, await answer.text())
            return await answer.json()

    async def text(self, path: str) -> str:
        async with self.session.get(f"{self.base}{path}", headers=self.headers) as answer:
            assert answer.status == 200
            return (await answer.read()).decode()


async def until(client: Client, campaign: int, status: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        progress: dict[str, Any] = await client.ask("GET", f"/campaign/{campaign}/progress")
        assert progress["pending"] + progress["dialled"] <= progress["total_contacts"]
        assert progress["completed"] <= progress["answered"] <= progress["dialled"]
        return progress if progress["status"] == status else None

    found: dict[str, Any] | None = await eventually(look, timeout=90, saying=f"campaign {campaign} is {status}")
    assert found is not None
    return found


async def test_the_first_day_of_a_customer(system: System) -> None:
    customer = await system.new_customer()
    client = Client(system, customer)
    config = await client.ask("POST", "/organizations/telephony-configs", {"name": "Main", "provider": "dialstream"})
    for number in NUMBERS:
        await client.ask("POST", f"/organizations/telephony-configs/{config['id']}/phone-numbers", {"address": number})
    definition = {"nodes": [{"prompt": "Hello {{name}} of {{company}}"}]}
    workflow = await client.ask(
        "POST", "/workflow/create/definition", {"name": "Outreach", "workflow_definition": definition}
    )
    upload = await client.ask(
        "POST",
        "/s3/presigned-upload-url",
        {"filename": "contacts.csv", "content_type": "text/csv", "purpose": "campaign"},
    )
    async with system.session.put(URL(upload["upload_url"], encoded=True), data=LIST.encode()) as stored:
        assert (stored.status, await stored.read()) == (200, b"")
    made = await client.ask(
        "POST",
        "/campaign/create",
        {
            "name": "June Lead Outreach",
            "workflow_id": workflow["id"],
            "contacts_file_key": upload["file_key"],
            "max_concurrency": 10,
            "retry_config": {"enabled": False},
            "telephony_configuration_id": None,
        },
    )
    assert (made["status"], made["total_rows"], made["effective_max_concurrency"]) == ("draft", PEOPLE, len(NUMBERS))
    assert made["telephony_configuration_id"] == config["id"]
    campaign, native = made["id"], f"/campaign/campaigns/{made['native_id']}"
    shown = await customer.api.get(native)
    assert (shown["status"], shown["state"], shown["agent_id"]) == ("paused", "draft", workflow["workflow_uuid"])

    started = await client.ask("POST", f"/campaign/{campaign}/start")
    assert started["state"] in {"syncing", "running"}
    progress = await until(client, campaign, "completed")
    assert progress["completed"] + progress["failed"] == progress["total_contacts"] == PEOPLE
    assert (progress["pending"], progress["in_progress"], progress["dialled"]) == (0, 0, PEOPLE)
    assert (progress["progress_percentage"], progress["source_sync"]["status"]) == (100, "completed")
    assert started["started_at"] == progress["started_at"] < progress["completed_at"]
    assert progress["failed_calls"] == progress["failed"] > 0
    assert progress["answered"] == progress["completed"] > 0

    listed = await client.ask("GET", f"/campaign/{campaign}/runs?limit=200")
    assert (listed["total_count"], listed["total_pages"], len(listed["runs"])) == (PEOPLE, 1, PEOPLE)
    assert {run["caller_number"] for run in listed["runs"]} <= set(NUMBERS)
    run = next(run for run in listed["runs"] if run["outcome"] == "answered")
    assert (run["workflow_id"], run["status"], run["is_completed"]) == (workflow["id"], "completed", True)
    assert run["initial_context"]["company"] == "Acme Corp"
    assert run["initial_context"]["phone_number"] == run["phone_number"]
    assert run["initial_context"]["source_uuid"].startswith("csv_")

    said = [{"speaker": "agent", "text": "Hello"}, {"speaker": "person", "text": "Yes"}]
    report = {"disposition": "interested", "summary": "=Wants it", "extracted": {"budget": 5}, "tags": ["vip"]}
    await customer.api.post(f"/campaign/attempts/{run['native_id']}/result", {**report, "transcript": said})
    after = await client.ask("GET", f"/workflow/{workflow['id']}/runs/{run['id']}")
    assert after["gathered_context"]["mapped_call_disposition"] == "interested"
    assert after["tags"] == ["vip"]
    filters = '[{"attribute":"dispositionCode","value":{"codes":["interested"]}}]'
    page = await client.ask("GET", f"/campaign/{campaign}/runs?filters={filters}")
    assert [one["id"] for one in page["runs"]] == [run["id"]]

    rows = list(csv.DictReader(io.StringIO(await client.text(f"/campaign/{campaign}/report"))))
    assert len(rows) == PEOPLE
    mine = next(row for row in rows if row["Run ID"] == str(run["id"]))
    assert (mine["Call Disposition"], mine["Phone Number"]) == ("interested", run["phone_number"])

    child = await client.ask("POST", f"/campaign/{campaign}/redial", {"redial_statuses": ["no_answer"]})
    assert (child["status"], child["parent_campaign_id"]) == ("draft", campaign)
    assert child["name"] == "June Lead Outreach (Redial)"
    assert (await client.ask("GET", f"/campaign/{campaign}"))["redialed_campaign_id"] == child["id"]
    await client.ask("POST", f"/campaign/{child['id']}/start")
    again = await until(client, child["id"], "completed")
    assert again["total_contacts"] == progress["failed"]
    events = [entry["event"] for entry in (await client.ask("GET", f"/campaign/{campaign}"))["logs"]]
    assert events[:2] == ["campaign_started", "campaign_completed"]
    assert (await customer.api.get(native))["status"] == "closed"
    workflows = await client.ask("GET", "/workflow/fetch")
    assert [(one["id"], one["total_runs"]) for one in workflows] == [(workflow["id"], PEOPLE + again["total_contacts"])]
    system.check()
