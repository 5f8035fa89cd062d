from typing import Any
from urllib.parse import quote

import pytest

from shared.events import CampaignChanged
from tests.integration.campaign_api.client import CALLABLE, Customer, lead, unique
from tests.integration.campaign_api.conftest import EventsOf, Stack

SOME_ID = "3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21"


async def test_a_new_campaign_is_active_with_priority_1_and_no_overrides(acme: Customer) -> None:
    configuration_id = await acme.new_configuration(**CALLABLE)
    made = await acme.post("/campaigns", {"name": "Spring", "configuration_id": configuration_id})
    assert made.status == 200
    campaign = made.body
    assert campaign.pop("id")
    created_at = campaign.pop("created_at")
    assert created_at.endswith("Z")
    assert campaign.pop("started_at") == created_at
    more = {name: campaign.pop(name) for name in ("state", "state_reason", "start_at", "completed_at")}
    assert more == {"state": "running", "state_reason": None, "start_at": None, "completed_at": None}
    assert campaign == {
        "external_id": None,
        "name": "Spring",
        "status": "active",
        "priority": 1,
        "configuration_id": configuration_id,
        "agent_id": None,
        "agent_version": None,
        "agent_number": None,
        "order": "fresh_first",
        "concurrency_limit": None,
        "calls_per_second": None,
        "max_calls": None,
        "circuit_breaker": None,
        "caller_numbers": None,
        "caller_number_pool": None,
        "caller_number_choice": None,
        "auto_complete": False,
        "end_at": None,
        "number": 1,
        "description": None,
        "objective": None,
        "labels": None,
        "telephony_account_id": None,
        "redial_of": None,
        "redialed_as": None,
        "deleted_at": None,
        "updated_at": created_at,
    }


EXTERNAL_IDS = [
    "a/b",
    "x/contacts",
    "x/contacts/y",
    "50% off?#",
    "ünï cødé ☎",
    "a b+c&d=e",
    "..a",
    "%2F",
    "contacts",
    "3f2b8a540c554c1e9a571f0f6c3e8d21",
    "a" * 255,
    "\\",
    "\n",
]


@pytest.mark.parametrize("external_id", EXTERNAL_IDS)
async def test_a_campaign_is_addressed_by_any_external_id(acme: Customer, external_id: str) -> None:
    campaign = await acme.new_campaign(external_id=external_id)
    assert campaign["external_id"] == external_id
    path = f"/campaigns/{quote(external_id, safe='')}"
    assert (await acme.get(path)).body == campaign
    assert (await acme.get(f"{path}/stats")).body["campaign_id"] == campaign["id"]
    assert (await acme.post(f"{path}/contacts", {"contacts": [lead(1)]})).status == 200
    assert (await acme.get(f"{path}/contacts/lead-1")).body["campaign_id"] == campaign["id"]
    assert (await acme.post(f"{path}/pause")).body["status"] == "paused"
    assert (await acme.patch(path, {"external_id": None})).body["external_id"] is None
    assert (await acme.get(path)).status == 404


@pytest.mark.parametrize("external_id", ["default", ".", "..", "", "a" * 256, SOME_ID, SOME_ID.upper(), "a\0", 7])
async def test_an_external_id_that_could_not_be_addressed_is_422(acme: Customer, external_id: Any) -> None:
    configuration_id = await acme.new_configuration()
    body = {"name": "S", "configuration_id": configuration_id, "external_id": external_id}
    answer = await acme.post("/campaigns", body)
    assert answer.status == 422
    assert answer.body["errors"][0]["loc"] == ["body", "external_id"]


async def test_a_campaign_id_may_be_written_in_upper_case(acme: Customer) -> None:
    campaign = await acme.new_campaign()
    assert (await acme.get(f"/campaigns/{campaign['id'].upper()}")).status == 200


async def test_an_external_id_is_unique_in_its_organization_and_a_closed_campaign_keeps_its_own(
    acme: Customer, other: Customer
) -> None:
    first = await acme.new_campaign(external_id="spring")
    await other.new_campaign(external_id="spring")
    await acme.post("/campaigns/spring/close")
    again = {"name": "S", "configuration_id": first["configuration_id"], "external_id": "spring"}
    assert (await acme.post("/campaigns", again)).status == 409
    second = await acme.new_campaign()
    assert (await acme.patch(f"/campaigns/{second['id']}", {"external_id": "spring"})).status == 409
    assert (await acme.get("/campaigns/spring")).body["id"] == first["id"]


async def test_a_refused_campaign_leaves_the_configurations_count_as_it_was(acme: Customer) -> None:
    configuration_id = await acme.new_configuration()
    await acme.new_campaign(external_id="spring")
    body = {"name": "S", "configuration_id": configuration_id, "external_id": "spring"}
    assert (await acme.post("/campaigns", body)).status == 409
    assert (await acme.delete(f"/configurations/{configuration_id}")).status == 200


