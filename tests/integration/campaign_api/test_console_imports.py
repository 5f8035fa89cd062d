"""Imports at the console on a real campaign-api: a file, its columns, how it goes. contact-ingest's part works here."""

import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from services.contact_ingest.jobs import Jobs
from shared.store.catalog.file_contents import GridFSFiles
from tests.eventually import eventually
from tests.integration.campaign_api.client import Api, Customer
from tests.integration.campaign_api.conftest import Stack
from tests.integration.campaign_api.console_browser import Page, Person, person_at

PEOPLE = "Handset,Name\r\n+14155550101,Ann\r\n+14155550102,Bob\r\n=1+1,Cleo\r\n"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
async def jobs(stack: Stack) -> AsyncIterator[Jobs]:
    working = Jobs(stack.store, stack.producer, GridFSFiles(stack.store), "ingest-console")
    yield working
    await working.stop()


async def upload(person: Person, campaign: str, text: str | bytes, people: str = "no", name: str = "list.csv") -> Page:
    """Send the form of the page of imports; the page that the browser ends at."""
    form = aiohttp.FormData()
    fields = {"csrf": (await person.get("/imports")).csrf, "campaign": campaign, "people": people}
    for field, value in fields.items():
        form.add_field(field, value)
    data = text.encode() if isinstance(text, str) else text
    form.add_field("file", io.BytesIO(data), filename=name, content_type="text/csv")
    async with person.session.post(f"{person.url}/imports/upload", data=form) as answer:
        return Page(answer.status, answer.url.path_qs, answer.headers, await answer.text())


async def begin(person: Person, preview: Page, campaign: str, people: str = "no", **columns: str) -> Page:
    file = preview.path.partition("file=")[2].partition("&")[0]
    fields = {name.replace("_", "-"): value for name, value in columns.items()}
    return await person.post("/imports/start", preview, file=file, campaign=campaign, people=people, **fields)


async def test_a_file_is_looked_at_mapped_imported_and_its_bad_rows_are_told(
    operator: Person, acme: Customer, jobs: Jobs
) -> None:
    campaign = await acme.new_campaign(name="Autumn")
    assert "Nothing has been imported yet." in (await operator.get(f"/imports?campaign={campaign['id']}")).text
    preview = await upload(operator, campaign["id"], PEOPLE)
    assert preview.path.startswith("/imports/new?")
    for shown in ("Import list.csv", "Autumn", "Handset", "+14155550102", "Cleo", "No column has a name like"):
        assert shown in preview.text
    # The columns stay as they were read: none has numbers.
    refused = await begin(operator, preview, campaign["id"], column_0="data", column_1="data")
    assert refused.notice == "Choose which column has the phone numbers."
    begun = await begin(operator, preview, campaign["id"], column_0="phone_numbers", column_1="data")
    assert begun.notice == "The import has begun. This page may be left; it goes on."
    import_id = begun.path.removeprefix("/imports/")
    assert f'hx-get="/imports/{import_id}/progress"' in begun.text
    jobs.begin(import_id)

    async def done() -> Any:
        piece = await operator.get(f"/imports/{import_id}/progress")
        return piece if "All rows are done." in piece.text else None

    piece: Page = await eventually(done, timeout=20, saying="the import has ended")
    assert "<html" not in piece.text
    assert "hx-get" not in piece.text, "what is over is not asked for any more"
    assert "3 of 3 rows" in piece.text
    assert "phone_numbers[0]" in piece.text
    download = await operator.get(f"/imports/{import_id}/refused.csv")
    assert download.headers["Content-Disposition"] == 'attachment; filename="refused.csv"'
    assert download.text.splitlines()[1].startswith("4,phone_numbers[0],")
    contacts = (await acme.get(f"/campaigns/{campaign['id']}/contacts")).body["contacts"]
    assert [one["phone_numbers"] for one in contacts] == [["+14155550101"], ["+14155550102"]]
    listed = await operator.get("/imports")
    assert f'href="/imports/{import_id}"' in listed.text
    assert "Autumn" in listed.text


