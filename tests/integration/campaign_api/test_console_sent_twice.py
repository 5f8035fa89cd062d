"""A form that a person sends twice, by two clicks on a slow page for one, is done once, and both are answered alike."""

import asyncio

from tests.integration.campaign_api.client import Customer
from tests.integration.campaign_api.console_browser import Page, Person
from tests.integration.campaign_api.console_fields import NEW_CONFIGURATION
from tests.integration.campaign_api.test_console_imports import PEOPLE, begin, upload


async def configurations(acme: Customer) -> list[str]:
    return [one["name"] for one in (await acme.get("/configurations")).body["configurations"]]


async def imports(acme: Customer, campaign: str) -> list[str]:
    return [one["id"] for one in (await acme.get(f"/campaigns/{campaign}/imports")).body["imports"]]


async def test_sent_again_it_is_done_once_and_from_another_page_once_more(operator: Person, acme: Customer) -> None:
    page = await operator.get("/configurations/new")
    first, second = [await operator.post("/configurations/new", page, **NEW_CONFIGURATION) for _ in range(2)]
    assert first.path == second.path
    assert first.notice == second.notice
    assert await configurations(acme) == ["Office"]
    # Gone back to, and changed.
    other = await operator.post("/configurations/new", page, **{**NEW_CONFIGURATION, "name": "Shop"})
    assert other.path != first.path
    assert sorted(await configurations(acme)) == ["Office", "Shop"]
    another = await operator.post("/configurations/new", await operator.get("/configurations/new"), **NEW_CONFIGURATION)
    assert another.path != first.path
    assert sorted(await configurations(acme)) == ["Office", "Office", "Shop"]


async def test_what_was_refused_is_mended_and_sent_from_the_same_page(operator: Person, acme: Customer) -> None:
    page = await operator.get("/configurations/new")
    refused = await operator.post("/configurations/new", page, **{**NEW_CONFIGURATION, "default_timezone": "Mars/X"})
    assert refused.status == 422
    assert refused.once == page.once
    for _ in range(2):
        await operator.post("/configurations/new", refused, **NEW_CONFIGURATION)
    assert await configurations(acme) == ["Office"]


async def test_a_file_whose_import_is_begun_several_times_at_once_is_imported_once(
    operator: Person, acme: Customer
) -> None:
    campaign = (await acme.new_campaign())["id"]
    preview = await upload(operator, campaign, PEOPLE)

    async def click() -> Page:
        return await begin(operator, preview, campaign, column_0="phone_numbers", column_1="data")

    pages = await asyncio.gather(*(click() for _ in range(4)))
    [import_id] = await imports(acme, campaign)
    assert {page.path for page in pages} == {f"/imports/{import_id}"}
    # Asked for once more, from the page of the file.
    again = await begin(operator, await operator.get(preview.path), campaign, column_0="phone_numbers", column_1="data")
    assert again.path != f"/imports/{import_id}"
    assert len(await imports(acme, campaign)) == 2
