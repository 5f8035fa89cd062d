"""Deleted campaigns over the API: hidden everywhere unless asked for, with everything that they have."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.clock import utc_now
from tests.integration.campaign_api.client import CALLABLE, Customer, lead, unique
from tests.integration.campaign_api.conftest import Stack


async def closed(acme: Customer, **fields: Any) -> dict[str, Any]:
    """A new campaign that was closed."""
    campaign = await acme.new_campaign(**fields)
    assert (await acme.post(f"/campaigns/{campaign['id']}/close")).status == 200
    return campaign


async def deleted(acme: Customer, **fields: Any) -> str:
    """The id of a new campaign that was deleted."""
    campaign = await closed(acme, **fields)
    answer = await acme.delete(f"/campaigns/{campaign['id']}")
    assert (answer.status, answer.body) == (200, {"id": campaign["id"], "deleted": True})
    return str(campaign["id"])


async def ids(acme: Customer, query: str = "") -> list[str]:
    return [campaign["id"] for campaign in (await acme.get(f"/campaigns{query}")).body["campaigns"]]


async def test_a_deleted_campaign_is_shown_only_to_those_who_ask_for_deleted_ones(acme: Customer) -> None:
    draft = await acme.new_campaign(state="draft")
    assert (await acme.delete(f"/campaigns/{draft['id']}")).status == 200
    gone, there = await deleted(acme, name="Autumn"), (await acme.new_campaign())["id"]
    assert await ids(acme) == [there]
    assert await ids(acme, "?deleted=true") == [there, gone, draft["id"]]
    assert await ids(acme, "?deleted=true&status=closed") == [gone]
    assert await ids(acme, "?deleted=true&name=autumn") == [gone]
    assert (await acme.get(f"/campaigns/{gone}")).status == 404
    shown = (await acme.get(f"/campaigns/{gone}?deleted=true")).body
    assert (shown["state"], shown["deleted_at"]) == ("cancelled", shown["updated_at"])
    assert (await acme.get(f"/campaigns/{draft['id']}?deleted=true")).body["state"] == "draft"
    assert (await acme.get(f"/campaigns/{there}?deleted=true")).body["deleted_at"] is None


async def test_what_it_has_stays_and_is_shown_by_its_id(acme: Customer) -> None:
    campaign = await acme.new_campaign(contacts=[lead(1), lead(2)])
    path = f"/campaigns/{campaign['id']}"
    own = (await acme.patch(f"{path}/configuration", {"max_attempts": 7})).body["id"]
    await acme.post(f"{path}/close")
    await acme.delete(path)
    shown = "?deleted=true"
    contacts = (await acme.get(f"{path}/contacts{shown}")).body["contacts"]
    assert [contact["external_id"] for contact in contacts] == ["lead-1", "lead-2"]
    assert (await acme.get(f"{path}/contacts/{contacts[0]['id']}{shown}")).status == 200
    assert (await acme.get(f"{path}/stats{shown}")).body["contacts"]["total"] == 2
    assert (await acme.get(f"{path}/configuration{shown}")).body["max_attempts"] == 7
    for hidden in ("/contacts", f"/contacts/{contacts[0]['id']}", "/stats", "/configuration", "/diagnosis"):
        assert (await acme.get(path + hidden)).status == 404, hidden
    assert (await acme.get(f"/configurations/{own}")).status == 404
    assert own not in str((await acme.get("/configurations?private=true")).body)
    assert (await acme.delete(f"/configurations/{own}")).status == 404


async def test_nothing_can_be_asked_of_it_any_more(acme: Customer) -> None:
    path = f"/campaigns/{await deleted(acme, contacts=[lead(1)])}"
    reset = {"status": "skipped"}
    refused = [
        await acme.post(f"{path}/start"),
        await acme.post(f"{path}/pause"),
        await acme.post(f"{path}/close"),
        await acme.delete(path),
        await acme.patch(path, {"name": "Summer"}),
        await acme.patch(f"{path}/configuration", {"max_attempts": 1}),
        await acme.post(f"{path}/contacts", {"contacts": [lead(2)]}),
        await acme.post(f"{path}/contacts/reset", reset),
        await acme.delete(f"{path}/contacts/lead-1"),
        await acme.post(f"{path}/contacts/lead-1/callback", {"at": (utc_now() + timedelta(hours=1)).isoformat()}),
        await acme.get(f"{path}/callbacks"),
        await acme.get(f"{path}/preview"),
    ]
    assert [answer.status for answer in refused] == [404] * len(refused)
    assert {answer.body["detail"] for answer in refused} == {
        f"There is no campaign '{path.rpartition('/')[2]}'; GET /campaign/campaigns lists yours."
    }


async def test_its_external_id_is_free_again_and_names_only_the_new_one(acme: Customer) -> None:
    name = unique("spring")
    first = await deleted(acme, external_id=name)
    second = await deleted(acme, external_id=name)
    third = await acme.new_campaign(external_id=name)
    assert (await acme.get(f"/campaigns/{name}?deleted=true")).body["id"] == third["id"]
    for gone in (first, second):
        assert (await acme.get(f"/campaigns/{gone}?deleted=true")).body["external_id"] == name
    assert (await acme.post("/campaigns", {**new(third), "external_id": name})).status == 409


def new(campaign: dict[str, Any]) -> dict[str, Any]:
    return {"name": "Summer", "configuration_id": campaign["configuration_id"]}


@pytest.mark.parametrize(("fields", "moves", "state"), [
    ({}, [], "running"),
    ({}, ["pause"], "paused"),
    ({"start_at": "2126-07-01T14:30:00Z"}, [], "scheduled"),
])  # fmt: skip
async def test_a_campaign_that_may_still_call_is_not_deleted(
    acme: Customer, fields: dict[str, Any], moves: list[str], state: str
) -> None:
    path = f"/campaigns/{(await acme.new_campaign(**fields))['id']}"
    for move in moves:
        await acme.post(f"{path}/{move}")
    refused = await acme.delete(path)
    assert refused.status == 400
    assert f"is {state}: only a draft or a closed campaign can be deleted" in refused.body["detail"]
    assert (await acme.get(path)).body["state"] == state


async def test_of_a_start_and_a_deletion_at_once_one_is_refused(acme: Customer) -> None:
    for _ in range(5):
        path = f"/campaigns/{(await acme.new_campaign(state='draft'))['id']}"
        started, gone = await asyncio.gather(acme.post(f"{path}/start"), acme.delete(path))
        assert (started.status, gone.status) in {(200, 400), (404, 200)}
        found = (await acme.get(f"{path}?deleted=true")).body
        assert (found["state"], found["deleted_at"] is None) in {("running", True), ("draft", False)}


async def test_a_configuration_stays_while_a_deleted_campaign_names_it(acme: Customer) -> None:
    configuration_id = await acme.new_configuration(**CALLABLE)
    gone = await deleted(acme, name="Autumn", configuration_id=configuration_id)
    refused = await acme.delete(f"/configurations/{configuration_id}")
    assert refused.status == 409
    assert f"(closed and deleted ones count): 'Autumn' ({gone})" in refused.body["detail"]
    assert (await acme.get(f"/configurations/{configuration_id}")).status == 200


async def test_caller_numbers_of_a_deleted_draft_may_go(acme: Customer) -> None:
    made = (await acme.post("/caller-numbers", {"number": "+14155550177", "pools": ["west"]})).body
    draft = await acme.new_campaign(state="draft", caller_number_pool="west")
    assert (await acme.delete("/caller-number-pools/west")).status == 409
    await acme.delete(f"/campaigns/{draft['id']}")
    assert (await acme.delete("/caller-number-pools/west")).status == 200
    assert (await acme.delete(f"/caller-numbers/{made['id']}")).status == 200


async def test_contacts_that_an_upload_brings_beside_the_deletion_are_counted(acme: Customer, stack: Stack) -> None:
    campaign = await acme.new_campaign(state="draft")
    path = f"/campaigns/{campaign['id']}"
    uploads = [acme.post(f"{path}/contacts", {"contacts": [lead(number)]}) for number in range(6)]
    answers = await asyncio.gather(*uploads[:3], acme.delete(path), *uploads[3:])
    taken = sum(answer.status == 200 for answer in answers if answer.body.get("inserted"))
    assert {answer.status for answer in answers} <= {200, 404}
    stored = await stack.store["contacts"].count_documents({"campaign_id": campaign["id"]})
    assert stored == taken
    added = [d["added"] async for d in stack.store["counters_in"].find({"campaign_id": campaign["id"]})]
    assert sum(added) == taken
