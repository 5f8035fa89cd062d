"""Calls over HTTP: lists, one call, reports, the download of a campaign, and its numbers as they change."""

import asyncio
import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.call_numbers import microseconds
from shared.domain.ids import conversation_id_of
from shared.engine import live
from shared.store.client import Document
from tests.eventually import eventually
from tests.factories import new_id
from tests.integration.campaign_api.client import Customer, lead
from tests.integration.campaign_api.conftest import Stack

NOW = utc_now().replace(microsecond=0)


async def called(
    stack: Stack, customer: Customer, campaign: dict[str, Any], count: int, **fields: Any
) -> list[Document]:
    """Calls of a campaign that have ended, the newest first, as the scheduler records them."""
    attempts = [
        {
            "_id": new_id(),
            "organization_id": customer.organization_id,
            "campaign_id": campaign["id"],
            "contact_id": new_id(),
            "contact_name": f"Ada {place}",
            "call_number": microseconds(NOW) - place,
            "created_at": NOW - timedelta(minutes=place),
            "started_at": NOW - timedelta(minutes=place),
            "ended_at": NOW - timedelta(minutes=place) + timedelta(seconds=30),
            "attempt_number": 1,
            "phone_number": f"+1415555{place:04d}",
            "caller_number": "+14155550100",
            "agent_id": "outreach",
            "duration_seconds": float(place),
            "outcome": "answered" if place % 2 else "busy",
            **fields,
        }
        for place in range(count)
    ]
    for attempt in attempts:
        attempt["conversation_id"] = conversation_id_of(attempt["_id"])
    await stack.store["attempts"].insert_many(attempts)
    outcomes = {"busy": (count + 1) // 2, "answered": count // 2}
    counted = {"organization_id": customer.organization_id, "attempts": count, "outcomes": outcomes, "shard": 0}
    organization = await stack.store["organizations"].find_one({"_id": customer.organization_id})
    assert organization is not None
    counted["shard"] = organization["shard"]
    await stack.store["counters"].update_one({"_id": campaign["id"]}, {"$set": counted}, upsert=True)
    return attempts


async def test_calls_are_listed_by_cursor_and_by_page_with_a_total(acme: Customer, stack: Stack) -> None:
    campaign = await acme.new_campaign(external_id="spring")
    attempts = await called(stack, acme, campaign, 7)
    ids = [attempt["_id"] for attempt in attempts]
    first = (await acme.get("/calls?limit=5")).body
    assert [call["id"] for call in first["calls"]] == ids[:5]
    rest = (await acme.get(f"/campaigns/spring/calls?limit=5&cursor={first['next_cursor']}")).body
    assert [call["id"] for call in rest["calls"]] == ids[5:]
    assert (rest["next_cursor"], rest["total"]) == (None, None)
    page = (await acme.get("/campaigns/spring/calls?offset=2&limit=2")).body
    assert ([call["id"] for call in page["calls"]], page["total"], page["counted_to"]) == (ids[2:4], 7, None)
    busy = (await acme.get("/calls?campaign=spring&outcome=busy&offset=0")).body
    assert ([call["id"] for call in busy["calls"]], busy["total"]) == (ids[::2], 4)
    longest = (await acme.get("/calls?order=longest&limit=2")).body
    assert ([call["id"] for call in longest["calls"]], longest["total"]) == ([ids[6], ids[5]], 7)
    found = (await acme.get("/calls?search=ada%203")).body
    assert [call["id"] for call in found["calls"]] == [ids[3]]
    assert (await acme.get("/calls?direction=inbound&offset=0")).body["total"] == 0


async def test_one_call_is_read_by_the_id_of_its_attempt_or_conversation(acme: Customer, stack: Stack) -> None:
    campaign = await acme.new_campaign()
    [attempt] = await called(stack, acme, campaign, 1)
    for reference in (attempt["_id"], attempt["conversation_id"], attempt["_id"].upper()):
        call = (await acme.get(f"/calls/{reference}")).body
        assert call["id"] == attempt["_id"]
    assert call["created_at"] == NOW.isoformat().replace("+00:00", "Z")
    assert (call["number"], call["status"], call["direction"]) == (attempt["call_number"], "ended", "outbound")
    assert (await acme.get(f"/calls/{new_id()}")).status == 404


async def test_an_attempt_that_is_known_from_a_late_report_alone_is_listed(acme: Customer, stack: Stack) -> None:
    campaign = await acme.new_campaign()
    unknown = {
        "phone_number": None,
        "caller_number": None,
        "attempt_number": None,
        "started_at": None,
        "agent_id": None,
    }
    await called(stack, acme, campaign, 2, **unknown)
    answer = await acme.get("/calls?search=ada")
    assert answer.status == 200, answer.raw
    assert [call["phone_number"] for call in answer.body["calls"]] == [None, None]
    assert (await acme.get(f"/campaigns/{campaign['id']}/calls.csv")).status == 200


@pytest.mark.parametrize(
    "query",
    ["?cursor=x", "?order=longest&cursor=x", "?offset=0&cursor=MTIzLzE"],
)
async def test_a_cursor_that_the_list_has_not_given_out_is_400(acme: Customer, query: str) -> None:
    assert (await acme.get(f"/calls{query}")).status == 400


@pytest.mark.parametrize(
    "query",
    [
        "?outcome=lost",
        "?status=over",
        "?since=yesterday",
        "?order=best",
        "?offset=-1",
        "?min_duration=-1",
        "?limit=0",
        "?max_duration=nan",
        "?search=%00",
        "?agent_id=%00",
        "?since=2026-01-01T00:00:00",
    ],
)
async def test_a_filter_that_is_none_is_422(acme: Customer, query: str) -> None:
    assert (await acme.get(f"/calls{query}")).status == 422


async def test_what_was_said_needs_a_scope_of_its_own(acme: Customer, stack: Stack) -> None:
    campaign = await acme.new_campaign()
    [attempt] = await called(stack, acme, campaign, 1)
    said = {"summary": "Wants a larger flat", "disposition": "sold", "extracted": {"rooms": 4}}
    known = {
        "_id": attempt["_id"],
        "organization_id": acme.organization_id,
        "contact_id": attempt["contact_id"],
        **said,
    }
    await stack.store["call_results"].insert_one(known)
    reader = await acme.api.customer_of(acme.organization_id, ["campaigns:read"])
    assert (await acme.get(f"/calls/{attempt['_id']}")).body["result"] == said
    hidden = (await reader.get(f"/calls/{attempt['_id']}")).body["result"]
    assert (hidden["disposition"], hidden["summary"], hidden["extracted"]) == ("sold", None, None)
    [row] = csv.DictReader(io.StringIO((await reader.get(f"/campaigns/{campaign['id']}/calls.csv")).raw.decode()))
    assert (row["disposition"], row["summary"], row["extracted"]) == ("sold", "", "")
    for path in ("calls.jsonl", "export.jsonl"):
        raw = (await reader.get(f"/campaigns/{campaign['id']}/{path}")).raw
        assert b"larger" not in raw
        assert b"larger" in (await acme.get(f"/campaigns/{campaign['id']}/{path}")).raw


async def test_a_report_has_every_ended_call_of_its_dates_and_no_formula(acme: Customer, stack: Stack) -> None:
    campaign = await acme.new_campaign()
    attempts = await called(stack, acme, campaign, 5, contact_name='=HYPERLINK("x")', error='-1, "quoted"\nline')
    answer = await acme.get(f"/campaigns/{campaign['id']}/calls.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.raw.decode(), newline="")))
    assert [row["id"] for row in rows] == [attempt["_id"] for attempt in attempts]
    assert (rows[0]["contact_name"], rows[0]["error"]) == ('\'=HYPERLINK("x")', '\'-1, "quoted"\nline')
    assert (rows[1]["phone_number"], rows[1]["duration_seconds"]) == ("+14155550001", "1.0")
    since, until = (NOW - timedelta(minutes=n) for n in (3, 1))
    dates = f"?since={since:%Y-%m-%dT%H:%M:%SZ}&until={until:%Y-%m-%dT%H:%M:%SZ}"
    lines = (await acme.get(f"/campaigns/{campaign['id']}/calls.jsonl{dates}")).raw.decode().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [attempt["_id"] for attempt in attempts[2:4]]
    assert (await acme.get(f"/campaigns/{campaign['id']}/calls.csv?since=2030-01-01T00:00:00Z")).raw.count(b"\n") == 1


async def test_everything_of_a_campaign_is_downloaded(acme: Customer, stack: Stack) -> None:
    campaign = await acme.new_campaign()
    leads = [lead(n, data={"first_name": "Ada", "n": n}) for n in range(3)]
    await acme.post(f"/campaigns/{campaign['id']}/contacts", {"contacts": leads})
    attempts = await called(stack, acme, campaign, 2)
    raw = (await acme.get(f"/campaigns/{campaign['id']}/export.jsonl")).raw
    lines = [json.loads(line) for line in raw.decode().splitlines()]
    assert [line["contact"]["external_id"] for line in lines[:3]] == ["lead-0", "lead-1", "lead-2"]
    assert lines[1]["contact"]["data"] == {"first_name": "Ada", "n": 1}
    assert [line["call"]["id"] for line in lines[3:]] == [attempt["_id"] for attempt in attempts]


async def test_the_numbers_of_a_campaign_are_told_as_they_change_by_one_reader(
    acme: Customer, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SECONDS_BETWEEN_READS", 0.05)
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.2)
    campaign = await acme.new_campaign()
    url = f"{acme.api.url}/campaign/campaigns/{campaign['id']}/events"
    headers = {"Authorization": f"Bearer {acme.key}"}
    async with acme.api.session.get(url, headers=headers) as one, acme.api.session.get(url, headers=headers) as two:
        assert one.headers["Content-Type"].startswith("text/event-stream")
        for stream in (one, two):
            assert (await stream.content.readuntil(b"\n\n")).startswith(b"event: stats\ndata: {")
        await called(stack, acme, campaign, 6)
        for stream in (one, two):
            told = await _until(stream, b'"total":6')
            assert json.loads(told.split(b"data: ")[1])["attempts"]["total"] == 6
        assert await _until(one, b": ping") is not None
    assert (await acme.get(f"/campaigns/{new_id()}/events")).status == 404


async def _until(stream: Any, part: bytes) -> bytes:
    async with asyncio.timeout(10):
        while True:
            event: bytes = await stream.content.readuntil(b"\n\n")
            if part in event:
                return event


async def test_a_reader_reads_while_somebody_follows_and_leaves_with_the_process() -> None:
    served, reads = live.Live(), 0

    async def read() -> int:
        nonlocal reads
        reads += 1
        return reads // 1000

    followers = [served.follow(("a",), read) for _ in range(3)]
    assert [await anext(one) for one in followers] == [0, 0, 0]
    assert (served.followed, reads) == (1, 1)
    for one in followers:
        await one.aclose()
    assert served.followed == 0
    again = served.follow(("a",), read)
    assert await anext(again) == 0
    waits = asyncio.create_task(anext(again, None))
    await eventually(lambda: served.followed == 1, saying="a reader")
    served.close()
    assert await waits is None
    assert [value async for value in served.follow(("a",), read)] == []
