"""What a refusal says over HTTP, word for word: what is wrong, where, and what to do."""

import uuid

import pytest

from tests.integration.campaign_api.client import CALLABLE, Api, Customer, lead
from tests.integration.campaign_api.conftest import Stack

UNKNOWN = str(uuid.uuid4())
LONG = "x" * 1000
SHORTENED = "'" + "x" * 199 + "…'"


@pytest.mark.parametrize(
    ("method", "path", "sentence"),
    [
        ("GET", "/campaigns/it's", """There is no campaign "it's"; GET /campaign/campaigns lists yours."""),
        ("POST", f"/campaigns/{LONG}/start", f"There is no campaign {SHORTENED}; GET /campaign/campaigns lists yours."),
        (
            "GET",
            f"/configurations/{UNKNOWN}",
            f"There is no configuration '{UNKNOWN}'; GET /campaign/configurations lists yours.",
        ),
        (
            "DELETE",
            f"/configurations/{UNKNOWN}",
            f"There is no configuration '{UNKNOWN}'; GET /campaign/configurations lists yours.",
        ),
        ("GET", "/campaigns/default/contacts/%0A", "There is no contact '\\n' in this campaign."),
        ("DELETE", "/campaigns/default/contacts/ada", "There is no contact 'ada' in this campaign."),
        (
            "DELETE",
            "/do-not-call/%2B14155550123",
            "This number is not on your do-not-call list; write it in E.164, such as +14155550123.",
        ),
        (
            "GET",
            "/ingest-batches/monday",
            "There is no ingest batch 'monday'; a batch appears here once contact-ingest has read it.",
        ),
    ],
)
async def test_what_the_organization_does_not_have_is_404(
    acme: Customer, method: str, path: str, sentence: str
) -> None:
    answer = await acme.call(method, path)
    assert (answer.status, answer.body) == (404, {"detail": sentence})


async def test_what_no_organization_has_is_404_for_the_operator(api: Api) -> None:
    new_key = {"name": "n", "organization_id": UNKNOWN, "scopes": ["campaigns:manage"]}
    for method, path, body, sentence in (
        ("PATCH", f"/organizations/{UNKNOWN}", {"name": "n"}, f"There is no organization '{UNKNOWN}'."),
        (
            "POST",
            "/organization-pats",
            new_key,
            f"There is no organization '{UNKNOWN}'; GET /admin/organizations lists them.",
        ),
        ("DELETE", f"/organization-pats/{UNKNOWN}", None, f"There is no organization key '{UNKNOWN}'."),
        ("DELETE", f"/personal-tokens/{UNKNOWN}", None, f"There is no personal key '{UNKNOWN}'."),
    ):
        answer = await api.admin(method, path, body)
        assert (answer.status, answer.body) == (404, {"detail": sentence})


async def test_what_a_campaigns_state_does_not_allow_is_400(acme: Customer) -> None:
    campaign_id = (await acme.new_campaign())["id"]
    path = f"/campaigns/{campaign_id}"
    await acme.post(f"{path}/pause")
    refused = await acme.post(f"{path}/pause")
    sentence = f"Campaign {campaign_id} is paused: only an active campaign can be paused."
    assert (refused.status, refused.body) == (400, {"detail": sentence})
    await acme.post(f"{path}/close")
    for method, at, body, sentence in (
        (
            "POST",
            f"{path}/start",
            None,
            f"Campaign {campaign_id} is closed: a closed campaign cannot be started again; create a new one.",
        ),
        ("POST", f"{path}/pause", None, f"Campaign {campaign_id} is closed: only an active campaign can be paused."),
        ("POST", f"{path}/close", None, f"Campaign {campaign_id} is closed: it cannot be closed again."),
        (
            "PATCH",
            path,
            {"name": "n"},
            f"Campaign {campaign_id} is closed and cannot be changed; create a new one.",
        ),
        (
            "POST",
            f"{path}/contacts",
            {"contacts": [lead(1)]},
            "The campaign is closed: contacts cannot be added to it. Create a new campaign.",
        ),
        (
            "POST",
            f"{path}/contacts/reset",
            {"status": "error"},
            f"Campaign {campaign_id} is closed: its contacts are not called again.",
        ),
    ):
        refused = await acme.call(method, at, body=body)
        assert (refused.status, refused.body) == (400, {"detail": sentence})


async def test_what_is_taken_in_use_or_being_called_is_409(acme: Customer, stack: Stack) -> None:
    configuration_id = await acme.new_configuration(**CALLABLE)
    campaign = {"name": "Spring", "configuration_id": configuration_id, "external_id": "spring"}
    campaign_id = (await acme.post("/campaigns", campaign)).body["id"]
    await acme.post(f"/campaigns/{campaign_id}/pause")
    uploaded = await acme.post(f"/campaigns/{campaign_id}/contacts", {"contacts": [lead(1)]})
    [contact_id] = uploaded.body["contact_ids"]
    other = await acme.new_campaign()
    await stack.store["contacts"].update_one({"_id": contact_id}, {"$set": {"status": "in_progress"}})
    taken = "Another campaign has the external_id 'spring'; choose another, or change that campaign."
    for method, path, body, sentence in (
        ("POST", "/campaigns", campaign, taken),
        ("PATCH", f"/campaigns/{other['id']}", {"external_id": "spring"}, taken),
        (
            "DELETE",
            f"/configurations/{configuration_id}",
            None,
            f"Configuration {configuration_id} is used by campaigns (closed and deleted ones count): "
            f"'Spring' ({campaign_id}); point those campaigns at another configuration first.",
        ),
        (
            "DELETE",
            f"/campaigns/{campaign_id}/contacts/{contact_id}",
            None,
            "The contact is being called now; delete it when the call has ended.",
        ),
    ):
        refused = await acme.call(method, path, body=body)
        assert (refused.status, refused.body) == (409, {"detail": sentence})
