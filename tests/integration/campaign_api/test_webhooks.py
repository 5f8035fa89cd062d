"""Subscriptions to webhooks over the API: made, changed, deleted; secrets; what the organization is told of."""

from typing import Any

import pytest

from shared.domain.facts import FactType
from shared.domain.webhooks import MAX_WEBHOOKS
from shared.stored_secrets import SecretCipher
from tests.integration.campaign_api.client import Customer
from tests.integration.campaign_api.conftest import Stack

URL = "https://203.0.114.5/hooks"


async def made(customer: Customer, **fields: Any) -> dict[str, Any]:
    answer = await customer.post("/webhooks", {"url": URL, **fields})
    assert answer.status == 200, answer.raw
    body: dict[str, Any] = answer.body
    return body


async def wanted(stack: Stack, customer: Customer) -> list[str]:
    """The types of facts that are written for the organization."""
    document = await stack.store["organizations"].find_one({"_id": customer.organization_id})
    assert document is not None
    return list(document["fact_types"])


async def test_a_webhook_is_made_read_changed_and_deleted(acme: Customer) -> None:
    webhook = await made(acme, events=["call.ended", "call.ended", "contact.completed"], description="CRM")
    assert len(webhook.pop("secret")) == 64
    assert webhook["events"] == ["call.ended", "contact.completed"]
    assert (webhook["dialect"], webhook["active"], webhook["campaign_id"]) == ("native", True, None)
    path = f"/webhooks/{webhook['id']}"
    assert (await acme.get(path)).body == webhook
    assert (await acme.get("/webhooks")).body == {"webhooks": [webhook], "next_cursor": None}
    changed = await acme.patch(path, {"url": URL + "/2", "events": ["call.placed"], "active": False})
    assert changed.body["url"] == URL + "/2"
    assert (changed.body["events"], changed.body["active"], changed.body["off_because"]) == (
        ["call.placed"],
        False,
        "customer",
    )
    assert (await acme.delete(path)).body == {"id": webhook["id"], "deleted": True}
    assert (await acme.get(path)).status == (await acme.delete(path)).status == 404


async def test_what_the_organization_is_told_of_is_what_its_active_webhooks_want(acme: Customer, stack: Stack) -> None:
    first = await made(acme, events=["call.ended", "call.placed"])
    second = await made(acme, events=["call.ended", "contact.completed"])
    assert await wanted(stack, acme) == ["call.ended", "call.placed", "contact.completed"]
    await acme.patch(f"/webhooks/{first['id']}", {"active": False})
    assert await wanted(stack, acme) == ["call.ended", "contact.completed"]
    await acme.patch(f"/webhooks/{second['id']}", {"events": ["callback.done"]})
    assert await wanted(stack, acme) == ["callback.done"]
    await acme.delete(f"/webhooks/{second['id']}")
    assert await wanted(stack, acme) == []


async def test_without_events_a_webhook_is_told_of_all(acme: Customer, stack: Stack) -> None:
    assert (await made(acme))["events"] == [kind.value for kind in FactType]
    assert await wanted(stack, acme) == sorted(FactType)


async def test_a_secret_is_stored_encrypted_and_shown_once(acme: Customer, stack: Stack) -> None:
    webhook = await made(acme, secret="mine and nobody else's")
    assert webhook["secret"] == "mine and nobody else's"
    stored = await stack.store["webhooks"].find_one({"_id": webhook["id"]})
    assert stored is not None
    assert "mine" not in str(stored)
    assert SecretCipher(stack.settings.secret_key).decrypt(stored["secret"]) == webhook["secret"]
    assert "secret" not in (await acme.get(f"/webhooks/{webhook['id']}")).body


async def test_a_rotated_secret_leaves_the_old_one_for_as_long_as_asked(acme: Customer, stack: Stack) -> None:
    webhook = await made(acme)
    path = f"/webhooks/{webhook['id']}/rotate-secret"
    rotated = (await acme.post(path)).body
    assert rotated["secret"] != webhook["secret"]
    assert rotated["old_secret_until"] > rotated["updated_at"]
    stored = await stack.store["webhooks"].find_one({"_id": webhook["id"]})
    assert stored is not None
    cipher = SecretCipher(stack.settings.secret_key)
    assert cipher.decrypt(stored["secret"]) == rotated["secret"]
    assert cipher.decrypt(stored["old_secret"]) == webhook["secret"]
    at_once = (await acme.post(path, {"overlap_hours": 0, "secret": "a new one"})).body
    assert (at_once["secret"], at_once["old_secret_until"]) == ("a new one", None)


