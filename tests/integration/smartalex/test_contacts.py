"""The contact book in this dialect, and contacts that are added to campaigns."""

from typing import Any

import pytest

from tests.integration.smartalex.client import Alex, fields_of, phone, said

ADA = {
    "phone": phone(1),
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.com",
    "company": "Engines",
    "title": "Countess",
    "tags": ["vip"],
    "metadata": {"plan": "pro", "first_name": "not this"},
}


async def test_a_contact_is_put_into_the_book_read_changed_and_taken_out(alex: Alex) -> None:
    made = await alex.post("/contacts", ADA, 201)
    contact = made["data"]
    for name, value in ADA.items():
        assert contact[name] == value
    assert (contact["status"], contact["calls_count"], contact["last_called_at"]) == ("active", 0, None)
    read = (await alex.get(f"/contacts/{contact['id']}"))["data"]
    assert read == {**contact, "calls": [], "campaigns": []}
    again = await alex.post("/contacts", {"phone": "(415) 555-0001", "title": "Lady", "company": None, "nick": 7})
    assert again["data"] == {**contact, "title": "Lady", "updated_at": again["data"]["updated_at"]}
    assert again["warnings"] == ["nick: not known here, ignored"]
    path = f"/contacts/{contact['id']}"
    changed = (await alex.patch(path, {"title": None, "tags": [], "phone": phone(2)}))["data"]
    assert (changed["title"], changed["tags"], changed["phone"]) == (None, [], phone(2))
    assert "warnings" not in (await alex.patch(path, changed))
    await alex.post("/contacts", {"phone": phone(3)}, 201)
    taken = await alex.call("PATCH", path, {"phone": phone(3)})
    assert (said(taken), fields_of(taken)) == ((400, "invalid_request"), ["phone"])
    gone = await alex.call("DELETE", path)
    assert (gone.status, gone.body) == (200, {"data": {"id": contact["id"], "deleted": True}})
    assert await alex.refused("GET", path) == (404, "not_found")
    assert await alex.refused("DELETE", path) == (404, "not_found")


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({}, [""]),
        ({"phone": "12"}, ["phone"]),
        ({"phone": 14155550001}, ["phone"]),
        ({"first_name": "A", "last_name": "x" * 256}, ["last_name"]),
        ({"first_name": "A", "email": "x" * 255}, ["email"]),
        ({"first_name": "A", "tags": ["x"] * 51}, ["tags"]),
        ({"first_name": "A", "tags": [""]}, ["tags[0]"]),
        ({"first_name": "A", "metadata": {"x": "y" * 65536}}, ["metadata"]),
        ({"first_name": "A", "status": "gone"}, ["status"]),
        ({"first_name": "A", "status": "dnc"}, ["status"]),
        ({"first_name": "A\x00"}, ["first_name"]),
    ],
)
async def test_what_is_wrong_with_a_contact_is_named(alex: Alex, wrong: dict[str, Any], fields: list[str]) -> None:
    answer = await alex.call("POST", "/contacts", wrong)
    assert (said(answer), fields_of(answer)) == ((400, "invalid_request"), fields)
    assert (await alex.get("/contacts"))["meta"]["total"] == 0


async def test_lists_are_filtered_and_newest_first(alex: Alex) -> None:
    ada = (await alex.post("/contacts", ADA, 201))["data"]
    bob = (await alex.post("/contacts", {"phone": phone(2), "first_name": "Bob"}, 201))["data"]
    await alex.patch(f"/contacts/{bob['id']}", {"status": "inactive"})
    campaign = await alex.new_campaign(phone(1))

    async def found(query: str) -> list[str]:
        page = await alex.get(f"/contacts?{query}")
        assert page["meta"]["total"] == len(page["data"])
        return [row["first_name"] for row in page["data"]]

    assert await found("") == ["Bob", "Ada"]
    assert await found("status=active") == ["Ada"]
    assert await found("status=inactive") == ["Bob"]
    assert await found("status=dnc&search=ada") == []
    assert await found("search=LOVE") == ["Ada"]
    assert await found("search=%2B14155550002") == ["Bob"]
    assert await found("search=.*") == []
    assert await found("search=ADA%40exam") == ["Ada"]
    too_long = await alex.call("GET", f"/contacts?search={'x' * 256}")
    assert (said(too_long), fields_of(too_long)) == ((400, "invalid_request"), ["search"])
    assert await found("tag=vip") == ["Ada"]
    assert await found("status=inactive&tag=vip") == []
    assert await found(f"campaign_id={campaign}") == ["Ada"]
    assert await found("campaign_id=nothing") == []
    assert [row["id"] for row in (await alex.get(f"/campaigns/{campaign}/contacts"))["data"]] == [ada["id"]]
    assert await alex.refused("GET", "/campaigns/nothing/contacts") == (404, "campaign_not_found")
    read = (await alex.get(f"/contacts/{ada['id']}"))["data"]
    assert read["campaigns"] == [{"id": campaign, "name": "Spring", "status": "draft"}]


