"""Campaigns of this API: made, read, changed; every row of its table of the lifecycle."""

from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.sysevo.client import LIST, Client

SEED: dict[str, Any] = {
    "name": "June Lead Outreach",
    "max_concurrency": 5,
    "calling_hours": {
        "timezone": "America/New_York",
        "slots": [
            {"day": "monday", "start": "09:00", "end": "17:00"},
            {"day": "friday", "start": "09:00", "end": "15:00"},
        ],
    },
    "retry_config": {
        "enabled": True,
        "max_retries": 2,
        "retry_delay_seconds": 120,
        "retry_on_busy": True,
        "retry_on_no_answer": True,
        "retry_on_voicemail": True,
    },
    "telephony_configuration_id": None,
}


async def test_the_seeds_request_makes_a_draft_with_everything_it_says(client: Client) -> None:
    workflow = await client.new_workflow()
    made = await client.new_campaign(**SEED, workflow_id=workflow)
    assert (made["status"], made["state"], made["name"]) == ("draft", "created", SEED["name"])
    assert (made["workflow_id"], made["workflow_name"]) == (workflow, "Outreach")
    assert made["calling_hours"] == SEED["calling_hours"]
    assert made["schedule_config"] == {
        "enabled": True,
        "timezone": "America/New_York",
        "slots": [
            {"day_of_week": 0, "start_time": "09:00", "end_time": "17:00"},
            {"day_of_week": 4, "start_time": "09:00", "end_time": "15:00"},
        ],
    }
    assert made["retry_config"] == SEED["retry_config"]
    assert made["circuit_breaker"] == {
        "enabled": True,
        "failure_threshold": 0.5,
        "window_seconds": 120,
        "min_calls_in_window": 5,
    }
    assert (made["total_rows"], made["processed_rows"], made["failed_rows"]) == (2, 0, 0)
    assert made["contacts_file_key"] == made["source_id"]
    assert (made["source_type"], made["max_concurrency"], made["effective_max_concurrency"]) == ("csv", 5, 5)
    assert made["started_at"] is made["completed_at"] is made["parent_campaign_id"] is None
    assert made["created_at"].endswith("Z")
    assert await client.ok("GET", f"/campaign/{made['id']}") == made
    for path in ("/campaign/", "/campaign"):
        assert await client.ok("GET", path) == {"campaigns": [{**made, "logs": []}]}


async def test_what_is_absent_is_as_the_page_says(client: Client) -> None:
    made = await client.new_campaign()
    assert made["calling_hours"] is made["schedule_config"] is made["rate_limit_per_second"] is None
    assert made["retry_config"] == {
        "enabled": True,
        "max_retries": 1,
        "retry_delay_seconds": 120,
        "retry_on_busy": True,
        "retry_on_no_answer": True,
        "retry_on_voicemail": False,
    }
    sent = await client.new_campaign(retry_config={"retry_on_busy": None})
    assert sent["retry_config"] == SEED["retry_config"]


async def test_dograhs_request_makes_the_same(client: Client) -> None:
    workflow = await client.new_workflow()
    hours = {"timezone": "Europe/Berlin", "slots": [{"day_of_week": 6, "start_time": "00:00", "end_time": "24:00"}]}
    wish = {
        "name": "June",
        "workflow_id": str(workflow),
        "source_type": "csv",
        "source_id": await client.upload(),
        "schedule_config": {**hours, "enabled": False},
        "retry_config": {"enabled": False, "max_retries": 7},
        "circuit_breaker": {"enabled": False, "failure_threshold": 0.25},
        "something_else": [1],
    }
    made = await client.ok("POST", "/campaign/create", wish)
    assert (made["max_concurrency"], made["effective_max_concurrency"]) == (None, 10)
    assert made["calling_hours"] is None
    assert made["schedule_config"] == {**hours, "enabled": False}
    assert (made["retry_config"]["enabled"], made["retry_config"]["max_retries"]) == (False, 7)
    assert (made["circuit_breaker"]["enabled"], made["circuit_breaker"]["failure_threshold"]) == (False, 0.25)
    on = {"schedule_config": {"enabled": True}, "retry_config": {"enabled": True}, "circuit_breaker": {"enabled": True}}
    after = await client.ok("PATCH", f"/campaign/{made['id']}", on)
    assert after["calling_hours"]["slots"] == [{"day": "sunday", "start": "00:00", "end": "24:00"}]
    assert (after["retry_config"]["enabled"], after["retry_config"]["max_retries"]) == (True, 7)
    assert (after["circuit_breaker"]["enabled"], after["circuit_breaker"]["failure_threshold"]) == (True, 0.25)


