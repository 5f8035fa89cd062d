"""Campaigns that were halted say why, and a start has the others called."""

from typing import Any

from services.campaign_api.native.sentences import WHAT_TO_DO
from shared.domain.outcome import Outcome
from shared.domain.reasons import WaitReason
from shared.telephony.scripts import Placement, ScriptedCall
from tests.eventually import eventually
from tests.integration.why.conftest import ANSWERED, CALLER_NUMBER, Caller, Office


async def halted(acme: Caller, campaign_id: str, reason: str) -> dict[str, Any]:
    """The campaign, as soon as it is paused for this reason."""

    found: dict[str, Any] = {}

    async def look() -> bool:
        found.update((await acme.its.get(f"/campaigns/{campaign_id}")).body)
        return (found["status"], found["state_reason"]) == ("paused", reason)

    await eventually(look, timeout=20, every=0.1, saying=f"halted for {reason}")
    return found


def waiting(contacts: list[dict[str, Any]]) -> list[str]:
    """What those wait for that wait."""
    return [contact["waiting_for"]["reason"] for contact in contacts if contact["status"] == "pending"]


async def test_a_run_makes_its_calls_and_each_start_has_as_many_more_called(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    campaign_id = (await acme.campaign(max_calls=2)).body["id"]
    await acme.upload(campaign_id, range(5))
    await halted(acme, campaign_id, "max_calls")
    assert len(office.carrier.orders_of(acme.id)) == 2
    found = await acme.diagnosis(campaign_id)
    [reason] = found["reasons"]
    assert (reason["reason"], reason["contacts"]) == ("max_calls", 3)
    assert reason["what_to_do"] == WHAT_TO_DO[WaitReason.MAX_CALLS]
    assert {"name": "max_calls", "limit": 2, "held": 2} in found["limits"]
    assert waiting(await acme.contacts(campaign_id)) == ["max_calls"] * 3
    await acme.its.post(f"/campaigns/{campaign_id}/start", {"max_calls": 1})
    await acme.stand(campaign_id, *["completed"] * 3, *["pending"] * 2)
    await halted(acme, campaign_id, "max_calls")
    assert len(office.carrier.orders_of(acme.id)) == 3
    await acme.its.post(f"/campaigns/{campaign_id}/start", {"max_calls": None})
    await acme.called(campaign_id, 5)


async def test_a_limit_that_is_lowered_to_what_is_done_halts_the_run(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    campaign_id = (await acme.campaign(max_calls=10)).body["id"]
    await acme.upload(campaign_id, range(2))
    await acme.called(campaign_id, 2)
    await acme.its.patch(f"/campaigns/{campaign_id}", {"max_calls": 2})
    await halted(acme, campaign_id, "max_calls")


async def test_failing_calls_trip_the_breaker_and_after_a_start_the_others_are_called(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    acme.plans(ScriptedCall(outcome=Outcome.FAILED, placement=Placement.REFUSED))
    breaker = {"threshold": 0.5, "window_seconds": 600, "min_calls": 4}
    campaign_id = (await acme.campaign(circuit_breaker=breaker, concurrency_limit=2)).body["id"]
    await acme.upload(campaign_id, range(20))
    await halted(acme, campaign_id, "circuit_breaker")
    assert 4 <= len(office.carrier.orders_of(acme.id)) <= 6, "four, and what was on its way"
    found = await acme.diagnosis(campaign_id)
    assert found["reasons"][0]["reason"] == "circuit_breaker"
    assert found["reasons"][0]["what_to_do"] == WHAT_TO_DO[WaitReason.CIRCUIT_BREAKER]
    assert set(waiting(await acme.contacts(campaign_id))) == {"circuit_breaker"}
    acme.plans(ANSWERED)
    failed = sum(bool(contact["attempts"]) for contact in await acme.contacts(campaign_id))
    await acme.its.post(f"/campaigns/{campaign_id}/start")
    # Those whose call has failed wait for their retry.
    await acme.stand(campaign_id, *["completed"] * (20 - failed), *["pending"] * failed)
