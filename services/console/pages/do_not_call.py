"""The do-not-call list: reading, adding by hand or from a file, taking numbers off."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.console.api import ApiRefused, segment
from services.console.desk import Desk, SignedIn, file_of, text_of
from services.console.forms import UNPROCESSABLE, Field, Form, Kind
from services.console.words import chunks, counted, typed_number, typed_numbers

router = APIRouter(prefix="/do-not-call")
HERE: Final = "/do-not-call"
API: Final = "/campaign/do-not-call"
PAGE_SIZE: Final = 50
# The API's own bound on one request.
NUMBERS_AT_ONCE: Final = 1000
MOST_NUMBERS: Final = 200_000
EXAMPLES: Final = 3
ADD: Final = (
    Field("numbers", "Numbers in E.164, one a line", Kind.LONG, placeholder="+14155550123"),
    Field("reason", "Reason", most=1000),
)
TAKE_OFF: Final = (Field("number", "Number", Kind.PHONE, required=True, most=64, placeholder="+14155550123"),)
# Only the number can be the reason of this answer.
NOT_LISTED: Final[Mapping[int, str]] = MappingProxyType({404: "number"})
_NO_NUMBERS: Final = "Write one number a line, like +14155550123."
Text = Annotated[str, Query(max_length=1000)]


@router.get("")
async def list_all(desk: SignedIn, number: Text = "", cursor: Text = "") -> Response:
    """A page of the list, newest first; with a number whether that is on it, in whatever spelling."""
    return await _shown(desk, None, cursor, number.strip())


@router.post("/add")
async def add(desk: SignedIn) -> Response:
    """List the numbers that were typed and those of a file; with one that is none, nothing is listed."""
    sent = await desk.form()
    file = await file_of(sent, "file")
    form = Form("add", ADD, {}).filled({one.name: text_of(sent, one.name) for one in ADD})
    try:
        listed_in_file = "" if file is None else file.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        said = "The file is no text in UTF-8. Save it as CSV (UTF-8), then send it again."
        return await _shown(desk, form.refused(UNPROCESSABLE, said, (), {}))
    # Each by itself: the first line of either may be a heading.
    read = [typed_numbers(text) for text in (form.typed["numbers"], listed_in_file)]
    numbers = list(dict.fromkeys(number for found, _ in read for number in found))
    others = [other for _, some in read for other in some]
    if others:
        shown = ", ".join(other[:30] for other in others[:EXAMPLES])
        said = f"Nothing is listed: {counted(len(others), 'row')} without a number in E.164 (+14155550123): {shown}."
        # What is wrong in a file is not mended in a field.
        typed_wrong = bool(read[0][1])
        return await _shown(desk, form.with_faults({"numbers": _NO_NUMBERS} if typed_wrong else {}, said))
    if not numbers or len(numbers) > MOST_NUMBERS:
        said = f"Write numbers, or choose a file of at most {MOST_NUMBERS:,}."
        return await _shown(desk, form.with_faults({"numbers": _NO_NUMBERS} if not numbers else {}, said))
    listed = 0
    for some in chunks(numbers, NUMBERS_AT_ONCE):
        body = {"phone_numbers": some, "reason": form.typed["reason"] or None}
        _, refused = await desk.taken(form, "POST", API, body)
        if refused is not None:
            # Listing a number twice changes nothing, so the same file may simply be sent again.
            said = f"{counted(listed, 'number')} listed, then: {refused.refusal} Mend it and send all of them again."
            return await _shown(desk, replace(refused, refusal=said))
        listed += len(some)
    return desk.back(HERE, f"{counted(listed, 'number')} listed.")


@router.post("/remove")
async def remove(desk: SignedIn) -> Response:
    """Take a number off the list."""
    form = await desk.filled(Form("remove", TAKE_OFF, {}))
    if form.refusal:
        return await _shown(desk, form)
    path = f"{API}/{segment(form.body()['number'])}"
    _, refused = await desk.taken(form, "DELETE", path, None, NOT_LISTED)
    return desk.back(HERE, "The number may be called again.") if refused is None else await _shown(desk, refused)


async def _shown(desk: Desk, refused: Form | None, cursor: str = "", number: str = "") -> Response:
    query = {"phone_number": typed_number(number) or number, "cursor": cursor, "limit": PAGE_SIZE}
    unread = ""
    try:
        page = await desk.get(API, query)
    except ApiRefused as error:
        if error.status != UNPROCESSABLE or not number:
            raise
        page, unread = {"do_not_call": [], "next_cursor": None}, f"{number} is no number in E.164 (+14155550123)."
    found = {"number": number} if number and page["do_not_call"] else {}
    forms = {"add": Form.of("add", ADD, {}), "remove": Form.of("remove", TAKE_OFF, found)}
    if refused is not None:
        forms[refused.name] = refused
    code = 200 if refused is None else refused.code
    return desk.page("do_not_call.html", code=code, page=page, forms_of=forms, number=number, refusal=unread)