CREATE: dict[str, Any] = {"name": "June", "workflow_id": 1, "contacts_file_key": "campaigns/x", "max_concurrency": 5}
SLOT = {"day": "monday", "start": "09:00", "end": "17:00"}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"name": ""}, ["body", "name"]),
        ({"name": "a" * 256}, ["body", "name"]),
        ({"name": "a\0b"}, ["body", "name"]),
        ({"name": 5}, ["body", "name"]),
        ({"workflow_id": "x"}, ["body", "workflow_id"]),
        ({"workflow_id": True}, ["body", "workflow_id"]),
        ({"workflow_id": 1.5}, ["body", "workflow_id"]),
        ({"contacts_file_key": None}, ["body", "contacts_file_key"]),
        ({"contacts_file_key": None, "source_id": "a"}, ["body", "source_type"]),
        ({"source_id": "another"}, ["body", "contacts_file_key"]),
        ({"source_type": "google-sheet"}, ["body", "source_type"]),
        ({"max_concurrency": None}, ["body", "max_concurrency"]),
        ({"max_concurrency": 0}, ["body", "max_concurrency"]),
        ({"max_concurrency": 10_001}, ["body", "max_concurrency"]),
        ({"calling_hours": {"slots": []}}, ["body", "calling_hours", "slots"]),
        ({"calling_hours": {"slots": [SLOT] * 51}}, ["body", "calling_hours", "slots"]),
        ({"calling_hours": {"timezone": "Mars", "slots": [SLOT]}}, ["body", "calling_hours", "timezone"]),
        ({"calling_hours": {"slots": [{**SLOT, "day": "mon"}]}}, ["body", "calling_hours", "slots", 0, "day"]),
        ({"calling_hours": {"slots": [{**SLOT, "start": "9:00"}]}}, ["body", "calling_hours", "slots", 0, "start"]),
        ({"calling_hours": {"slots": [{**SLOT, "end": "08:00"}]}}, ["body", "calling_hours", "slots", 0]),
        (
            {"calling_hours": {"slots": [SLOT]}, "schedule_config": {"enabled": False, "slots": [SLOT]}},
            ["body", "schedule_config"],
        ),
        ({"retry_config": {"max_retries": 11}}, ["body", "retry_config", "max_retries"]),
        ({"retry_config": {"retry_delay_seconds": 29}}, ["body", "retry_config", "retry_delay_seconds"]),
        ({"circuit_breaker": {"failure_threshold": 1.1}}, ["body", "circuit_breaker", "failure_threshold"]),
        ({"circuit_breaker": {"window_seconds": 29}}, ["body", "circuit_breaker", "window_seconds"]),
        ({"circuit_breaker": {"min_calls_in_window": 0}}, ["body", "circuit_breaker", "min_calls_in_window"]),
        ({"rate_limit_per_second": 1001}, ["body", "rate_limit_per_second"]),
    ],
)
async def test_a_bad_value_is_422_with_its_place(client: Client, changes: dict[str, Any], place: list[Any]) -> None:
    answer = await client.post("/campaign/create", CREATE | changes)
    assert answer.status == 422, answer.raw
    assert set(answer.body) == {"detail", "message"}
    assert [one["loc"] for one in answer.body["detail"]] == [place], answer.body
    assert all(set(one) == {"loc", "msg", "type"} for one in answer.body["detail"])


async def test_every_bad_value_is_named_at_once(client: Client) -> None:
    answer = await client.post("/campaign/create", {"name": "", "max_concurrency": 0, "rate_limit_per_second": 0})
    assert [one["loc"][-1] for one in answer.body["detail"]] == [
        "name",
        "workflow_id",
        "contacts_file_key",
        "max_concurrency",
        "rate_limit_per_second",
    ]


