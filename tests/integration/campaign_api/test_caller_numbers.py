"""The registry of caller numbers, pools, and campaigns that call from them, over HTTP."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.contact import ContactStatus
from shared.domain.ids import number_budget, organization_budget
from shared.events import LimitsChanged
from tests.factories import new_id
from tests.integration.campaign_api.client import Answer, Customer, lead
from tests.integration.campaign_api.conftest import EventsOf, Stack

A, B = "+14155550181", "+14155550182"
WHOLE: dict[str, Any] = {
    "number": A,
    "label": "San Francisco",
    "weight": 7,
    "max_calls": 3,
    "daily_limit": 200,
    "calls_per_second": 0.5,
    "active": False,
    "pools": ["north", "south"],
}


async def registered(customer: Customer, number: str = A, **fields: Any) -> dict[str, Any]:
    answer = await customer.post("/caller-numbers", {"number": number, **fields})
    assert answer.status == 200, answer.raw
    return dict(answer.body)


async def campaign_with(customer: Customer, **fields: Any) -> dict[str, Any]:
    """A campaign without a number to call from but for these fields."""
    configuration_id = (await customer.post("/configurations", {"name": "Bare"})).body["id"]
    return dict(await customer.new_campaign(configuration_id=configuration_id, **fields))


def bad_values(answer: Answer) -> Mapping[str, str]:
    """Where the bad values of a refused request stand, and the kind of mistake."""
    assert answer.status == 422, answer.raw
    return {".".join(map(str, error["loc"])): error["type"] for error in answer.body["errors"]}


async def test_a_caller_number_has_the_documented_defaults(acme: Customer) -> None:
    made = await registered(acme)
    assert made == {
        "id": made["id"],
        "number": A,
        "label": "",
        "weight": 1,
        "max_calls": None,
        "daily_limit": None,
        "calls_per_second": None,
        "active": True,
        "pools": [],
        "telephony_account_id": None,
        "serial": 1,
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
    }


async def test_a_caller_number_comes_back_as_it_was_set_and_changed(acme: Customer, events: EventsOf) -> None:
    made = await registered(acme, **{name: value for name, value in WHOLE.items() if name != "number"})
    assert {name: made[name] for name in WHOLE} == WHOLE
    path = f"/caller-numbers/{made['id']}"
    assert (await acme.get(path)).body == made
    await events(acme.organization_id, LimitsChanged)
    unlimited = {"max_calls": None, "daily_limit": None, "calls_per_second": None}
    changes = {"label": "", "weight": 1, **unlimited, "active": True, "pools": ["north"]}
    changed = (await acme.patch(path, changes)).body
    assert changed == {**made, **changes, "updated_at": changed["updated_at"]}
    assert (await acme.patch(path, {"daily_limit": 5})).body["max_calls"] is None, "what is left out stays"
    await events(acme.organization_id, LimitsChanged, at_least=2)


async def test_numbers_are_listed_newest_first_by_pages_and_by_pool(acme: Customer) -> None:
    first = await registered(acme, A, pools=["north"])
    second = await registered(acme, B, pools=["north", "south"])
    page = (await acme.get("/caller-numbers?limit=1")).body
    assert page["caller_numbers"] == [second]
    rest = (await acme.get(f"/caller-numbers?limit=1&cursor={page['next_cursor']}")).body
    assert rest == {"caller_numbers": [first], "next_cursor": None}
    assert (await acme.get("/caller-numbers?pool=south")).body["caller_numbers"] == [second]
    assert (await acme.get("/caller-numbers?pool=west")).body["caller_numbers"] == []
    assert (await acme.get("/caller-numbers?cursor=x")).status == 400


async def test_a_number_is_registered_once(acme: Customer, other: Customer) -> None:
    await registered(acme)
    again = await acme.post("/caller-numbers", {"number": A})
    assert again.status == 409
    assert "registered already" in again.body["detail"]
    await registered(other)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        pytest.param({"number": "4155550100"}, "body.number", id="no E.164"),
        pytest.param({"weight": 0}, "body.weight", id="weight of 0"),
        pytest.param({"weight": 21}, "body.weight", id="weight above 20"),
        pytest.param({"weight": None}, "body.weight", id="no weight"),
        pytest.param({"max_calls": 0}, "body.max_calls", id="no calls at once"),
        pytest.param({"daily_limit": 0}, "body.daily_limit", id="no calls a day"),
        pytest.param({"daily_limit": -1}, "body.daily_limit", id="fewer than none"),
        pytest.param({"daily_limit": 1.5}, "body.daily_limit", id="half a call"),
        pytest.param({"calls_per_second": 0}, "body.calls_per_second", id="no calls a second"),
        pytest.param({"calls_per_second": 1000.5}, "body.calls_per_second", id="too many calls a second"),
        pytest.param({"calls_per_second": "2"}, "body.calls_per_second", id="a rate in words"),
        pytest.param({"active": "yes"}, "body.active", id="not a boolean"),
        pytest.param({"pools": [""]}, "body.pools.0", id="pool without a name"),
        pytest.param({"pools": [".."]}, "body.pools.0", id="pool that no path can name"),
        pytest.param({"pools": ["a\0b"]}, "body.pools.0", id="NUL in a pool"),
        pytest.param({"pools": [f"p{n}" for n in range(21)]}, "body.pools", id="too many pools"),
        pytest.param({"label": "x" * 256}, "body.label", id="label too long"),
        pytest.param({"id": "mine"}, "body.id", id="unknown field"),
    ],
)
async def test_bad_values_are_422_and_name_their_field(acme: Customer, fields: dict[str, Any], place: str) -> None:
    assert list(bad_values(await acme.post("/caller-numbers", {"number": A, **fields}))) == [place]
    if place != "body.number":
        made = await registered(acme)
        assert list(bad_values(await acme.patch(f"/caller-numbers/{made['id']}", fields))) == [place]
        assert (await acme.get(f"/caller-numbers/{made['id']}")).body == made


async def test_a_number_itself_cannot_be_changed(acme: Customer) -> None:
    made = await registered(acme)
    assert bad_values(await acme.patch(f"/caller-numbers/{made['id']}", {"number": B})) == {
        "body.number": "extra_forbidden"
    }


async def test_an_unknown_number_or_pool_is_404(acme: Customer) -> None:
    path = f"/caller-numbers/{new_id()}"
    asked = (acme.get(path), acme.patch(path, {"label": "x"}), acme.delete(path), acme.delete("/caller-number-pools/x"))
    assert [(await one).status for one in asked] == [404] * 4


async def test_a_campaign_calls_from_a_list_or_a_pool_and_shows_it(acme: Customer) -> None:
    first, second = await registered(acme, A), await registered(acme, B, weight=5, pools=["north"])
    listed = [{"id": first["id"], "weight": 3}, {"id": second["id"].upper(), "weight": None}]
    made = await campaign_with(acme, caller_numbers=listed, caller_number_choice="rotate")
    shown = [{"id": first["id"], "weight": 3}, {"id": second["id"], "weight": None}]
    assert (made["caller_numbers"], made["caller_number_choice"]) == (shown, "rotate")
    path = f"/campaigns/{made['id']}"
    assert (await acme.get(path)).body["caller_numbers"] == shown
    changes = {"caller_numbers": None, "caller_number_pool": "north", "caller_number_choice": None}
    changed = (await acme.patch(path, changes)).body
    assert {name: changed[name] for name in changes} == changes
    cleared = (await acme.patch(path, {"caller_number_pool": None, "agent_number": A})).body
    assert (cleared["caller_number_pool"], cleared["agent_number"]) == (None, A)


async def test_a_campaign_without_settings_about_numbers_shows_none(acme: Customer) -> None:
    made = await acme.new_campaign()
    assert [made[n] for n in ("caller_numbers", "caller_number_pool", "caller_number_choice")] == [None, None, None]


SOME_ID = "3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            {"caller_numbers": [{"id": SOME_ID}]},
            {"body.caller_numbers.0.id": "unknown_caller_number"},
            id="unknown number",
        ),
        pytest.param({"caller_number_pool": "west"}, {"body.caller_number_pool": "empty_pool"}, id="empty pool"),
        pytest.param({"caller_numbers": []}, {"body.caller_numbers": "too_short"}, id="empty list"),
        pytest.param(
            {"caller_numbers": [{"id": SOME_ID, "weight": 0}]},
            {"body.caller_numbers.0.weight": "greater_than_equal"},
            id="weight of 0",
        ),
        pytest.param(
            {"caller_numbers": [{"id": SOME_ID}, {"id": SOME_ID.upper()}]},
            {"body.caller_numbers": "value_error"},
            id="one number twice",
        ),
        pytest.param(
            {"agent_number": A, "caller_number_pool": "north"},
            {"body.caller_number_pool": "several_kinds_of_numbers"},
            id="a number and a pool",
        ),
        pytest.param(
            {"caller_number_choice": "rotate"},
            {"body.caller_number_choice": "choice_without_numbers"},
            id="nothing to rotate",
        ),
        pytest.param({"caller_number_choice": "any"}, {"body.caller_number_choice": "enum"}, id="unknown choice"),
    ],
)
async def test_settings_that_contradict_each_other_or_the_registry_are_422(
    acme: Customer, fields: dict[str, Any], expected: dict[str, str]
) -> None:
    await registered(acme, B, pools=["north"])
    configuration_id = await acme.new_configuration()
    wish = {"name": "Spring", "configuration_id": configuration_id, **fields}
    assert bad_values(await acme.post("/campaigns", wish)) == expected
    assert (await acme.get("/campaigns")).body["campaigns"] == []
    made = await acme.new_campaign(configuration_id=configuration_id)
    assert bad_values(await acme.patch(f"/campaigns/{made['id']}", fields)) == expected
    assert (await acme.get(f"/campaigns/{made['id']}")).body["updated_at"] == made["updated_at"]


async def test_a_change_is_checked_against_what_the_campaign_has(acme: Customer) -> None:
    await registered(acme, B, pools=["north"])
    made = await campaign_with(acme, caller_number_pool="north", caller_number_choice="random_free")
    path = f"/campaigns/{made['id']}"
    assert bad_values(await acme.patch(path, {"agent_number": A})) == {
        "body.caller_number_pool": "several_kinds_of_numbers"
    }
    assert bad_values(await acme.patch(path, {"caller_number_pool": None})) == {
        "body.caller_number_choice": "choice_without_numbers"
    }
    assert (await acme.patch(path, {"name": "Summer"})).status == 200


@pytest.mark.parametrize("by", ["list", "pool", "agent_number", "configuration"])
async def test_a_number_that_a_campaign_uses_cannot_be_deleted(acme: Customer, by: str) -> None:
    number = await registered(acme, A, pools=["north"])
    ways: dict[str, dict[str, Any]] = {
        "list": {"caller_numbers": [{"id": number["id"]}]},
        "pool": {"caller_number_pool": "north"},
        "agent_number": {"agent_number": A},
        "configuration": {"configuration_id": await acme.new_configuration(agent_number=A)},
    }
    made = await acme.new_campaign(**{"name": "Spring", **ways[by]})
    await acme.new_campaign(name="Other", configuration_id=await acme.new_configuration(agent_number=B))
    refused = await acme.delete(f"/caller-numbers/{number['id']}")
    assert refused.status == 409
    assert f"'Spring' ({made['id']})" in refused.body["detail"]
    assert "Other" not in refused.body["detail"]
    assert (await acme.post(f"/campaigns/{made['id']}/close")).status == 200
    assert (await acme.delete(f"/caller-numbers/{number['id']}")).body == {"id": number["id"], "deleted": True}
    assert (await acme.get(f"/caller-numbers/{number['id']}")).status == 404


async def test_a_pool_that_a_campaign_uses_keeps_a_number(acme: Customer) -> None:
    first, second = await registered(acme, A, pools=["north"]), await registered(acme, B, pools=["north", "south"])
    made = await acme.new_campaign(
        name="Spring", configuration_id=await acme.new_configuration(), caller_number_pool="north"
    )
    assert (await acme.get("/caller-number-pools")).body == {
        "pools": [{"name": "north", "numbers": 2, "active": 2}, {"name": "south", "numbers": 1, "active": 1}]
    }
    assert (await acme.patch(f"/caller-numbers/{first['id']}", {"pools": [], "active": False})).status == 200
    for refused in (
        await acme.patch(f"/caller-numbers/{second['id']}", {"pools": ["south"]}),
        await acme.delete("/caller-number-pools/north"),
    ):
        assert refused.status == 409
        assert f"'Spring' ({made['id']})" in refused.body["detail"]
    assert (await acme.delete("/caller-number-pools/south")).body == {"name": "south"}
    assert (await acme.get(f"/caller-numbers/{second['id']}")).body["pools"] == ["north"]
    await acme.post(f"/campaigns/{made['id']}/close")
    assert (await acme.delete("/caller-number-pools/north")).status == 200
    assert (await acme.get("/caller-number-pools")).body == {"pools": []}


async def test_a_number_with_a_call_up_cannot_be_deleted(acme: Customer, stack: Stack) -> None:
    number = await registered(acme)
    campaign = await acme.new_campaign(contacts=[lead(1)])
    lock = {"attempt": new_id(), "phone": "+14155550001", "caller_number": A, "expires_at": utc_now()}
    contacts, mine = stack.store["contacts"], {"campaign_id": campaign["id"]}
    await contacts.update_one(mine, {"$set": {"status": ContactStatus.IN_PROGRESS, "lock": lock}})
    refused = await acme.delete(f"/caller-numbers/{number['id']}")
    assert (refused.status, "A call from caller number" in refused.body["detail"]) == (409, True)
    await contacts.update_one(mine, {"$set": {"status": ContactStatus.COMPLETED}, "$unset": {"lock": ""}})
    assert (await acme.delete(f"/caller-numbers/{number['id']}")).status == 200


async def test_a_campaign_whose_numbers_are_all_off_is_told_so(acme: Customer) -> None:
    lonely = await acme.api.new_customer(default_agent_number=None)
    number = await registered(lonely, A, pools=["north"])
    configuration_id = await lonely.new_configuration(agent_number=None)
    made = await lonely.new_campaign(configuration_id=configuration_id, caller_number_pool="north")
    assert "no_caller_number" not in [warning["code"] for warning in made.get("warnings", [])]
    await lonely.patch(f"/caller-numbers/{number['id']}", {"active": False})
    added = await lonely.patch(f"/campaigns/{made['id']}", {"contacts": [lead(1)]})
    assert "no_caller_number" in [warning["code"] for warning in added.body["warnings"]]
    diagnosis = (await lonely.get(f"/campaigns/{made['id']}/diagnosis")).body
    assert [reason["reason"] for reason in diagnosis["reasons"]] == ["no_caller_number"]
    await lonely.patch(f"/caller-numbers/{number['id']}", {"active": True, "daily_limit": 1})
    diagnosis = (await lonely.get(f"/campaigns/{made['id']}/diagnosis")).body
    assert "no_caller_number" not in [reason["reason"] for reason in diagnosis["reasons"]]


async def test_the_diagnosis_shows_the_use_of_numbers(acme: Customer, stack: Stack) -> None:
    await registered(acme, A, max_calls=2, daily_limit=3, pools=["north"])
    made = await acme.new_campaign(
        configuration_id=await acme.new_configuration(**CALLABLE_WITHOUT_NUMBER),
        caller_number_pool="north",
        contacts=[lead(1)],
    )
    today = utc_now().date().isoformat()
    budget = {"_id": f"number:{acme.organization_id}:{A}", "held": 1, "day": today, "used": 3}
    await stack.store["budgets"].insert_one(budget)
    diagnosis = (await acme.get(f"/campaigns/{made['id']}/diagnosis")).body
    [reason] = diagnosis["reasons"]
    assert (reason["reason"], reason["contacts"], reason["estimated"]) == ("caller_number_spent", 1, False)
    assert reason["until"].endswith("T00:00:00Z")
    limits = {limit["name"]: (limit["held"], limit["limit"]) for limit in diagnosis["limits"]}
    assert (limits[f"caller_number:{A}"], limits[f"caller_number_daily:{A}"]) == ((1, 2), (3, 3))
    await stack.store["budgets"].update_one({"_id": budget["_id"]}, {"$set": {"held": 2, "used": 2}})
    diagnosis = (await acme.get(f"/campaigns/{made['id']}/diagnosis")).body
    assert [reason["reason"] for reason in diagnosis["reasons"]] == ["caller_number_limit"]
    [contact] = (await acme.get(f"/campaigns/{made['id']}/contacts")).body["contacts"]
    assert contact["waiting_for"]["reason"] == "caller_number_limit"


async def test_the_use_of_all_numbers_is_listed_with_what_rests(acme: Customer, stack: Stack) -> None:
    assert (await acme.get("/caller-number-use")).body["caller_numbers"] == []
    resting, used, idle = [await registered(acme, number) for number in (A, B, "+14155550197")]
    now = utc_now().replace(microsecond=0)
    today, yesterday = (day.date().isoformat() for day in (now, now - timedelta(days=1)))
    for number, held, day, calls in ((B, 2, today, 7), (idle["number"], 0, yesterday, 9)):
        use = {"_id": number_budget(acme.organization_id, number), "held": held, "day": day, "used": calls}
        await stack.store["budgets"].insert_one(use)
    refusal = {"subject": "caller_number", "code": 21210, "message": "not verified"}
    rest = {"until": now + timedelta(minutes=5), "refusals": 3, "since": now, "refusal": refusal}
    over = {**rest, "until": now - timedelta(seconds=1)}
    rests = {f"caller_number:{A}": rest, f"caller_number:{B}": over}
    key = organization_budget(acme.organization_id)
    await stack.store["budgets"].update_one({"_id": key}, {"$set": {"held": 0, "rests": rests}}, upsert=True)
    found = (await acme.get("/caller-number-use")).body["caller_numbers"]
    uses = {one["id"]: (one["number"], one["active_calls"], one["calls_today"]) for one in found}
    assert uses == {
        resting["id"]: (A, 0, 0),
        used["id"]: (B, 2, 7),
        idle["id"]: (idle["number"], 0, 0),
    }
    [why] = [one["resting"] for one in found if one["resting"] is not None]
    assert (why["refusals"], why["code"], why["said"]) == (3, 21210, "not verified")
    assert datetime.fromisoformat(why["until"]) == now + timedelta(minutes=5)


async def test_the_diagnosis_shows_the_rates_of_numbers_and_contacts_say_they_wait_for_them(
    acme: Customer,
) -> None:
    await registered(acme, A, calls_per_second=0.5, pools=["north"])
    await registered(acme, B, calls_per_second=0.1, pools=["north"])
    made = await acme.new_campaign(
        configuration_id=await acme.new_configuration(**CALLABLE_WITHOUT_NUMBER),
        caller_number_pool="north",
        contacts=[lead(1)],
    )
    path = f"/campaigns/{made['id']}"
    diagnosis = (await acme.get(f"{path}/diagnosis")).body
    assert diagnosis["rates"] == [
        {"name": f"caller_number:{B}", "calls_per_second": 0.1},
        {"name": f"caller_number:{A}", "calls_per_second": 0.5},
    ]
    situation = (await acme.get(f"{path}/contacts")).body["contacts"][0]["waiting_for"]["reason"]
    # Where no executor is alive, that comes first.
    assert situation in {"calls_per_second", "no_executor"}


CALLABLE_WITHOUT_NUMBER = {
    "default_windows": [
        {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"},
    ],
    "agent_id": "outreach",
}