async def test_a_webhook_of_one_campaign_is_found_by_it(acme: Customer) -> None:
    campaign = await acme.new_campaign(external_id="spring")
    await made(acme)
    of_campaign = await made(acme, campaign_id="spring")
    of_default = await made(acme, campaign_id="default")
    assert (of_campaign["campaign_id"], of_default["campaign_id"]) == (campaign["id"], "default")
    listed = (await acme.get("/webhooks?campaign=spring")).body["webhooks"]
    assert [one["id"] for one in listed] == [of_campaign["id"]]
    assert (await acme.post("/webhooks", {"url": URL, "campaign_id": "unknown"})).status == 404


async def test_an_organization_has_fifty_and_each_campaign_as_many(acme: Customer, stack: Stack) -> None:
    first = await made(acme, events=["call.placed"])
    stored = await stack.store["webhooks"].find_one({"_id": first["id"]})
    assert stored is not None
    others = [{**stored, "_id": f"{first['id']}-{n}"} for n in range(MAX_WEBHOOKS - 1)]
    await stack.store["webhooks"].insert_many(others)
    refused = await acme.post("/webhooks", {"url": URL})
    assert (refused.status, "at most 50 webhooks" in refused.body["detail"]) == (409, True)
    await acme.new_campaign(external_id="spring")
    await made(acme, campaign_id="spring")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.com/", "must begin with https://"),
        ("https://user:x@example.com/", "no user and no password"),
        ("https://127.0.0.1/", "not sent to private"),
        ("https://0x7f.1/", "not sent to private"),
        ("https://[::ffff:10.0.0.1]/", "not sent to private"),
        ("https://localhost/", "not sent to private"),
        ("https://example.com/" + "a" * 2048, "at most 2048 characters"),
        ("nonsense", "This is no URL"),
    ],
)
async def test_a_receiver_that_may_not_be_is_refused(acme: Customer, url: str, said: str) -> None:
    refused = await acme.post("/webhooks", {"url": url})
    assert (refused.status, refused.body["errors"][0]["loc"]) == (422, ["body", "url"]), refused.raw
    assert said in refused.body["detail"]


@pytest.mark.parametrize(
    "wish",
    [
        {"events": []},
        {"events": ["call.exploded"]},
        {"secret": "short"},
        {"secret": "x" * 256},
        {"description": "x" * 256},
        {"url": None},
        {"dialect": "native"},
    ],
)
async def test_other_wishes_that_cannot_be_are_refused(acme: Customer, wish: dict[str, Any]) -> None:
    assert (await acme.post("/webhooks", {"url": URL, **wish})).status == 422


async def test_a_test_event_is_a_delivery_that_waits_and_can_be_made_again_once_it_has_ended(
    acme: Customer, stack: Stack
) -> None:
    webhook = await made(acme)
    path = f"/webhooks/{webhook['id']}"
    delivery = (await acme.post(f"{path}/test")).body
    assert (delivery["event"], delivery["state"], delivery["tries"]) == ("webhook.test", "waiting", 0)
    one = f"{path}/deliveries/{delivery['id']}"
    assert (await acme.get(one)).body == delivery
    assert (await acme.get(f"{path}/deliveries?state=dead")).body["deliveries"] == []
    assert (await acme.post(f"{one}/replay")).status == 409
    await stack.store["deliveries"].update_one(
        {"_id": delivery["id"]}, {"$set": {"state": "dead", "tries": 8}, "$unset": {"queue": True, "due_at": True}}
    )
    [dead] = (await acme.get(f"{path}/deliveries?state=dead")).body["deliveries"]
    assert (dead["id"], dead["next_try_at"]) == (delivery["id"], None)
    assert (await acme.post(f"{path}/replay")).body == {"replayed": 1}
    again = (await acme.get(one)).body
    assert (again["state"], again["tries"], again["event_id"]) == ("waiting", 0, delivery["event_id"])


async def test_nothing_is_sent_to_a_webhook_that_is_off(acme: Customer) -> None:
    webhook = await made(acme, active=False)
    for what in ("test", "replay"):
        refused = await acme.post(f"/webhooks/{webhook['id']}/{what}")
        assert (refused.status, "is off" in refused.body["detail"]) == (409, True)


async def test_what_waits_for_a_deleted_webhook_is_forgotten(acme: Customer, stack: Stack) -> None:
    webhook = await made(acme)
    await acme.post(f"/webhooks/{webhook['id']}/test")
    await acme.delete(f"/webhooks/{webhook['id']}")
    assert await stack.store["deliveries"].count_documents({"webhook_id": webhook["id"]}) == 0
