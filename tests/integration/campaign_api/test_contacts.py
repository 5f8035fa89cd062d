from typing import Any
from urllib.parse import quote

import pytest

from shared.events import ContactsAdded
from tests.integration.campaign_api.client import CALLABLE, Customer, lead
from tests.integration.campaign_api.conftest import EventsOf, Stack

SOME_ID = "3f2b8a54-0c55-4c1e-9a57-1f0f6c3e8d21"


async def campaign_of(customer: Customer, **configuration: Any) -> str:
    """The path of a new campaign's contacts."""
    configuration_id = await customer.new_configuration(**CALLABLE | configuration)
    campaign = await customer.new_campaign(configuration_id=configuration_id)
    return f"/campaigns/{campaign['id']}/contacts"


async def test_a_contact_comes_back_as_it_was_sent(acme: Customer) -> None:
    path = await campaign_of(acme)
    sent = {
        "external_id": "lead/1",
        "phone_numbers": ["+14155550123", "(212) 555-0199"],
        "data": {"first_name": "Ada", "deep": {"list": [1, 2.5, None, True, "ü"]}},
        "timezone": "Europe/Berlin",
        "scheduled_at": "2035-01-01T10:00:00+02:00",
        "expires_at": "2035-01-01T08:00:01Z",
        "priority": 5,
        "agent_id": "agent",
        "agent_version": "7",
        "agent_number": "+14155550100",
        "agent_config": {"prompt": "hi"},
        "initial_context": "They asked for a call.",
    }
    added = (await acme.post(path, {"contacts": [sent]})).body
    contact = (await acme.get(f"{path}/{added['contact_ids'][0]}")).body
    assert contact == {
        **sent,
        "id": added["contact_ids"][0],
        "campaign_id": path.split("/")[2],
        "phone_numbers": ["+14155550123", "+12125550199"],
        "scheduled_at": "2035-01-01T08:00:00Z",
        "status": "pending",
        "attempts_made": 0,
        "next_attempt_at": "2035-01-01T08:00:00Z",
        "waiting_for": {"reason": "scheduled", "until": "2035-01-01T08:00:00Z"},
        "ended_because": None,
        "callback": None,
        "person_id": None,
        "opted_out": False,
        "attempts": [],
        "created_at": contact["created_at"],
        "updated_at": contact["updated_at"],
    }
    assert (await acme.get(f"{path}/{quote('lead/1', safe='')}")).body == contact


async def test_a_contact_is_matched_by_id_then_by_external_id_else_inserted(acme: Customer) -> None:
    path = await campaign_of(acme)
    first = (await acme.post(path, {"contacts": [lead(1, data={"a": 1}), lead(2)]})).body
    again = [
        {"id": first["contact_ids"][0], "phone_numbers": ["+14155559999"]},
        lead(2, timezone="Asia/Tokyo"),
        {"phone_numbers": ["+14155558888"]},
        {"id": SOME_ID, "phone_numbers": ["+14155557777"]},
    ]
    answer = (await acme.post(path, {"contacts": again})).body
    assert (answer["inserted"], answer["updated"], answer["failed"]) == (2, 2, [])
    assert answer["contact_ids"][:2] == first["contact_ids"]
    assert answer["contact_ids"][3] != SOME_ID
    assert [warning["index"] for warning in answer["warnings"]] == [3]
    changed = (await acme.get(f"{path}/lead-1")).body
    assert (changed["phone_numbers"], changed["data"]) == (["+14155559999"], {"a": 1})


async def test_rows_that_cannot_be_applied_are_failed_and_the_others_stored(acme: Customer) -> None:
    path = await campaign_of(acme)
    first = (await acme.post(path, {"contacts": [lead(1), lead(2)]})).body["contact_ids"]
    answer = (await acme.post(path, {"contacts": [lead(2) | {"id": first[0]}, lead(3)]})).body
    assert [failed["index"] for failed in answer["failed"]] == [0]
    assert answer["failed"][0].keys() == {"index", "external_id", "reason"}
    assert answer["contact_ids"][0] is None
    assert answer["inserted"] == 1


