"""The demo itself: a configuration, a campaign, a list; then watching until every contact is done."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from deploy.demo.client import Api
from shared.clock import monotonic
from shared.errors import TemporaryError

CONCURRENCY_LIMIT: Final = 100
CALLER_NUMBER: Final = "+14155550100"
EVERY_DAY: Final = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CAMPAIGN_NAME: Final = "Demo of"
LOOK_SECONDS: Final = 0.25
# Longer than any call of the demo can be held, so this only ends a demo that is really stuck.
STUCK_SECONDS: Final = 90.0
_AGAIN_SOON: Final = {"retry": True, "delay_seconds": 2}
CONFIGURATION: Final[dict[str, Any]] = {
    "name": "Demo: at any hour, retries within seconds",
    "default_windows": [{"days": EVERY_DAY, "start": "00:00", "end": "24:00"}],
    "default_country_code": "+1",
    "max_attempts": 3,
    "retry_rules": {
        "no_answer": _AGAIN_SOON,
        "busy": _AGAIN_SOON,
        "failed": _AGAIN_SOON,
        "interrupted": _AGAIN_SOON,
        "voicemail": {**_AGAIN_SOON, "max_attempts": 2},
    },
    "agent_id": "demo-agent",
    "agent_number": CALLER_NUMBER,
}


class DemoStuck(TemporaryError):
    """Nothing has moved for very long; the logs tell why."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the campaign has come: the API's statistics, and what the carrier counts."""

    seconds: float
    statistics: dict[str, Any]
    carrier: dict[str, Any]
    placed_before: int

    @property
    def total(self) -> int:
        """Contacts of the campaign."""
        return int(self.statistics["contacts"]["total"])

    @property
    def open(self) -> int:
        """Contacts that are not in a final state."""
        contacts = self.statistics["contacts"]
        return int(contacts["pending"] + contacts["in_progress"])

    @property
    def calls_per_second(self) -> float:
        """Calls placed, by the carrier's count, over the time since the list was loaded."""
        return self.placed / max(self.seconds, 1.0)

    @property
    def placed(self) -> int:
        """Calls placed, by the carrier's count."""
        return int(self.carrier["placed"]) - self.placed_before


async def new_campaign(api: Api, now: datetime) -> str:
    """A new campaign on the demo's configuration, without contacts; its id."""
    await _close_unfinished(api)
    await api.put("/campaign/concurrency-settings", {"concurrency_limit": CONCURRENCY_LIMIT})
    configuration_id = await _configuration(api)
    name = f"{CAMPAIGN_NAME} {now:%Y-%m-%d %H:%M:%S}"
    wanted = {"name": name, "external_id": f"demo-{now:%Y%m%d-%H%M%S-%f}", "configuration_id": configuration_id}
    return str((await api.post("/campaign/campaigns", wanted))["id"])


async def _close_unfinished(api: Api) -> None:
    """A demo that was broken off would go on, and call the same numbers beside the new one."""
    page = await api.get("/campaign/campaigns", name=CAMPAIGN_NAME, status="active", limit=200)
    for campaign in page["campaigns"]:
        await api.post(f"/campaign/campaigns/{campaign['id']}/close")


async def _configuration(api: Api) -> str:
    page = await api.get("/campaign/configurations", limit=200)
    for known in page["configurations"]:
        if known["name"] == CONFIGURATION["name"]:
            await api.patch(f"/campaign/configurations/{known['id']}", CONFIGURATION)
            return str(known["id"])
    return str((await api.post("/campaign/configurations", CONFIGURATION))["id"])


async def dial_to_the_end(
    api: Api, carrier_url: str, campaign_id: str, placed_before: int, show: Callable[[Progress], None]
) -> Progress:
    """Watches until no contact waits or is called any more; `show` gets every look. Raises DemoStuck."""
    began = moved = monotonic()
    last: dict[str, Any] = {}
    while True:
        statistics = await api.get(f"/campaign/campaigns/{campaign_id}/stats")
        now = monotonic()
        progress = Progress(now - began, statistics, await carrier_summary(api, carrier_url), placed_before)
        show(progress)
        if progress.total and not progress.open:
            return progress
        if statistics != last:
            last, moved = statistics, now
        elif now - moved > STUCK_SECONDS:
            raise DemoStuck(f"nothing has moved for {timedelta(seconds=STUCK_SECONDS)}; contacts: {last['contacts']}")
        await asyncio.sleep(LOOK_SECONDS)


async def carrier_summary(api: Api, carrier_url: str) -> dict[str, Any]:
    """The simulated carrier's own count of all calls since it started."""
    async with api.session.get(f"{carrier_url}/simulator/summary") as answer:
        answer.raise_for_status()
        summary: dict[str, Any] = await answer.json()
        return summary
