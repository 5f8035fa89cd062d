"""Caller numbers, pools and configurations at the console, on a real campaign-api."""

import re
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from shared.domain.ids import number_budget, organization_budget
from shared.store.reports import answered_calls
from tests.factories import new_id
from tests.integration.campaign_api.client import CALLABLE, Api, Customer
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.console_browser import Person

NUMBER = "+14155550199"
HOSTILE = "<script>alert(1)</script>"


async def registered(acme: Customer, number: str = NUMBER, **fields: Any) -> Any:
    made = await acme.post("/caller-numbers", {"number": number, **fields})
    assert made.status == 200, made.raw
    return made.body


async def test_a_number_is_added_changed_switched_and_removed(operator: Person, acme: Customer) -> None:
    page = await operator.get("/caller-numbers")
    assert "No number is registered." in page.text
    fields = {"label": "West", "weight": "2", "max_calls": "", "daily_limit": "200", "pool": "west"}
    done = await operator.post("/caller-numbers/add", page, number="+1 415 5550199", **fields)
    assert done.notice == "+14155550199 is registered."
    [number] = (await acme.get("/caller-numbers")).body["caller_numbers"]
    told = {name: number[name] for name in ("label", "weight", "max_calls", "daily_limit", "pools")}
    assert told == {"label": "West", "weight": 2, "max_calls": None, "daily_limit": 200, "pools": ["west"]}
    here = f"/caller-numbers/{number['id']}"

    async def stored() -> Any:
        return (await acme.get(here)).body

    await operator.post(f"{here}/change", page, label="East", weight="3", max_calls="1", daily_limit="")
    assert [(await stored())[name] for name in ("label", "weight", "max_calls", "daily_limit")] == ["East", 3, 1, None]
    for wrong in ({"weight": "many"}, {"weight": "21"}, {"weight": "1", "max_calls": "-1"}):
        refused = await operator.post(f"{here}/change", page, **wrong)
        assert refused.notice
        assert (await stored())["weight"] == 3
    await operator.post(f"{here}/switch", page, active="no")
    assert (await stored())["active"] is False
    await operator.post(f"{here}/switch", page, active="yes")
    assert (await stored())["active"] is True
    question = await operator.post(f"{here}/remove", page)
    assert (f"Remove {NUMBER}?" in question.text, (await stored())["id"]) == (True, number["id"])
    assert (await operator.post(f"{here}/remove", question, sure="yes")).notice == "The number is removed."
    assert (await acme.get(here)).status == 404


async def test_the_page_shows_what_numbers_have_in_use_and_why_one_rests(
    operator: Person, acme: Customer, stack: Stack
) -> None:
    await registered(acme, max_calls=5, daily_limit=200)
    now = utc_now()
    use = {"held": 3, "day": now.date().isoformat(), "used": 41}
    await stack.store["budgets"].insert_one({"_id": number_budget(acme.organization_id, NUMBER), **use})
    page = await operator.get("/caller-numbers")
    assert re.search(r"<td>3 of 5</td>\s*<td>41 of 200</td>", page.text)
    assert "refused by the carrier" not in page.text
    refusal = {"subject": "caller_number", "code": 21210, "message": HOSTILE}
    rest = {"until": now.replace(year=now.year + 1), "refusals": 3, "since": now, "refusal": refusal}
    await stack.store["budgets"].update_one(
        {"_id": organization_budget(acme.organization_id)},
        {"$set": {f"rests.caller_number:{NUMBER}": rest}},
        upsert=True,
    )
    page = await operator.get("/caller-numbers")
    assert "refused by the carrier until" in page.text
    assert "(21210). &lt;script&gt;" in page.text


