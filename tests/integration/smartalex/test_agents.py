"""The registry of agents in this dialect."""

from typing import Any

import pytest

from shared.domain.contact_input import is_uuid
from tests.integration.smartalex.client import Alex, fields_of, phone, said


async def test_an_agent_keeps_what_it_is_given(alex: Alex) -> None:
    made = await alex.post(
        "/agents", {"id": "ada/1", "assistant_name": "Ada", "temperature": 0.7, "tools": [{"a": 1}]}, 201
    )
    assert "warnings" not in made
    agent = made["data"]
    times = {name: agent[name] for name in ("created_at", "updated_at")}
    assert agent == {
        "id": "ada/1",
        "name": "Ada",
        "assistant_name": "Ada",
        "language": "en-US",
        "voice": None,
        "status": "ready",
        "is_active": True,
        "phone_numbers": [],
        "temperature": 0.7,
        "tools": [{"a": 1}],
        **times,
    }
    assert (await alex.get("/agents/ada%2F1"))["data"] == agent
    changed = (await alex.patch("/agents/ada%2F1", {"is_active": False, "voice": "alloy", "temperature": None}))["data"]
    assert (changed["status"], changed["voice"], changed["temperature"]) == ("inactive", "alloy", None)
    assert (changed["tools"], changed["name"]) == ([{"a": 1}], "Ada")
    sent_back = await alex.call("PUT", "/agents/ada%2F1", changed)
    assert {**sent_back.body["data"], "updated_at": 0} == {**changed, "updated_at": 0}
    assert (await alex.get("/agents"))["meta"] == {"total": 1, "page": 1, "per_page": 20}
    assert [agent["id"] for agent in (await alex.get("/agents"))["data"]] == ["ada/1"]
    assert is_uuid(await alex.new_agent())
    taken = await alex.call("POST", "/agents", {"id": "ada/1", "name": "Other"})
    assert (said(taken), fields_of(taken)) == ((400, "invalid_request"), ["id"])
    assert await alex.refused("GET", "/agents/nobody") == (404, "agent_not_found")


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({}, ["name"]),
        ({"name": "Ada", "is_active": 1}, ["is_active"]),
        ({"name": "Ada", "phone_numbers": ["555"]}, ["phone_numbers[0]"]),
        ({"name": "Ada", "phone_numbers": [phone(1)] * 101}, ["phone_numbers"]),
        ({"name": "Ada", "prompt": "x" * 65536}, [""]),
        ({"name": "Ada", "prompt": "\x00"}, [""]),
    ],
)
async def test_what_is_wrong_with_an_agent_is_named(alex: Alex, wrong: dict[str, Any], fields: list[str]) -> None:
    answer = await alex.call("POST", "/agents", wrong)
    assert (said(answer), fields_of(answer)) == ((400, "invalid_request"), fields)
