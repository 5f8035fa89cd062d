"""The demo against a system that it has not started: whose phones it takes, and how it leaves them."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from rich.console import Console

from deploy.demo.__main__ import demo, quick_phones
from deploy.demo.customer import demo_customer
from deploy.demo.settings import carrier_ways
from services.carrier_simulator.book import Book
from services.carrier_simulator.control import Control
from services.carrier_simulator.settings import Behaviour
from shared.errors import ConfigurationError


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_simulated_carrier_has_its_old_ways_after_the_demo(session: aiohttp.ClientSession) -> None:
    before = Behaviour(simulator_talk_max_seconds=77)
    control = Control(before, Book(calls_kept=1, record_kept=1))
    app = web.Application()
    app.add_routes(control.routes())
    async with TestServer(app) as server:
        async with quick_phones(session, str(server.make_url("/"))):
            assert control.behaviour.simulator_talk_max_seconds == carrier_ways()["talk_max_seconds"]
        assert control.behaviour == before


async def test_a_real_carriers_phones_are_not_taken(session: aiohttp.ClientSession) -> None:
    async with TestServer(web.Application()) as server:
        url = str(server.make_url("/"))
        with pytest.raises(ConfigurationError, match="is no simulated carrier"):
            async with quick_phones(session, url):
                pytest.fail("it was taken")


async def test_a_demo_that_is_not_told_where_to_dial_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIALSTREAM_URL", raising=False)
    monkeypatch.setenv("DIALSTREAM_ADMIN_TOKEN", "token")
    monkeypatch.setenv("DIALSTREAM_TWILIO_BASE_URL", "http://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match=r"^DIALSTREAM_URL must be set$"):
        await demo(None, Console())


@pytest.mark.parametrize(("names", "expected"), [([["A"], ["Demo"]], "id of Demo"), ([["A"], ["B"]], "new")])
async def test_the_demos_organization_is_found_again_and_made_once(
    session: aiohttp.ClientSession, names: list[list[str]], expected: str
) -> None:
    async def listed(request: web.Request) -> web.Response:
        page = int(request.query.get("cursor", "0"))
        following = str(page + 1) if page + 1 < len(names) else None
        rows = [{"id": f"id of {name}", "name": name} for name in names[page]]
        return web.json_response({"organizations": rows, "next_cursor": following})

    async def made(_: web.Request) -> web.Response:
        return web.json_response({"id": "new"})

    async def key(request: web.Request) -> web.Response:
        return web.json_response({"key": f"key of {(await request.json())['organization_id']}"})

    app = web.Application()
    app.add_routes([web.get("/admin/organizations", listed), web.post("/admin/organizations", made)])
    app.add_routes([web.post("/admin/organization-pats", key)])
    async with TestServer(app) as server:
        who = await demo_customer(session, str(server.make_url("")).rstrip("/"), "token")
    assert (who.organization_id, who.key) == (expected, f"key of {expected}")