async def test_a_large_file_goes_through_as_it_comes(operator: Person, acme: Customer) -> None:
    campaign = await acme.new_campaign()
    text = b"phone,Note\r\n+14155550101,\xc3\x84\r\n" + b"+14155550102," + b"x" * 100_000 + b"\r\n"
    text += b"+14155550103,\r\n--x\r\n" * 900_000
    preview = await upload(operator, campaign["id"], text)
    assert ("Ä" in preview.text, "+14155550102" in preview.text) == (True, True), preview.notice
    file = (await acme.get(f"/files/{preview.path.partition('file=')[2].partition('&')[0]}")).body
    assert file["size"] == len(text) > 16 * 1024 * 1024
    async with operator.session.get(file["download_url"]) as answer:
        assert await answer.read() == text


async def test_a_larger_file_than_the_operator_allows_is_refused(api: Api, acme: Customer, stack: Stack) -> None:
    campaign = await acme.new_campaign()
    async with person_at(api.url, console_upload_mb=1) as person:
        await person.sign_in(acme.key)
        page = await person.get(f"/imports?campaign={campaign['id']}")
        assert "CSV file, up to 1 MB" in page.text
        refused = await upload(person, campaign["id"], b"phone\n" + b"+14155550101\n" * 80_700)
        assert (refused.status, "A form may have 1 MB" in refused.text) == (413, True)
        assert (await upload(person, campaign["id"], b"phone\n" + b"+14155550101\n" * 80_600)).status == 200
    assert await stack.store["files"].count_documents({"organization_id": acme.organization_id}) == 1


async def test_an_import_is_cancelled_after_a_question(operator: Person, acme: Customer) -> None:
    campaign = await acme.new_campaign()
    headers = {"Content-Type": "text/csv"}
    made = await acme.call("POST", f"/campaigns/{campaign['id']}/imports", raw=PEOPLE.encode(), headers=headers)
    here = f"/imports/{made.body['id']}"
    page = await operator.get(here)
    assert f'action="{here}/cancel"' in page.text
    assert (await operator.post(f"{here}/cancel", None, sure="yes", csrf="guessed")).status == 403
    question = await operator.post(f"{here}/cancel", page)
    assert ("Cancel this import?" in question.text, "Yes, cancel it" in question.text) == (True, True)
    assert (await acme.get(here)).body["status"] == "running"
    ended = await operator.post(f"{here}/cancel", question, sure="yes")
    assert (ended.path, ended.notice) == (here, "The import is cancelled. 0 rows had been read.")
    assert 'class="state cancelled"' in ended.text
    assert (f"{here}/cancel" in ended.text, "hx-get" in ended.text) == (False, False)
    # Two tabs.
    assert (await operator.post(f"{here}/cancel", question, sure="yes")).notice == ended.notice


async def test_people_are_imported_under_no_campaign(operator: Person, acme: Customer, jobs: Jobs) -> None:
    preview = await upload(operator, "default", "phone;Vorname\n+14155550101;Zoë\n".encode("cp1252"), people="yes")
    assert 'value="first_name" selected' in preview.text
    assert "Zoë" in preview.text
    chosen = {"column_0": "phone_numbers", "column_1": "first_name"}
    begun = await begin(operator, preview, "default", people="yes", **chosen)
    jobs.begin(begun.path.removeprefix("/imports/"))

    async def people() -> Any:
        return (await acme.get("/people")).body["people"]

    [ann] = await eventually(people, timeout=20, saying="the person is there")
    assert (ann["first_name"], ann["phone"]) == ("Zoë", "+14155550101")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Choose a CSV file that is not empty."),
        ('phone,"name\n+1,x\n', "in row 1: unclosed quote"),
        ("\n \n", "empty"),
        ("\0", "cannot be read as a table"),
    ],
)
async def test_what_is_no_list_is_refused_before_anything_is_imported(
    operator: Person, acme: Customer, text: str, said: str
) -> None:
    campaign = await acme.new_campaign()
    refused = await upload(operator, campaign["id"], text)
    assert refused.path == f"/imports?campaign={campaign['id']}"
    assert said in refused.notice
    assert (await acme.get("/imports")).body["imports"] == []


