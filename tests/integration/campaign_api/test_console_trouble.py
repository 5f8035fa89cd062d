"""The console where something is amiss: the API away, a campaign deleted, a person signed out, texts out of bounds."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from yarl import URL

from services.console.pages import campaign as campaign_page
from services.console.sessions import SESSION_COOKIE
from tests.integration.campaign_api.client import Api, Customer, lead
from tests.integration.campaign_api.console_browser import Person, person_at
from tests.integration.campaign_api.door import Door

# More digits than Python makes a number of.
LONG = (pytest.param("0" * 9 + "1" * 5000, id="long"), pytest.param("9" * 5000, id="longer"))


@asynccontextmanager
async def live(person: Person, path: str) -> AsyncIterator[AsyncIterator[str]]:
    """The messages of a campaign's live page, without comments, each whole."""
    async with asyncio.timeout(30), person.session.get(f"{person.url}{path}/live") as answer:
        assert answer.status == 200
        yield _messages(answer)


async def _messages(answer: aiohttp.ClientResponse) -> AsyncIterator[str]:
    message = ""
    async for line in answer.content:
        if line == b"\n":
            if not message.startswith(":"):
                yield message
            message = ""
        else:
            message += line.decode()


async def test_the_live_page_says_what_is_amiss_anew_although_no_number_changes(
    operator: Person, acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_page, "DIAGNOSIS_SECONDS", 0.3)
    configuration = await acme.new_configuration()
    campaign = await acme.new_campaign(contacts=[lead(1)], configuration_id=configuration)
    async with live(operator, f"/campaigns/{campaign['id']}") as messages:
        assert "The configuration has no calling window." in await anext(messages)
        windows = [{"days": ["mon"], "start": "09:00", "end": "09:01"}]
        await acme.patch(f"/configurations/{configuration}", {"default_windows": windows})
        while "has no calling window" in (shown := await anext(messages)):
            pass
    assert 'id="why"' in shown


async def test_the_buttons_follow_a_campaign_that_somebody_else_has_paused(
    operator: Person, acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_page, "DIAGNOSIS_SECONDS", 0.3)
    campaign = await acme.new_campaign(contacts=[lead(1)])
    async with live(operator, f"/campaigns/{campaign['id']}") as messages:
        assert "/move/pause" in await anext(messages)
        await acme.post(f"/campaigns/{campaign['id']}/pause")
        while "/move/start" not in (shown := await anext(messages)):
            pass
    assert "/move/pause" not in shown
    assert 'id="moves" class="actions" hx-swap-oob=' in shown


async def test_a_live_page_ends_with_its_campaign_and_is_told_so(operator: Person, acme: Customer) -> None:
    campaign = await acme.new_campaign(state="draft")
    path = f"/campaigns/{campaign['id']}"
    async with live(operator, path) as messages:
        await anext(messages)
        await acme.delete(path)
        last = [message async for message in messages]
    assert all("has not been started" in message or message.startswith("event: over") for message in last)
    async with operator.session.get(f"{operator.url}{path}/live") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("way", ["held", "shut"])