async def test_rows_are_added_found_again_refused_and_skipped(alex: Alex) -> None:
    campaign, path = await alex.new_campaign(phone(5)), "/campaigns/{}/contacts"
    book = (await alex.post("/contacts", {"phone": phone(2), "first_name": "Bob"}, 201))["data"]["id"]
    silent = (await alex.post("/contacts", {"first_name": "Eve"}, 201))["data"]["id"]
    gone = (await alex.post("/contacts", {"phone": phone(3), "status": "inactive"}, 201))["data"]["id"]
    await alex.post("/contacts", {"phone": phone(4), "status": "dnc"}, 201)
    body = {
        "contacts": [
            ADA,
            {"phone": "front desk"},
            {"phone": "415-555-0001", "title": "Lady"},
            {"phone": phone(4)},
            {"phone": phone(5)},
            {"phone": phone(3)},
        ],
        "contact_ids": [book, silent, "nobody", gone],
    }
    added = (await alex.post(path.format(campaign), body))["data"]
    assert (added["added"], added["duplicates"], added["invalid"], added["dnc"]) == (3, 2, 5, 1)
    assert (added["campaign_id"], added["campaign_status"]) == (campaign, "draft")
    assert [error["index"] for error in added["errors"]] == [1, 5, 7, 8, 9]
    assert [error["phone"] for error in added["errors"]] == ["front desk", phone(3), None, None, None]
    ids = added["contact_ids"]
    assert [place for place, each in enumerate(ids) if each is None] == [1, 5, 7, 8, 9]
    assert ids[0] == ids[2]
    assert ids[6] == book
    assert (await alex.get(f"/contacts/{ids[0]}"))["data"]["title"] == "Lady"
    statistics = (await alex.get(f"/campaigns/{campaign}"))["data"]["statistics"]
    assert (statistics["contacts_count"], statistics["pending_count"], statistics["skipped_count"]) == (4, 3, 1)
    [contact] = [
        each
        for each in (await alex.native.get(f"/campaigns/{campaign}/contacts")).body["contacts"]
        if each["phone_numbers"] == [phone(1)]
    ]
    data = {name: value for name, value in ADA.items() if name not in {"phone", "metadata"}}
    assert contact["data"] == {**data, "title": "Lady", "job_title": "Lady", "plan": "pro"}


async def test_adding_again_changes_nothing_for_a_number_that_has_come_off_the_list(alex: Alex) -> None:
    campaign = await alex.new_campaign()
    contact = (await alex.post("/contacts", {"phone": phone(1), "status": "dnc"}, 201))["data"]["id"]
    rows = {"contacts": [{"phone": phone(1)}]}
    assert (await alex.post(f"/campaigns/{campaign}/contacts", rows))["data"]["dnc"] == 1
    await alex.patch(f"/contacts/{contact}", {"status": "active"})
    again = (await alex.post(f"/campaigns/{campaign}/contacts", rows))["data"]
    assert (again["added"], again["duplicates"]) == (0, 1)
    statistics = (await alex.get(f"/campaigns/{campaign}"))["data"]["statistics"]
    assert (statistics["skipped_count"], statistics["pending_count"]) == (1, 0)


async def test_a_phone_that_the_campaign_has_already_is_a_duplicate_whoever_has_brought_it(alex: Alex) -> None:
    campaign = await alex.new_campaign()
    native, path = alex.native, f"/campaigns/{campaign}/contacts"
    assert (await native.post(path, {"contacts": [{"phone_numbers": [phone(1)]}]})).status == 200
    oldest, twin = [
        (await native.post("/people", {"first_name": name, "phone": phone(2)})).body["id"] for name in ("Ada", "Eve")
    ]
    rows = {"contacts": [{"phone": phone(1)}, {"phone": phone(2)}, {"phone": phone(3)}], "contact_ids": [twin]}
    added = (await alex.post(path, rows))["data"]
    assert (added["added"], added["duplicates"], added["invalid"], added["errors"]) == (2, 2, 0, [])
    assert (added["contact_ids"][1], added["contact_ids"][3]) == (oldest, twin)
    assert (await alex.get(f"/campaigns/{campaign}"))["data"]["statistics"]["contacts_count"] == 3
    # What is read of either can be sent back.
    for one in (oldest, twin):
        read = (await alex.get(f"/contacts/{one}"))["data"]
        assert (await alex.patch(f"/contacts/{one}", read))["data"]["phone"] == phone(2)
    # One that was taken out of the book is in the campaign no more.
    third = added["contact_ids"][2]
    assert (await alex.call("DELETE", f"/contacts/{third}")).status == 200
    again = (await alex.post(path, {"contacts": [{"phone": phone(3)}]}))["data"]
    assert (again["added"], again["contact_ids"] != [third]) == (1, True)


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({}, [""]),
        ({"contacts": []}, [""]),
        ({"contacts": [{}, {"phone": 7}]}, ["contacts[0].phone", "contacts[1].phone"]),
        ({"contacts": [{"phone": phone(1)}], "contact_ids": ["x"] * 1000}, [""]),
        ({"contacts": [{"phone": phone(1)}] * 1001}, ["contacts"]),
        ({"contact_ids": [7]}, ["contact_ids[0]"]),
    ],
)
async def test_a_request_with_a_row_of_a_wrong_type_stores_nothing(
    alex: Alex, wrong: dict[str, Any], fields: list[str]
) -> None:
    campaign = await alex.new_campaign()
    answer = await alex.call("POST", f"/campaigns/{campaign}/contacts", wrong)
    assert (said(answer), fields_of(answer)) == ((400, "invalid_request"), fields)
    assert (await alex.get("/contacts"))["meta"]["total"] == 0


