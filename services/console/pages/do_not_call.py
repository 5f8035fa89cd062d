"""The do-not-call list: reading, adding by hand or from a file, taking numbers off."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.console.api import ApiAway, ApiRefused, segment
from services.console.desk import SignedIn, file_of, text_of
from services.console.words import chunks, counted, typed_numbers

router = APIRouter(prefix="/do-not-call")
HERE: Final = "/do-not-call"
PAGE_SIZE: Final = 50
# The API's own bound on one request.
NUMBERS_AT_ONCE: Final = 1000
MOST_NUMBERS: Final = 200_000
EXAMPLES: Final = 3
Text = Annotated[str, Query(max_length=1000)]


@router.get("")
async def list_all(desk: SignedIn, cursor: Text = "") -> Response:
    """A page of the list, newest first."""
    page = await desk.get("/campaign/do-not-call", {"cursor": cursor, "limit": PAGE_SIZE})
    return desk.page("do_not_call.html", page=page)


@router.post("/add")
async def add(desk: SignedIn) -> Response:
    """List the numbers that were typed and those of a file; with one that is none, nothing is listed."""
    form = await desk.form()
    file = await file_of(form, "file")
    try:
        listed_in_file = "" if file is None else file.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return desk.back(HERE, "The file is no text in UTF-8. Save it as CSV (UTF-8), then send it again.", good=False)
    # Each by itself: the first line of either may be a heading.
    read = [typed_numbers(text) for text in (text_of(form, "numbers"), listed_in_file)]
    numbers = list(dict.fromkeys(number for found, _ in read for number in found))
    others = [other for _, some in read for other in some]
    if others:
        shown = ", ".join(other[:30] for other in others[:EXAMPLES])
        said = f"Nothing is listed: {counted(len(others), 'row')} without a number in E.164 (+14155550123): {shown}."
        return desk.back(HERE, said, good=False)
    if not numbers or len(numbers) > MOST_NUMBERS:
        return desk.back(HERE, f"Write numbers, or choose a file of at most {MOST_NUMBERS:,}.", good=False)
    listed = 0
    for some in chunks(numbers, NUMBERS_AT_ONCE):
        body = {"phone_numbers": some, "reason": text_of(form, "reason") or None}
        try:
            await desk.call("POST", "/campaign/do-not-call", body)
        except (ApiRefused, ApiAway) as error:
            why = error.detail if isinstance(error, ApiRefused) else "Dialstream does not answer."
            # Listing a number twice changes nothing, so the same file may simply be sent again.
            said = f"{counted(listed, 'number')} listed, then: {why} Mend it and send all of them again."
            return desk.back(HERE, said, good=False)
        listed += len(some)
    return desk.back(HERE, f"{counted(listed, 'number')} listed.")


@router.post("/remove")
async def remove(desk: SignedIn) -> Response:
    """Take a number off the list."""
    number = text_of(await desk.form(), "number")
    if not number:
        return desk.back(HERE, "Write the number that is to be taken off.", good=False)
    return await desk.done(
        HERE, "The number may be called again.", "DELETE", f"/campaign/do-not-call/{segment(number)}"
    )
