"""Receivers that webhooks of this dialect may have; what they are sent stands in test_journey.py."""

import re
from typing import Any

import pytest

from shared.domain.receiver_urls import MAX_URL
from shared.domain.webhooks import MAX_WEBHOOKS
from tests.integration.smartalex.client import Alex, fields_of, said

PUBLIC = "https://1.1.1.1/hooks"
WANTED: dict[str, Any] = {"event_types": ["call.failed"]}


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://10.0.0.1/x",
        "https://192.168.1.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "http://1.1.1.1/x",
        "http://127.0.0.1/x",
        "https://ada:secret@1.1.1.1/x",
        "https://" + "x" * MAX_URL,
        "hooks",
    ],
)
async def test_a_receiver_that_may_not_be_is_refused(alex: Alex, url: str) -> None:
    answer = await alex.call("POST", "/webhooks", {"url": url, **WANTED})
    assert (said(answer), fields_of(answer)) == ((400, "invalid_request"), ["url"])
    assert (await alex.get("/webhooks"))["meta"]["total"] == 0


async def test_what_was_made_can_be_sent_again_and_an_organization_has_fifty(alex: Alex) -> None:
    made = await alex.post("/webhooks", {"url": PUBLIC, **WANTED}, 201)
    assert re.fullmatch(r"[0-9a-f]{64}", made["signing_secret"])
    assert list(made["data"]) == [name for name in made if name != "data"]
    again = await alex.post("/webhooks", made, 201)
    assert "warnings" not in again
    for _ in range(MAX_WEBHOOKS - 2):
        await alex.post("/webhooks", {"url": PUBLIC, **WANTED}, 201)
    assert await alex.refused("POST", "/webhooks", {"url": PUBLIC, **WANTED}) == (400, "invalid_request")
    assert MAX_WEBHOOKS == 50