async def test_every_bad_row_field_and_number_is_named_at_once_and_nothing_is_stored(acme: Customer) -> None:
    path = await campaign_of(acme)
    rows = [
        lead(0),
        {"phone_numbers": ["12", "+14155550123", "abc"]},
        {"phone_numbers": ["12"], "colour": "red", "timezone": "Mars/Olympus"},
        {"phone_numbers": []},
        {"phone_numbers": ["+1415555000", 5, "+14155550123"]},
        "nothing",
        {"external_id": {"$gt": ""}, "phone_numbers": [{"$gt": ""}]},
        {"phone_numbers": ["+14155550123"], "scheduled_at": "2035-01-01T10:00:00"},
    ]
    answer = await acme.post(path, {"contacts": rows})
    assert answer.status == 422
    places = [tuple(error["loc"][2:]) for error in answer.body["errors"]]
    assert places == sorted(places, key=lambda place: place[0])
    assert set(places) == {
        (1, "phone_numbers", 0),
        (1, "phone_numbers", 2),
        (2, "phone_numbers", 0),
        (2, "colour"),
        (2, "timezone"),
        (3, "phone_numbers"),
        (4, "phone_numbers", 0),
        (4, "phone_numbers", 1),
        (5,),
        (6, "external_id"),
        (6, "phone_numbers", 0),
        (7, "scheduled_at"),
    }
    assert (await acme.get(path)).body["total"] == 0


async def test_numbers_are_read_as_people_paste_them(acme: Customer) -> None:
    path = await campaign_of(acme, default_country_code="+49")
    numbers = ["+33\u202f6\u202f12\u202f34\u202f56\u202f78", "+52 1 55 1234 5678", "491701234500"]
    answer = (await acme.post(path, {"contacts": [lead(1, phone_numbers=numbers)]})).body
    contact = (await acme.get(f"{path}/lead-1")).body
    assert contact["phone_numbers"] == ["+33612345678", "+525512345678", "+49491701234500"]
    assert [(warning["index"], warning["external_id"]) for warning in answer["warnings"]] == [(0, "lead-1")]
    assert "+491701234500" in answer["warnings"][0]["message"]


async def test_a_spreadsheets_float_is_422_and_no_stranger(acme: Customer) -> None:
    path = await campaign_of(acme)
    answer = await acme.post(path, {"contacts": [lead(1), lead(2, phone_numbers=["+491701234500.0"])]})
    assert answer.status == 422
    [error] = answer.body["errors"]
    assert error["loc"] == ["body", "contacts", 1, "phone_numbers", 0]
    assert "format the column as text" in error["msg"]
    assert (await acme.get(path)).body["total"] == 0


async def test_mexicos_mobile_1_is_read_under_default_too(acme: Customer) -> None:
    stored = await acme.post("/campaigns/default/contacts", {"contacts": [lead(1, phone_numbers=["+5215512345678"])]})
    assert stored.status == 200
    assert (await acme.get("/campaigns/default/contacts/lead-1")).body["phone_numbers"] == ["+525512345678"]


async def test_a_costly_number_is_warned_about_until_the_organization_refuses_its_type(acme: Customer) -> None:
    path = await campaign_of(acme)
    body = {"contacts": [lead(1, phone_numbers=["+14155550123", "+881612345678"])]}
    warned = (await acme.post(path, body)).body
    assert warned["inserted"] == 1
    assert ["satellite" in warning["message"] for warning in warned["warnings"]] == [True]
    setting = {"refused_number_types": ["satellite"]}
    assert (await acme.api.admin("PATCH", f"/organizations/{acme.organization_id}", setting)).status == 200
    broken = {"contacts": [*body["contacts"], lead(2, colour="red")]}
    places = {(0, "phone_numbers", 1), (1, "colour")}
    for target, sent, expected in (
        (path, body, {(0, "phone_numbers", 1)}),
        (path, broken, places),
        ("/campaigns/default/contacts", body, {(0, "phone_numbers", 1)}),
    ):
        refused = await acme.post(target, sent)
        assert refused.status == 422
        assert {tuple(error["loc"][2:]) for error in refused.body["errors"]} == expected
    configuration_id = await acme.new_configuration()
    inlined = {"name": "inlined", "configuration_id": configuration_id, **body}
    assert (await acme.post("/campaigns", inlined)).status == 422


