"""One customer's large or senseless body, or large page, must not stop the gateway for the others."""

import asyncio
import gc
import json
import time
from typing import Any

import pytest

from shared.clock import utc_now
from tests.integration.campaign_api.client import Customer
from tests.integration.campaign_api.conftest import Stack

MANY = 60_000
NUMBERS = b"1," * MANY + b"1"
WINDOW = {"days": ["mon"], "start": "09:00", "end": "17:00"}


def unknown_fields() -> bytes:
    """Fields that no body has."""
    return b"".join(b',"%d":1' % number for number in range(MANY))


@pytest.mark.parametrize(
    ("path", "raw", "loc"),
    [
        pytest.param(
            "/configurations",
            b'{"name":"x","default_windows":[{"start":"09:00","end":"17:00","days":[' + NUMBERS + b"]}]}",
            ["body", "default_windows", 0, "days"],
            id="days",
        ),
        pytest.param(
            "/configurations",
            b'{"name":"x","scheduled_windows":[' + NUMBERS + b"]}",
            ["body", "scheduled_windows"],
            id="windows",
        ),
        pytest.param(
            "/configurations", b'{"name":"x","overrides":[' + NUMBERS + b"]}", ["body", "overrides"], id="overrides"
        ),
        pytest.param(
            "/configurations",
            b'{"name":"x","overrides":[{"timezones":["Asia/Tokyo"],"windows":[' + NUMBERS + b"]}]}",
            ["body", "overrides"],
            id="windows of an override",
        ),
        pytest.param(
            "/configurations",
            b'{"name":"x","overrides":[{"windows":[],"timezones":[' + NUMBERS + b"]}]}",
            ["body", "overrides", 0, "timezones"],
            id="timezones",
        ),
        pytest.param(
            "/configurations",
            b'{"name":"x","retry_rules":{"busy":1' + unknown_fields() + b"}}",
            ["body", "retry_rules"],
            id="retry rules",
        ),
        pytest.param(
            "/configurations",
            b'{"name":"x","retry_rules":{"busy":{"delays_seconds":[' + b'"x",' * MANY + b"1]}}}",
            ["body", "retry_rules", "busy", "delays_seconds"],
            id="delays",
        ),
        pytest.param("/configurations", b'{"name":"x"' + unknown_fields() + b"}", ["body"], id="unknown fields"),
        pytest.param(
            "/campaigns/default/contacts",
            b'{"contacts":[{"phone_numbers":["+14155550123"]' + unknown_fields() + b"}]}",
            ["body"],
            id="unknown fields of a contact",
        ),
    ],
)
async def test_a_body_that_is_wrong_throughout_is_refused_without_listing_all_of_it(
    acme: Customer, path: str, raw: bytes, loc: list[Any]
) -> None:
    answer = await acme.call("POST", path, raw=raw)
    assert answer.status == 422
    assert [error["loc"] for error in answer.body["errors"]] == [loc]


async def test_every_number_of_5000_contacts_can_be_named(acme: Customer) -> None:
    contacts = [{"phone_numbers": ["12"] * 10}] * 5000
    configuration_id = await acme.new_configuration()
    answer = await acme.post(
        "/campaigns", {"name": "Spring", "configuration_id": configuration_id, "contacts": contacts}
    )
    assert answer.status == 422
    assert len(answer.body["errors"]) == 50_000


async def test_others_are_served_while_a_large_request_is_read(acme: Customer) -> None:
    numbers = [f"+1415555{number:04d}" for number in range(10)]
    contacts = [{"phone_numbers": numbers}] * 4999 + [{"phone_numbers": ["12"]}]
    body = json.dumps({"name": "Spring", "configuration_id": await acme.new_configuration(), "contacts": contacts})
    # What earlier tests have left in this process is no gateway's; looking through it would be a pause of its own.
    gc.collect()
    gc.freeze()
    began = time.monotonic()
    large = asyncio.create_task(acme.call("POST", "/campaigns", raw=body.encode()))
    pauses = []
    while not large.done():
        asked = time.monotonic()
        assert (await acme.api.call("GET", "/health/live")).status == 200
        pauses.append(time.monotonic() - asked)
    gc.unfreeze()
    assert large.result().status == 422
    assert max(pauses) < (time.monotonic() - began) / 2


async def pages_of(customer: Customer, path: str, name: str) -> list[list[dict[str, Any]]]:
    """All pages of a list, each as large as it may be."""
    pages: list[list[dict[str, Any]]] = []
    cursor = ""
    while True:
        page = (await customer.get(f"{path}?limit=200{cursor}")).body
        pages.append(page[name])
        if page["next_cursor"] is None:
            return pages
        cursor = f"&cursor={page['next_cursor']}"


