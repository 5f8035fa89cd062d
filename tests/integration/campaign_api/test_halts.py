"""What a campaign's owner may say of the calls of a run and of failing calls, over the API."""

from typing import Any

import pytest

from shared.clock import utc_now
from tests.integration.campaign_api.client import Customer
from tests.integration.campaign_api.conftest import Stack

BREAKER = {"threshold": 0.5, "window_seconds": 600, "min_calls": 20}


async def test_a_start_may_say_how_many_calls_the_run_makes(acme: Customer) -> None:
    campaign = await acme.new_campaign()
    path = f"/campaigns/{campaign['id']}"
    assert (campaign["max_calls"], campaign["circuit_breaker"]) == (None, None)
    assert (await acme.post(f"{path}/start", {"max_calls": 100})).body["max_calls"] == 100
    assert (await acme.post(f"{path}/start")).body["max_calls"] == 100, "left out it stays"
    assert (await acme.post(f"{path}/start", {})).body["max_calls"] == 100
    assert (await acme.patch(path, {"max_calls": 7})).body["max_calls"] == 7
    assert (await acme.post(f"{path}/start", {"max_calls": None})).body["max_calls"] is None


@pytest.mark.parametrize("raw", [None, b"", b" ", b"null"])
async def test_a_start_needs_no_body(acme: Customer, raw: bytes | None) -> None:
    path = f"/campaigns/{(await acme.new_campaign(max_calls=3))['id']}"
    started = await acme.call("POST", f"{path}/start", raw=raw)
    assert (started.status, started.body["max_calls"]) == (200, 3)


async def test_a_start_that_is_refused_sets_nothing(acme: Customer) -> None:
    path = f"/campaigns/{(await acme.new_campaign(max_calls=3))['id']}"
    await acme.post(f"{path}/close")
    assert (await acme.post(f"{path}/start", {"max_calls": 5})).status == 400
    assert (await acme.get(path)).body["max_calls"] == 3


@pytest.mark.parametrize("value", [0, -1, 1.5, "5", True, 100_000_001, {"$gt": 0}])
async def test_a_bad_number_of_calls_is_422_wherever_it_is_said(acme: Customer, value: Any) -> None:
    campaign = await acme.new_campaign()
    path, wanted = f"/campaigns/{campaign['id']}", {"max_calls": value}
    new = {"name": "Autumn", "configuration_id": campaign["configuration_id"]}
    for answer in (
        await acme.post(f"{path}/start", wanted),
        await acme.patch(path, wanted),
        await acme.post("/campaigns", new | wanted),
    ):
        assert (answer.status, answer.body["errors"][0]["loc"]) == (422, ["body", "max_calls"])
    assert (await acme.post(f"{path}/start", {"calls": 5})).status == 422, "an unknown field"


async def test_a_circuit_breaker_is_set_changed_and_taken_away(acme: Customer) -> None:
    campaign = await acme.new_campaign(circuit_breaker=BREAKER)
    path = f"/campaigns/{campaign['id']}"
    assert campaign["circuit_breaker"] == BREAKER
    whole = BREAKER | {"threshold": 1}
    assert (await acme.patch(path, {"circuit_breaker": whole})).body["circuit_breaker"] == whole
    assert (await acme.patch(path, {"name": "Autumn"})).body["circuit_breaker"] == whole
    assert (await acme.patch(path, {"circuit_breaker": None})).body["circuit_breaker"] is None
    assert (await acme.get(path)).body["circuit_breaker"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("threshold", value) for value in (0, -0.1, 1.01, 50, "0.5", None, float("nan"))),
        *(("window_seconds", value) for value in (0, 9, 86_401, 60.5, "60")),
        *(("min_calls", value) for value in (0, -1, 1_000_001, True)),
    ],
)
async def test_a_breaker_that_says_nothing_is_422(acme: Customer, field: str, value: Any) -> None:
    path = f"/campaigns/{(await acme.new_campaign())['id']}"
    answer = await acme.patch(path, {"circuit_breaker": BREAKER | {field: value}})
    assert answer.status == 422
    assert answer.body["errors"][0]["loc"] == ["body", "circuit_breaker", field]
    without = {name: known for name, known in BREAKER.items() if name != field}
    assert (await acme.patch(path, {"circuit_breaker": without})).status == 422


@pytest.mark.parametrize("reason", ["max_calls", "circuit_breaker"])
async def test_a_halted_campaign_is_paused_for_its_reason_also_in_lists_until_it_is_started(
    acme: Customer, stack: Stack, reason: str
) -> None:
    campaign_id = (await acme.new_campaign())["id"]
    other_id = (await acme.new_campaign())["id"]
    run = {"generation": 1, "state": "halted", "reason": reason, "at": utc_now()}
    await stack.store["campaigns"].update_one({"_id": campaign_id}, {"$set": {"run": run}})
    shown = (await acme.get(f"/campaigns/{campaign_id}")).body
    assert (shown["status"], shown["state"], shown["state_reason"]) == ("paused", "paused", reason)
    listed = (await acme.get("/campaigns?status=paused")).body["campaigns"]
    assert [(one["id"], one["state_reason"]) for one in listed] == [(campaign_id, reason)]
    active = (await acme.get("/campaigns?status=active")).body["campaigns"]
    assert [one["id"] for one in active] == [other_id]
    assert (await acme.post(f"/campaigns/{campaign_id}/pause")).status == 400, "it is paused already"
    started = (await acme.post(f"/campaigns/{campaign_id}/start")).body
    assert (started["status"], started["state"], started["state_reason"]) == ("active", "running", None)
