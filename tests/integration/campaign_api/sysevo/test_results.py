"""Progress, runs, report, defaults, files and companions of this API, on campaigns with calls in their past."""

import csv
import io
import uuid
from collections import Counter
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from shared.clock import utc_now
from shared.domain.call_numbers import microseconds
from tests.integration.campaign_api.client import Api
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.sysevo.client import LIST, Client

# When the first call of a test began; its number is made of that.
BEGUN = utc_now().replace(microsecond=0) - timedelta(hours=1)
FIRST = microseconds(BEGUN)
MINUTE = 60_000_000
OUTCOMES = ("answered", "busy", "no_answer", "voicemail", "failed")


async def called(client: Client, stack: Stack, *outcomes: str, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    """A campaign with a call of each of these outcomes, oldest first; the ids of the attempts."""
    campaign = await client.new_campaign(**fields)
    workflow = await client.ok("GET", f"/workflow/fetch/{campaign['workflow_id']}")
    attempts = []
    for n, outcome in enumerate(outcomes):
        at = BEGUN + timedelta(minutes=n)
        attempts.append(
            {
                "_id": str(uuid.uuid4()),
                "organization_id": client.customer.organization_id,
                "campaign_id": campaign["native_id"],
                "contact_id": f"contact-{n}",
                "outcome": outcome,
                "created_at": at,
                "started_at": at,
                "ended_at": at + timedelta(seconds=30),
                "duration_seconds": 10.0 + n if outcome == "answered" else None,
                "phone_number": f"+1415555{3000 + n}",
                "caller_number": "+14155550100",
                "agent_id": workflow["workflow_uuid"],
                "attempt_number": 1,
                "call_number": FIRST + n * MINUTE,
            }
        )
    await stack.store["attempts"].insert_many(attempts)
    counted = {"attempts": len(outcomes), "outcomes": dict(Counter(outcomes))}
    await stack.store["counters"].update_one({"_id": campaign["native_id"]}, {"$set": counted}, upsert=True)
    return campaign, [attempt["_id"] for attempt in attempts]


async def runs(client: Client, campaign: dict[str, Any], query: str = "") -> list[int]:
    page = await client.ok("GET", f"/campaign/{campaign['id']}/runs{query}")
    assert page["total_count"] >= len(page["runs"])
    return [(run["id"] - FIRST) // MINUTE for run in page["runs"]]


async def test_runs_page_by_page_in_every_order(client: Client, stack: Stack) -> None:
    campaign, _ = await called(client, stack, "answered", "busy", "answered")
    assert await runs(client, campaign) == [2, 1, 0]
    assert await runs(client, campaign, "?sort_order=asc&sort_by=mood") == [0, 1, 2]
    assert await runs(client, campaign, "?sort_by=duration") == [2, 0, 1]
    assert await runs(client, campaign, "?sort_by=duration&sort_order=asc") == [1, 0, 2], "nobody took it: 0 s"
    page = await client.ok("GET", f"/campaign/{campaign['id']}/runs?page=2&limit=2&whatever=1")
    assert ([run["id"] for run in page["runs"]], page["total_count"], page["total_pages"]) == ([FIRST], 3, 2)
    assert (page["page"], page["limit"]) == (2, 2)
    assert await runs(client, campaign, "?page=99") == []
    for bad in ("page=0", "limit=0", "limit=201", "sort_order=up"):
        answer = await client.get(f"/campaign/{campaign['id']}/runs?{bad}")
        assert (answer.status, answer.body["detail"][0]["loc"]) == (422, ["query", bad.partition("=")[0]])


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("[]", [0, 1, 2, 3, 4]),
        ('{"status":"completed"}', [0, 3]),
        ('{"status":"failed"}', [1, 2, 4]),
        ('{"status":["completed","failed"],"phone_number":"+14155553001"}', [1]),
        ('{"status":["in_progress","completed"]}', [0, 3]),
        ('{"outcome":["busy","no-answer"]}', [1, 2]),
        ('{"min_duration":5}', [0]),
        ('[{"attribute":"dispositionCode","value":{"codes":["voicemail_detected","busy"]}}]', [1, 3]),
        ('[{"attribute":"status","value":{"status":"in_progress"}}]', []),
        ('[{"attribute":"tokenUsage","value":{"min":1}}]', []),
        ('[{"attribute":"dateRange","value":{"from":"2020-01-01","to":"2021-01-01"}}]', []),
    ],
)
async def test_runs_by_filters(client: Client, stack: Stack, filters: str, found: list[int]) -> None:
    campaign, _ = await called(client, stack, *OUTCOMES)
    listed = await runs(client, campaign, f"?sort_order=asc&filters={quote(filters)}")
    assert listed == found


