"""Imports of CSV files: upload, what its columns hold, how it goes, and what was refused."""

import asyncio
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.console.api import ApiAway, ApiRefused, segment
from services.console.csv_preview import (
    HEAD_BYTES,
    MOST_COLUMNS,
    MOST_NAME,
    CsvPreview,
    csv_preview,
    fields_for,
    label,
    mapping_of,
)
from services.console.desk import SEE_OTHER, Desk, SignedIn, text_of
from services.console.forms import new_once
from services.console.settings import MEBIBYTE
from services.console.words import MOVES, counted
from shared.domain.csv_text import BadCsv

router = APIRouter(prefix="/imports")
HERE: Final = "/imports"
PAGE_SIZE: Final = 25
# The newest campaigns are offered; another one is reached from its own page.
OFFERED: Final = 100
OF_NO_CAMPAIGN: Final = "default"
AWAY: Final = "Dialstream does not answer; nothing is known to have been done."
Text = Annotated[str, Query(max_length=255)]
Cursor = Annotated[str, Query(max_length=1000)]
Flag = Annotated[str, Query(max_length=10)]


@router.get("")
async def list_all(desk: SignedIn, campaign: Text = "", cursor: Cursor = "") -> Response:
    """A page of imports, newest first, of one campaign or of all; and the form for another one."""
    campaign = campaign.strip()
    of_one = f"/campaign/campaigns/{segment(campaign)}/imports" if campaign else "/campaign/imports"
    page, offered, found = await asyncio.gather(
        desk.get(of_one, {"cursor": cursor, "limit": PAGE_SIZE}),
        desk.get("/campaign/campaigns", {"limit": OFFERED}),
        _campaign(desk, campaign),
    )
    campaigns = [one for one in offered["campaigns"] if MOVES.get(one["state"])]
    names = {one["id"]: one["name"] for one in offered["campaigns"]}
    if found is not None:
        names[found["id"]] = found["name"]
        if found["id"] not in {one["id"] for one in campaigns} and MOVES.get(found["state"]):
            campaigns.insert(0, found)
    return desk.page(
        "imports.html",
        page=page,
        campaigns=campaigns,
        names=names,
        campaign=campaign if found is None else found["id"],
        found=found,
        most_mb=desk.console.most_upload_bytes // MEBIBYTE,
    )


@router.post("/upload")
async def upload(desk: SignedIn) -> Response:
    """Store a file; its columns are looked at next, and nothing is imported yet."""
    form = await desk.form_with_file()
    campaign, people = (form.fields.get(name, "").strip() for name in ("campaign", "people"))
    if not form.size:
        return desk.back(_of(campaign), "Choose a CSV file that is not empty.", good=False)
    if not campaign:
        return desk.back(HERE, "Choose the campaign that its rows are for.", good=False)
    name = form.name[-MOST_NAME:] or "contacts.csv"
    try:
        made = await desk.call("POST", "/campaign/files", {"name": name})
        await desk.console.api.upload(made["upload_url"], form.chunks(), form.size)
    except ApiRefused as refused:
        return desk.back(_of(campaign), refused.detail, good=False)
    except ApiAway:
        said = "The file has not come whole. Send it again." if form.is_broken else AWAY
        return desk.back(_of(campaign), said, good=False)
    return RedirectResponse(_preview(made["id"], campaign, people), SEE_OTHER)


@router.get("/new")
async def look(desk: SignedIn, file: Text = "", campaign: Text = "", people: Flag = "") -> Response:
    """What the columns of an uploaded file hold, and its first rows."""
    if not desk.session.may_manage:
        return desk.back(_of(campaign), "This key may only read.", good=False)
    stored, found = await asyncio.gather(_stored(desk, file), _campaign(desk, campaign))
    try:
        preview = await _looked_at(desk, stored, people)
    except BadCsv as error:
        return desk.back(_of(campaign), _no_table(error), good=False)
    return desk.page(
        "import_new.html",
        file=stored,
        preview=preview,
        campaign=campaign,
        found=found,
        people=people,
        once=new_once(),
        fields=[(field, label(field)) for field in fields_for(people == "yes")],
        most_columns=MOST_COLUMNS,
        most_name=MOST_NAME,
    )


