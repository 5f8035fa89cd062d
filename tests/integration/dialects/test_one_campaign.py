"""One campaign through every API that there is: what is done through one is so through all of them."""

from typing import Any

from tests.integration.campaign_api.client import Api
from tests.integration.campaign_api.sysevo.client import Client
from tests.integration.smartalex.client import Alex


async def test_one_campaign_is_the_same_through_every_api(api: Api) -> None:
    native = await api.new_customer()
    sysevo, alex = Client(native), Alex(native)
    made = await sysevo.new_campaign(name="June")
    here, there = f"/campaign/{made['id']}", f"/campaigns/{made['native_id']}"

    async def everywhere() -> tuple[Any, Any, Any]:
        by_native, by_alex = (await native.get(there)).body, (await alex.get(there))["data"]
        by_sysevo = await sysevo.ok("GET", here)
        assert by_native["name"] == by_alex["name"] == by_sysevo["name"]
        return by_native["state"], by_alex["status"], by_sysevo["status"]

    assert await everywhere() == ("draft", "draft", "draft")
    await sysevo.ok("POST", f"{here}/start")
    assert await everywhere() == ("syncing", "active", "running")
    assert (await alex.post(f"{there}/pause"))["data"]["status"] == "paused"
    assert await everywhere() == ("paused", "paused", "paused")
    assert (await native.post(f"{there}/start")).status == 200
    assert await everywhere() == ("syncing", "active", "running")
    await sysevo.ok("PATCH", here, {"name": "July"})
    assert (await native.post(f"{there}/close")).status == 200
    assert (await everywhere())[2] == "completed"
    assert [entry["event"] for entry in (await sysevo.ok("GET", here))["logs"]] == [
        "campaign_started",
        "campaign_paused",
        "campaign_resumed",
        "campaign_closed",
    ]
