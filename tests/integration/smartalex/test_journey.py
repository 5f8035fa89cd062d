"""The first day of a customer: from an empty organization to the end of a campaign, with calls and webhooks."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from services.campaign_api.app import DIALECTS
from services.webhook_sender.app import running
from services.webhook_sender.settings import SenderSettings
from shared.bus.producer import Producer
from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.rendering.smartalex.events import EventType
from shared.store.client import Store
from shared.telephony.provider import PlaceCall
from shared.telephony.scripts import ScriptedCall
from tests.engine import running_engine
from tests.eventually import eventually
from tests.integration.campaign_api.conftest import serving, settings_for
from tests.integration.smartalex.client import ALWAYS, Alex, phone
from tests.integration.webhook_sender.receiver import Got, Receiver, receiving

ADA, BOB, EVE, DAN = (phone(number) for number in range(1, 5))
ENDINGS = {ADA: Outcome.ANSWERED, BOB: Outcome.NO_ANSWER, EVE: Outcome.VOICEMAIL, DAN: Outcome.INVALID_NUMBER}


@dataclass(frozen=True, slots=True)
class Day:
    """A customer on a whole Dialstream, and the receiver of its webhooks."""

    alex: Alex
    receiver: Receiver

    def told(self, event: str) -> list[Any]:
        """The data of the events of this type that came."""
        return [got.body["data"] for got in self.receiver.got if got.body["type"] == event]

    async def until(self, event: str, count: int = 1) -> list[Any]:
        """The same, once there are so many."""
        await eventually(lambda: len(self.told(event)) >= count, timeout=30, saying=f"{count} {event}")
        return self.told(event)


def script(call: PlaceCall) -> ScriptedCall:
    return ScriptedCall(outcome=ENDINGS[call.phone_number], talk_seconds=0.2)


@pytest.fixture
async def day(store: Store, kafka_address: str, mongodb_address: str, topic_prefix: str) -> AsyncIterator[Day]:
    common: dict[str, Any] = {"mongodb_database": store.db.name, "webhook_private_addresses": True}
    settings = settings_for(kafka_address, mongodb_address, topic_prefix, **common)
    sender = SenderSettings(
        kafka=kafka_address,
        topic_prefix=topic_prefix,
        mongodb=mongodb_address,
        secret_key=settings.secret_key,
        **common,
    )
    async with AsyncExitStack() as stack:
        producer = Producer(settings)
        await producer.start()
        stack.push_async_callback(producer.stop)
        engine = await stack.enter_async_context(running_engine(store, kafka_address, topic_prefix, script=script))
        await engine.start_scheduler()
        await engine.start_executor()
        await stack.enter_async_context(running(sender))
        receiver = await stack.enter_async_context(receiving())
        api = await stack.enter_async_context(serving(settings, store, producer, DIALECTS))
        yield Day(Alex(await api.new_customer()), receiver)


def is_ours(got: Got, secret: str) -> bool:
    """Whether this was signed as the product says."""
    stamp, _, digest = got.headers["X-SmartAlex-Signature"].partition(",v1=")
    signed = f"{stamp.removeprefix('t=')}.".encode() + got.raw
    return hmac.compare_digest(hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest(), digest)


async def test_the_first_day(day: Day) -> None:
    alex = day.alex
    hook = await alex.post("/webhooks", {"url": f"{day.receiver.url}/ok", "event_types": [*EventType]}, 201)
    agent = await alex.new_agent(name="Outreach", phone_numbers=[phone(100)])
    made = await alex.post(
        "/campaigns",
        {"name": "Spring", "agent_id": agent, "settings": {**ALWAYS, "concurrent_calls": 5, "max_retries": 2}},
        201,
    )
    campaign, path = made["data"]["id"], f"/campaigns/{made['data']['id']}"
    rows = [
        {"phone": ADA, "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "company": "Engines"},
        {"phone": BOB, "first_name": "Bob"},
        {"phone": EVE},
        {"phone": DAN},
    ]
    ids = (await alex.post(f"{path}/contacts", {"contacts": rows}))["data"]["contact_ids"]
    assert (await alex.post(f"{path}/start"))["data"]["status"] == "active"

    async def all_called() -> dict[str, Any] | None:
        statistics: dict[str, Any] = (await alex.get(path))["data"]["statistics"]
        return statistics if statistics["calls_count"] == 4 else None

    statistics: Any = await eventually(all_called, timeout=30, saying="four calls")
    expected = {
        "contacts_count": 4,
        "pending_count": 2,
        "completed_count": 1,
        "failed_count": 1,
        "answered_count": 1,
        "voicemail_count": 1,
        "no_answer_count": 1,
        "failed_calls_count": 1,
        "callbacks_count": 2,
        "answer_rate": 0.25,
    }
    assert {name: statistics[name] for name in expected} == expected

    # Calls.
    calls = (await alex.get("/calls"))["data"]
    assert [len(calls), {call["campaign_id"] for call in calls}] == [4, {campaign}]
    by_phone = {call["phone_number"]: call for call in calls}
    answered = by_phone[ADA]
    assert (answered["status"], answered["outcome"], answered["agent_id"]) == ("completed", "answered", agent)
    assert answered["contact"] == {"id": ids[0], "first_name": "Ada", "last_name": "Lovelace"}
    assert (by_phone[BOB]["status"], by_phone[BOB]["duration"]) == ("no_answer", 0)
    assert (by_phone[EVE]["status"], by_phone[DAN]["status"]) == ("voicemail", "failed")
    result = {"sentiment": "positive", "summary": "Wants a viewing", "cost": 0.12, "extracted": {"rooms": 3}}
    result |= {"transcript": [{"speaker": "agent", "text": "Hello"}]}
    assert (await alex.native.post(f"/attempts/{answered['id']}/result", result)).status == 200
    whole = (await alex.get(f"/calls/{answered['id']}"))["data"]
    assert (whole["sentiment"], whole["summary"], whole["cost"]) == ("positive", "Wants a viewing", 0.12)
    assert whole["transcript"] == [{"speaker": "agent", "text": "Hello", "timestamp": None}]
    assert (whole["extracted_data"], whole["contact"]["email"]) == ({"rooms": 3}, "ada@example.com")

    async def found(query: str) -> set[str]:
        page = await alex.get(f"/calls?{query}")
        assert page["meta"]["total"] == len(page["data"])
        return {call["phone_number"] for call in page["data"]}

    today = utc_now().date().isoformat()
    assert await found("status=no_answer") == {BOB}
    assert await found("status=failed&since_hours=1") == {DAN}
    assert await found("sentiment=positive") == {ADA}
    assert await found(f"contact_id={ids[2]}&campaign_id={campaign}&agent_id={agent}&direction=outbound") == {EVE}
    assert await found(f"from_date={today}&to_date={today}") == {ADA, BOB, EVE, DAN}
    assert await found("direction=inbound") == await found("to_date=2020-01-01") == await found("contact_id=x") == set()
    assert await found("campaign_id=x") == await found("agent_id=x") == set()
    read = (await alex.get(f"/contacts/{ids[0]}"))["data"]
    assert (read["calls_count"], [call["id"] for call in read["calls"]]) == (1, [answered["id"]])
    assert read["campaigns"] == [{"id": campaign, "name": "Spring", "status": "active"}]

    # A break.
    for action, status in (("pause", "paused"), ("resume", "active"), ("pause", "paused"), ("start", "active")):
        assert (await alex.post(f"{path}/{action}"))["data"]["status"] == status
    assert [row["id"] for row in (await alex.get("/campaigns?status=active"))["data"]] == [campaign]

    # Callbacks.
    waiting = await alex.get(f"{path}/callbacks")
    assert waiting["meta"]["total"] == 2
    retry = next(row for row in waiting["data"] if row["phone"] == BOB)
    assert (retry["type"], retry["outcome"], retry["retry_number"], retry["max_retries"]) == (
        "retry",
        "no_answer",
        1,
        2,
    )
    assert (retry["contact_id"], retry["contact_name"], retry["campaign_name"]) == (ids[1], "Bob", "Spring")
    assert (retry["agent_id"], retry["overdue"], retry["status"], retry["notes"]) == (agent, False, "pending", None)
    later = (utc_now() + timedelta(days=9)).isoformat(timespec="seconds")
    moved = (await alex.patch(f"/callbacks/{retry['id']}", {"scheduled_at": later, "notes": "At home"}))["data"]
    assert (moved["id"], moved["notes"], moved["status"]) == (retry["id"], "At home", "pending")
    assert moved["scheduled_at"] == later.replace("+00:00", "Z")
    for view, count in (("overdue", 0), ("all", 2)):
        assert (await alex.get(f"/callbacks?view={view}"))["meta"]["total"] == count
    skipped = (await alex.post(f"/callbacks/{retry['id']}/skip"))["data"]
    assert (skipped["status"], skipped["retry_number"]) == ("pending", 2)
    assert skipped["id"] != retry["id"]
    await eventually_gone(alex, retry["id"])
    over = (await alex.post(f"/callbacks/{skipped['id']}/cancel"))["data"]
    assert (over["status"], over["id"]) == ("cancelled", skipped["id"])
    asked = {"contact_id": ids[0], "scheduled_at": later, "notes": "Once more"}
    requested = (await alex.post(f"{path}/callbacks", asked, 201))["data"]
    assert (requested["type"], requested["retry_number"], requested["notes"]) == (
        "customer_requested",
        None,
        "Once more",
    )
    dropped = await alex.call("DELETE", f"/callbacks/{requested['id']}")
    assert (dropped.status, dropped.body["data"]["status"]) == (200, "cancelled")
    last = next(row for row in (await alex.get("/callbacks"))["data"] if row["phone"] == EVE)
    assert (await alex.post(f"/callbacks/{last['id']}/complete"))["data"]["status"] == "completed"

    # The end.
    await day.until("campaign.completed")
    ended = (await alex.get(path))["data"]
    assert (ended["status"], ended["completed_at"] is not None) == ("completed", True)
    assert await alex.refused("POST", f"{path}/callbacks", asked) == (409, "campaign_not_active")

    # What was told.
    assert all(is_ours(got, hook["signing_secret"]) for got in day.receiver.got)
    [started] = await day.until("campaign.started")
    assert (started["id"], started["statistics"]["contacts_count"]) == (campaign, 4)
    assert {one["id"] for one in await day.until("campaign.paused", 2) + await day.until("campaign.resumed", 2)} == {
        campaign
    }
    assert {call["contact_id"] for call in await day.until("call.started", 4)} == set(ids)
    await eventually(lambda: ids[0] in {call["contact_id"] for call in day.told("call.connected")}, saying="an answer")
    up = day.told("call.started") + day.told("call.connected")
    assert {(call["status"], call["call_status"], call["end_timestamp"]) for call in up} == {
        ("in_progress", "in_progress", None)
    }
    completed = await day.until("call.completed", 2)
    assert {call["phone_number"] for call in completed} == {ADA, EVE}
    assert "transcript" not in completed[0]
    assert {call["phone_number"] for call in await day.until("call.failed", 2)} == {BOB, DAN}
    assert {row["phone"] for row in await day.until("callback.scheduled", 2)} >= {BOB, EVE}
    assert await day.until("callback.cancelled")
    assert {contact["id"] for contact in await day.until("contact.created", 4)} == set(ids)
    await alex.patch(f"/contacts/{ids[3]}", {"title": "Dr"})
    [updated] = [contact for contact in await day.until("contact.updated") if contact["id"] == ids[3]][:1]
    assert (updated["title"], updated["phone"]) == ("Dr", DAN)
    await alex.patch(f"/contacts/{ids[3]}", {"status": "dnc"})
    [dnc] = await day.until("contact.dnc")
    assert (dnc["id"], dnc["status"]) == (ids[3], "dnc")
    assert (await alex.call("DELETE", f"/contacts/{ids[3]}")).status == 200
    assert [contact["id"] for contact in await day.until("contact.deleted")] == [ids[3]]
    body = day.receiver.got[0].body
    assert (body["tenant_id"], body["id"][:4]) == (alex.native.organization_id, "evt_")


async def eventually_gone(alex: Alex, callback: str) -> None:
    """The id of one waiting is gone once it is over."""

    async def gone() -> bool:
        return (await alex.call("POST", f"/callbacks/{callback}/call-now")).status == 404

    await eventually(gone, saying="the callback over")


async def test_webhooks_are_made_in_both_forms_shown_without_secret_and_ended(day: Day) -> None:
    alex, url = day.alex, f"{day.receiver.url}/ok"
    newer = await alex.post("/webhooks", {"url": url, "event_types": ["call.completed"], "description": "CRM"}, 201)
    assert len(newer["signing_secret"]) == 64
    assert newer["data"] == {name: value for name, value in newer.items() if name != "data"}
    assert (newer["event_types"], newer["events"], newer["is_active"]) == (["call.completed"], ["call.completed"], True)
    older = {
        "url": url,
        "events": ["campaign.started", "contact.dnc"],
        "secret": "shs_12345678",
        "enabled": False,
        "x": 1,
    }
    made = await alex.post("/webhooks", older, 201)
    assert (made["data"]["signing_secret"], made["enabled"]) == ("shs_12345678", False)
    assert made["warnings"] == ["x: not known here, ignored"]
    page = await alex.get("/webhooks")
    assert page["meta"]["total"] == 2
    assert all("signing_secret" not in row for row in page["data"])
    read = (await alex.get(f"/webhooks/{made['id']}"))["data"]
    assert read == next(row for row in page["data"] if row["id"] == made["id"])
    assert (await alex.call("DELETE", f"/webhooks/{made['id']}")).body == {"data": {"id": made["id"], "deleted": True}}
    assert await alex.refused("GET", f"/webhooks/{made['id']}") == (404, "not_found")
    assert await alex.refused("PATCH", f"/webhooks/{newer['id']}", {}) == (405, "invalid_request")
    for wrong in (
        {"url": "ftp://example.com", "events": ["call.failed"]},
        {"url": "https://a:b@example.com", "events": ["call.failed"]},
        {"url": url, "events": ["call.ringing"]},
        {"url": url, "events": ["call.failed", "call.failed"]},
        {"url": url, "events": []},
        {"url": url},
        {"url": url, "events": ["call.failed"], "secret": "short"},
    ):
        assert await alex.refused("POST", "/webhooks", wrong) == (400, "invalid_request")