@pytest.mark.parametrize(
    ("fields", "loc"),
    [
        ({"name": ""}, "name"),
        ({"name": "a" * 256}, "name"),
        ({"name": None}, "name"),
        ({"name": {"$gt": ""}}, "name"),
        ({"priority": -1}, "priority"),
        ({"priority": 1_000_000}, "priority"),
        ({"priority": "5"}, "priority"),
        ({"priority": True}, "priority"),
        ({"priority": None}, "priority"),
        ({"configuration_id": {"$gt": ""}}, "configuration_id"),
        ({"configuration_id": None}, "configuration_id"),
        ({"agent_number": "4155550123"}, "agent_number"),
        ({"order": "oldest_first"}, "order"),
        ({"order": None}, "order"),
        ({"concurrency_limit": 0}, "concurrency_limit"),
        ({"concurrency_limit": 10_001}, "concurrency_limit"),
        ({"concurrency_limit": 2.5}, "concurrency_limit"),
        ({"calls_per_second": 0}, "calls_per_second"),
        ({"calls_per_second": -1}, "calls_per_second"),
        ({"calls_per_second": 1001}, "calls_per_second"),
        ({"status": "paused"}, "status"),
        ({"contacts": None}, "contacts"),
        ({"contacts": {}}, "contacts"),
    ],
)
async def test_a_bad_field_is_named_on_create_and_on_edit(acme: Customer, fields: dict[str, Any], loc: str) -> None:
    campaign = await acme.new_campaign()
    whole = {"name": "S", "configuration_id": campaign["configuration_id"], **fields}
    for answer in (await acme.post("/campaigns", whole), await acme.patch(f"/campaigns/{campaign['id']}", fields)):
        assert answer.status == 422
        assert ["body", loc] in [error["loc"][:2] for error in answer.body["errors"]]
    assert (await acme.get(f"/campaigns/{campaign['id']}")).body == campaign


async def test_every_bad_field_is_named_at_once(acme: Customer) -> None:
    answer = await acme.post("/campaigns", {"priority": -1, "agent_number": "x", "colour": "red"})
    assert {tuple(error["loc"]) for error in answer.body["errors"]} == {
        ("body", "name"),
        ("body", "configuration_id"),
        ("body", "priority"),
        ("body", "agent_number"),
        ("body", "colour"),
    }
    assert all(error.keys() == {"loc", "msg", "type"} for error in answer.body["errors"])


async def test_an_edit_changes_what_is_given_and_null_clears_an_override(acme: Customer) -> None:
    campaign = await acme.new_campaign(agent_id="a", agent_number="+14155550100", external_id="spring")
    path = f"/campaigns/{campaign['id']}"
    edited = (await acme.patch(path, {"priority": 0, "agent_id": None})).body
    assert edited == {**campaign, "priority": 0, "agent_id": None, "updated_at": edited["updated_at"]}
    assert (await acme.patch(path, {})).body["priority"] == 0


async def test_what_goes_first_in_a_campaign_can_be_set_and_changed(acme: Customer) -> None:
    campaign = await acme.new_campaign(order="retries_first")
    path = f"/campaigns/{campaign['id']}"
    assert (await acme.get(path)).body["order"] == "retries_first"
    assert (await acme.patch(path, {"order": "fresh_first"})).body["order"] == "fresh_first"
    assert (await acme.patch(path, {"priority": 7})).body["order"] == "fresh_first"


async def test_a_campaigns_own_limit_is_set_shown_and_cleared(acme: Customer) -> None:
    campaign = await acme.new_campaign(concurrency_limit=5)
    path = f"/campaigns/{campaign['id']}"
    assert (await acme.get(path)).body["concurrency_limit"] == 5
    assert (await acme.get(f"{path}/stats")).body["concurrency_limit"] == 5
    assert (await acme.patch(path, {"concurrency_limit": 2})).body["concurrency_limit"] == 2
    assert (await acme.patch(path, {"name": "Summer"})).body["concurrency_limit"] == 2
    assert (await acme.patch(path, {"concurrency_limit": None})).body["concurrency_limit"] is None
    assert (await acme.get(f"{path}/stats")).body["concurrency_limit"] == 10