async def test_filters_that_are_none_are_refused(client: Client, stack: Stack) -> None:
    campaign, _ = await called(client, stack, "busy")
    for filters, status in (("{", 400), ("5", 400), ('{"mood":1}', 403), ('[{"attribute":"mood","value":1}]', 403)):
        answer = await client.get(f"/campaign/{campaign['id']}/runs?filters={quote(filters)}")
        assert (answer.status, list(answer.body)) == (status, ["detail"])


async def test_what_an_agent_has_posted_stands_in_runs_and_report(
    client: Client, stack: Stack, every_api: Api, stranger: Client
) -> None:
    campaign, [first, second] = await called(client, stack, "answered", "busy")
    said = {
        "disposition": "interested",
        "summary": "=Wants it",
        "extracted": {"budget": 5, "mood": "@good"},
        "tags": ["vip"],
        "recording_url": "https://example.com/a.mp3",
        "transcript": [{"speaker": "agent", "text": "Hello"}, {"speaker": "person", "text": "Yes"}],
    }
    posted = await client.customer.post(f"/attempts/{first}/result", said)
    assert posted.status == 200, posted.raw
    page = await client.ok("GET", f"/campaign/{campaign['id']}/runs?sort_order=asc")
    run, other = page["runs"]
    assert (run["native_id"], run["summary"], run["transcript"]) == (first, "=Wants it", "agent: Hello\nperson: Yes")
    assert run["extracted_data"] == run["gathered_context"]["extracted_variables"] == said["extracted"]
    assert (run["tags"], run["recording_url"], run["duration_seconds"]) == (["vip"], said["recording_url"], 10)
    assert run["gathered_context"]["mapped_call_disposition"] == "interested"
    assert run["name"] == f"WR-CAMPAIGN-{campaign['id']}-{run['id']}"
    assert (other["native_id"], other["transcript"], other["transcript_url"], other["tags"]) == (second, None, None, [])
    assert other["gathered_context"]["call_tags"] == ["not_connected", "telephony_busy"]

    got = await client.fetch(run["transcript_url"])
    assert (got.status, got.raw, got.headers["Access-Control-Allow-Origin"]) == (200, b"agent: Hello\nperson: Yes", "*")
    assert (await client.fetch(run["transcript_url"].replace("expires=1", "expires=2"))).status == 403
    signed = await client.ok("GET", f"/s3/signed-url?expires_in=60&key={quote(run['transcript_url'], safe='')}")
    assert (await client.fetch(signed["url"])).raw == got.raw
    recording = await client.ok("GET", f"/s3/signed-url?key={quote(run['recording_url'], safe='')}")
    assert recording["url"] == said["recording_url"]
    assert (await stranger.get(f"/s3/signed-url?key={quote(run['transcript_url'], safe='')}")).status == 403

    report = await client.get(f"/campaign/{campaign['id']}/report")
    assert report.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert report.headers["Content-Disposition"] == f'attachment; filename="campaign_{campaign["id"]}_report.csv"'
    rows = list(csv.DictReader(io.StringIO(report.raw.decode())))
    assert [row["Run ID"] for row in rows] == [str(FIRST + MINUTE), str(FIRST)]
    assert (rows[1]["budget"], rows[1]["mood"], rows[1]["Transcript Summary"]) == ("5", "'@good", "'=Wants it")
    assert (rows[1]["Phone Number"], rows[1]["Call Disposition"]) == ("+14155553000", "interested")
    assert (await client.fetch(rows[1]["Transcript URL"])).raw == got.raw

    plain = Client(await every_api.customer_of(client.customer.organization_id, ["campaigns:read"]))
    hidden = (await plain.ok("GET", f"/campaign/{campaign['id']}/runs?sort_order=asc"))["runs"][0]
    assert [hidden[name] for name in ("summary", "transcript", "transcript_url", "recording_url")] == [None] * 4
    assert (hidden["extracted_data"], hidden["tags"]) == ({}, ["vip"])
    assert b"Wants it" not in (await plain.get(f"/campaign/{campaign['id']}/report")).raw