async def test_the_page_shows_how_many_calls_from_a_number_people_have_answered(
    operator: Person, acme: Customer, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    await registered(acme)
    page = await operator.get("/caller-numbers")
    assert "<td><small>no call</small></td>" in page.text
    now = utc_now().replace(microsecond=0)
    endings = (("answered", 2), ("voicemail", 3), ("busy", 4), ("answered", 30))
    for outcome, hours in endings:
        at = {"created_at": now - timedelta(hours=hours), "call_number": hours}
        ids = {"_id": new_id(), "organization_id": acme.organization_id, "caller_number": NUMBER}
        await stack.store["attempts"].insert_one({**ids, **at, "outcome": outcome})
    page = await operator.get("/caller-numbers")
    assert "33 %<br><small>1 of 3 calls</small>" in page.text
    assert '<option value="24" selected>' in page.text
    assert "50 %<br><small>2 of 4 calls</small>" in (await operator.get("/caller-numbers?hours=168")).text
    assert "no call" in (await operator.get("/caller-numbers?hours=1")).text
    assert '<option value="24" selected>' in (await operator.get("/caller-numbers?hours=5000")).text
    assert "answers are counted from" not in page.text
    monkeypatch.setattr(answered_calls, "MOST_COUNTED", 2)
    page = await operator.get("/caller-numbers")
    assert "50 %<br><small>1 of 2 calls</small>" in page.text
    assert "answers are counted from" in page.text


async def test_a_pool_is_made_of_ticked_numbers_and_a_used_one_says_by_which_campaigns(
    operator: Person, acme: Customer
) -> None:
    first, second = await registered(acme, pools=["a/b"]), await registered(acme, "+14155550198")
    page = await operator.get("/caller-numbers")
    pool = {"pool": "north & co", "number": [first["id"], second["id"]]}
    done = await operator.post("/caller-numbers/pools", page, move="into", **pool)
    assert done.notice == "2 numbers put into north & co."
    assert (await acme.get(f"/caller-numbers/{first['id']}")).body["pools"] == ["a/b", "north & co"]
    shown = await operator.get("/caller-numbers?pool=a%2Fb")
    assert ("Pool a/b" in shown.text, "+14155550198" in shown.text) == (True, False)

    configuration_id = await acme.new_configuration()
    await acme.new_campaign(name="Spring", configuration_id=configuration_id, caller_number_pool="north & co")
    # The first may leave; the last one may not.
    refused = await operator.post("/caller-numbers/pools", page, move="out", **pool)
    assert refused.notice.startswith("1 number taken out of north & co. Refused: ")
    assert "Spring" in refused.notice
    question = await operator.post("/caller-numbers/pools/remove", page, pool="north & co")
    assert "Remove the pool north &amp; co?" in question.text
    refused = await operator.post("/caller-numbers/pools/remove", question, pool="north & co", sure="yes")
    assert "Spring" in refused.notice
    await operator.post("/caller-numbers/pools/remove", question, pool="a/b", sure="yes")
    assert [pool["name"] for pool in (await acme.get("/caller-number-pools")).body["pools"]] == ["north & co"]
    for nothing in ({"pool": "x"}, {"number": second["id"]}, {}):
        refused = await operator.post("/caller-numbers/pools", page, move="into", **nothing)
        assert refused.notice == "Tick the numbers first, and name the pool."


async def test_a_configuration_shows_its_week_its_closed_days_and_its_retries(operator: Person, acme: Customer) -> None:
    empty = await operator.get("/configurations")
    assert "There is no configuration yet." in empty.text
    windows = [{"days": ["mon", "tue"], "start": "09:00", "end": "12:30"}]
    west = {"timezones": ["America/Los_Angeles"], "windows": [{"days": ["sun"], "start": "22:00", "end": "01:00"}]}
    configuration = await acme.new_configuration(
        default_windows=windows,
        overrides=[west],
        closures=[{"first_day": "2026-12-24", "last_day": "2026-12-26", "yearly": True, "name": HOSTILE}],
        holiday_calendars=["DE-BY"],
        retry_rules={"busy": {"delay_seconds": 900}},
    )
    await acme.patch("/calling-hours-settings", {"legal_hours": "on", "closures": [{"first_day": "2026-12-31"}]})
    listed = await operator.get("/configurations")
    assert "mon tue 09:00-12:30" in listed.text
    page = await operator.get(f"/configurations/{configuration}")
    for shown in (
        '<rect class="open" x="540" width="210"',
        "09:00-12:30",
        "Contacts in America/Los_Angeles",
        "22:00-24:00",
        "2026-12-24 to 2026-12-26, every year",
        "&lt;script&gt;",
        "DE-BY",
        "2026-12-31",
        "outside of them nobody is called",
        "called again, after 15 min",
    ):
        assert shown in page.text, shown
    assert "<script>alert" not in page.text


async def test_it_says_when_a_number_may_be_called_next(operator: Person, acme: Customer) -> None:
    here = f"/configurations/{await acme.new_configuration(**CALLABLE, default_country_code='+44')}"
    assert "may be called now." in (await operator.get(f"{here}?number=020+7183+8750&zone=Europe/London")).text
    await acme.patch(here, {"default_windows": []})
    page = await operator.get(f"{here}?number=%2B442071838750")
    assert "is not called as things stand: The configuration has no calling window." in page.text
    await acme.post("/do-not-call", {"phone_numbers": ["+442071838750"]})
    assert "is never called: on the do-not-call list." in (await operator.get(f"{here}?number=%2B442071838750")).text
    for wrong in ("number=12", f"number={HOSTILE}", "number=%2B442071838750&zone=Nowhere"):
        page = await operator.get(f"{here}?{wrong}")
        assert (page.status, 'id="answer"' in page.text, "<script>alert" in page.text) == (200, False, False)
        assert page.notice


async def test_windows_and_retries_are_changed(operator: Person, acme: Customer) -> None:
    here = f"/configurations/{await acme.new_configuration()}"

    async def stored(name: str) -> Any:
        return (await acme.get(here)).body[name]

    page = await operator.get(here)
    await operator.post(f"{here}/windows/add", page, days=["mon", "fri"], start="13:00", end="00:00")
    assert await stored("default_windows") == [{"days": ["mon", "fri"], "start": "13:00", "end": "24:00"}]
    for wrong in ({"start": "09:00", "end": "10:00"}, {"days": "mon", "start": "09:00", "end": "09:00"}):
        assert (await operator.post(f"{here}/windows/add", page, **wrong)).notice
    assert len(await stored("default_windows")) == 1
    gone = {"days": "mon fri", "start": "13:00", "end": "24:00"}
    # Nobody is called now, which the API remarks on.
    assert "no calling windows" in (await operator.post(f"{here}/windows/remove", page, **gone)).notice
    assert await stored("default_windows") == []
    again = await operator.post(f"{here}/windows/remove", page, **gone)
    assert again.notice == "That window is not there any more."

    await operator.post(f"{here}/attempts", page, max_attempts="5", max_attempts_per_day="2")
    assert (await stored("max_attempts"), await stored("max_attempts_per_day")) == (5, 2)
    await operator.post(f"{here}/attempts", page, max_attempts="5", max_attempts_per_day="")
    assert await stored("max_attempts_per_day") is None
    assert (await operator.post(f"{here}/attempts", page, max_attempts="51")).notice
    await operator.post(f"{here}/retry", page, outcome="busy", rule="again", minutes="15")
    await operator.post(f"{here}/retry", page, outcome="failed", rule="never")
    assert await stored("retry_rules") == {"busy": {"retry": True, "delay_seconds": 900}, "failed": {"retry": False}}
    await operator.post(f"{here}/retry", page, outcome="failed", rule="built-in")
    for wrong in ({"outcome": "answered", "rule": "again"}, {"outcome": "busy", "rule": "again", "minutes": "soon"}):
        assert (await operator.post(f"{here}/retry", page, **wrong)).notice
    assert await stored("retry_rules") == {"busy": {"retry": True, "delay_seconds": 900}}


async def test_a_key_that_may_only_read_is_offered_nothing(person: Person, api: Api, acme: Customer) -> None:
    number = await registered(acme, pools=["west"])
    configuration = await acme.new_configuration(**CALLABLE)
    await person.sign_in((await api.customer_of(acme.organization_id, ["campaigns:read"])).key)
    asked = f"/configurations/{configuration}?number=%2B442071838750"
    for path in ("/caller-numbers", "/caller-numbers?pool=west", "/configurations", asked):
        page = await person.get(path)
        assert page.status == 200
        assert set(re.findall(r'method="post" action="([^"]+)"', page.text)) == {"/sign-out"}
    assert "+4…8750 may" in re.sub(r"\s+", " ", page.text)
    await person.post(f"/caller-numbers/{number['id']}/switch", page, active="no")
    await person.post(f"/configurations/{configuration}/attempts", page, max_attempts="7")
    assert (await acme.get(f"/caller-numbers/{number['id']}")).body["active"] is True
    assert (await acme.get(f"/configurations/{configuration}")).body["max_attempts"] == 3


async def test_what_is_of_others_is_no_page_and_is_not_changed(operator: Person, other: Customer) -> None:
    number, configuration = await registered(other), await other.new_configuration()
    assert (await operator.get(f"/configurations/{configuration}?number=%2B442071838750")).status == 404
    page = await operator.get("/caller-numbers")
    assert NUMBER not in page.text
    await operator.post(f"/caller-numbers/{number['id']}/remove", page, sure="yes")
    await operator.post("/caller-numbers/pools", page, move="into", pool="x", number=number["id"])
    assert (await other.get(f"/caller-numbers/{number['id']}")).body["pools"] == []


async def test_nothing_is_done_by_a_form_of_elsewhere(operator: Person, acme: Customer) -> None:
    number, configuration = await registered(acme), await acme.new_configuration()
    for path, fields in (
        (f"/caller-numbers/{number['id']}/switch", {"active": "no"}),
        (f"/caller-numbers/{number['id']}/remove", {"sure": "yes"}),
        ("/caller-numbers/pools", {"move": "into", "pool": "x", "number": number["id"]}),
        ("/caller-numbers/add", {"number": "+14155550111"}),
        (f"/configurations/{configuration}/attempts", {"max_attempts": "7"}),
        (f"/configurations/{configuration}/retry", {"outcome": "busy", "rule": "never"}),
        (f"/configurations/{configuration}/windows/add", {"days": "mon", "start": "09:00", "end": "10:00"}),
    ):
        assert (await operator.post(path, None, csrf="guessed", **fields)).status == 403
    assert (await acme.get("/caller-numbers")).body["caller_numbers"] == [number]
    stored = (await acme.get(f"/configurations/{configuration}")).body
    assert (stored["max_attempts"], stored["retry_rules"], stored["default_windows"]) == (3, {}, [])


@pytest.mark.parametrize(
    "path", ["/caller-numbers?pool=%00", "/caller-numbers?cursor=x", "/configurations?cursor=x", "/configurations/none"]
)
async def test_a_strange_address_is_never_a_fault_of_ours(operator: Person, path: str) -> None:
    assert (await operator.get(path)).status < 500