async def test_only_campaigns_that_are_not_over_are_offered(operator: Person, acme: Customer) -> None:
    open_one, over = await acme.new_campaign(name="Open"), await acme.new_campaign(name="Over")
    await acme.post(f"/campaigns/{over['id']}/close")
    page = await operator.get("/imports")
    assert f'<option value="{open_one["id"]}"' in page.text
    assert f'<option value="{over["id"]}"' not in page.text
    preview = await upload(operator, over["id"], "phone\n+14155550101\n")
    refused = await begin(operator, preview, over["id"], column_0="phone_numbers")
    assert refused.path.startswith("/imports/new?")
    assert refused.notice
    assert (await acme.get("/imports")).body["imports"] == []


async def test_nothing_is_imported_by_a_form_of_elsewhere(operator: Person, acme: Customer) -> None:
    campaign = await acme.new_campaign()
    preview = await upload(operator, campaign["id"], "phone\n+14155550101\n")
    file = preview.path.partition("file=")[2].partition("&")[0]
    for path in ("/imports/start", "/imports/upload"):
        refused = await operator.post(path, None, file=file, campaign=campaign["id"], csrf="guessed")
        assert refused.status == 403
    assert (await acme.get("/imports")).body["imports"] == []


async def test_a_key_that_may_only_read_sees_imports_and_is_offered_none(
    person: Person, api: Api, acme: Customer
) -> None:
    campaign = await acme.new_campaign()
    made = await acme.call(
        "POST", f"/campaigns/{campaign['id']}/imports", raw=PEOPLE.encode(), headers={"Content-Type": "text/csv"}
    )
    await person.sign_in((await api.customer_of(acme.organization_id, ["campaigns:read"])).key)
    page = await person.get("/imports")
    assert made.body["id"] in page.text
    assert "/imports/upload" not in page.text
    shown = await person.get(f"/imports/{made.body['id']}")
    assert (shown.status, "/cancel" in shown.text) == (200, False)
    await person.post(f"/imports/{made.body['id']}/cancel", shown, sure="yes")
    assert (await acme.get(f"/imports/{made.body['id']}")).body["status"] == "running"
    refused = await upload(person, campaign["id"], PEOPLE)
    assert "+14155550101" not in refused.text
    assert refused.path == f"/imports?campaign={campaign['id']}"


async def test_without_the_scope_for_contacts_data_rows_are_hidden(person: Person, api: Api, acme: Customer) -> None:
    campaign = await acme.new_campaign()
    await person.sign_in((await api.customer_of(acme.organization_id, ["campaigns:manage"])).key)
    page = await upload(person, campaign["id"], "phone,Name\n+14155550101,Annabel\n")
    assert "…0101" in page.text
    for secret in ("+14155550101", "Annabel"):
        assert secret not in page.text


async def test_imports_and_files_of_others_are_no_pages(operator: Person, other: Customer) -> None:
    campaign = await other.new_campaign()
    headers = {"Content-Type": "text/csv"}
    made = await other.call("POST", f"/campaigns/{campaign['id']}/imports", raw=PEOPLE.encode(), headers=headers)
    file = await other.post("/files", {"name": "people.csv"})
    for path in (
        f"/imports/{made.body['id']}",
        f"/imports/{made.body['id']}/progress",
        f"/imports/{made.body['id']}/refused.csv",
        f"/imports?campaign={campaign['id']}",
        f"/imports/new?file={file.body['id']}&campaign=default",
    ):
        assert (await operator.get(path)).status == 404


async def test_names_of_files_and_columns_are_shown_and_not_run(operator: Person, acme: Customer) -> None:
    campaign = await acme.new_campaign(name=HOSTILE)
    page = await upload(operator, campaign["id"], f"phone,{HOSTILE}\n+14155550101,{HOSTILE}\n", name=f"{HOSTILE}.csv")
    assert page.status == 200
    begun = await begin(operator, page, campaign["id"], column_0="phone_numbers", column_1="data")
    for shown in (page, begun, await operator.get("/imports")):
        assert "<script>alert" not in shown.text
        assert "&lt;script&gt;" in shown.text


@pytest.mark.parametrize(
    "path",
    ["/imports?campaign=%00", "/imports?cursor=x", "/imports/new", "/imports/none", "/imports/new?file=x&people=z"],
)
async def test_a_strange_address_is_never_a_fault_of_ours(operator: Person, path: str) -> None:
    assert (await operator.get(path)).status < 500