@router.post("/start")
async def start(desk: SignedIn) -> Response:
    """Import an uploaded file, its columns as they were chosen."""
    form = await desk.form()
    file, campaign, people = text_of(form, "file"), text_of(form, "campaign"), text_of(form, "people")
    if not campaign:
        return desk.back(HERE, "Choose the campaign that its rows are for.", good=False)
    try:
        preview = await _looked_at(desk, await _stored(desk, file), people)
    except BadCsv as error:
        return desk.back(_of(campaign), _no_table(error), good=False)
    chosen = {place: text_of(form, f"column-{place}") for place in range(len(preview.columns.names))}
    mapping = mapping_of(preview.columns, chosen, people == "yes")
    if not preview.has_numbers(mapping):
        said = "Choose which column has the phone numbers."
        return desk.back(_preview(file, campaign, people), said, good=False)
    body = {"file_id": file, "mapping": mapping, "people": people == "yes"}
    try:
        begun = await desk.call("POST", f"/campaign/campaigns/{segment(campaign)}/imports", body)
    except ApiRefused as refused:
        return desk.back(_preview(file, campaign, people), refused.detail, good=False)
    except ApiAway:
        return desk.back(_of(campaign), AWAY, good=False)
    return desk.back(f"{HERE}/{segment(begun['id'])}", "The import has begun. This page may be left; it goes on.")


@router.get("/{import_id}")
async def show(desk: SignedIn, import_id: str) -> Response:
    """One import, as it stands."""
    job = await desk.get(_path(import_id))
    return desk.page("import.html", job=job, campaign=await _still_there(desk, job["campaign_id"]))


@router.get("/{import_id}/progress")
async def progress(desk: SignedIn, import_id: str) -> Response:
    """The changing part of that page; it asks again where it is refused."""
    job = await desk.get(_path(import_id))
    return HTMLResponse(desk.console.part("_import.html", {"job": job, "session": desk.session}))


@router.post("/{import_id}/cancel")
async def cancel(desk: SignedIn, import_id: str) -> Response:
    """Stop an import; asks first. What was stored stays."""
    form, here = await desk.form(), f"{HERE}/{segment(import_id)}"
    if text_of(form, "sure") != "yes":
        said = "Rows that are stored stay, and are called where their campaign runs; the rest of the file is not read."
        asked = {"question": "Cancel this import?", "sentence": said, "action": f"{here}/cancel", "fields": {}}
        return desk.page("sure.html", **asked, yes="Yes, cancel it", back=here)
    ended, refusal = await desk.asked(here, "POST", f"{_path(import_id)}/cancel")
    return refusal or desk.back(here, f"The import is cancelled. {counted(ended['rows'], 'row')} had been read.")


@router.get("/{import_id}/refused.csv")
async def refused(desk: SignedIn, import_id: str) -> Response:
    """The refused rows as CSV."""
    return await desk.download(f"{_path(import_id)}/refused", "refused.csv")


async def _campaign(desk: Desk, campaign: str) -> Any:
    """The campaign that rows are for; None for that of no campaign, and where none is named."""
    if campaign in ("", OF_NO_CAMPAIGN):
        return None
    return await desk.get(f"/campaign/campaigns/{segment(campaign)}")


async def _still_there(desk: Desk, campaign: str) -> Any:
    """The campaign of an import; None where there is none (any more)."""
    try:
        return await _campaign(desk, campaign)
    except ApiRefused as refused:
        if refused.status != 404:
            raise
        return None


async def _stored(desk: Desk, file: str) -> Any:
    """An uploaded file. Raises `ApiRefused` where there is none."""
    if not file:
        raise ApiRefused(404, "No file is named. Choose one again.")
    return await desk.get(f"/campaign/files/{segment(file)}")


async def _looked_at(desk: Desk, stored: Any, people: str) -> CsvPreview:
    """The preview of a stored file. Raises `BadCsv`; `ApiRefused` where nothing was uploaded to it."""
    if stored["download_url"] is None:
        raise ApiRefused(404, "Nothing was uploaded. Choose the file again.")
    head = await desk.console.api.first_bytes(stored["download_url"], HEAD_BYTES)
    return csv_preview(head, whole=stored["size"] <= HEAD_BYTES, people=people == "yes")


def _no_table(error: BadCsv) -> str:
    place = "" if error.row is None else f" in row {error.row}"
    return f"The file cannot be read as a table{place}: {error.flaw}. Save it as CSV (UTF-8), then send it again."


def _of(campaign: str) -> str:
    return f"{HERE}?{urlencode({'campaign': campaign})}" if campaign else HERE


def _preview(file: str, campaign: str, people: str) -> str:
    return f"{HERE}/new?{urlencode({'file': file, 'campaign': campaign, 'people': people})}"


def _path(import_id: str) -> str:
    return f"/campaign/imports/{segment(import_id)}"
