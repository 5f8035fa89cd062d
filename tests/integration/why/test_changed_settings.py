"""What a changed setting does to contacts that wait or have gone, and what a campaign without a caller number costs."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.campaign_api.native.sentences import LACKS
from shared.clock import utc_now
from shared.domain.outcome import Outcome
from shared.domain.setting_faults import SettingFault
from shared.store.dialing import ready
from shared.store.dialing.shard_work import do_shard_work
from shared.telephony.scripts import ScriptedCall
from tests.eventually import eventually
from tests.integration.campaign_api.client import lead
from tests.integration.why.conftest import ANSWERED, CALLER_NUMBER, Office, Rounds, codes

BUSY = ScriptedCall(outcome=Outcome.BUSY)
HOURLY = {"busy": {"delay_seconds": 3600, "max_attempts": 5}}


async def test_the_average_counts_the_contacts_that_are_there_and_the_total_all_calls_that_were_made(
    office: Office,
) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    rules = {"busy": {"delay_seconds": 0, "max_attempts": 2}}
    campaign_id = (await acme.campaign(configuration={"retry_rules": rules})).body["id"]

    async def attempts() -> Any:
        return (await acme.its.get(f"/campaigns/{campaign_id}/stats")).body["attempts"]

    acme.plans(BUSY)
    await acme.upload(campaign_id, [1])
    [twice] = await acme.stand(campaign_id, "exhausted")
    acme.plans(ANSWERED)
    await acme.upload(campaign_id, [2])
    await acme.stand(campaign_id, "completed", "exhausted")
    assert await attempts() == {"total": 3, "average_per_contact": 1.5}
    assert (await acme.its.delete(f"/campaigns/{campaign_id}/contacts/{twice['id']}")).status == 200

    async def gone() -> bool:
        return bool((await acme.its.get(f"/campaigns/{campaign_id}/stats")).body["contacts"]["total"] == 1)

    await eventually(gone, timeout=20, every=0.1, saying="the contact was removed")
    assert await attempts() == {"total": 3, "average_per_contact": 1.0}


async def test_a_shorter_retry_rule_moves_no_retry_and_a_later_scheduled_at_holds_it_back(
    office: Office, rounds: Rounds
) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    acme.plans(BUSY)
    campaign = (await acme.campaign(configuration={"retry_rules": HOURLY})).body
    await acme.upload(campaign["id"], [1])

    async def retry() -> dict[str, Any] | None:
        [contact] = await acme.contacts(campaign["id"])
        return contact if contact["attempts_made"] == 1 and contact["status"] == "pending" else None

    waits = await eventually(retry, timeout=20, every=0.1, saying="the retry")
    at = datetime.fromisoformat(waits["next_attempt_at"])
    ended_at = datetime.fromisoformat(waits["attempts"][0]["ended_at"])
    assert abs(at - ended_at - timedelta(hours=1)) < timedelta(seconds=30)
    assert waits["waiting_for"] == {"reason": "retry", "until": waits["next_attempt_at"]}

    rules = {"busy": {"delay_seconds": 0, "max_attempts": 5}}
    await acme.change(f"/configurations/{campaign['configuration_id']}", retry_rules=rules)
    await rounds.pass_by(2)
    assert await retry() == waits, "it keeps its time"

    for moved, expected, reason in (
        (at + timedelta(days=1), at + timedelta(days=1), "scheduled"),
        (at - timedelta(minutes=50), at, "retry"),
    ):
        assert (await acme.upload(campaign["id"], [1], scheduled_at=moved.isoformat()))["updated"] == 1
        [contact] = await acme.contacts(campaign["id"])
        assert datetime.fromisoformat(contact["next_attempt_at"]) == expected
        assert contact["waiting_for"] == {"reason": reason, "until": contact["next_attempt_at"]}
    assert len(office.carrier.orders_of(acme.id)) == 1


async def test_a_retry_that_is_due_is_not_called_before_its_scheduled_at(office: Office, rounds: Rounds) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    acme.plans(BUSY)
    rules = {"busy": {"delay_seconds": 6, "max_attempts": 5}}
    campaign_id = (await acme.campaign(configuration={"retry_rules": rules})).body["id"]
    await acme.upload(campaign_id, [1])
    await eventually(lambda: office.carrier.orders_of(acme.id), timeout=20, saying="the first call")
    later = (utc_now() + timedelta(hours=1)).replace(microsecond=0)
    await acme.stand(campaign_id, "pending")
    await acme.upload(campaign_id, [1], scheduled_at=later.isoformat())
    await rounds.pass_by(9)
    [contact] = await acme.contacts(campaign_id)
    assert (contact["attempts_made"], len(office.carrier.orders_of(acme.id))) == (1, 1)
    assert contact["waiting_for"] == {"reason": "scheduled", "until": contact["next_attempt_at"]}
    assert datetime.fromisoformat(contact["next_attempt_at"]) == later


async def test_without_a_campaign_number_those_with_one_of_their_own_are_called_and_the_others_cost_nothing(
    office: Office, rounds: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: Counter[str] = Counter()
    read: Counter[str] = Counter()
    _count_claims(monkeypatch, offered)
    _count_reads(monkeypatch, read)
    acme = await office.customer()
    campaign_id = (await acme.campaign()).body["id"]
    await acme.upload(campaign_id, range(5))
    [warning] = (await acme.upload(campaign_id, range(5, 8), agent_number="+14155550177"))["warnings"] or [None]
    assert warning is None
    contacts = await acme.stand(campaign_id, *["completed"] * 3, *["pending"] * 5)
    assert {contact["external_id"] for contact in contacts if contact["status"] == "completed"} == {
        "lead-5",
        "lead-6",
        "lead-7",
    }
    waiting = {contact["id"] for contact in contacts if contact["status"] == "pending"}
    assert {call.caller_number for call in office.carrier.orders_of(acme.id)} == {"+14155550177"}
    found = await acme.diagnosis(campaign_id)
    assert [(reason["reason"], reason["contacts"]) for reason in found["reasons"]] == [("no_caller_number", 5)]

    # Stamps of a change are looked at for some seconds, and each look may read the campaign once more.
    before = read[campaign_id]
    await rounds.pass_by(3)
    assert read[campaign_id] - before <= 3 * 4
    assert not waiting & offered.keys(), "no transaction has tried one that cannot be called"
    await rounds.pass_by(5)
    before = read[campaign_id]
    await rounds.pass_by(3)
    assert read[campaign_id] == before, "the campaign sleeps"

    assert await acme.change(f"/campaigns/{campaign_id}", agent_number=CALLER_NUMBER) == []
    await acme.called(campaign_id, 8)


def _count_claims(monkeypatch: pytest.MonkeyPatch, offered: Counter[str]) -> None:
    """Count the contacts that the shards' transactions are asked to claim."""

    async def counted(store: Any, owner: Any, work: Any, *more: Any) -> Any:
        offered.update(work.claim.contact_ids)
        return await do_shard_work(store, owner, work, *more)

    monkeypatch.setattr("services.scheduler.shards.loop.do_shard_work", counted)