async def test_the_report_between_two_dates_inclusive(client: Client, stack: Stack) -> None:
    campaign, _ = await called(client, stack, "busy", "busy", "busy")
    listed = (await client.ok("GET", f"/campaign/{campaign['id']}/runs?sort_order=asc"))["runs"]
    path, at = f"/campaign/{campaign['id']}/report", listed[1]["created_at"]
    between = (await client.get(f"{path}?start_date={at}&end_date={at}")).raw.decode().splitlines()
    assert [line.partition(",")[0] for line in between[1:]] == [str(FIRST + MINUTE)]
    [header] = (await client.get(f"{path}?end_date=2020-01-01")).raw.decode().splitlines()
    assert header.startswith("Run ID,Campaign ID,Agent ID,Agent Definition ID,Created At,Phone Number,Call Disposition")
    assert (await client.get(f"{path}?start_date=yesterday")).body["detail"][0]["loc"] == ["query", "start_date"]


async def test_one_run_of_a_workflow(client: Client, stack: Stack, stranger: Client) -> None:
    campaign, _ = await called(client, stack, "busy")
    another = await client.new_workflow(name="Another")
    path = f"/workflow/{campaign['workflow_id']}/runs/{FIRST}"
    assert (await client.ok("GET", path))["campaign_id"] == campaign["id"]
    assert (await client.get(f"/workflow/{another}/runs/{FIRST}")).body == {"detail": "Workflow run not found"}
    await stranger.new_workflow()
    assert (await stranger.get(path)).status == 404


async def test_progress_of_a_draft_and_of_a_failed_import(client: Client, stack: Stack) -> None:
    campaign = await client.new_campaign()
    path = f"/campaign/{campaign['id']}/progress"
    progress = await client.ok("GET", path)
    assert progress["source_sync"] == {"status": "pending", "last_synced_at": None, "error": None}
    assert (progress["total_contacts"], progress["pending"], progress["dialled"]) == (2, 2, 0)
    assert (progress["status"], progress["state"], progress["campaign_id"]) == ("draft", "created", campaign["id"])
    assert (progress["progress_percentage"], progress["rate_limit"]) == (0, 0)
    failed = {"state": "failed", "failed": {"reason": "nul", "row": 3, "name": None}, "finished_at": utc_now()}
    await stack.store["jobs"].update_one({"campaign_id": campaign["native_id"]}, {"$set": failed})
    sync = (await client.ok("GET", path))["source_sync"]
    assert (sync["status"], sync["error"]) == ("failed", "nul (row 3)")


