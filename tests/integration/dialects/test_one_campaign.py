"""One campaign through every API that there is: what is done through one is so through all of them."""

from typing import Any

from tests.integration.campaign_api.client import Api
from tests.integration.campaign_api.sysevo.client import Client
from tests.integration.smartalex.client import Alex
from tests.integration.talkturo.team import team_of


async def test_one_campaign_is_the_same_through_every_api(api: Api) -> None:
    native = await api.new_customer()
    sysevo, alex, turo = Client(native), Alex(native), await team_of(native)
    made = await sysevo.new_campaign(name="June")
    here, there = f"/campaign/{made['id']}", f"/campaigns/{made['native_id']}"

    async def everywhere() -> tuple[Any, Any, Any, Any]:
        by_native, by_alex = (await native.get(there)).body, (await alex.get(there))["data"]
        by_sysevo = await sysevo.ok("GET", here)
        by_turo = (await turo.done("GET", f"/crm{there}"))["campaign"]
        assert by_native["name"] == by_alex["name"] == by_sysevo["name"] == by_turo["name"]
        return by_native["state"], by_alex["status"], by_sysevo["status"], by_turo["status"]

    assert await everywhere() == ("draft", "draft", "draft", "draft")
    await sysevo.ok("POST", f"{here}/start")
    assert await everywhere() == ("syncing", "active", "running", "running")
    assert (await alex.post(f"{there}/pause"))["data"]["status"] == "paused"
    assert await everywhere() == ("paused", "paused", "paused", "paused")
    await turo.done("POST", f"/crm{there}/run")
    assert await everywhere() == ("syncing", "active", "running", "running")
    await sysevo.ok("PATCH", here, {"name": "July"})
    assert (await native.post(f"{there}/close")).status == 200
    assert await everywhere() == ("cancelled", "cancelled", "completed", "cancelled")
    assert [entry["event"] for entry in (await sysevo.ok("GET", here))["logs"]] == [
        "campaign_started",
        "campaign_paused",
        "campaign_resumed",
        "campaign_closed",
    ]