HUGE = {"n": 2**63}
DEEP: Any = {}
for _ in range(40):
    DEEP = {"d": DEEP}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"data": HUGE}, id="integer beyond 64 bits"),
        pytest.param({"data": {"n": 10**400}}, id="huge integer"),
        pytest.param({"data": {"text": "a\0b"}}, id="NUL"),
        pytest.param({"data": {"a\0": 1}}, id="NUL in a name"),
        pytest.param({"data": {"text": "\ud800"}}, id="lone surrogate"),
        pytest.param({"data": DEEP}, id="nested too deep"),
        pytest.param({"data": {"text": "ä" * 32768}}, id="over 64 KiB of UTF-8"),
        pytest.param({"data": [1]}, id="not an object"),
        pytest.param({"external_id": "a\0"}, id="NUL in external_id"),
        pytest.param({"external_id": ""}, id="empty external_id"),
        pytest.param({"id": "nonsense"}, id="id is no UUID"),
        pytest.param({"initial_context": 7}, id="context is a number"),
        pytest.param({"agent_config": "x"}, id="agent_config is text"),
        pytest.param({"scheduled_at": 1893456000}, id="time as a number"),
        pytest.param({"scheduled_at": "0001-01-01T00:00:00+14:00"}, id="before time"),
    ],
)
async def test_a_bad_value_is_422(acme: Customer, fields: dict[str, Any]) -> None:
    answer = await acme.post("/campaigns/default/contacts", {"contacts": [lead(1, **fields)]})
    assert answer.status == 422, answer.raw


@pytest.mark.parametrize("body", [{}, {"contacts": []}, {"contacts": [lead(n) for n in range(1001)]}, [], None, "x", 7])
async def test_a_request_has_1_to_1000_contacts(acme: Customer, body: Any) -> None:
    answer = await acme.call("POST", "/campaigns/default/contacts", raw=b"null" if body is None else None, body=body)
    assert answer.status == 422


async def test_names_that_look_like_operators_are_only_data(acme: Customer) -> None:
    path = await campaign_of(acme)
    data = {"$set": {"status": "completed"}, "a.b": {"$gt": ""}, "": 1}
    assert (await acme.post(path, {"contacts": [lead(1, data=data)]})).status == 200
    assert (await acme.post(path, {"contacts": [lead(1, data=data)]})).body["updated"] == 1
    contact = (await acme.get(f"{path}/lead-1")).body
    assert (contact["data"], contact["status"]) == (data, "pending")


async def test_a_json_schema_in_an_agents_configuration_comes_back_as_it_was_sent(acme: Customer) -> None:
    path = await campaign_of(acme)
    tools = {"tools": [{"$defs": {"day": {"type": "string"}}, "properties": {"day": {"$ref": "#/$defs/day"}}}]}
    schemas = {"$id": "https://example.com/schema", "parts": [{"$ref": "#"}, {"$ref": 1, "$id": 2}, {"$db": "x"}]}
    sent = lead(1, agent_config=tools, data=schemas)
    inserted, updated, updated_with_its_time = sent, sent, sent | {"scheduled_at": None}
    for row in (inserted, updated, updated_with_its_time):
        assert (await acme.post(path, {"contacts": [row]})).status == 200
        contact = (await acme.get(f"{path}/lead-1")).body
        assert (contact["agent_config"], contact["data"]) == (tools, schemas)


async def test_contacts_into_a_closed_campaign_are_400(acme: Customer) -> None:
    path = await campaign_of(acme)
    await acme.post(path, {"contacts": [lead(1)]})
    await acme.post(f"{path.removesuffix('/contacts')}/close")
    assert (await acme.post(path, {"contacts": [lead(2)]})).status == 400
    assert (await acme.get(path)).body["total"] == 1


async def test_contacts_are_listed_oldest_first_by_limit_and_offset(acme: Customer) -> None:
    path = await campaign_of(acme)
    await acme.post(path, {"contacts": [lead(number) for number in range(5)]})
    page = (await acme.get(f"{path}?limit=2&offset=1")).body
    assert (page["total"], page["limit"], page["offset"]) == (5, 2, 1)
    assert [contact["external_id"] for contact in page["contacts"]] == ["lead-1", "lead-2"]
    assert (await acme.get(path)).body["limit"] == 50
    beyond = (await acme.get(f"{path}?offset=9")).body
    assert (beyond["contacts"], beyond["total"]) == ([], 5)


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "offset=-1", "offset=x", "status=ready", "status="])
async def test_a_bad_page_or_status_is_422(acme: Customer, query: str) -> None:
    assert (await acme.get(f"/campaigns/default/contacts?{query}")).status == 422


