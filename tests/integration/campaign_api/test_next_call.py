"""The question over HTTP when a number may be called next under a configuration."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from shared.clock import utc_now
from tests.integration.campaign_api.client import CALLABLE, Api, Customer
from tests.integration.campaign_api.conftest import Stack

LONDON = "+442071838750"
ALL_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


async def ask(customer: Customer, configuration_id: str, number: str = LONDON, **query: str) -> Any:
    pairs = "&".join(f"{name}={quote(value)}" for name, value in {"number": number, **query}.items())
    answer = await customer.get(f"/configurations/{configuration_id}/next-call?{pairs}")
    assert answer.status == 200, answer.raw
    return answer.body


async def test_a_number_may_be_called_now_or_when_the_window_of_its_zone_opens(acme: Customer) -> None:
    now = utc_now()
    answer = await ask(acme, await acme.new_configuration(**CALLABLE))
    assert (answer["phone_number"], answer["reason"], answer["ended_because"]) == (LONDON, None, None)
    assert answer["callable_at"] == answer["at"]
    # Open for the two hours that begin in three, by London's clock; without a zone, by New York's.
    opens = [now + timedelta(hours=3), now + timedelta(hours=5)]
    start, end = (f"{at:%H:00}" for at in opens)
    windows = [{"days": ALL_DAYS, "start": start, "end": end}]
    strict = await acme.new_configuration(default_windows=windows, default_timezone="UTC")
    waits = await ask(acme, strict, timezone="UTC")
    assert (waits["reason"], waits["timezones"]) == ("outside_hours", ["UTC"])
    assert waits["callable_at"] == waits["until"]
    assert datetime.fromisoformat(waits["until"]) == opens[0].replace(minute=0, second=0, microsecond=0)
    assert "window" in waits["what_to_do"]


async def test_a_number_is_read_as_that_of_a_contact(acme: Customer) -> None:
    british = await acme.new_configuration(**CALLABLE, default_country_code="+44")
    assert (await ask(acme, british, "020 7183 8750"))["phone_number"] == LONDON
    unencoded = await acme.get(f"/configurations/{british}/next-call?number={LONDON}")
    assert unencoded.body["phone_number"] == LONDON


async def test_the_do_not_call_list_and_caps_of_the_organization_count(acme: Customer, stack: Stack) -> None:
    configuration = await acme.new_configuration(**CALLABLE)
    await acme.patch("/limits", {"min_minutes_between_calls": 60})
    now = utc_now()
    attempt = {"_id": "a", "organization_id": acme.organization_id, "contact_id": "c", "phone": LONDON}
    counted = {"capped": True, "counted_at": now - timedelta(minutes=5), "ended_at": now - timedelta(minutes=4)}
    await stack.store["attempts"].insert_one(attempt | counted)
    waits = await ask(acme, configuration)
    assert waits["reason"] == "number_gap"
    assert timedelta(minutes=55) < datetime.fromisoformat(waits["until"]) - now < timedelta(minutes=57)
    await acme.post("/do-not-call", {"phone_numbers": [LONDON]})
    listed = await ask(acme, configuration)
    assert (listed["callable_at"], listed["reason"], listed["ended_because"]) == (None, None, "do_not_call")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("number=12", "number"),
        ("number=hello", "number"),
        ("number=", "number"),
        ("", "number"),
        (f"number={quote(LONDON)}&timezone=Nowhere", "timezone"),
    ],
)
async def test_a_number_or_a_zone_that_is_none_is_refused(acme: Customer, query: str, field: str) -> None:
    refused = await acme.get(f"/configurations/{await acme.new_configuration()}/next-call?{query}")
    assert (refused.status, refused.body["errors"][0]["loc"]) == (422, ["query", field])


async def test_configurations_of_others_are_none(acme: Customer, other: Customer, api: Api) -> None:
    configuration = await other.new_configuration(**CALLABLE)
    path = f"/configurations/{configuration}/next-call?number={quote(LONDON)}"
    assert (await acme.get(path)).status == 404
    assert (await (await api.new_customer(["concurrency:manage"])).get(path)).status == 403
