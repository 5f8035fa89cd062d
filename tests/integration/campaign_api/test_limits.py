import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.ids import organization_budget
from shared.events import LimitsChanged
from tests.integration.campaign_api.client import Customer
from tests.integration.campaign_api.conftest import EventsOf, Stack


async def test_the_limit_is_10_until_it_is_set(acme: Customer, other: Customer, events: EventsOf) -> None:
    assert (await acme.get("/concurrency-settings")).body == {"concurrency_limit": 10, "active_calls": 0}
    assert (await acme.put("/concurrency-settings", {"concurrency_limit": 25})).body == {
        "concurrency_limit": 25,
        "active_calls": 0,
    }
    assert (await acme.get("/concurrency-settings")).body["concurrency_limit"] == 25
    assert (await other.get("/concurrency-settings")).body["concurrency_limit"] == 10
    campaign = await acme.new_campaign()
    assert (await acme.get(f"/campaigns/{campaign['id']}/stats")).body["concurrency_limit"] == 25
    assert await events(acme.organization_id, LimitsChanged)


async def test_active_calls_are_the_slots_that_are_held(acme: Customer, stack: Stack) -> None:
    await stack.store["budgets"].insert_one({"_id": organization_budget(acme.organization_id), "held": 4})
    assert (await acme.get("/concurrency-settings")).body["active_calls"] == 4


@pytest.mark.parametrize("limit", [0, -1, 10_001, "5", 1.5, True, None, {"$gt": 0}])
async def test_a_bad_limit_is_422(acme: Customer, limit: Any) -> None:
    answer = await acme.put("/concurrency-settings", {"concurrency_limit": limit})
    assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", "concurrency_limit"])


NO_LIMITS = {
    "max_attempts_per_number_per_day": None,
    "max_attempts_per_number_per_week": None,
    "min_minutes_between_calls": None,
    "calls_per_second": None,
}


async def test_rates_may_be_fractions_of_organizations_and_of_campaigns(acme: Customer) -> None:
    for rate in (0.05, 2.5, 7, 1000):
        assert (await acme.patch("/limits", {"calls_per_second": rate})).body == NO_LIMITS | {"calls_per_second": rate}
    campaign = await acme.new_campaign(calls_per_second=0.5)
    path = f"/campaigns/{campaign['id']}"
    assert (await acme.get(path)).body["calls_per_second"] == 0.5
    rates = [{"name": "organization", "calls_per_second": 1000}, {"name": "campaign", "calls_per_second": 0.5}]
    assert (await acme.get(f"{path}/diagnosis")).body["rates"] == rates
    assert (await acme.patch(path, {"calls_per_second": None})).body["calls_per_second"] is None
    assert (await acme.get(f"{path}/diagnosis")).body["rates"] == rates[:1]


async def test_caps_on_phones_are_none_until_set_and_each_is_set_by_itself(
    acme: Customer, other: Customer, events: EventsOf
) -> None:
    assert (await acme.get("/limits")).body == NO_LIMITS
    day, gap = {"max_attempts_per_number_per_day": 3}, {"min_minutes_between_calls": 60}
    assert (await acme.patch("/limits", day)).body == NO_LIMITS | day
    assert await events(acme.organization_id, LimitsChanged)
    assert (await acme.patch("/limits", gap)).body == NO_LIMITS | day | gap
    assert (await acme.patch("/limits", {})).body == NO_LIMITS | day | gap
    assert (await acme.patch("/limits", dict.fromkeys(day))).body == NO_LIMITS | gap
    assert (await acme.get("/limits")).body == NO_LIMITS | gap
    assert (await other.get("/limits")).body == NO_LIMITS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("max_attempts_per_number_per_day", value) for value in (0, -1, 51, "3", 1.5, True, {"$gt": 0})),
        *(("max_attempts_per_number_per_week", value) for value in (0, 351)),
        *(("min_minutes_between_calls", value) for value in (0, -5, 10_081, 0.5)),
        *(("calls_per_second", value) for value in (0, -1, -0.5, 1000.5, "5", True, float("inf"))),
        ("max_calls", 3),
    ],
)
async def test_a_bad_cap_is_422_and_changes_nothing(acme: Customer, field: str, value: Any) -> None:
    answer = await acme.patch("/limits", {"min_minutes_between_calls": 7, field: value})
    assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", field])
    assert (await acme.get("/limits")).body == NO_LIMITS


