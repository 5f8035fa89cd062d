"""What fields offer to choose from: zones, the organization's agents, caller numbers, pools and configurations."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from services.console.api import segment
from services.console.desk import Desk

# The newest of each are offered; others can be typed.
OFFERED: Final = 100


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Lists to choose from or not: values, and the words beside each."""

    zones: tuple[str, ...]
    agents: tuple[tuple[str, str], ...]
    numbers: tuple[tuple[str, str], ...]


async def suggestions(desk: Desk) -> Suggestions:
    """What the fields of campaigns and configurations suggest."""
    zones, agents, numbers = await asyncio.gather(
        desk.get("/campaign/timezones"),
        desk.get("/campaign/agents", {"limit": OFFERED}),
        desk.get("/campaign/caller-numbers", {"limit": OFFERED}),
    )
    return Suggestions(
        tuple(zones["timezones"]),
        tuple((one["id"], one["name"]) for one in agents["agents"] if one["active"]),
        tuple((one["number"], one["label"]) for one in numbers["caller_numbers"] if one["active"]),
    )


async def pools(desk: Desk, chosen: str | None = None) -> list[tuple[str, str]]:
    """The pools of caller numbers, and the one that is chosen already."""
    found = [one["name"] for one in (await desk.get("/campaign/caller-number-pools"))["pools"]]
    return [(name, name) for name in dict.fromkeys((*found, *([chosen] if chosen else [])))]


async def configurations(desk: Desk, chosen: str | None = None) -> list[tuple[str, str]]:
    """The newest configurations by name, and the one that is chosen already."""
    page = await desk.get("/campaign/configurations", {"limit": OFFERED})
    found = {one["id"]: one["name"] for one in page["configurations"]}
    if chosen and chosen not in found:
        found[chosen] = _name(await desk.get(f"/campaign/configurations/{segment(chosen)}"))
    return list(found.items())


def _name(configuration: Any) -> str:
    return f"{configuration['name']} (this campaign's own)" if configuration["campaign_id"] else configuration["name"]