@pytest.mark.parametrize("workflow", [0, -1, 77, 2**53, 10**30])
async def test_a_workflow_that_nobody_has_is_404(client: Client, workflow: int) -> None:
    answer = await client.post("/campaign/create", {**CREATE, "workflow_id": workflow})
    assert (answer.status, answer.body) == (404, {"detail": "Workflow not found"})


async def test_anothers_and_an_archived_workflow_are_404(client: Client, stranger: Client) -> None:
    await client.new_workflow()
    answer = await stranger.post("/campaign/create", CREATE)
    assert (answer.status, answer.body) == (404, {"detail": "Workflow not found"})
    native = (await client.ok("GET", "/workflow/fetch/1"))["workflow_uuid"]
    await client.customer.patch(f"/agents/{native}", {"active": False})
    assert (await client.post("/campaign/create", CREATE)).status == 404


async def test_a_key_without_a_file_is_400_whoever_it_belongs_to(client: Client, stranger: Client) -> None:
    workflow = await client.new_workflow()
    unused = await client.ok("POST", "/s3/presigned-upload-url", {"file_name": "a.csv"})
    said = set()
    for key in ("campaigns/x", unused["file_key"], await stranger.upload(), "\ud83d\ude00"):
        wish = {**CREATE, "workflow_id": workflow, "contacts_file_key": key}
        answer = await client.post("/campaign/create", wish)
        assert answer.status == 400, answer.raw
        said.add(answer.body["detail"])
    assert len(said) == 1
    assert "contacts_file_key" in said.pop()
    assert (await client.ok("GET", "/campaign/"))["campaigns"] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "header row and at least one data row"),
        ("phone_number,name\n", "header row and at least one data row"),
        ("phone_number\n\n\n", "header row and at least one data row"),
        ("phone,name\n+14155552671,a\n", "'phone_number' column"),
        ("phone_number,a,A\n+14155552671,1,2\n", "duplicate column: a"),
        ("phone_number\n4155552671\n", "phone numbers"),
        ("phone_number\n+14155552671\n+1 (415) 555-2671\n", "duplicate phone numbers: rows 3"),
        ("phone_number\n" + "1\n" * 7, "rows 2, 3, 4, 5, 6 and 2 more"),
        ('phone_number\n"+14155552671\n', "unclosed quote"),
        ("phone_number\n+14155552671\0\n", "NUL"),
        ("phone_number,a\n+14155552671," + "x" * 70_000 + "\n", "64 KiB: rows 2"),
        ("phone_number,a\n+14155552671," + "x" * 140_000 + "\n", "64 KiB: rows 2"),
        ("phone_number\n+14155552671\n", "template variables that are no column of the CSV file: first_name"),
        ("phone_number,First_Name\n+14155552671,\n", "template variable first_name is empty: rows 2"),
    ],
)
async def test_a_list_that_breaks_a_rule_is_400_and_nothing_is_made(client: Client, text: str, said: str) -> None:
    workflow = await client.new_workflow({"prompt": "Hello {{ First_Name }}, {{title | Sir}} {{a.b}} {{campaign_id}}"})
    wish = {**CREATE, "workflow_id": workflow, "contacts_file_key": await client.upload(text)}
    answer = await client.post("/campaign/create", wish)
    assert answer.status == 400, answer.raw
    assert said in answer.body["detail"]
    assert (await client.ok("GET", "/campaign/"))["campaigns"] == []


async def test_telephony_that_is_not_there_is_400(client: Client, every_api: Any) -> None:
    for number in (7, 0, 2**60):
        wish = {**CREATE, "workflow_id": await client.new_workflow(), "telephony_configuration_id": number}
        answer = await client.post("/campaign/create", wish)
        assert (answer.status, answer.body) == (400, {"detail": "telephony_configuration_not_found"})
    bare = Client(await every_api.new_customer(default_agent_number=None))
    answer = await bare.post("/campaign/create", {**CREATE, "workflow_id": await bare.new_workflow()})
    assert (answer.status, answer.body) == (400, {"detail": "telephony_configuration_not_found"})