def _count_reads(monkeypatch: pytest.MonkeyPatch, read: Counter[str]) -> None:
    """Count the questions who is due, by campaign."""
    read_ready: Callable[..., Awaitable[Any]] = ready.read_ready

    async def counted(store: Any, campaign_id: str, *more: Any, **named: Any) -> Any:
        read[campaign_id] += 1
        return await read_ready(store, campaign_id, *more, **named)

    monkeypatch.setattr(ready, "read_ready", counted)


async def test_other_attempts_or_retry_rules_say_how_many_stay_exhausted_and_a_reset_has_them_called(
    office: Office,
) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    acme.plans(ScriptedCall(outcome=Outcome.NO_ANSWER))
    campaign = await acme.campaign(configuration={"max_attempts": 1})
    campaign_id, configuration = campaign.body["id"], f"/configurations/{campaign.body['configuration_id']}"
    await acme.upload(campaign_id, range(2))
    await acme.stand(campaign_id, "exhausted", "exhausted")
    assert await acme.change(configuration, name="Longer hours") == []
    retry = {"no_answer": {"retry": True, "delay_seconds": 0}}
    assert await acme.change(configuration, retry_rules=retry) == ["ended_exhausted"]
    changed = await acme.its.patch(configuration, {"max_attempts": 2})
    [warning] = changed.body["warnings"]
    assert warning["message"].startswith("2 contacts have ended as exhausted")
    acme.plans(ANSWERED)
    await acme.its.post(f"/campaigns/{campaign_id}/contacts/reset", {"status": "exhausted"})
    await acme.called(campaign_id, 2)
    assert await acme.change(configuration, max_attempts=3) == []


async def test_only_rows_whose_own_timezone_never_opens_are_warned_about(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    closed = [{"timezones": ["America/New_York"], "windows": []}]
    campaign = await acme.campaign(configuration={"overrides": closed})
    assert codes(campaign) == []
    rows = [lead(0), lead(1, timezone="US/Eastern"), lead(2, timezone="Europe/Berlin"), lead(3)]
    rows.append(lead(4, timezone="America/New_York"))
    path = f"/campaigns/{campaign.body['id']}/contacts"
    message = f"{LACKS[SettingFault.NO_WINDOWS]} (1 more row like this)"
    [warning] = (await acme.its.post(path, {"contacts": rows})).body["warnings"]
    assert warning == {"index": 1, "external_id": "lead-1", "message": message}
    contacts = await acme.stand(campaign.body["id"], *["completed"] * 3, *["pending"] * 2)
    waiting = {contact["external_id"] for contact in contacts if contact["status"] == "pending"}
    assert waiting == {"lead-1", "lead-4"}