async def test_stats_add_up_what_was_added_and_what_the_scheduler_moved(acme: Customer, stack: Stack) -> None:
    campaign_id = (await acme.new_campaign())["id"]
    for source, added in (("api-1", 70), ("ingest-2", 30)):
        await stack.store["counters_in"].insert_one(
            {"_id": f"{campaign_id}/{source}", "campaign_id": campaign_id, "added": added, "added_skipped": 1}
        )
    moved = {"pending": -90, "active": 5, "completed": 40, "exhausted": 25, "error": 15, "skipped": 5, "attempts": 123}
    await stack.store["counters"].insert_one({"_id": campaign_id, **moved})
    stats = (await acme.get(f"/campaigns/{campaign_id}/stats")).body
    assert stats["contacts"] == {
        "total": 102,
        "pending": 10,
        "in_progress": 5,
        "completed": 40,
        "exhausted": 25,
        "error": 15,
        "skipped": 7,
    }
    assert stats["attempts"] == {"total": 123, "average_per_contact": 1.21}
    assert stats["active_calls"] == 5


async def test_stats_tell_what_came_of_contacts_and_attempts_and_when_the_end_will_be(
    acme: Customer, stack: Stack
) -> None:
    now = utc_now()
    campaign_id = (await acme.new_campaign())["id"]
    await stack.store["counters_in"].insert_one(
        {"_id": f"{campaign_id}/api-1", "campaign_id": campaign_id, "added": 1000, "zones": [None]}
    )
    moved = {"pending": -100, "completed": 50, "exhausted": 50, "attempts": 150, "talk_milliseconds": 61_500}
    reached = {"called": 100, "answered": 50, "opted_out": 2, "retrying": 7, "called_back": 3}
    of_attempts = {"outcomes": {"answered": 50, "busy": 100, "failed": 0}, "run": {"generation": 1, "calls": 150}}
    minute = {"at": now, "claimed": 70, "ended": 60}
    await stack.store["counters"].insert_one(
        {"_id": campaign_id, **moved, **reached, **of_attempts, "minute": minute, "ended": {"answered": 50}}
    )
    stats = (await acme.get(f"/campaigns/{campaign_id}/stats")).body
    assert stats["reached"] == {
        "called": 100,
        "answered": 50,
        "opted_out": 2,
        "waiting_for_retry": 7,
        "waiting_for_callback": 3,
    }
    assert (stats["ended"], stats["outcomes"]) == ({"answered": 50}, {"answered": 50, "busy": 100})
    assert (stats["talk_seconds"], stats["calls_of_run"]) == (61.5, 150)
    assert stats["last_minute"] == {"placed": 70, "ended": 60}
    assert (stats["forecast"]["calls_left"], stats["forecast"]["calls_per_second"]) == (1350, 1.0)
    left = datetime.fromisoformat(stats["forecast"]["ends_at"]) - now
    assert timedelta(seconds=1340) < left < timedelta(seconds=1400)
    await acme.post(f"/campaigns/{campaign_id}/pause")
    paused = (await acme.get(f"/campaigns/{campaign_id}/stats")).body
    assert (paused["forecast"]["calls_left"], paused["calls_of_run"]) == (None, 150)
    await acme.post(f"/campaigns/{campaign_id}/start")
    resumed = (await acme.get(f"/campaigns/{campaign_id}/stats")).body
    assert (resumed["forecast"]["calls_left"], resumed["calls_of_run"]) == (None, 0)


