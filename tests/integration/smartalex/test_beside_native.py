"""Campaigns of this dialect beside the native API: what one makes the other shows, and what was read is sent back."""

from tests.integration.campaign_api.client import CALLABLE
from tests.integration.smartalex.client import Alex, phone


async def test_what_is_made_here_is_seen_through_the_native_api(alex: Alex) -> None:
    agent = await alex.new_agent(phone_numbers=[phone(100)])
    campaign = await alex.new_campaign(phone(1), agent_id=agent, phone_number_id=phone(101))
    native = (await alex.native.get(f"/campaigns/{campaign}")).body
    assert (native["status"], native["priority"], native["external_id"]) == ("paused", 1, None)
    assert (native["agent_number"], native["agent_id"]) == (phone(101), agent)
    configuration = (await alex.native.get(f"/campaigns/{campaign}/configuration")).body
    assert (configuration["campaign_id"], configuration["name"]) == (campaign, "Spring")
    assert (configuration["max_attempts"], configuration["use_contact_timezone"]) == (4, False)
    assert (configuration["scheduled_windows"], configuration["default_timezone"]) == (None, "UTC")
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert configuration["default_windows"] == [{"days": days, "start": "00:00", "end": "24:00"}]
    assert native["concurrency_limit"] == 1
    assert (configuration["default_country_code"], configuration["agent_number"]) == (None, phone(100))
    assert configuration["retry_rules"]["voicemail"] == {"retry": True, "delay_seconds": 86400}
    assert configuration["retry_rules"]["unknown"] == {"retry": False}
    [contact] = (await alex.native.get(f"/campaigns/{campaign}/contacts")).body["contacts"]
    [person] = (await alex.get("/contacts"))["data"]
    assert (contact["phone_numbers"], contact["external_id"]) == ([phone(1)], person["id"])
    for move, status in (("start", "active"), ("pause", "paused"), ("close", "cancelled")):
        assert (await alex.native.post(f"/campaigns/{campaign}/{move}")).status == 200
        assert (await alex.get(f"/campaigns/{campaign}"))["data"]["status"] == status
    own = f"/configurations/{configuration['id']}"
    assert (await alex.native.get(own)).status == 200
    assert (await alex.native.delete(f"/campaigns/{campaign}")).status == 200
    assert configuration["id"] not in str((await alex.native.get("/configurations?private=true")).body)
    assert await alex.refused("GET", f"/campaigns/{campaign}") == (404, "campaign_not_found")


async def test_what_the_native_api_makes_is_seen_here(alex: Alex) -> None:
    windows = [{"days": ["mon"], "start": "09:00", "end": "12:00"}, {"days": ["mon"], "start": "13:00", "end": "17:00"}]
    shared = await alex.native.new_configuration(**{**CALLABLE, "default_windows": windows, "max_attempts": 6})
    made = await alex.native.new_campaign(configuration_id=shared, contacts=[{"phone_numbers": [phone(1)]}])
    other = await alex.native.new_campaign(configuration_id=shared)
    campaign = (await alex.get(f"/campaigns/{made['id']}"))["data"]
    assert (campaign["status"], campaign["agent_id"], campaign["description"]) == ("active", None, None)
    assert (campaign["settings"]["max_retries"], campaign["settings"]["concurrent_calls"]) == (5, 10)
    assert campaign["business_hours"]["monday"] == {
        "enabled": True,
        "start": "09:00",
        "end": "17:00",
        "windows": [{"start": "09:00", "end": "12:00"}, {"start": "13:00", "end": "17:00"}],
    }
    again = (await alex.patch(f"/campaigns/{made['id']}", campaign))["data"]
    assert {**again, "updated_at": None} == {**campaign, "updated_at": None}
    assert (await alex.native.get(f"/campaigns/{made['id']}")).body["configuration_id"] == shared
    await alex.patch(f"/campaigns/{made['id']}", {"settings": {"max_retries": 1}})
    assert (await alex.native.get(f"/campaigns/{made['id']}")).body["configuration_id"] != shared
    assert (await alex.get(f"/campaigns/{other['id']}"))["data"]["settings"]["max_retries"] == 5
    path = f"/campaigns/{made['id']}"
    for action, status in (("pause", "paused"), ("start", "active"), ("cancel", "cancelled")):
        assert (await alex.post(f"{path}/{action}"))["data"]["status"] == status
    assert (await alex.get("/contacts"))["data"] == []


async def test_what_is_read_can_be_sent_back_whatever_has_become_of_its_agent(alex: Alex) -> None:
    agent = await alex.new_agent(phone_numbers=[phone(100)])
    made = await alex.new_campaign(phone(1), agent_id=agent)
    await alex.patch(f"/agents/{agent}", {"is_active": False})
    unknown = await alex.native.new_campaign(agent_id="nobody", auto_complete=True)
    # Its configuration becomes its own, with a number to call from.
    await alex.patch(f"/campaigns/{unknown['id']}", {"settings": {"max_retries": 1}})
    for campaign in (made, unknown["id"]):
        path = f"/campaigns/{campaign}"
        read, of_engine = (await alex.get(path))["data"], await alex.native.get(f"{path}/configuration")
        again = await alex.call("PUT", path, read)
        assert again.status == 200, again.raw
        assert {**again.body["data"], "updated_at": None} == {**read, "updated_at": None}
        assert (await alex.native.get(f"{path}/configuration")).body["agent_number"] == of_engine.body["agent_number"]
        assert of_engine.body["agent_number"] is not None


async def test_an_external_id_is_no_id_here(alex: Alex) -> None:
    await alex.native.new_campaign(external_id="spring")
    assert await alex.refused("GET", "/campaigns/spring") == (404, "campaign_not_found")
    await alex.native.post("/people", {"first_name": "Ada", "external_id": "crm-1"})
    assert await alex.refused("GET", "/contacts/crm-1") == (404, "not_found")
    assert await alex.refused("GET", "/campaigns/default/contacts") == (404, "campaign_not_found")
