"""Configurations of single campaigns over the API: copied from a shared one, changed alone, named by no other one."""

import asyncio
from typing import Any

from tests.integration.campaign_api.client import CALLABLE, Customer
from tests.integration.campaign_api.conftest import Stack


async def two_that_share(acme: Customer) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A configuration, and two campaigns that it is the configuration of."""
    shared = await acme.new_configuration(name="Office hours", max_attempts=4, **CALLABLE)
    return (
        shared,
        await acme.new_campaign(name="North", configuration_id=shared),
        await acme.new_campaign(name="South", configuration_id=shared),
    )


async def counts(stack: Stack, acme: Customer) -> dict[str, int]:
    """How many campaigns each configuration says that refer to it, and how many do."""
    mine = {"organization_id": acme.organization_id}
    said = {d["_id"]: d["campaign_count"] async for d in stack.store["configurations"].find(mine)}
    named = [d["configuration_id"] async for d in stack.store["campaigns"].find(mine)]
    assert said == {key: named.count(key) for key in said}
    return said


async def test_changing_a_shared_configuration_for_one_campaign_copies_it_first(acme: Customer, stack: Stack) -> None:
    shared, north, south = await two_that_share(acme)
    path = f"/campaigns/{north['id']}/configuration"
    assert (await acme.get(path)).body["campaign_id"] is None
    changed = await acme.patch(path, {"max_attempts": 9})
    assert changed.status == 200
    own = changed.body
    assert own["id"] != shared
    assert (own["campaign_id"], own["name"], own["max_attempts"]) == (north["id"], "North", 9)
    before = (await acme.get(f"/configurations/{shared}")).body
    differing = {"id", "campaign_id", "name", "max_attempts", "created_at", "updated_at"}
    assert {name for name in own if own[name] != before[name]} == differing
    assert before["max_attempts"] == 4
    assert (await acme.get(f"/campaigns/{north['id']}")).body["configuration_id"] == own["id"]
    assert (await acme.get(f"/campaigns/{south['id']}")).body["configuration_id"] == shared
    assert await counts(stack, acme) == {shared: 1, own["id"]: 1}
    again = (await acme.patch(path, {"max_attempts": 8, "name": "Long days"})).body
    assert (again["id"], again["max_attempts"], again["name"]) == (own["id"], 8, "Long days")
    assert await counts(stack, acme) == {shared: 1, own["id"]: 1}


async def test_two_changes_at_once_make_one_copy_that_has_both(acme: Customer, stack: Stack) -> None:
    shared, north, _ = await two_that_share(acme)
    path = f"/campaigns/{north['id']}/configuration"
    one, other = await asyncio.gather(acme.patch(path, {"max_attempts": 9}), acme.patch(path, {"ring_seconds": 44}))
    assert (one.status, other.status) == (200, 200)
    own = (await acme.get(path)).body
    assert one.body["id"] == other.body["id"] == own["id"]
    assert (own["max_attempts"], own["ring_seconds"]) == (9, 44)
    assert await counts(stack, acme) == {shared: 1, own["id"]: 1}


async def test_a_private_one_is_read_and_changed_by_its_id_and_listed_when_asked_for(acme: Customer) -> None:
    shared, north, _ = await two_that_share(acme)
    own = (await acme.patch(f"/campaigns/{north['id']}/configuration", {})).body["id"]
    assert (await acme.get(f"/configurations/{own}")).body["campaign_id"] == north["id"]
    assert (await acme.patch(f"/configurations/{own}", {"max_attempts": 2})).body["max_attempts"] == 2
    assert (await acme.get(f"/campaigns/{north['id']}/configuration")).body["max_attempts"] == 2

    async def listed(query: str) -> list[str]:
        return [row["id"] for row in (await acme.get(f"/configurations{query}")).body["configurations"]]

    assert await listed("") == [shared]
    assert await listed("?private=true") == [own, shared]
    first = (await acme.get("/configurations?private=true&limit=1")).body
    assert await listed(f"?private=true&cursor={first['next_cursor']}") == [shared]


async def test_no_other_campaign_may_name_it(acme: Customer, other: Customer, stack: Stack) -> None:
    shared, north, south = await two_that_share(acme)
    own = (await acme.patch(f"/campaigns/{north['id']}/configuration", {})).body["id"]
    refused = [
        await acme.post("/campaigns", {"name": "West", "configuration_id": own}),
        await acme.patch(f"/campaigns/{south['id']}", {"configuration_id": own}),
    ]
    assert [answer.status for answer in refused] == [409, 409]
    assert refused[0].body["detail"].startswith(f"Configuration {own} belongs to another campaign alone")
    assert (await other.get(f"/configurations/{own}")).status == 404
    assert await counts(stack, acme) == {shared: 1, own: 1}
    assert (await acme.patch(f"/campaigns/{north['id']}", {"configuration_id": own, "priority": 3})).status == 200


async def test_it_cannot_be_deleted_while_its_campaign_has_it(acme: Customer, stack: Stack) -> None:
    shared, north, _ = await two_that_share(acme)
    path = f"/campaigns/{north['id']}"
    own = (await acme.patch(f"{path}/configuration", {})).body["id"]
    refused = await acme.delete(f"/configurations/{own}")
    assert refused.status == 409
    assert f"'North' ({north['id']})" in refused.body["detail"]
    assert (await acme.patch(path, {"configuration_id": shared})).status == 200
    assert (await acme.patch(path, {"configuration_id": own})).status == 200, "it may go back to what is its own"
    assert (await acme.patch(path, {"configuration_id": shared})).status == 200
    assert await counts(stack, acme) == {shared: 2, own: 0}
    assert (await acme.delete(f"/configurations/{own}")).status == 200


async def test_the_configuration_of_a_campaign_that_is_over_or_unknown_is_not_changed(acme: Customer) -> None:
    shared, north, _ = await two_that_share(acme)
    path = f"/campaigns/{north['id']}"
    assert (await acme.patch(f"{path}/configuration", {"max_attempts": 0})).status == 422
    await acme.post(f"{path}/close")
    refused = await acme.patch(f"{path}/configuration", {"max_attempts": 9})
    assert (refused.status, "is closed and cannot be changed" in refused.body["detail"]) == (400, True)
    assert (await acme.get(f"{path}/configuration")).body["id"] == shared
    assert (await acme.patch("/campaigns/nobodys/configuration", {})).status == 404
    assert (await acme.get("/campaigns/nobodys/configuration")).status == 404


async def test_a_change_for_one_campaign_says_what_the_campaign_lacks(acme: Customer) -> None:
    _, north, south = await two_that_share(acme)
    path = f"/campaigns/{north['id']}/configuration"
    assert "warnings" not in (await acme.patch(path, {"max_attempts": 5})).body
    lacking = await acme.patch(path, {"default_windows": [], "agent_id": None})
    assert [warning["code"] for warning in lacking.body["warnings"]] == ["no_windows", "no_agent"]
    assert "warnings" not in (await acme.patch(f"/campaigns/{south['id']}", {"priority": 2})).body