async def test_numbers_are_listed_once_newest_first_and_removed(acme: Customer, other: Customer) -> None:
    numbers = ["+14155550001", "+14155550002"]
    added = await acme.post("/do-not-call", {"phone_numbers": [*numbers, numbers[0]], "reason": "asked"})
    assert [entry["phone_number"] for entry in added.body["do_not_call"]] == numbers
    assert added.body["do_not_call"][0].keys() == {"phone_number", "reason", "source", "created_at"}
    again = await acme.post("/do-not-call", {"phone_numbers": numbers[:1]})
    assert again.body["do_not_call"] == added.body["do_not_call"][:1]
    assert len((await acme.get("/do-not-call")).body["do_not_call"]) == 2
    assert (await other.get("/do-not-call")).body == {"do_not_call": [], "next_cursor": None}
    assert (await other.delete(f"/do-not-call/{numbers[0]}")).status == 404
    assert (await acme.delete("/do-not-call/%2B14155550001")).body == {"phone_number": numbers[0], "deleted": True}
    assert (await acme.delete(f"/do-not-call/{numbers[0]}")).status == 404
    assert (await acme.delete(f"/do-not-call/{numbers[1]}")).status == 200


async def test_one_phone_in_two_spellings_is_one_entry(acme: Customer) -> None:
    by_law, from_abroad = "+541123456789", "+5491123456789"
    added = (await acme.post("/do-not-call", {"phone_numbers": [from_abroad, by_law]})).body["do_not_call"]
    assert [(entry["phone_number"], entry["source"]) for entry in added] == [(from_abroad, "native")]
    assert (await acme.post("/do-not-call", {"phone_numbers": [by_law]})).body["do_not_call"] == added
    assert (await acme.get("/do-not-call")).body["do_not_call"] == added
    assert (await acme.delete(f"/do-not-call/{by_law}")).body == {"phone_number": by_law, "deleted": True}
    assert (await acme.delete(f"/do-not-call/{from_abroad}")).status == 404


async def test_the_list_is_paged(acme: Customer) -> None:
    for number in range(3):
        await acme.post("/do-not-call", {"phone_numbers": [f"+1415555000{number}"]})
    first = (await acme.get("/do-not-call?limit=2")).body
    rest = (await acme.get(f"/do-not-call?cursor={first['next_cursor']}")).body
    listed = [entry["phone_number"] for entry in [*first["do_not_call"], *rest["do_not_call"]]]
    assert listed == ["+14155550002", "+14155550001", "+14155550000"]


async def test_the_same_numbers_listed_at_the_same_time_are_listed_once(acme: Customer) -> None:
    body = {"phone_numbers": [f"+1415555{number:04d}" for number in range(50)]}
    answers = await asyncio.gather(*(acme.post("/do-not-call", body) for _ in range(4)))
    assert {answer.status for answer in answers} == {200}
    assert len((await acme.get("/do-not-call?limit=200")).body["do_not_call"]) == 50


async def test_bad_numbers_are_all_named(acme: Customer) -> None:
    answer = await acme.post("/do-not-call", {"phone_numbers": ["+14155550001", "4155550001", "+1", 7]})
    assert [error["loc"] for error in answer.body["errors"]] == [["body", "phone_numbers", n] for n in (1, 2, 3)]
    assert (await acme.post("/do-not-call", {"phone_numbers": []})).status == 422
    assert (await acme.post("/do-not-call", {"phone_numbers": ["+14155550001"] * 1001})).status == 422


async def test_ingest_batches_are_listed_and_read_by_their_own_organization(
    acme: Customer, other: Customer, stack: Stack
) -> None:
    row = {"index": 3, "external_id": "lead-3", "field": "phone_numbers[0]", "reason": "too short"}
    document = {
        "_id": f"{acme.organization_id}:june/1",
        "organization_id": acme.organization_id,
        "batch_id": "june/1",
        "campaign_id": "default",
        "status": "done",
        "received": 4,
        "inserted": 3,
        "updated": 0,
        "failed": [row],
        "warnings": [],
        "reason": None,
        "created_at": utc_now(),
        "finished_at": utc_now(),
    }
    await stack.store["ingest_batches"].insert_one(document)
    batch = (await acme.get("/ingest-batches/june%2F1")).body
    assert batch["failed"] == [row]
    assert (batch["status"], batch["received"], batch["inserted"]) == ("done", 4, 3)
    assert (await acme.get("/ingest-batches")).body == {"ingest_batches": [batch], "next_cursor": None}
    assert (await other.get("/ingest-batches/june%2F1")).status == 404
    assert (await other.get("/ingest-batches")).body["ingest_batches"] == []
