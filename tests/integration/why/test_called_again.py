"""Contacts that have ended and are named once more by an upload: who is called again, what is said of the others."""

from datetime import timedelta

from services.campaign_api.native.schemas.contacts import MAX_CONTACTS
from services.campaign_api.native.sentences import LACKS
from shared.clock import utc_now
from shared.domain.setting_faults import SettingFault
from tests.integration.campaign_api.client import lead
from tests.integration.why.conftest import CALLER_NUMBER, Office


async def test_a_number_taken_off_the_do_not_call_list_is_called_once_its_contact_is_uploaded_again(
    office: Office,
) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    campaign_id = (await acme.campaign()).body["id"]
    await acme.its.post("/do-not-call", {"phone_numbers": ["+14155550007"]})
    [warning] = (await acme.upload(campaign_id, [7]))["warnings"]
    assert "do-not-call" in warning["message"]
    [skipped] = await acme.stand(campaign_id, "skipped")
    assert (skipped["ended_because"], skipped["waiting_for"], skipped["next_attempt_at"]) == ("do_not_call", None, None)

    again = await acme.upload(campaign_id, [7])
    assert (again["updated"], office.carrier.orders_of(acme.id)) == (1, [])
    messages = [warning["message"] for warning in again["warnings"]]
    assert any("is not called again: it ended as skipped (do_not_call)" in message for message in messages)

    assert (await acme.its.delete("/do-not-call/%2B14155550007")).status == 200
    assert (await acme.upload(campaign_id, [7]))["warnings"] == []
    await acme.called(campaign_id, 1)


async def test_a_contact_that_ended_without_an_agent_is_called_when_it_is_uploaded_after_one_was_set(
    office: Office,
) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    campaign_id = (await acme.campaign(agent_id=None)).body["id"]
    await acme.upload(campaign_id, range(2))
    await acme.stand(campaign_id, "error", "error")
    assert await acme.change(f"/campaigns/{campaign_id}", agent_id="agent-1") == ["ended_no_agent"]
    assert (await acme.upload(campaign_id, [0]))["warnings"] == []
    called, left = await acme.stand(campaign_id, "completed", "error")
    assert (called["external_id"], left["external_id"]) == ("lead-0", "lead-1"), "only the one that was named"


async def test_a_contact_that_expired_is_called_when_it_is_uploaded_with_a_later_expires_at(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    campaign_id = (await acme.campaign()).body["id"]
    past, later = [(utc_now() + timedelta(hours=hours)).isoformat() for hours in (-1, 1)]
    await acme.upload(campaign_id, range(2), expires_at=past)
    for skipped in await acme.stand(campaign_id, "skipped", "skipped"):
        assert skipped["ended_because"] == "expired"
    still = [warning["message"] for warning in (await acme.upload(campaign_id, [0], expires_at=past))["warnings"]]
    assert any("is not called again: it ended as skipped (expired)" in message for message in still)
    assert (await acme.upload(campaign_id, [0], expires_at=later))["warnings"] == []
    called, left = await acme.stand(campaign_id, "completed", "skipped")
    assert (called["external_id"], left["external_id"]) == ("lead-0", "lead-1"), "only the one that was named"
    assert len(office.carrier.orders_of(acme.id)) == 1


async def test_a_contact_of_a_campaign_that_ended_is_called_when_it_is_uploaded_after_a_later_end_at(
    office: Office,
) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    past, later = [(utc_now() + timedelta(hours=hours)).isoformat() for hours in (-1, 1)]
    campaign_id = (await acme.campaign(end_at=past)).body["id"]
    await acme.upload(campaign_id, range(2))
    for skipped in await acme.stand(campaign_id, "skipped", "skipped"):
        assert skipped["ended_because"] == "campaign_ended"
    still = [warning["message"] for warning in (await acme.upload(campaign_id, [0]))["warnings"]]
    assert any("is not called again: it ended as skipped (campaign_ended)" in message for message in still)
    await acme.change(f"/campaigns/{campaign_id}", end_at=later)
    # With its end it was completed.
    assert (await acme.its.post(f"/campaigns/{campaign_id}/start")).status == 200
    assert (await acme.upload(campaign_id, [0]))["warnings"] == []
    called, left = await acme.stand(campaign_id, "completed", "skipped")
    assert (called["external_id"], left["external_id"]) == ("lead-0", "lead-1"), "only the one that was named"
    assert len(office.carrier.orders_of(acme.id)) == 1


async def test_an_upload_that_names_an_answered_contact_says_that_it_is_not_called_again(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    campaign_id = (await acme.campaign()).body["id"]
    assert (await acme.upload(campaign_id, range(2)))["warnings"] == []
    await acme.called(campaign_id, 2)
    again = await acme.upload(campaign_id, [2, 1])
    assert again["warnings"] == [
        {
            "index": 1,
            "external_id": "lead-1",
            "message": "was changed, but is not called again: it ended as completed (answered)",
        }
    ]
    await acme.called(campaign_id, 3)
    assert len(office.carrier.orders_of(acme.id)) == 3
    everybody = {"status": "exhausted"}
    assert (await acme.its.post(f"/campaigns/{campaign_id}/contacts/reset", everybody)).body["reset"] == 0


async def test_a_full_request_without_faults_has_no_warnings(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    campaign_id = (await acme.campaign()).body["id"]
    await acme.its.post(f"/campaigns/{campaign_id}/pause")
    for _ in range(2):
        assert (await acme.upload(campaign_id, range(MAX_CONTACTS)))["warnings"] == []


async def test_what_the_settings_lack_is_said_once_however_many_contacts_come_with_a_campaign(office: Office) -> None:
    acme = await office.customer(default_agent_number=CALLER_NUMBER)
    count = 2 * MAX_CONTACTS + 1
    campaign = await acme.campaign(windows=[], contacts=[lead(number) for number in range(count)])
    result = campaign.body["contacts_result"]
    message = f"{LACKS[SettingFault.NO_WINDOWS]} ({count - 1} more rows like this)"
    assert result["inserted"] == count
    assert result["warnings"] == [{"index": 0, "external_id": "lead-0", "message": message}]