async def test_a_live_page_whose_api_goes_away_is_told_so(
    api: Api, acme: Customer, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(campaign_page, "DIAGNOSIS_SECONDS", 0.2)
    campaign = await acme.new_campaign(state="draft")
    path = f"/campaigns/{campaign['id']}"
    async with Door(port_of(api)) as door, person_at(door.url, console_api_seconds=1.0) as person:
        await person.sign_in(acme.key)
        async with live(person, path) as messages:
            await anext(messages)
            door.hold() if way == "held" else door.shut()
            rest = [message async for message in messages]
        page = await person.get(path)
        stream = await person.get(f"{path}/live")
    # Where connections end, the stream itself may be the first.
    if way == "held":
        assert rest[-1].startswith("event: away")
    assert not [message for message in rest if message.startswith("event: over")]
    assert (page.status, stream.status, "does not answer" in page.text) == (503, 503, True)


async def test_a_stream_of_somebody_who_is_signed_out_is_refused_and_leads_back(person: Person) -> None:
    headers = {
        "HX-Request": "true",
        "HX-Current-URL": f"{person.url}/campaigns/a?every=5",
        "Accept": "text/event-stream",
    }
    async with person.session.get(f"{person.url}/campaigns/a/live", headers=headers) as answer:
        assert answer.status == 401
        assert answer.headers["HX-Redirect"] == "/sign-in?to=%2Fcampaigns%2Fa%3Fevery%3D5"


async def test_an_import_whose_api_is_away_says_so(api: Api, acme: Customer) -> None:
    campaign = await acme.new_campaign()
    headers = {"Content-Type": "text/csv"}
    made = await acme.call(
        "POST", f"/campaigns/{campaign['id']}/imports", raw=b"phone\n+14155550101\n", headers=headers
    )
    async with Door(port_of(api)) as door, person_at(door.url) as person:
        await person.sign_in(acme.key)
        page = await person.get(f"/imports/{made.body['id']}")
        # Shown by the page's script, once it is refused.
        assert re.search(r'id="away" hidden>[^<]+what is shown may be old', page.text)
        door.shut()
        assert (await person.get(f"/imports/{made.body['id']}/progress")).status == 503


async def test_the_page_for_signing_in_makes_no_session_last_longer(operator: Person) -> None:
    before = cookie(operator)
    assert (await operator.get("/sign-in")).status == 200
    assert cookie(operator) == before


async def test_signing_out_after_the_session_has_ended_leads_to_the_sign_in(operator: Person) -> None:
    page = await operator.get("/")
    operator.session.cookie_jar.clear()
    assert (await operator.post("/sign-out", page)).path == "/sign-in"


async def test_a_cookie_of_another_console_and_a_changed_one_sign_nobody_in(operator: Person) -> None:
    whole = cookie(operator)
    for forged in (whole[:-4] + "AAAA", "x", "gAAAAA", whole[::-1]):
        operator.session.cookie_jar.update_cookies({SESSION_COOKIE: forged}, URL(operator.url))
        assert (await operator.get("/calls")).path.startswith("/sign-in")


@pytest.mark.parametrize(
    "path",
    [
        "/calls?since=0001-01-01T00:00%2B14:00&until=9999-12-31T23:59-14:00",
        "/calls?since=0001-01-01T00:00&until=9999-12-31T23:59",
        "/campaigns/{campaign}/calls.csv?since=0001-01-01T00:00%2B14:00&until=x",
        "/campaigns/%2E%2E",
        "/campaigns/%2E",
        "/campaigns/{campaign}/contacts/%2E%2E",
        "/campaigns/{campaign}/contacts/%2E",
        "/imports/%2E%2E",
        "/configurations/%2E%2E",
        "/webhooks/%2E%2E",
    ],
)
async def test_an_address_out_of_bounds_is_never_a_fault_of_ours(operator: Person, acme: Customer, path: str) -> None:
    campaign = await acme.new_campaign(contacts=[lead(1)])
    # As it is: browsers would leave the dots out.
    url = URL(operator.url + path.replace("{campaign}", campaign["id"]), encoded=True)
    async with operator.session.get(url) as answer:
        assert answer.status == (404 if "%2E" in path else 200)


@pytest.mark.parametrize("typed", [*LONG, "٣", "1e3", " "])
async def test_a_number_out_of_bounds_is_never_a_fault_of_ours(operator: Person, acme: Customer, typed: str) -> None:
    webhook = (await acme.post("/webhooks", {"url": "https://203.0.114.5/hooks"})).body["id"]
    page = await operator.get(f"/webhooks/{webhook}")
    refused = await operator.post(f"/webhooks/{webhook}/secret", page, overlap_hours=typed)
    assert refused.notice.startswith("Write for how many hours")


@pytest.mark.parametrize("scopes", [["campaigns:read"], ["campaigns:manage"]])
async def test_a_question_is_a_page_of_its_own_for_those_who_may_do_it(
    person: Person, api: Api, acme: Customer, scopes: list[str]
) -> None:
    campaign = await acme.new_campaign(contacts=[lead(1)])
    number = (await acme.post("/caller-numbers", {"number": "+14155550199", "pools": ["west"]})).body["id"]
    webhook = (await acme.post("/webhooks", {"url": "https://203.0.114.5/hooks"})).body["id"]
    await person.sign_in((await api.customer_of(acme.organization_id, scopes)).key)
    for path in (
        f"/campaigns/{campaign['id']}/cancel",
        f"/campaigns/{campaign['id']}/contacts/lead-1/never",
        f"/move-campaigns?move=pause&campaign={campaign['id']}",
        f"/webhooks/{webhook}/delete",
        f"/caller-numbers/{number}/remove",
        "/caller-numbers/pools/remove?pool=west",
    ):
        page = await person.get(path)
        assert page.status == (200 if scopes == ["campaigns:manage"] else 403), path
        assert ("Yes, " in page.text) is (scopes == ["campaigns:manage"])


def cookie(person: Person) -> str:
    """The session as the browser has it."""
    [value] = [one.value for one in person.session.cookie_jar if one.key == SESSION_COOKIE]
    return value


def port_of(api: Api) -> int:
    """The port of the gateway."""
    port = URL(api.url).port
    assert port is not None
    return port