async def test_a_campaign_of_the_native_api_as_it_is_shown_here(client: Client) -> None:
    windows = [{"days": ["fri"], "start": "22:00", "end": "02:00"}]
    configuration = await client.customer.new_configuration(default_windows=windows, default_timezone="UTC")
    native = await client.customer.new_campaign(configuration_id=configuration, agent_id="nobody-registered")
    [shown] = (await client.ok("GET", "/campaign/"))["campaigns"]
    assert (shown["native_id"], shown["status"], shown["source_type"], shown["source_id"]) == (
        native["id"],
        "running",
        "api",
        "",
    )
    assert (shown["workflow_id"], shown["workflow_name"], shown["contacts_file_key"]) == (0, "Unknown", None)
    assert [slot["day"] for slot in shown["calling_hours"]["slots"]] == ["friday", "saturday"]
    assert shown["retry_config"]["max_retries"] == 2
    assert (await client.get(f"/campaign/{shown['id']}/source-download-url")).status == 400
    await client.ok("PATCH", f"/campaign/{shown['id']}", {"retry_config": {"max_retries": 0}})
    after = (await client.customer.get(f"/campaigns/{native['id']}")).body
    assert after["configuration_id"] != configuration, "a configuration of its own, from the first change on"
    assert (await client.customer.post(f"/campaigns/{native['id']}/close")).status == 200
    closed = await client.ok("GET", f"/campaign/{shown['id']}")
    assert (closed["status"], closed["logs"][-1]["event"]) == ("completed", "campaign_closed")


async def test_a_campaign_of_this_api_as_the_native_one_shows_it(client: Client) -> None:
    made = await client.new_campaign()
    path = f"/campaigns/{made['native_id']}"
    shown = (await client.customer.get(path)).body
    assert (shown["status"], shown["state"], shown["external_id"], shown["priority"]) == ("paused", "draft", None, 1)
    assert shown["order"] == "retries_first"
    own = (await client.customer.get(f"{path}/configuration")).body
    assert (own["name"], own["campaign_id"]) == (made["name"], made["native_id"])
    assert (await client.customer.delete(f"/configurations/{own['id']}")).status == 409
    assert (await client.customer.post(f"{path}/start")).body["status"] == "active"
    assert (await client.ok("GET", f"/campaign/{made['id']}"))["status"] == "running"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ["body", "filename"]),
        ({"filename": "a.txt"}, ["body", "filename"]),
        ({"filename": "a" * 252 + ".csv"}, ["body", "filename"]),
        ({"file_name": "a.csv", "file_size": 10_485_761}, ["body", "file_size"]),
        ({"file_name": "a.csv", "content_type": "image/png"}, ["body", "content_type"]),
        ({"file_name": "a.csv", "purpose": "avatar"}, ["body", "purpose"]),
    ],
)
async def test_uploads_that_are_refused(client: Client, body: dict[str, Any], place: list[str]) -> None:
    answer = await client.post("/s3/presigned-upload-url", body)
    assert (answer.status, [one["loc"] for one in answer.body["detail"]]) == (422, [place])


async def test_an_upload_by_a_url_that_needs_no_credential(client: Client) -> None:
    wish = {"filename": "dir/My lïst.CSV", "file_name": "other.csv", "file_size": "10"}
    made = await client.ok("POST", "/s3/presigned-upload-url", wish)
    assert made["expires_in"] == 900
    assert made["file_key"].startswith(f"campaigns/{client.customer.organization_id}/")
    assert made["file_key"].endswith("_My_l_st.CSV")
    key = client.customer.key
    assert (await client.put(made["upload_url"], b"x", {"Authorization": f"Bearer {key}"})).status == 400
    stored = await client.put(made["upload_url"], LIST.encode(), {"X-API-Key": key, "Content-Type": "image/png"})
    assert (stored.status, stored.raw, "ETag" in stored.headers) == (200, b"", True)
    assert stored.headers["Access-Control-Allow-Origin"] == "*"
    assert (await client.put(made["upload_url"], b"x" * 10_485_761)).status == 413
    assert (await client.put(made["upload_url"].replace("campaigns", "campaignz"), b"x")).status == 403
    signed = await client.ok("GET", f"/s3/signed-url?key={made['file_key']}&inline=true&expires_in=5")
    got = await client.fetch(signed["url"])
    assert (got.raw, got.headers["Content-Disposition"][:6]) == (LIST.encode(), "inline")
    for query, status in (("key=nonsense", 400), ("", 422), (f"key={made['file_key']}&expires_in=604801", 422)):
        assert (await client.get(f"/s3/signed-url?{query}")).status == status
    missing = (await client.ok("POST", "/s3/presigned-upload-url", wish))["file_key"]
    assert (await client.get(f"/s3/signed-url?key={missing}")).status == 404