async def test_a_campaigns_limit_above_its_organizations_draws_a_warning(acme: Customer) -> None:
    configuration_id = await acme.new_configuration(**CALLABLE)
    body = {"name": "S", "configuration_id": configuration_id, "concurrency_limit": 11}
    made = (await acme.post("/campaigns", body)).body
    [warning] = made["warnings"]
    assert warning["code"] == "limit_above_organization"
    assert "11 calls at once and its organization 10" in warning["message"]
    path = f"/campaigns/{made['id']}"
    assert (await acme.get(f"{path}/diagnosis")).body["settings"] == [warning]
    assert "warnings" not in (await acme.patch(path, {"concurrency_limit": 10})).body
    assert (await acme.get(f"{path}/diagnosis")).body["settings"] == []


async def test_an_edit_may_change_the_configuration_and_the_counts_follow(acme: Customer) -> None:
    campaign = await acme.new_campaign()
    new = await acme.new_configuration()
    assert (await acme.patch(f"/campaigns/{campaign['id']}", {"configuration_id": new})).status == 200
    assert (await acme.delete(f"/configurations/{new}")).status == 409
    assert (await acme.delete(f"/configurations/{campaign['configuration_id']}")).status == 200


async def test_a_closed_campaign_cannot_be_edited_but_a_malformed_body_is_named_first(acme: Customer) -> None:
    campaign = await acme.new_campaign()
    path = f"/campaigns/{campaign['id']}"
    await acme.post(f"{path}/close")
    assert (await acme.patch(path, {"name": "New"})).status == 400
    assert (await acme.patch(path, {"name": 7})).status == 422
    assert (await acme.get(path)).body["name"] == "Spring"


@pytest.mark.parametrize(
    ("before", "move", "status", "after"),
    [
        (None, "start", 200, "active"),
        (None, "pause", 200, "paused"),
        (None, "close", 200, "closed"),
        ("pause", "start", 200, "active"),
        ("pause", "pause", 400, "paused"),
        ("pause", "close", 200, "closed"),
        ("close", "start", 400, "closed"),
        ("close", "pause", 400, "closed"),
        ("close", "close", 400, "closed"),
    ],
)
async def test_a_move_is_made_only_from_the_states_that_allow_it(
    acme: Customer, before: str | None, move: str, status: int, after: str
) -> None:
    path = f"/campaigns/{(await acme.new_campaign())['id']}"
    if before:
        assert (await acme.post(f"{path}/{before}")).status == 200
    answer = await acme.post(f"{path}/{move}")
    assert answer.status == status
    now = (await acme.get(path)).body
    assert now["status"] == after
    assert answer.body == now if status == 200 else list(answer.body) == ["detail"]


async def test_a_thing_of_another_organization_is_404_in_the_path_and_in_a_body(
    acme: Customer, other: Customer
) -> None:
    theirs = await other.new_campaign(external_id="theirs", contacts=[lead(1)])
    for reference in (theirs["id"], "theirs", SOME_ID):
        path = f"/campaigns/{reference}"
        assert (await acme.get(path)).status == 404
        assert (await acme.patch(path, {"name": "Mine"})).status == 404
        assert (await acme.post(f"{path}/start")).status == 404
        assert (await acme.post(f"{path}/pause")).status == 404
        assert (await acme.post(f"{path}/close")).status == 404
        assert (await acme.get(f"{path}/stats")).status == 404
        assert (await acme.get(f"{path}/contacts")).status == 404
        assert (await acme.get(f"{path}/contacts/lead-1")).status == 404
        assert (await acme.delete(f"{path}/contacts/lead-1")).status == 404
        assert (await acme.post(f"{path}/contacts", {"contacts": [lead(2)]})).status == 404
    mine = await acme.new_campaign()
    body = {"name": "S", "configuration_id": theirs["configuration_id"]}
    assert (await acme.post("/campaigns", body)).status == 404
    assert (await acme.patch(f"/campaigns/{mine['id']}", body)).status == 404
    assert (await other.get("/campaigns/theirs")).body["name"] == "Spring"
    assert (await acme.get("/campaigns")).body["campaigns"] == [mine]