async def test_only_what_is_sent_changes_also_inside_the_objects(client: Client) -> None:
    made = await client.new_campaign(**SEED)
    path = f"/campaign/{made['id']}"
    changed = {
        "name": "July",
        "max_concurrency": 200,
        "retry_config": {"max_retries": 5},
        "circuit_breaker": {"min_calls_in_window": 9},
        "rate_limit_per_second": 3,
        "calling_hours": {"timezone": "Europe/Paris"},
        "workflow_id": 99,
    }
    after = await client.ok("PATCH", path, changed)
    assert (after["name"], after["max_concurrency"], after["rate_limit_per_second"]) == ("July", 200, 3)
    assert after["warnings"] == ["max_concurrency is 200, but only 10 calls at once are possible now"]
    assert after["retry_config"] == {**SEED["retry_config"], "max_retries": 5}
    assert after["circuit_breaker"] == {**made["circuit_breaker"], "min_calls_in_window": 9}
    assert after["calling_hours"] == {**SEED["calling_hours"], "timezone": "Europe/Paris"}
    nothing = await client.ok("PATCH", path, {"name": None, "retry_config": None, "schedule_config": None})
    assert {**nothing, "updated_at": 0} == {**after, "updated_at": 0}
    free = await client.ok("PATCH", path, {"calling_hours": None, "rate_limit_per_second": None})
    assert free["calling_hours"] is free["schedule_config"] is free["rate_limit_per_second"] is None
    missing = await client.patch(path, {"calling_hours": {"timezone": "UTC"}})
    assert missing.body["detail"][0]["loc"] == ["body", "calling_hours", "slots"]


# The state that a document shows, as the engine stores it.
PAST = utc_now() - timedelta(hours=1)
STORED: dict[str, dict[str, Any]] = {
    "draft": {"intent": "draft", "run": None},
    "scheduled": {"intent": "scheduled", "start_at": utc_now() + timedelta(days=9), "run": None},
    "syncing": {"intent": "running", "imports": 1},
    "running": {"intent": "running"},
    "paused": {"intent": "paused"},
    "halted": {"intent": "running", "run": {"generation": 1, "state": "halted", "reason": "max_calls", "at": PAST}},
    "completed": {"intent": "running", "run": {"generation": 1, "state": "completed", "reason": None, "at": PAST}},
    "cancelled": {"intent": "cancelled"},
    "failed": {
        "intent": "running",
        "run": {"generation": 1, "state": "failed", "reason": "source_sync_failed", "at": PAST},
    },
}
ROWS: list[tuple[str, str, str, list[int]]] = [
    # engine, status, state, and the answers to start, pause, resume, redial and PATCH
    ("draft", "draft", "created", [200, 400, 400, 400, 200]),
    ("scheduled", "draft", "created", [200, 400, 400, 400, 200]),
    ("syncing", "running", "syncing", [400, 200, 400, 400, 200]),
    ("running", "running", "running", [400, 200, 400, 400, 200]),
    ("paused", "paused", "paused", [400, 400, 200, 400, 200]),
    ("halted", "paused", "paused", [400, 400, 200, 400, 200]),
    ("completed", "completed", "completed", [400, 400, 400, 400, 400]),
    ("cancelled", "completed", "completed", [400, 400, 400, 400, 400]),
    ("failed", "failed", "failed", [400, 400, 400, 400, 400]),
]
AFTER = {"start": "running", "pause": "paused", "resume": "running"}


async def stand(stack: Stack, campaign: dict[str, Any], state: str) -> None:
    stored = {"imports": 0, "generation": 1, "run": None, "start_at": None, **STORED[state]}
    await stack.store["campaigns"].update_one({"_id": campaign["native_id"]}, {"$set": stored})


