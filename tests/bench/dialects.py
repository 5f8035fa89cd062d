"""`dialects`: what the lists, statistics and progress of each API cost for a large campaign and for a small one."""

import aiohttp
from rich.console import Console

from deploy.local.home import free_port
from deploy.local.servers import Addresses
from shared.clock import monotonic
from shared.rendering.talkturo.ids import Prefix, shown_id
from shared.store.client import Document
from tests.bench.figures import Figures, milliseconds, percentile
from tests.bench.stage import BenchFailed, Stage, new_stage, running_members, until_ready
from tests.bench.stats import SMALL, large_and_small

ROUNDS = 60
START_SECONDS = 30.0
NATIVE, SMARTALEX, SYSEVO, TALKTURO = "/campaign", "/smartalex/v1", "/sysevo/api/v1", "/talkturo/api/crm"
# What a page of the product's own screens reads, by its name; the place is filled with the campaign's id there.
QUESTIONS = {
    "native: campaign": f"{NATIVE}/campaigns/{{native}}",
    "native: statistics": f"{NATIVE}/campaigns/{{native}}/stats",
    "native: contacts": f"{NATIVE}/campaigns/{{native}}/contacts",
    "smartalex: campaigns": f"{SMARTALEX}/campaigns",
    "smartalex: campaign with statistics": f"{SMARTALEX}/campaigns/{{native}}",
    "smartalex: contacts": f"{SMARTALEX}/campaigns/{{native}}/contacts",
    "sysevo: campaigns": f"{SYSEVO}/campaign/",
    "sysevo: campaign": f"{SYSEVO}/campaign/{{number}}",
    "sysevo: progress": f"{SYSEVO}/campaign/{{number}}/progress",
    "talkturo: campaigns": f"{TALKTURO}/campaigns?teamId={{team}}",
    "talkturo: dashboard": f"{TALKTURO}/campaigns/{{native}}/dashboard",
    "talkturo: contacts": f"{TALKTURO}/campaigns/{{native}}/contacts",
}


async def measure_dialects(addresses: Addresses, console: Console, *, large: int) -> Figures:
    """The same questions of two organizations, one with a large campaign and one with a small one, in turn."""
    async with new_stage(addresses) as stage:
        campaigns, keys = await large_and_small(stage.store, large)
        console.print(f"  dialects: {large:,} contacts are in", style="dim")
        return await _ask(stage, campaigns, keys, large)


async def _ask(stage: Stage, campaigns: dict[int, Document], keys: dict[int, str], large: int) -> Figures:
    port = free_port()
    figures = Figures(
        f"dialects: a campaign of {large:,} contacts and one of {SMALL}",
        ("", f"{large:,}: p50 / p99 ms", f"{SMALL}: p50 / p99 ms", "large / small"),
    )
    async with (
        running_members(stage, ("api", "services.campaign_api", {"http_port": port})) as members,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):

        async def get(path: str, size: int) -> None:
            key = keys[size]
            async with client.get(path, headers={"Authorization": f"Bearer {key}", "X-API-Key": key}) as answer:
                if answer.status != 200:
                    raise BenchFailed(f"{path}: {answer.status} {await answer.text()}")
                await answer.read()

        await until_ready(client, "/health/ready", members, START_SECONDS)
        for name, path in QUESTIONS.items():
            taken: dict[int, list[float]] = {size: [] for size in campaigns}
            for _ in range(ROUNDS):
                for size, campaign in campaigns.items():
                    began = monotonic()
                    await get(path.format(native=campaign["_id"], number=1, team=_team(campaign)), size)
                    taken[size].append(monotonic() - began)
            _add(figures, name, taken, large)
    return figures


def _team(campaign: Document) -> str:
    return shown_id(Prefix.TEAM, campaign["organization_id"])


def _add(figures: Figures, name: str, taken: dict[int, list[float]], large: int) -> None:
    p50 = {size: percentile(seconds, 0.5) for size, seconds in taken.items()}
    shown = [f"{milliseconds(p50[size])} / {milliseconds(percentile(taken[size], 0.99))}" for size in (large, SMALL)]
    figures.rows.append((name, *shown, f"{p50[large] / p50[SMALL]:.2f}"))
    figures.values[name] = {"large_p50_seconds": p50[large], "small_p50_seconds": p50[SMALL]}
