"""A campaign's log over the API: what has happened, why and by whom, newest first."""

from typing import Any

from shared.clock import utc_now
from shared.domain.campaign_log import MAX_ENTRIES, LogEvent
from shared.store.catalog.campaign_log import NewEntry, log_document, write_log
from tests.integration.campaign_api.client import Customer
from tests.integration.campaign_api.conftest import Stack

LATER = "2126-07-01T14:30:00Z"


async def log_of(acme: Customer, campaign: str, query: str = "") -> dict[str, Any]:
    answer = await acme.get(f"/campaigns/{campaign}/log{query}")
    assert answer.status == 200, answer.raw
    body: dict[str, Any] = answer.body
    return body


async def test_every_move_is_in_the_log_with_who_made_it(acme: Customer, stack: Stack) -> None:
    campaign = await acme.new_campaign(external_id="spring", state="draft")
    path = f"/campaigns/{campaign['id']}"
    await acme.patch(path, {"start_at": LATER})
    await acme.patch(path, {"start_at": None})
    for move in ("start", "pause", "start", "close"):
        assert (await acme.post(f"{path}/{move}")).status == 200
    body = await log_of(acme, "spring")
    events = [entry["event"] for entry in reversed(body["entries"])]
    assert events == ["created", "scheduled", "unscheduled", "started", "paused", "resumed", "cancelled"]
    assert (body["next_cursor"], body["total"]) == (None, None)
    newest = body["entries"][0]
    [key] = await stack.store["api_keys"].find({"organization_ids": acme.organization_id}).to_list()
    assert newest["by"] == {"kind": "key", "id": key["_id"]}
    assert (newest["level"], newest["reason"], newest["details"]) == ("info", None, {})
    stored = await stack.store["campaigns"].find_one({"_id": campaign["id"]})
    assert stored is not None
    assert stored["fact_seq"] == 7, "each write of what is wanted counts"


async def test_the_log_is_read_page_by_page_and_by_number(acme: Customer) -> None:
    campaign = (await acme.new_campaign())["id"]
    for move in ("pause", "start"):
        await acme.post(f"/campaigns/{campaign}/{move}")
    whole = (await log_of(acme, campaign))["entries"]
    assert [entry["event"] for entry in whole] == ["resumed", "paused", "started", "created"]
    first = await log_of(acme, campaign, "?limit=3")
    second = await log_of(acme, campaign, f"?limit=3&cursor={first['next_cursor']}")
    assert [*first["entries"], *second["entries"]] == whole
    assert second["next_cursor"] is None
    numbered = await log_of(acme, campaign, "?limit=2&offset=1")
    assert (numbered["entries"], numbered["total"]) == (whole[1:3], 4)
    assert (await acme.get(f"/campaigns/{campaign}/log?cursor=nonsense")).status == 400


async def test_the_newest_entries_are_kept_and_a_deleted_campaigns_log_is_found_when_asked_for(
    acme: Customer, stack: Stack
) -> None:
    campaign = (await acme.new_campaign(state="draft"))["id"]
    entry = NewEntry(LogEvent.RESTING, "account")
    documents = [log_document(campaign, acme.organization_id, entry, utc_now()) for _ in range(MAX_ENTRIES + 3)]
    await stack.store.in_transaction(lambda session: write_log(stack.store, session, documents))
    assert (await log_of(acme, campaign, "?limit=1&offset=0"))["total"] == MAX_ENTRIES
    assert (await acme.call("DELETE", f"/campaigns/{campaign}")).status == 200
    assert (await acme.get(f"/campaigns/{campaign}/log")).status == 404
    last = (await log_of(acme, campaign, "?limit=1&deleted=true"))["entries"]
    assert [one["event"] for one in last] == ["deleted"]