async def test_batches_with_many_bad_rows_come_fewer_to_a_page(acme: Customer, stack: Stack) -> None:
    row = {"index": 3, "external_id": "lead-3", "field": "phone_numbers[0]", "reason": "too short"}
    now = utc_now()
    batches = [
        {
            "_id": f"{acme.organization_id}:{number}",
            "organization_id": acme.organization_id,
            "batch_id": f"{number}",
            "campaign_id": "default",
            "status": "done",
            "received": 1000,
            "inserted": 0,
            "updated": 0,
            "failed": [row] * rows,
            "warnings": [],
            "reason": None,
            "created_at": now,
            "finished_at": now,
        }
        for number, rows in enumerate([4000, 900, 0, 101, 6000, 0, 6000])
    ]
    await stack.store["ingest_batches"].insert_many(batches)
    pages = await pages_of(acme, "/ingest-batches", "ingest_batches")
    assert [[batch["batch_id"] for batch in page] for page in pages] == [["6"], ["5"], ["4"], ["3", "2", "1"], ["0"]]


async def test_configurations_with_many_windows_come_fewer_to_a_page(acme: Customer) -> None:
    zones = (await acme.get("/timezones")).body["timezones"]
    many = [{"timezones": [zone], "windows": [WINDOW] * 60} for zone in zones[:50]]
    ids = [await acme.new_configuration(overrides=many) for _ in range(2)]
    ids.append(await acme.new_configuration(default_windows=[WINDOW]))
    pages = await pages_of(acme, "/configurations", "configurations")
    assert [[configuration["id"] for configuration in page] for page in pages] == [[ids[2], ids[1]], [ids[0]]]


LONG = "\N{GRINNING FACE}\x07" + "x" * 10_000_000
NUMBER = "+14155550123"


@pytest.mark.parametrize(
    ("path", "body", "loc"),
    [
        pytest.param("/configurations", {"name": "x", LONG: 1}, 1, id="a field"),
        pytest.param(
            "/configurations", {"name": "x", "retry_rules": {LONG: {LONG[:999]: 1}}}, 2, id="a key and a field"
        ),
        pytest.param(
            "/campaigns/default/contacts", {"contacts": [{"phone_numbers": [NUMBER], LONG: 1}]}, 3, id="in a row"
        ),
        pytest.param("/campaigns", {"name": "x", "configuration_id": "x", LONG: 1}, 1, id="beside a configuration"),
    ],
)
async def test_a_long_name_of_a_field_is_shortened_in_the_answer(
    acme: Customer, path: str, body: dict[str, Any], loc: int
) -> None:
    answer = await acme.post(path, body)
    assert answer.status == 422
    assert len(answer.raw) < 5000
    for error in answer.body["errors"]:
        assert error["loc"][loc] == "body" or error["loc"][loc] == LONG[:199] + "…"


async def test_long_values_are_not_repeated_at_all(acme: Customer) -> None:
    values = dict.fromkeys(
        ["external_id", "timezone", "scheduled_at", "agent_id", "agent_number", "data"], LONG[:2_000_000]
    )
    rows = [{"phone_numbers": [LONG[:2_000_000]], **values}, LONG[:2_000_000]]
    answer = await acme.post("/campaigns/default/contacts", {"contacts": rows})
    assert answer.status == 422
    assert len(answer.body["errors"]) == 8
    assert len(answer.raw) < 3000
    assert b"xxx" not in answer.raw


@pytest.mark.parametrize("megabytes", [1, 20])
async def test_a_reference_longer_than_any_is_not_looked_up(acme: Customer, megabytes: int) -> None:
    body = {"name": "x", "configuration_id": "x" * megabytes * 1_000_000, "contacts": [{"phone_numbers": [NUMBER]}]}
    answer = await acme.post("/campaigns", body)
    assert (answer.status, [error["loc"] for error in answer.body["errors"]]) == (422, [["body", "configuration_id"]])


async def test_a_long_reference_in_a_path_is_shortened_in_the_answer(acme: Customer) -> None:
    campaign = f"/campaigns/{(await acme.new_campaign())['id']}"
    long = "%F0%9F%98%80%01" + "y" * 50_000
    for path in (
        f"/campaigns/{long}",
        f"/campaigns/{long}/stats",
        f"/campaigns/{long}/preview",
        f"/campaigns/{long}/contacts",
        f"{campaign}/contacts/{long}",
        f"/configurations/{long}",
        f"/ingest-batches/{long}",
    ):
        answer = await acme.get(path)
        assert answer.status == 404
        shown = answer.body["detail"]
        assert "\N{GRINNING FACE}\\x01yyy" in shown
        assert len(shown) < 350
    for path in (f"/organizations/{long}", f"/organization-pats/{long}", f"/personal-tokens/{long}"):
        method, body = ("PATCH", {"name": "x"}) if path.startswith("/organizations") else ("DELETE", None)
        answer = await acme.api.admin(method, path, body)
        assert (answer.status, len(answer.raw) < 350) == (404, True)


async def test_long_values_in_queries_and_headers_are_shortened_in_the_answer(acme: Customer) -> None:
    long = "z" * 30_000
    answers = [await acme.get(f"/campaigns?{name}={long}") for name in ("limit", "status", "name", "cursor")]
    answers.append(await acme.call("POST", "/campaigns", raw=b"{}", headers={"Content-Type": f"text/{long}"}))
    assert [answer.status for answer in answers] == [422, 422, 422, 422, 415]
    for answer in answers:
        assert len(answer.raw) < 400
