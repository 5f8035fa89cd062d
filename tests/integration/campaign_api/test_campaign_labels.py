"""What a campaign is for, in its owner's words, and its number."""

from typing import Any

import pytest

from tests.integration.campaign_api.client import Customer

WORDS = {"description": "For people.\n", "objective": "An appointment", "labels": {"team": "north", "tags": ["a", 1]}}
NOTHING = dict.fromkeys(WORDS)


def words(campaign: dict[str, Any]) -> dict[str, Any]:
    return {name: campaign[name] for name in WORDS}


async def test_a_campaign_keeps_its_description_objective_and_labels_until_they_are_changed(acme: Customer) -> None:
    assert words(await acme.new_campaign()) == NOTHING
    campaign = await acme.new_campaign(**WORDS)
    path = f"/campaigns/{campaign['id']}"
    assert words(campaign) == words((await acme.get(path)).body) == WORDS
    other = {"labels": {"quarter": 2}}
    assert words((await acme.patch(path, other)).body) == WORDS | other, "labels are replaced whole, the others stay"
    assert words((await acme.patch(path, {"description": None})).body) == WORDS | other | {"description": None}
    assert words((await acme.patch(path, NOTHING)).body) == NOTHING
    assert words((await acme.get("/campaigns")).body["campaigns"][0]) == NOTHING


@pytest.mark.parametrize(("bad", "place", "said"), [
    ({"labels": {"text": "x" * 65_536}}, ["body", "labels"], "Send at most 65536 bytes as compact JSON, not 65547"),
    ({"labels": ["north"]}, ["body", "labels"], "object"),
    ({"labels": {"n": 2**63}}, ["body", "labels"], "Send an integer beyond 64 bit as text"),
    ({"labels": {"n": "\0"}}, ["body", "labels"], "Remove the NUL character"),
    ({"description": "x" * 10_001}, ["body", "description"], "10000"),
    ({"objective": "\0"}, ["body", "objective"], "Remove the NUL character"),
    ({"objective": 5}, ["body", "objective"], "Write a text in quotation marks"),
])  # fmt: skip
async def test_what_cannot_be_kept_is_refused(acme: Customer, bad: Any, place: list[str], said: str) -> None:
    campaign = await acme.new_campaign()
    new = {"name": "Summer", "configuration_id": campaign["configuration_id"]}
    for refused in (
        await acme.post("/campaigns", {**new, **bad}),
        await acme.patch(f"/campaigns/{campaign['id']}", bad),
    ):
        assert refused.status == 422
        [error] = refused.body["errors"]
        assert error["loc"] == place
        assert said in error["msg"]


async def test_labels_of_64_kib_are_kept_and_a_page_of_such_campaigns_stays_small(acme: Customer) -> None:
    labels = {"text": "x" * (65_536 - 11)}
    first = await acme.new_campaign(labels=labels)
    assert first["labels"] == labels
    for _ in range(84):
        await acme.new_campaign(labels=labels, configuration_id=first["configuration_id"])
    page = (await acme.get("/campaigns?limit=200")).body
    assert len(page["campaigns"]) < 85
    rest = (await acme.get(f"/campaigns?limit=200&cursor={page['next_cursor']}")).body
    assert len(page["campaigns"]) + len(rest["campaigns"]) == 85
    assert rest["next_cursor"] is None


async def test_numbers_ascend_and_are_not_given_again(acme: Customer, other: Customer) -> None:
    first = await acme.new_campaign(state="draft")
    await acme.delete(f"/campaigns/{first['id']}")
    await other.new_campaign()
    assert [first["number"], (await acme.new_campaign())["number"]] == [1, 2]