async def test_a_list_stays_right_while_campaigns_are_added(acme: Customer) -> None:
    configuration_id = await acme.new_configuration()
    old = [(await acme.new_campaign(configuration_id=configuration_id))["id"] for _ in range(7)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await acme.get(f"/campaigns?limit=2{cursor}")).body
        seen += [campaign["id"] for campaign in page["campaigns"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
        await acme.new_campaign(configuration_id=configuration_id)
    assert seen == old[::-1]


async def test_a_list_is_filtered_by_name_and_status(acme: Customer) -> None:
    configuration_id = await acme.new_configuration()
    names = ["Spring (50%)", "spring.", "Ärzte", "x$"]
    for name in names:
        await acme.new_campaign(name=name, configuration_id=configuration_id, external_id=name)
    await acme.post("/campaigns/x%24/pause")
    await acme.post("/campaigns/spring./close")

    async def found(query: str) -> list[str]:
        return [campaign["name"] for campaign in (await acme.get(f"/campaigns?{query}")).body["campaigns"]]

    assert await found("name=SPRING") == ["spring.", "Spring (50%)"]
    assert await found("name=" + quote("(50%")) == ["Spring (50%)"]
    assert await found("name=.") == ["spring."]
    assert await found("name=%24") == ["x$"]
    assert await found("name=" + quote("ärz")) == ["Ärzte"]
    assert await found("name=") == names[::-1]
    assert await found("unknown=1") == names[::-1]
    assert await found("status=paused") == ["x$"]
    assert await found("status=paused&status=closed") == ["x$", "spring."]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 422),
        ("limit=201", 422),
        ("limit=x", 422),
        ("limit=", 422),
        ("status=running", 422),
        ("status=", 422),
        ("name=%00", 422),
        ("cursor=nonsense", 400),
        ("cursor=", 400),
        ("cursor=MTIzL2FiYw==", 400),
        ("cursor=%00", 400),
        ("limit=200", 200),
        ("limit=1", 200),
    ],
)
async def test_bad_query_parameters_are_refused(acme: Customer, query: str, status: int) -> None:
    assert (await acme.get(f"/campaigns?{query}")).status == status


async def test_contacts_come_with_a_new_campaign_and_their_result_with_the_answer(acme: Customer) -> None:
    campaign = await acme.new_campaign(contacts=[lead(1), lead(2)])
    result = campaign["contacts_result"]
    assert (result["inserted"], result["updated"], len(result["contact_ids"])) == (2, 0, 2)
    edited = await acme.patch(f"/campaigns/{campaign['id']}", {"priority": 2, "contacts": [lead(2), lead(3)]})
    assert edited.body["priority"] == 2
    assert edited.body["contacts_result"]["inserted"] == 1
    assert edited.body["contacts_result"]["contact_ids"][0] == result["contact_ids"][1]
    empty = await acme.new_campaign(contacts=[])
    assert empty["contacts_result"]["contact_ids"] == []
    assert "contacts_result" not in await acme.new_campaign()


async def test_5000_contacts_may_be_inlined_and_5001_may_not(acme: Customer) -> None:
    configuration_id = await acme.new_configuration()
    rows = [lead(number) for number in range(5001)]
    body = {"name": "S", "configuration_id": configuration_id, "contacts": rows}
    assert (await acme.post("/campaigns", body)).status == 422
    made = await acme.post("/campaigns", {**body, "contacts": rows[:5000]})
    assert made.body["contacts_result"]["inserted"] == 5000
    assert len(set(made.body["contacts_result"]["contact_ids"])) == 5000
    stats = (await acme.get(f"/campaigns/{made.body['id']}/stats")).body
    assert (stats["contacts"]["total"], stats["contacts"]["pending"]) == (5000, 5000)


async def test_a_bad_number_among_inlined_contacts_leaves_nothing_behind(acme: Customer) -> None:
    configuration_id = await acme.new_configuration()
    body = {"name": unique("S"), "configuration_id": configuration_id}
    bad = [lead(1), lead(2) | {"phone_numbers": ["+14155550123", "12"]}, lead(3) | {"timezone": "Mars"}]
    answer = await acme.post("/campaigns", {**body, "contacts": bad})
    assert answer.status == 422
    assert [error["loc"] for error in answer.body["errors"]] == [
        ["body", "contacts", 1, "phone_numbers", 1],
        ["body", "contacts", 2, "timezone"],
    ]
    assert (await acme.get("/campaigns")).body["campaigns"] == []


async def test_inlined_national_numbers_are_read_with_the_configurations_country_code(acme: Customer) -> None:
    german = await acme.new_configuration(default_country_code="+49")
    campaign = await acme.new_campaign(
        configuration_id=german, contacts=[{"external_id": "a", "phone_numbers": ["030 901820"]}]
    )
    contact = (await acme.get(f"/campaigns/{campaign['id']}/contacts/a")).body
    assert contact["phone_numbers"] == ["+4930901820"]


async def test_a_change_touches_the_organization_and_tells_the_scheduler(
    acme: Customer, stack: Stack, events: EventsOf
) -> None:
    async def changed_at() -> Any:
        document = await stack.store["organizations"].find_one({"_id": acme.organization_id})
        assert document is not None
        return document["changed_at"]

    before = await changed_at()
    campaign = await acme.new_campaign()
    created = await changed_at()
    await acme.post(f"/campaigns/{campaign['id']}/pause")
    assert before < created < await changed_at()
    told = await events(acme.organization_id, CampaignChanged)
    assert {event.campaign_id for event in told} == {campaign["id"]}
