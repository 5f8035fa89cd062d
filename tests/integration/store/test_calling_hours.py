"""Hours in the store: who is claimed, put off or ended by them, and how long a slot is held by a call's own limits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.scheduler.shards.memory import ShardMemory
from shared.clock import utc_now
from shared.domain.call_limits import CallLimits
from shared.domain.campaign import CampaignState
from shared.domain.contact import ContactStatus
from shared.events import DialJob, JobReleased
from shared.store.catalog.campaigns import get_campaign
from shared.store.client import Document, Store
from shared.store.dialing import gate, safety_look, starts
from shared.store.dialing.claim import ClaimOrder
from shared.store.dialing.expiries import end_expired, note_expiries
from shared.store.dialing.safety_look import Work
from shared.store.dialing.shard_transaction import Ownership
from shared.store.dialing.shard_work import ShardWork, WorkDone, do_shard_work
from shared.telephony.provider import CallMode
from tests.factories import add_campaign, add_configuration, add_contacts, add_organization, open_limits

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday; seven in New York, four in San Francisco
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NEW_YORK, SAN_FRANCISCO, BERLIN = "+12125550123", "+14155550123", "+4915123456789"
USUAL = CallLimits(ring_seconds=30, max_call_seconds=1800, around_seconds=100)


async def house(store: Store, organization: Document | None = None, **configuration: Any) -> tuple[Document, Document]:
    """An organization with slots and a campaign; the configuration has these fields."""
    made = await add_organization(store, **(organization or {}))
    await open_limits(store, made["shard"], 10)
    return made, await add_campaign(store, made, await add_configuration(store, made, **configuration))


async def work(store: Store, organization: Document, now: datetime, **what: Any) -> WorkDone:
    return await do_shard_work(store, Ownership(organization["shard"], 0), ShardWork(**what), now)


async def claim(store: Store, contacts: list[Document], now: datetime) -> list[DialJob]:
    order = ClaimOrder([contact["_id"] for contact in contacts])
    return (await work(store, contacts[0], now, claim=order)).jobs


async def stored(store: Store, contact: Document) -> Document:
    found: Document | None = await store["contacts"].find_one({"_id": contact["_id"]})
    assert found is not None
    return found


@pytest.mark.parametrize("of_no_campaign", [False, True])
async def test_who_waits_for_legal_hours_is_put_off_and_others_of_its_zone_are_called(
    store: Store, of_no_campaign: bool
) -> None:
    organization, campaign = await house(store, {"legal_hours": "on"})
    where = None if of_no_campaign else campaign
    early = await add_contacts(store, organization, where, 1, phone_numbers=[NEW_YORK], created_at=NOON - DAY)
    free = await add_contacts(store, organization, where, 1, phone_numbers=[BERLIN], created_at=NOON - HOUR)
    jobs = await claim(store, [*early, *free], NOON)
    assert [job.contact_id for job in jobs] == [free[0]["_id"]]
    waiting = await stored(store, early[0])
    assert (waiting["status"], waiting["due_at"]) == (ContactStatus.PENDING, NOON + HOUR)
    assert waiting["put_off"] == {"until": NOON + HOUR, "reason": "legal_hours"}
    assert len(await claim(store, early, NOON + HOUR)) == 1, "at eight in New York"


async def test_a_closed_day_writes_no_contact_and_lets_the_campaign_sleep_to_its_end(store: Store) -> None:
    today = {"first_day": "2026-11-18"}
    organization, campaign = await house(store, {"closures": [today]}, default_timezone="UTC")
    contacts = await add_contacts(store, organization, campaign, 3, created_at=NOON - DAY)
    before = await stored(store, contacts[0])
    assert await claim(store, contacts, NOON) == []
    assert await stored(store, contacts[0]) == before
    memory = ShardMemory(store, organization["shard"])
    await memory.load(NOON)
    assert await memory.demands(NOON, 10, {}) == []
    assert memory.next_alarm == datetime(2026, 11, 19, tzinfo=UTC)
    (demand,) = await memory.demands(datetime(2026, 11, 19, tzinfo=UTC), 10, {})
    assert len(demand.queues[0].waiting) == 3


async def test_the_closures_of_an_organization_hold_for_contacts_of_no_campaign_too(store: Store) -> None:
    in_tokyo = {"first_day": "2026-11-18", "timezones": ["Asia/Tokyo"]}
    organization, _ = await house(store, {"closures": [{"first_day": "2026-11-19"}, in_tokyo]})
    contacts = await add_contacts(store, organization, None, 2, timezone="Europe/Berlin", created_at=NOON - DAY)
    berlin, tokyo = contacts
    await store["contacts"].update_one({"_id": tokyo["_id"]}, {"$set": {"timezone": "Asia/Tokyo"}})
    await store["counters_in"].update_many({}, {"$addToSet": {"zones": "Asia/Tokyo"}})
    memory = ShardMemory(store, organization["shard"])
    await memory.load(NOON)
    (demand,) = await memory.demands(NOON, 10, {})
    assert [waiting.contact_id for queue in demand.queues for waiting in queue.waiting] == [berlin["_id"]]
    (job,) = await claim(store, contacts, NOON)
    assert job.contact_id == berlin["_id"], "in Tokyo the day is closed"
    await starts.start(store, starts.StartOrder([job], "nonce", "executor", CallMode.CALLBACK, USUAL))
    nonces = {berlin["_id"]: "nonce"}
    midnight = datetime(2026, 11, 18, 23, tzinfo=UTC)  # in Berlin
    assert await gate.look(store, nonces, midnight - MINUTE) == {berlin["_id"]: None}
    assert await gate.look(store, nonces, midnight) == {berlin["_id"]: "closed_day"}
    assert await claim(store, [tokyo], datetime(2026, 11, 19, 14, 59, tzinfo=UTC)) == []
    assert len(await claim(store, [tokyo], datetime(2026, 11, 19, 15, tzinfo=UTC))) == 1, "both days are over there"


async def test_closed_for_longer_than_a_year_is_looked_at_daily(store: Store) -> None:
    years = {"first_day": "2026-01-01", "last_day": "2029-01-01"}
    organization, campaign = await house(store, closures=[years], default_timezone="UTC")
    await add_contacts(store, organization, campaign, 1, created_at=NOON - DAY)
    memory = ShardMemory(store, organization["shard"])
    await memory.load(NOON)
    assert await memory.demands(NOON, 10, {}) == []
    assert memory.next_alarm == NOON + DAY


async def test_the_zones_of_a_number_are_looked_at_for_who_has_none_of_its_own(store: Store) -> None:
    from_eight = [{"days": ["wed"], "start": "07:00", "end": "20:00"}]
    organization, campaign = await house(
        store, default_windows=from_eight, default_timezone="Europe/Berlin", timezone_from_number=True
    )
    there = await add_contacts(store, organization, campaign, 1, phone_numbers=[NEW_YORK], created_at=NOON - DAY)
    far = await add_contacts(store, organization, campaign, 1, phone_numbers=[SAN_FRANCISCO], created_at=NOON - DAY)
    memory = ShardMemory(store, organization["shard"])
    await memory.load(NOON)
    (demand,) = await memory.demands(NOON, 10, {})
    assert {waiting.contact_id for waiting in demand.queues[0].waiting} == {there[0]["_id"], far[0]["_id"]}
    assert [job.contact_id for job in await claim(store, [*far, *there], NOON)] == [there[0]["_id"]]
    assert (await stored(store, far[0]))["put_off"] == {"until": NOON + 3 * HOUR, "reason": "outside_hours"}


async def test_hours_that_close_for_good_by_the_number_are_looked_at_daily(store: Store) -> None:
    at_night = [{"days": ["wed"], "start": "02:00", "end": "04:30"}]
    organization, campaign = await house(
        store, {"legal_hours": "on"}, default_windows=at_night, timezone_from_number=True
    )
    never = await add_contacts(store, organization, campaign, 1, phone_numbers=[SAN_FRANCISCO], created_at=NOON - DAY)
    assert await claim(store, never, NOON) == []
    assert (await stored(store, never[0]))["put_off"] == {"until": NOON + DAY, "reason": "never_open"}


async def test_a_call_that_is_claimed_is_stopped_at_the_gate_by_a_day_that_was_closed_meanwhile(store: Store) -> None:
    organization, campaign = await house(store, default_timezone="UTC")
    contacts = await add_contacts(store, organization, campaign, 1, created_at=NOON - DAY)
    (job,) = await claim(store, contacts, NOON)
    await starts.start(store, starts.StartOrder([job], "nonce", "executor", CallMode.CALLBACK, USUAL))
    nonces = {contacts[0]["_id"]: "nonce"}
    assert await gate.look(store, nonces, NOON) == {contacts[0]["_id"]: None}
    closed = {"closures": [{"first_day": "2026-11-18"}]}
    await store["organizations"].update_one({"_id": organization["_id"]}, {"$set": closed})
    assert await gate.look(store, nonces, NOON) == {contacts[0]["_id"]: "closed_day"}
    assert await gate.look(store, nonces, NOON + DAY) == {contacts[0]["_id"]: None}


async def test_stored_hours_that_cannot_be_read_call_nobody_and_stop_no_shard(store: Store) -> None:
    organization, campaign = await house(store, {"legal_hours": "by the moon"})
    contacts = await add_contacts(store, organization, campaign, 1, created_at=NOON - DAY)
    ad_hoc = await add_contacts(store, organization, None, 1, created_at=NOON - DAY)
    assert await claim(store, [*contacts, *ad_hoc], NOON) == []
    assert (await stored(store, contacts[0]))["status"] == ContactStatus.PENDING


@pytest.mark.parametrize(
    ("course", "state"),
    [
        ({"intent": "running"}, CampaignState.RUNNING),
        ({"intent": "paused"}, CampaignState.PAUSED),
        ({"intent": "draft", "generation": 0}, CampaignState.DRAFT),
        ({"intent": "scheduled", "start_at": NOON + DAY}, CampaignState.SCHEDULED),
        ({"run": {"generation": 1, "state": "completed", "reason": None, "at": NOON}}, CampaignState.COMPLETED),
    ],
)
async def test_who_expires_while_waiting_ends_skipped_whatever_the_campaign_does(
    store: Store, course: dict[str, Any], state: CampaignState
) -> None:
    organization, campaign = await house(store)
    await store["campaigns"].update_one({"_id": campaign["_id"]}, {"$set": course})
    found = await get_campaign(store, organization["_id"], campaign["_id"])
    assert found.shown(NOON).state is state
    over = await add_contacts(store, organization, campaign, 2, expires_at=NOON, created_at=NOON - DAY)
    later = await add_contacts(store, organization, campaign, 1, expires_at=NOON + MINUTE, created_at=NOON - DAY)
    shard, owner = organization["shard"], Ownership(organization["shard"], 0)
    await note_expiries(store, shard, {contact["_id"]: contact["expires_at"] for contact in (*over, *later)})
    for at, where in ((NOON - MINUTE, set()), (NOON, {shard})):
        assert (await safety_look.look(store, [shard], at, at)).work.get(Work.EXPIRIES, set()) == where
    assert (await end_expired(store, owner, NOON)).moved == 2
    assert (await end_expired(store, owner, NOON)).moved == 0
    ended = await stored(store, over[0])
    assert (ended["status"], ended["ended_because"]) == (ContactStatus.SKIPPED, "expired")
    assert (await stored(store, later[0]))["status"] == ContactStatus.PENDING
    counters = await store["counters"].find_one({"_id": campaign["_id"]})
    assert (counters or {})["ended"] == {"expired": 2}


async def test_a_row_that_is_looked_at_follows_its_contact(store: Store) -> None:
    organization, campaign = await house(store)
    owner = Ownership(organization["shard"], 0)
    fields: dict[str, Any] = {"created_at": NOON - DAY}
    [postponed] = await add_contacts(store, organization, campaign, 1, expires_at=NOON + DAY, **fields)
    [cleared] = await add_contacts(store, organization, campaign, 1, expires_at=None, **fields)
    [called] = await add_contacts(store, organization, campaign, 1, expires_at=NOON, status="completed", **fields)
    [on_call] = await add_contacts(store, organization, campaign, 1, expires_at=NOON + MINUTE, **fields)
    await claim(store, [on_call], NOON)
    ids = {contact["_id"]: NOON for contact in (postponed, cleared, called, on_call)} | {"gone": NOON}
    await note_expiries(store, organization["shard"], ids)
    await end_expired(store, owner, NOON + MINUTE)
    rows = {row["_id"]: row["at"] async for row in store["expiries"].find()}
    assert rows == {postponed["_id"]: NOON + DAY, on_call["_id"]: NOON + MINUTE + timedelta(seconds=10)}
    assert (await stored(store, on_call))["status"] == ContactStatus.LOCKED
    await note_expiries(store, organization["shard"], {postponed["_id"]: NOON + HOUR})
    assert {row["at"] async for row in store["expiries"].find({"_id": postponed["_id"]})} == {NOON + HOUR}


async def test_who_expires_while_claimed_is_called_no_more_and_ends_when_it_comes_back(store: Store) -> None:
    organization, campaign = await house(store)
    contacts = await add_contacts(store, organization, campaign, 1, expires_at=NOON + MINUTE, created_at=NOON - DAY)
    (job,) = await claim(store, contacts, NOON)
    await starts.start(store, starts.StartOrder([job], "nonce", "executor", CallMode.CALLBACK, USUAL))
    answer = await gate.look(store, {contacts[0]["_id"]: "nonce"}, NOON + MINUTE)
    assert answer == {contacts[0]["_id"]: "expired"}
    back = JobReleased(
        organization_id=organization["_id"],
        shard=organization["shard"],
        attempt_id=job.attempt_id,
        contact_id=contacts[0]["_id"],
        nonce="nonce",
        reason="expired",
    )
    assert (await work(store, organization, NOON + MINUTE, released=[back])).released == 1
    ended = await stored(store, contacts[0])
    assert (ended["status"], ended["ended_because"]) == (ContactStatus.SKIPPED, "expired")


@pytest.mark.parametrize(
    ("own", "frozen", "hold"),
    [
        ({}, {}, 1930),
        ({"ring_seconds": 10, "max_call_seconds": 60}, {"ring_seconds": 10, "max_call_seconds": 60}, 170),
        ({"max_call_seconds": 14_400}, {"max_call_seconds": 14_400}, 14_530),
    ],
)
async def test_the_limits_of_a_configuration_are_frozen_by_the_claim_and_the_slot_is_held_by_them(
    store: Store, own: dict[str, Any], frozen: dict[str, int], hold: int
) -> None:
    organization, campaign = await house(store, **own)
    contacts = await add_contacts(store, organization, campaign, 1)
    (job,) = await claim(store, contacts, utc_now())
    # What is changed after the claim holds from the next call on.
    await store["configurations"].update_many({}, {"$set": {"ring_seconds": 5, "max_call_seconds": 11}})
    await starts.start(store, starts.StartOrder([job], "nonce", "executor", CallMode.CALLBACK, USUAL))
    started = await stored(store, contacts[0])
    assert {name: started["lock"][name] for name in own} == frozen
    assert not (set(started["lock"]) & {"ring_seconds", "max_call_seconds"}) - set(own)
    assert started["start"]["hold_until"] - started["start"]["at"] == timedelta(seconds=hold)
    assert USUAL.of(started["lock"]).hold_seconds == hold