async def test_dnc_is_the_do_not_call_list_and_what_others_have_listed_stays(alex: Alex) -> None:
    contact = (await alex.post("/contacts", {"phone": phone(1), "status": "dnc"}, 201))["data"]
    [entry] = (await alex.native.get("/do-not-call")).body["do_not_call"]
    assert (entry["phone_number"], entry["source"], contact["status"]) == (phone(1), "smartalex", "dnc")
    path = f"/contacts/{contact['id']}"
    assert (await alex.patch(path, {"status": "active"}))["data"]["status"] == "active"
    assert (await alex.native.get("/do-not-call")).body["do_not_call"] == []
    await alex.native.post("/do-not-call", {"phone_numbers": [phone(1)]})
    kept = await alex.patch(path, {"status": "active"})
    assert kept["data"]["status"] == "dnc"
    [warning] = kept["warnings"]
    assert f"DELETE /campaign/do-not-call/{phone(1)}" in warning
    assert (await alex.get("/contacts?status=dnc"))["meta"]["total"] == 1


async def test_a_person_who_is_flagged_is_dnc_and_says_so(alex: Alex) -> None:
    contact = (await alex.post("/contacts", {"phone": phone(1)}, 201))["data"]["id"]
    await alex.native.patch(f"/people/{contact}", {"do_not_call": True})
    kept = await alex.patch(f"/contacts/{contact}", {"status": "active"})
    assert (kept["data"]["status"], len(kept["warnings"])) == ("dnc", 1)
    without = (await alex.native.post("/people", {"first_name": "Eve", "do_not_call": True})).body["id"]
    read = (await alex.get(f"/contacts/{without}"))["data"]
    assert (await alex.patch(f"/contacts/{without}", read))["data"]["status"] == "dnc"
    assert await alex.refused("PATCH", f"/contacts/{contact}", {"phone": None, "status": "dnc"}) == (
        400,
        "invalid_request",
    )
    assert "DELETE /campaign/do-not-call/" in kept["warnings"][0]


async def test_inactive_takes_off_the_list_too_and_what_is_enrolled_stays(alex: Alex) -> None:
    campaign = await alex.new_campaign(phone(1))
    [contact] = (await alex.get("/contacts"))["data"]
    path = f"/contacts/{contact['id']}"
    assert (await alex.patch(path, {"status": "dnc"}))["data"]["status"] == "dnc"
    changed = await alex.patch(path, {"status": "inactive"})
    assert (changed["data"]["status"], "warnings" in changed) == ("inactive", False)
    assert (await alex.native.get("/do-not-call")).body["do_not_call"] == []
    assert (await alex.get(f"/campaigns/{campaign}"))["data"]["statistics"]["pending_count"] == 1
    other = await alex.new_campaign()
    refused = (await alex.post(f"/campaigns/{other}/contacts", {"contact_ids": [contact["id"]]}))["data"]
    assert (refused["invalid"], refused["errors"][0]["index"]) == (1, 0)
    assert (await alex.patch(path, {"status": "active"}))["data"]["status"] == "active"


async def test_a_deleted_contact_leaves_all_waiting(alex: Alex) -> None:
    campaign = await alex.new_campaign(phone(1), phone(2))
    contact = (await alex.get("/contacts"))["data"][0]["id"]
    assert (await alex.call("DELETE", f"/contacts/{contact}")).status == 200
    assert (await alex.get(f"/campaigns/{campaign}/contacts"))["meta"]["total"] == 1
