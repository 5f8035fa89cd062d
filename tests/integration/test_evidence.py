"""Calls that nobody reports on, and a carrier that does not say what became of them."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.scheduler.evidence.reconcile import Reconciler
from shared.clock import utc_now
from shared.errors import Unavailable
from shared.settings import DialingSettings
from shared.store.client import Document, Store
from shared.store.dialing import in_progress
from shared.store.dialing.in_progress import RunningAttempt
from shared.telephony.provider import CallLive, CallReference, LookUp
from shared.telephony.scripted import ScriptedProvider
from shared.telephony.scripts import ScriptedCall, always
from tests.carriers import through
from tests.engine import running_engine
from tests.eventually import eventually
from tests.factories import add_campaign, add_contacts, add_organization, new_id


class SilentCarrier(ScriptedProvider):
    """Takes every question and never answers."""

    async def look_up(self, reference: CallReference) -> LookUp:
        """Says nothing."""
        self.hang_ups.append(reference.attempt_id)
        await asyncio.Event().wait()
        raise AssertionError("not reached")


class StubbornCarrier(ScriptedProvider):
    """Says that the call is up, and cannot end it now."""

    async def look_up(self, reference: CallReference) -> LookUp:
        """Up."""
        return CallLive("CA1")

    async def hang_up(self, call_id: str) -> None:
        """Not now."""
        raise Unavailable("carrier")


def carrier(kind: type[ScriptedProvider]) -> ScriptedProvider:
    return kind(always(ScriptedCall()), lambda report: None)


def lock(**fields: Any) -> Document:
    numbers = {"phone": "+14152000000", "caller_number": "+14155550100", "exclusive": False, "agent_id": "agent-1"}
    return {"claim": new_id(), "attempt": new_id(), "attempt_number": 1, "agent_version": None, **numbers, **fields}


def running(started_at: datetime, hold_until: datetime, *, call_id: str | None) -> RunningAttempt:
    return RunningAttempt(
        contact_id=new_id(),
        organization_id=new_id(),
        shard=0,
        attempt_id=new_id(),
        phone_number="+14152000000",
        caller_number="+14155550100",
        executor="executor-0",
        mode="callback",
        started_at=started_at,
        hold_until=hold_until,
        call_id=call_id,
    )


async def test_nothing_else_waits_for_a_carrier_that_does_not_answer(
    store: Store, kafka_address: str, topic_prefix: str
) -> None:
    now, mute = utc_now(), carrier(SilentCarrier)
    organization = await add_organization(store)
    campaign = await add_campaign(store, organization)
    start = {"nonce": new_id(), "executor": "gone", "mode": "callback", "at": now - timedelta(minutes=2)}
    started = {"status": "in_progress", "start": {**start, "hold_until": now + timedelta(hours=1)}}
    await add_contacts(store, organization, campaign, 1, lock=lock(expires_at=now), **started)
    async with running_engine(store, kafka_address, topic_prefix) as engine:
        await engine.start_scheduler(carrier=mute)
        await eventually(lambda: mute.hang_ups, timeout=20, saying="the question")
        expired = {"status": "locked", "lock": lock(expires_at=now - timedelta(seconds=1), phone="+14152000001")}
        [waits] = await add_contacts(store, organization, campaign, 1, **expired)

        async def is_free_again() -> bool:
            assert not engine.failures()
            return await store["contacts"].count_documents({"_id": waits["_id"], "status": "pending"}) == 1

        await eventually(is_free_again, saying="an expired claim")


async def test_a_call_that_is_up_and_cannot_be_ended_keeps_its_slot() -> None:
    dialing, now = DialingSettings(), utc_now()
    started_at, hold_until = now - timedelta(seconds=dialing.hold_seconds + 1), now - timedelta(seconds=1)
    attempt = running(started_at, hold_until, call_id="CA1")
    assert await Reconciler(through(carrier(StubbornCarrier)), dialing).find_endings([attempt], now) == []


async def test_a_call_without_an_id_is_not_looked_for_among_those_of_other_attempts(store: Store) -> None:
    now = utc_now()
    mine = running(now, now + timedelta(hours=1), call_id=None)
    other = {"organization_id": mine.organization_id, "phone_number": mine.phone_number, "created_at": now}
    calls = [
        {**other, "provider_call_id": "CA-before", "created_at": now - timedelta(seconds=20)},
        {**other, "provider_call_id": None},
        {**other, "provider_call_id": "CA-long-ago", "created_at": now - timedelta(hours=1)},
        {**other, "provider_call_id": "CA-elsewhere", "organization_id": new_id()},
        {**other, "provider_call_id": "CA-to-another", "phone_number": "+14152000001"},
    ]
    await store["attempts"].insert_many([{"_id": new_id(), "contact_id": new_id(), **call} for call in calls])
    [known] = await in_progress.with_other_calls(store, [mine])
    assert known == replace(mine, other_calls=frozenset({"CA-before"}))
    named = replace(mine, call_id="CA1")
    assert await in_progress.with_other_calls(store, [named]) == [named]