@pytest.mark.parametrize(("engine", "status", "state", "answers"), ROWS)
async def test_every_row_of_the_lifecycle(
    client: Client, stack: Stack, engine: str, status: str, state: str, answers: list[int]
) -> None:
    campaign = await client.new_campaign()
    path = f"/campaign/{campaign['id']}"
    asked: list[tuple[str, str, Any]] = [
        ("POST", "/start", None),
        ("POST", "/pause", None),
        ("POST", "/resume", None),
        ("POST", "/redial", {}),
        ("PATCH", "", {"name": "July"}),
    ]
    for (method, move, body), expected in zip(asked, answers, strict=True):
        await stand(stack, campaign, engine)
        shown = await client.ok("GET", path)
        assert (shown["status"], shown["state"]) == (status, state)
        answer = await client.call(method, path + move, body)
        assert answer.status == expected, (engine, move, answer.raw)
        if expected == 400 and (move, state) != ("/redial", "completed"):
            assert state in answer.body["detail"]
        elif expected == 200 and move:
            assert answer.body["status"] == AFTER[move[1:]]


async def test_a_move_ignores_its_body_and_the_first_start_sets_started_at(client: Client, stack: Stack) -> None:
    campaign = await client.new_campaign()
    path = f"/campaign/{campaign['id']}"
    started = (await client.call("POST", f"{path}/start", raw=b"{{{", headers={"Content-Type": "text/plain"})).body
    assert (started["status"], started["state"]) == ("running", "syncing")
    assert started["started_at"] is not None
    await client.ok("POST", f"{path}/pause")
    resumed = await client.ok("POST", f"{path}/resume")
    assert resumed["started_at"] == started["started_at"]
    assert [entry["event"] for entry in resumed["logs"]] == ["campaign_started", "campaign_paused", "campaign_resumed"]
    assert {entry["level"] for entry in resumed["logs"]} == {"info"}


async def test_without_a_number_to_call_with_start_and_resume_are_401(client: Client, stack: Stack) -> None:
    campaign = await client.new_campaign()
    customer = client.customer
    await customer.api.admin("PATCH", f"/organizations/{customer.organization_id}", {"default_agent_number": None})
    for state, move in (("draft", "start"), ("paused", "resume")):
        await stand(stack, campaign, state)
        answer = await client.post(f"/campaign/{campaign['id']}/{move}")
        assert answer.status == 401
        assert "telephony" in answer.body["detail"]


@pytest.mark.parametrize("reference", ["x", "1.5", "", "%00", "1e3"])
async def test_an_id_that_is_no_integer_is_422(client: Client, reference: str) -> None:
    answer = await client.get(f"/campaign/{reference or '%20'}")
    assert (answer.status, answer.body["detail"][0]["loc"]) == (422, ["path", "campaign_id"])


@pytest.mark.parametrize("number", [0, -1, 5, 2**53, 10**40])
async def test_an_integer_that_nobody_has_is_404(client: Client, number: int) -> None:
    for method, path in (("GET", ""), ("POST", "/start"), ("GET", "/progress"), ("GET", "/runs"), ("GET", "/report")):
        answer = await client.call(method, f"/campaign/{number}{path}")
        assert (answer.status, answer.body) == (404, {"detail": "Campaign not found"})


async def test_the_uploaded_bytes_come_back_and_a_later_upload_changes_nothing(client: Client) -> None:
    made = await client.ok("POST", "/s3/presigned-upload-url", {"filename": "My list.csv"})
    await client.put(made["upload_url"], LIST.encode())
    wish = {"name": "June", "workflow_id": await client.new_workflow(), "contacts_file_key": made["file_key"]}
    campaign = await client.ok("POST", "/campaign/create", {**wish, "max_concurrency": "2.0"})
    await client.put(made["upload_url"], b"phone_number\n+14155550000\n")
    source = await client.ok("GET", f"/campaign/{campaign['id']}/source-download-url")
    assert source["expires_in"] == 900
    got = await client.fetch(source["download_url"])
    assert (got.status, got.raw, got.headers["Content-Type"]) == (200, LIST.encode(), "text/csv; charset=utf-8")
    assert "My_list.csv" in got.headers["Content-Disposition"]
    assert (await client.fetch(source["download_url"].replace("signature=", "signature=x"))).status == 403
