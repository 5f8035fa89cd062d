"""A dry run over the API."""

from tests.integration.campaign_api.client import Customer, lead


async def test_a_draft_can_be_previewed_and_says_why_nobody_would_be_called(acme: Customer) -> None:
    campaign = await acme.new_campaign(state="draft")
    path = f"/campaigns/{campaign['id']}"
    rows = [lead(1, priority=3), lead(2, timezone="Europe/Berlin")]
    uploaded = await acme.post(f"{path}/contacts", {"contacts": rows})
    first, second = uploaded.body["contact_ids"]
    found = (await acme.get(f"{path}/preview?limit=5")).body
    told = {"reason": "no_executor", "until": None, "status": None, "ended_because": None}
    assert (found["campaign_id"], found["calls"]) == (campaign["id"], [])
    assert [{name: each[name] for name in told} for each in found["not_called"]] == [told, told]
    assert [(e["contact_id"], e["external_id"], e["priority"], e["timezone"]) for e in found["not_called"]] == [
        (first, "lead-1", 3, None),
        (second, "lead-2", 0, "Europe/Berlin"),
    ]
    assert found["not_called"][0]["what_to_do"] == "Have the operator start a call-executor: none is alive."
    for limit in ("0", "101", "many"):
        assert (await acme.get(f"{path}/preview?limit={limit}")).status == 422
    assert (await acme.get("/campaigns/default/preview")).status == 200
    assert (await acme.get("/campaigns/nowhere/preview")).status == 404