async def test_contacts_are_filtered_by_status(acme: Customer, stack: Stack) -> None:
    path = await campaign_of(acme)
    await acme.post(path, {"contacts": [lead(1)]})
    assert len((await acme.get(f"{path}?status=pending")).body["contacts"]) == 1
    assert (await acme.get(f"{path}?status=completed")).body["contacts"] == []


async def test_a_deleted_contact_is_gone_at_once(acme: Customer) -> None:
    path = await campaign_of(acme)
    ids = (await acme.post(path, {"contacts": [lead(1), lead(2)]})).body["contact_ids"]
    deleted = await acme.delete(f"{path}/lead-1")
    assert deleted.body == {"id": ids[0], "deleted": True}
    assert (await acme.get(f"{path}/lead-1")).status == 404
    assert (await acme.delete(f"{path}/{ids[0]}")).status == 404
    assert [contact["id"] for contact in (await acme.get(path)).body["contacts"]] == ids[1:]


@pytest.mark.parametrize("status", ["locked", "in_progress"])
async def test_a_contact_that_is_being_called_cannot_be_deleted(acme: Customer, stack: Stack, status: str) -> None:
    path = await campaign_of(acme)
    contact_id = (await acme.post(path, {"contacts": [lead(1)]})).body["contact_ids"][0]
    await stack.store["contacts"].update_one({"_id": contact_id}, {"$set": {"status": status}})
    assert (await acme.delete(f"{path}/lead-1")).status == 409


async def test_contacts_of_no_campaign_need_e164_and_are_warned_without_a_timezone(acme: Customer) -> None:
    path = "/campaigns/default/contacts"
    answer = await acme.post(path, {"contacts": [lead(1), {"phone_numbers": ["+1 (415) 555-0123", "4155550123"]}]})
    assert answer.status == 422
    assert [error["loc"][2:] for error in answer.body["errors"]] == [[1, "phone_numbers", 0], [1, "phone_numbers", 1]]
    stored = (await acme.post(path, {"contacts": [lead(1), lead(2, timezone="Europe/Rome")]})).body
    assert [warning["index"] for warning in stored["warnings"]] == [0]
    contact = (await acme.get(f"{path}/lead-1")).body
    assert (contact["campaign_id"], contact["status"]) == (None, "pending")
    assert (await acme.get("/campaigns/default")).status == 404
    assert (await acme.delete(f"{path}/lead-1")).status == 200


async def test_a_contact_of_no_campaign_is_warned_about_only_while_its_timezone_is_unknown(acme: Customer) -> None:
    path = "/campaigns/default/contacts"

    async def warned(*contacts: dict[str, Any]) -> list[int]:
        return [warning["index"] for warning in (await acme.post(path, {"contacts": contacts})).body["warnings"]]

    assert await warned(lead(1, timezone="Europe/Rome"), lead(2)) == [1]
    assert await warned(lead(1), lead(2)) == [1]
    assert await warned(lead(1, timezone=None), lead(2, timezone="Asia/Tokyo")) == [0]
    same_contact_twice = await acme.post(path, {"contacts": [lead(3, timezone="Europe/Rome"), lead(3)]})
    assert [warning["index"] for warning in same_contact_twice.body["warnings"]] == [0]


async def test_contacts_of_no_campaign_are_apart_for_each_organization(acme: Customer, other: Customer) -> None:
    path = "/campaigns/default/contacts"
    contact_id = (await acme.post(path, {"contacts": [lead(1)]})).body["contact_ids"][0]
    assert (await other.get(path)).body["total"] == 0
    assert (await other.get(f"{path}/{contact_id}")).status == 404
    theirs = (await other.post(path, {"contacts": [{"id": contact_id, "phone_numbers": ["+14155550123"]}]})).body
    assert theirs["inserted"] == 1
    assert (await acme.get(f"{path}/{contact_id}")).body["phone_numbers"] == ["+14155550001"]