async def test_telephony_configurations_and_their_numbers(client: Client) -> None:
    path = "/organizations/telephony-configs"
    assert await client.ok("GET", path) == {"configurations": []}
    first = await client.ok("POST", path, {"name": "Main", "config": {"provider": "dialstream"}})
    second = await client.ok("POST", path, {"name": "Sales", "provider": "dialstream"})
    assert (first["is_default_outbound"], second["is_default_outbound"], first["credentials"]) == (True, False, {})
    assert (await client.post(path, {"name": "Main", "provider": "dialstream"})).status == 409
    assert (await client.post(path, {"name": "Other", "provider": "plivo"})).status == 400
    assert (await client.post(path, {"name": "a" * 65, "provider": "dialstream"})).status == 422
    assert (await client.ok("POST", f"{path}/{second['id']}/set-default-outbound"))["is_default_outbound"]
    number = await client.ok("POST", f"{path}/{second['id']}/phone-numbers", {"address": "+14155550177", "label": None})
    assert (number["country_code"], number["is_active"], number["telephony_configuration_id"]) == ("US", True, 2)
    assert (await client.post(f"{path}/1/phone-numbers", {"address": "+14155550177"})).status == 409
    assert (await client.post(f"{path}/1/phone-numbers", {"address": "4155550177"})).status == 422
    assert await client.ok("GET", f"{path}/2/phone-numbers") == {"phone_numbers": [number]}
    defaults = await client.ok("GET", "/organizations/campaign-defaults")
    assert (defaults["concurrent_call_limit"], defaults["from_numbers_count"]) == (10, 1)
    assert defaults["last_campaign_settings"] is None
    assert defaults["default_retry_config"]["max_retries"] == 1
    assert defaults["default_retry_config"]["retry_on_voicemail"] is False
    campaign = await client.new_campaign(telephony_configuration_id=2)
    assert (campaign["effective_max_concurrency"], len(campaign["warnings"])) == (1, 1)
    last = (await client.ok("GET", "/organizations/campaign-defaults"))["last_campaign_settings"]
    assert last == {name: campaign[name] for name in last}
    assert (await client.call("DELETE", f"{path}/2")).status == 409
    assert (await client.call("DELETE", f"{path}/1/phone-numbers/{number['id']}")).status == 404
    assert (await client.ok("DELETE", f"{path}/1"))["message"]
    assert [one["id"] for one in (await client.ok("GET", path))["configurations"]] == [2]


async def test_workflows(client: Client) -> None:
    definition = {"nodes": [{"prompt": "Hi {{ First_Name }}, {{a.b}} {{c | d}} {{provider}}"}]}
    number = await client.new_workflow(definition)
    shown = await client.ok("GET", f"/workflow/fetch/{number}")
    assert (shown["workflow_definition"], shown["template_context_variables"]) == (definition, {"first_name": ""})
    await client.customer.patch(f"/agents/{shown['workflow_uuid']}", {"active": False})
    second = await client.new_workflow(name="Second")
    assert [one["id"] for one in await client.ok("GET", "/workflow/fetch")] == [second, number]
    assert [one["id"] for one in await client.ok("GET", "/workflow/fetch?status=archived")] == [number]
    assert await client.ok("GET", "/workflow/summary?status=active") == [{"id": second, "name": "Second"}]
    assert (await client.get("/workflow/fetch?status=gone")).status == 422
    large = {"name": "Large", "workflow_definition": {"x": "a" * (256 * 1024)}}
    assert (await client.post("/workflow/create/definition", large)).status == 422
