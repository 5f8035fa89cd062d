"""One customer's large or senseless body must not stop the gateway for the others."""

import asyncio
import json
import time
from typing import Any

import pytest

from tests.integration.campaign_api.client import Customer

MANY = 60_000
NUMBERS = b"1," * MANY + b"1"


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
    began = time.monotonic()
    large = asyncio.create_task(acme.call("POST", "/campaigns", raw=body.encode()))
    pauses = []
    while not large.done():
        asked = time.monotonic()
        assert (await acme.api.call("GET", "/health/live")).status == 200
        pauses.append(time.monotonic() - asked)
    assert large.result().status == 422
    assert max(pauses) < (time.monotonic() - began) / 2