async def test_a_listed_number_makes_a_new_contact_skipped_with_a_warning(acme: Customer) -> None:
    path = await campaign_of(acme)
    await acme.post("/do-not-call", {"phone_numbers": ["+14155550001"]})
    answer = (await acme.post(path, {"contacts": [lead(1), lead(2)]})).body
    assert [warning["index"] for warning in answer["warnings"]] == [0]
    assert (await acme.get(f"{path}/lead-1")).body["status"] == "skipped"
    stats = (await acme.get(f"{path.removesuffix('/contacts')}/stats")).body["contacts"]
    assert (stats["total"], stats["pending"], stats["skipped"]) == (2, 1, 1)


async def test_a_phone_in_several_contacts_is_a_warning_on_each_uploaded_row(acme: Customer) -> None:
    path = await campaign_of(acme)
    same = {"phone_numbers": ["+14155550001"]}
    first = (await acme.post(path, {"contacts": [lead(1), lead(2)]})).body
    assert first["warnings"] == []
    answer = (await acme.post(path, {"contacts": [lead(n) | same for n in (3, 4, 5)] + [same]})).body
    assert (answer["inserted"], answer["failed"]) == (4, [])
    own_id = answer["contact_ids"][3]
    said = [(warning["index"], warning["external_id"], warning["message"]) for warning in answer["warnings"]]
    its_own = "; each of these contacts is called by itself"
    assert said == [
        (0, "lead-3", f"shares a phone with lead-1, lead-4, lead-5 and 1 more{its_own}"),
        (1, "lead-4", f"shares a phone with lead-1, lead-3, lead-5 and 1 more{its_own}"),
        (2, "lead-5", f"shares a phone with lead-1, lead-3, lead-4 and 1 more{its_own}"),
        (3, None, f"shares a phone with lead-1, lead-3, lead-4 and 1 more{its_own}"),
    ]
    await acme.delete(f"{path}/lead-1")
    for key in ("lead-3", "lead-4", "lead-5"):
        await acme.delete(f"{path}/{key}")
    [warning] = (await acme.post(path, {"contacts": [lead(1)]})).body["warnings"]
    assert warning["message"] == f"shares a phone with {own_id}{its_own}"


async def test_the_scheduler_is_told_of_new_contacts(acme: Customer, events: EventsOf) -> None:
    path = await campaign_of(acme)
    await acme.post(path, {"contacts": [lead(1)]})
    told = await events(acme.organization_id, ContactsAdded)
    assert {event.campaign_id for event in told} == {path.split("/")[2]}


async def test_a_running_and_an_ended_attempt_are_shown(acme: Customer, stack: Stack) -> None:
    path = await campaign_of(acme)
    contact_id = (await acme.post(path, {"contacts": [lead(1)]})).body["contact_ids"][0]
    contact = await stack.store["contacts"].find_one({"_id": contact_id})
    assert contact is not None
    now = contact["created_at"]
    ended = {
        "_id": SOME_ID[:-4] + acme.organization_id[-4:],
        "organization_id": acme.organization_id,
        "campaign_id": contact["campaign_id"],
        "contact_id": contact_id,
        "contact_created_at": now,
        "attempt_number": 1,
        "phone_number": "+14155550001",
        "caller_number": "+14155550100",
        "agent_id": "a",
        "agent_version": None,
        "outcome": "busy",
        "proven": True,
        "started_at": now,
        "answered_at": None,
        "ended_at": now,
        "duration_seconds": None,
        "conversation_id": SOME_ID,
        "provider_call_id": "CA1",
        "error": None,
    }
    await stack.store["attempts"].insert_one(ended)
    lock = {
        "attempt": SOME_ID,
        "attempt_number": 2,
        "phone": "+14155550001",
        "caller_number": "+14155550100",
        "agent_id": "a",
        "agent_version": None,
    }
    running = {"status": "in_progress", "attempts_made": 1, "lock": lock, "start": {"at": now, "call_id": "CA2"}}
    await stack.store["contacts"].update_one({"_id": contact_id}, {"$set": running})
    attempts = (await acme.get(f"{path}/lead-1")).body["attempts"]
    assert [(attempt["attempt_number"], attempt["status"], attempt["outcome"]) for attempt in attempts] == [
        (1, "ended", "busy"),
        (2, "in_progress", None),
    ]
    assert attempts[1]["provider_call_id"] == "CA2"
    assert (await acme.get(path)).body["contacts"][0]["attempts"] == attempts
