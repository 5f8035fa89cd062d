"""A campaign that is deleted calls nobody, and its contacts end, while schedulers are at work."""

from shared.telephony.scripts import ScriptedCall
from tests.eventually import eventually
from tests.integration.why.conftest import CALLER_NUMBER, Office

LONG = ScriptedCall(talk_seconds=30)


async def test_who_waits_in_a_draft_that_is_deleted_ends_skipped_without_a_call(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    campaign_id = (await acme.campaign(state="draft")).body["id"]
    await acme.upload(campaign_id, range(3))
    assert (await acme.its.delete(f"/campaigns/{campaign_id}")).status == 200

    async def ended() -> bool:
        page = (await acme.its.get(f"/campaigns/{campaign_id}/contacts?deleted=true")).body["contacts"]
        return [(one["status"], one["ended_because"]) for one in page] == [("skipped", "cancelled")] * 3

    await eventually(ended, timeout=20, every=0.1, saying="contacts of a deleted draft")
    counted = (await acme.its.get(f"/campaigns/{campaign_id}/stats?deleted=true")).body["contacts"]
    assert (counted["total"], counted["skipped"]) == (3, 3)
    assert office.carrier.orders_of(acme.id) == []


async def test_a_call_that_is_up_when_its_closed_campaign_is_deleted_goes_on_and_is_counted(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    acme.plans(LONG)
    campaign_id = (await acme.campaign()).body["id"]
    await acme.upload(campaign_id, [1])
    await eventually(lambda: bool(office.carrier.orders_of(acme.id)), timeout=20, every=0.05, saying="the call")
    assert (await acme.its.post(f"/campaigns/{campaign_id}/close")).status == 200
    assert (await acme.its.delete(f"/campaigns/{campaign_id}")).status == 200
    await office.hang_up(acme.id)

    async def ended() -> bool:
        page = (await acme.its.get(f"/campaigns/{campaign_id}/contacts?deleted=true")).body["contacts"]
        return [attempt["status"] for one in page for attempt in one["attempts"]] == ["ended"]

    await eventually(ended, timeout=20, every=0.1, saying="the attempt of a deleted campaign")
    assert len(office.carrier.orders_of(acme.id)) == 1
