"""What an organization says of hours for all its calls, over HTTP."""

from typing import Any

import pytest

from shared.events import LimitsChanged
from tests.integration.campaign_api.client import Api, Customer, lead
from tests.integration.campaign_api.conftest import EventsOf, Stack

PATH = "/calling-hours-settings"
CLOSURE = {"first_day": "2026-12-24", "last_day": None, "yearly": False, "timezones": None, "name": None}
ALWAYS = [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"}]
FOR_EVER = {"first_day": "2026-01-01", "last_day": "2099-12-31"}


async def test_hours_of_an_organization_are_open_until_it_says_otherwise(acme: Customer, events: EventsOf) -> None:
    assert (await acme.get(PATH)).body == {"closures": [], "holiday_calendars": [], "legal_hours": "off"}
    changed = await acme.patch(PATH, {"closures": [{"first_day": "2026-12-24"}], "legal_hours": "on"})
    assert changed.body == {"closures": [CLOSURE], "holiday_calendars": [], "legal_hours": "on"}
    assert (await acme.patch(PATH, {"holiday_calendars": ["FR"]})).body["closures"] == [CLOSURE], "left out: it stays"
    assert (await acme.get(PATH)).body == {"closures": [CLOSURE], "holiday_calendars": ["FR"], "legal_hours": "on"}
    assert await events(acme.organization_id, LimitsChanged)


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"legal_hours": "strict"}, ["legal_hours"]),
        ({"legal_hours": None}, ["legal_hours"]),
        ({"closures": [{"first_day": "2026-12-24", "last_day": "2026-12-20"}]}, ["closures", 0]),
        ({"closures": [{"first_day": "2026-12-24", "timezones": ["UTC"] * 301}]}, ["closures", 0, "timezones"]),
        ({"holiday_calendars": ["Narnia"]}, ["holiday_calendars", 0]),
        ({"holidays": ["US"]}, ["holidays"]),
    ],
)
async def test_hours_that_make_no_sense_are_refused_with_their_place(
    acme: Customer, fields: dict[str, Any], loc: list[Any]
) -> None:
    refused = await acme.patch(PATH, fields)
    assert (refused.status, [problem["loc"] for problem in refused.body["errors"]]) == (422, [["body", *loc]])
    assert (await acme.get(PATH)).body["closures"] == []


async def test_hours_need_the_scopes_of_campaigns(api: Api) -> None:
    reader = await api.new_customer(["campaigns:read"])
    assert (await reader.get(PATH)).status == 200
    assert (await reader.patch(PATH, {"legal_hours": "on"})).status == 403
    stranger = await api.new_customer(["concurrency:manage"])
    assert (await stranger.get(PATH)).status == 403


async def test_closed_days_that_leave_no_window_draw_a_warning_at_configuration_campaign_and_contact(
    acme: Customer,
) -> None:
    await acme.patch(PATH, {"closures": [FOR_EVER]})
    made = await acme.post("/configurations", {"name": "c", "default_windows": ALWAYS})
    assert [warning["code"] for warning in made.body["warnings"]] == ["never_open"]
    fields = {"name": "Spring", "configuration_id": made.body["id"], "agent_id": "a", "agent_number": "+14155550100"}
    campaign = await acme.post("/campaigns", fields)
    assert [warning["code"] for warning in campaign.body["warnings"]] == ["never_open"]
    path = f"/campaigns/{campaign.body['id']}/contacts"
    added = (await acme.post(path, {"contacts": [lead(1)]})).body
    assert ["leave nothing of the calling windows" in said["message"] for said in added["warnings"]] == [True]
    contact = (await acme.get(f"{path}/{added['contact_ids'][0]}")).body
    assert contact["waiting_for"] == {"reason": "never_open", "until": None}
    assert contact["next_attempt_at"] is None
    await acme.patch(PATH, {"closures": []})
    contact = (await acme.get(f"{path}/{added['contact_ids'][0]}")).body
    assert contact["waiting_for"]["reason"] != "never_open"


async def test_a_contact_cannot_expire_before_it_is_due_and_one_that_has_expired_is_remarked(acme: Customer) -> None:
    configuration_id = await acme.new_configuration(default_windows=ALWAYS, agent_id="a", agent_number="+14155550100")
    path = f"/campaigns/{(await acme.new_campaign(configuration_id=configuration_id))['id']}/contacts"
    times = {"scheduled_at": "2035-01-01T10:00:00Z", "expires_at": "2035-01-01T10:00:00Z"}
    refused = await acme.post(path, {"contacts": [lead(1), lead(2, **times)]})
    assert [problem["loc"] for problem in refused.body["errors"]] == [["body", "contacts", 1, "expires_at"]]
    assert "2035-01-01T10:00:00Z" in refused.body["errors"][0]["msg"]
    added = (await acme.post(path, {"contacts": [lead(1), lead(2, expires_at="2020-01-01T00:00:00Z")]})).body
    assert [(said["index"], "expires_at has passed" in said["message"]) for said in added["warnings"]] == [(1, True)]


async def test_an_upload_has_the_contact_looked_at_when_it_expires(acme: Customer, stack: Stack) -> None:
    configuration_id = await acme.new_configuration(default_windows=ALWAYS, agent_id="a", agent_number="+14155550100")
    path = f"/campaigns/{(await acme.new_campaign(configuration_id=configuration_id))['id']}/contacts"
    sent = [lead(1, expires_at="2035-01-01T10:00:00Z"), lead(2)]
    first, second = (await acme.post(path, {"contacts": sent})).body["contact_ids"]

    async def rows() -> dict[str, str]:
        found = stack.store["expiries"].find({"_id": {"$in": [first, second]}})
        return {row["_id"]: row["at"].isoformat() async for row in found}

    assert await rows() == {first: "2035-01-01T10:00:00+00:00"}
    await acme.post(path, {"contacts": [lead(1, expires_at=None), lead(2, expires_at="2036-01-01T10:00:00Z")]})
    assert (await rows())[second] == "2036-01-01T10:00:00+00:00"
    assert (await acme.get(f"{path}/{first}")).body["expires_at"] is None
