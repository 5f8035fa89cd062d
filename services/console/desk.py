"""What every page needs: the API, the session, the templates; and how a form is taken and answered."""

import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from fastapi import Depends, Query, Request
from jinja2 import Environment
from starlette.datastructures import FormData, UploadFile
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from services.console.api import Api, ApiAway, ApiRefused, Credential
from services.console.api import Query as ApiQuery
from services.console.csv_masking import MaskedCsv
from services.console.forms import Form, Kind
from services.console.sessions import Session, Sessions
from services.console.uploads import MOST_BEFORE_FILE, BrokenForm, FileForm
from shared.clock import utc_now

# An upload of 100,000 numbers takes 2 MB, with a reason beside each some more.
MOST_FORM_BYTES: Final = 16 * 1024 * 1024
MOST_FIELDS: Final = 1000
CHUNK_BYTES: Final = 64 * 1024
SEE_OTHER: Final = 303
# Seconds between two looks at a list, as they can be chosen; 0: it stands still.
REFRESHES: Final = (5, 15, 60, 0)
USUAL_REFRESH: Final = 15
READ_ONLY: Final = "This key may only read."
AWAY: Final = "Dialstream does not answer; nothing is known to have been done."
# What `new_once` makes.
_ONCE: Final = re.compile(r"[\w-]{1,64}", re.ASCII)
_FROM_ELSEWHERE: Final = "This form is from another session. Open the page again, and send it from there."


class SignInNeeded(Exception):
    """The browser is not signed in, or its key is no longer good: send it to the sign-in."""


class OtherDesk(Exception):
    """The page is for the operator and an organization's key has signed in, or the other way round."""


class FormRefused(Exception):
    """A form of another session, one too large, or a page for keys that may change things. Nothing was done."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


@dataclass(frozen=True, slots=True)
class Console:
    """What the pages work with."""

    api: Api
    sessions: Sessions
    templates: Environment
    # Of a file to import.
    most_upload_bytes: int

    def page(self, request: Request, session: Session, template: str, *, code: int = 200, **values: Any) -> Response:
        """A whole page; a sentence that waits to be shown is shown on it, unless a page asks for a piece of itself."""
        notice = None if "hx-request" in request.headers else self.sessions.said(request, utc_now())
        path, query = request.url.path, request.url.query
        address = path + (f"?{query}" if query else "")
        shown = {"session": session, "notice": notice, "path": path, "address": address, "now": utc_now(), **values}
        response = HTMLResponse(self.part(template, shown), code)
        if notice is not None:
            self.sessions.shown(response)
        return response

    def part(self, template: str, values: Mapping[str, Any]) -> str:
        """A piece of a page."""
        return self.templates.get_template(template).render(values)

    def back(self, to: str, sentence: str, *, good: bool = True) -> Response:
        """Send the browser to a page that shows the sentence."""
        response = RedirectResponse(to, SEE_OTHER)
        self.sessions.say(response, sentence, good=good, now=utc_now())
        return response


def console_of(request: Request) -> Console:
    """The console that answers this request."""
    console: Console = request.app.state.console
    return console


def any_session(request: Request) -> Session:
    """The browser's session, signed in or not."""
    return console_of(request).sessions.read(request, utc_now())


@dataclass(frozen=True, slots=True)
class Desk:
    """The console for one request of a person who has signed in."""

    console: Console
    request: Request
    session: Session
    credential: Credential

    async def get(self, path: str, query: Any = ()) -> Any:
        """The JSON at a path of the API. Raises `ApiRefused` and `ApiAway`."""
        return await self.console.api.get(self.credential, path, query)

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Have the API do something. Raises `ApiRefused` and `ApiAway`."""
        once = self._once(method, path, body)
        return await self.console.api.call(self.credential, method, path, body=body, once=once)

    def _once(self, method: str, path: str, body: Any) -> str:
        """Under what the API does this once, however often the form of one page is sent; empty where it has no such.

        What is asked for is a part of it: a form that was sent, gone back to and changed asks for something else.
        """
        sent = getattr(self.request.state, "once", "")
        if method != "POST" or not _ONCE.fullmatch(sent):
            return ""
        asked = json.dumps([path, body], sort_keys=True, default=str)
        return f"{sent}-{hashlib.sha256(asked.encode()).hexdigest()[:32]}"

    def page(self, template: str, **values: Any) -> Response:
        """A whole page."""
        return self.console.page(self.request, self.session, template, **values)

    def back(self, to: str, sentence: str, *, good: bool = True) -> Response:
        """Send the browser to a page that shows the sentence."""
        return self.console.back(to, sentence, good=good)

    def ask(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Response:
        """Send the browser to a page that asks whether somebody is sure: one to which it can go back."""
        return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, SEE_OTHER)

    async def form(self) -> FormData:
        """The form of this request. Raises `FormRefused` unless a page of this session has sent it."""
        return await checked_form(self.request, self.session)

    async def form_with_file(self) -> FileForm:
        """The form of this request, whose file at its end is yet to come. Raises `FormRefused` as `form` does."""
        most = self.console.most_upload_bytes
        headers = self.request.headers
        length = _declared_bytes(self.request, most + 2 * MOST_BEFORE_FILE, most)
        form = FileForm(headers.get("content-type", ""), length, self.request.stream())
        try:
            await form.open()
        except BrokenForm as error:
            raise FormRefused(403, _FROM_ELSEWHERE) from error
        if not self.session.has_sent(form.fields.get("csrf", "")):
            raise FormRefused(403, _FROM_ELSEWHERE)
        if form.size > most:
            raise _too_large(most)
        return form

    async def download(self, path: str, name: str, query: ApiQuery = ()) -> Response:
        """The CSV at a path of the API, passed on as it comes, numbers masked for a key that may not see them.

        Raises `ApiRefused` and `ApiAway`.
        """
        chunks = self._chunks(path, query)
        # The first piece is waited for, so that a refusal is a page and no broken file.
        first = await anext(chunks, b"")
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(_after(first, chunks), media_type="text/csv; charset=utf-8", headers=headers)

    async def _chunks(self, path: str, query: ApiQuery) -> AsyncIterator[bytes]:
        mask = None if self.session.sees_numbers else MaskedCsv()
        async with self.console.api.stream(self.credential, path, query) as answer:
            async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                yield chunk if mask is None else mask.feed(chunk)
            if mask is not None:
                yield mask.feed(b"", last=True)

    async def asked(self, to: str, method: str, path: str, body: Any = None) -> tuple[Any, Response | None]:
        """Have the API do something: its answer; or a way back to the page `to`, which says why it was refused."""
        try:
            return await self.call(method, path, body), None
        except ApiRefused as refused:
            if refused.status == 401:
                raise
            return None, self.back(to, refused.detail, good=False)
        except ApiAway:
            return None, self.back(to, AWAY, good=False)

    async def filled(self, form: Form) -> Form:
        """The form as it was sent with this request. Raises `FormRefused` unless a page of this session has sent it."""
        sent = await self.form()
        typed = {
            one.name: _ticked(sent, one.name) if one.kind is Kind.TICKS else text_of(sent, one.name)
            for one in form.fields
        }
        return form.filled(typed, text_of(sent, "was"), self.request.state.once)

    async def taken(
        self, form: Form, method: str, path: str, body: Any, at: Mapping[int, str] = MappingProxyType({})
    ) -> tuple[Any, Form | None]:
        """Have the API do what a form asks for: its answer; or the form with what is amiss, to be shown again.

        `at` names the field that alone can be the reason of a status. Raises `ApiRefused` where the key may not do it.
        """
        try:
            return await self.call(method, path, body), None
        except ApiRefused as refused:
            # A person who may not do it at all has no form to be shown again.
            if refused.status in (401, 403):
                raise
            return None, form.refused(refused.status, refused.detail, refused.values, at)
        except ApiAway:
            return None, form.refused(503, AWAY, (), {})

    async def done(self, to: str, sentence: str, method: str, path: str, body: Any = None) -> Response:
        """Have the API do something, and say on the page `to` that it is done, or why it was refused."""
        _, refusal = await self.asked(to, method, path, body)
        return refusal or self.back(to, sentence)


async def _after(first: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """All of it. A stream of the API that breaks breaks this one, so that the browser says so."""
    yield first
    try:
        async for chunk in chunks:
            yield chunk
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ConnectionError("the API has broken off") from error


def anybodys(request: Request, session: Annotated[Session, Depends(any_session)]) -> Desk:
    """The desk of the person who has signed in, the operator or another. Raises `SignInNeeded`."""
    if session.credential is None:
        raise SignInNeeded
    return Desk(console_of(request), request, session, session.credential)


def signed_in(desk: Annotated[Desk, Depends(anybodys)]) -> Desk:
    """The desk of a person of an organization. Raises `SignInNeeded` and `OtherDesk`."""
    if desk.session.is_operator:
        raise OtherDesk
    return desk


def managers(desk: Annotated[Desk, Depends(signed_in)]) -> Desk:
    """The desk of a person whose key may change things. Raises `SignInNeeded`, `OtherDesk` and `FormRefused`."""
    if not desk.session.may_manage:
        raise FormRefused(403, "This key may only read: nothing can be changed with it.")
    return desk


def operators(desk: Annotated[Desk, Depends(anybodys)]) -> Desk:
    """The operator's desk. Raises `SignInNeeded` and `OtherDesk`."""
    if not desk.session.is_operator:
        raise OtherDesk
    return desk


def chosen_refresh(every: int | None, usual: int = USUAL_REFRESH) -> dict[str, Any]:
    """What a page needs that looks at its list again: the seconds that were chosen, and those to choose from."""
    return {"every": every if every in REFRESHES else usual, "refreshes": REFRESHES}


Every = Annotated[int | None, Query(description="Seconds between two looks; 0: the list stands still.")]
AnySession = Annotated[Session, Depends(any_session)]
AnyDesk = Annotated[Desk, Depends(anybodys)]
SignedIn = Annotated[Desk, Depends(signed_in)]
Manager = Annotated[Desk, Depends(managers)]
Operator = Annotated[Desk, Depends(operators)]


async def checked_form(request: Request, session: Session) -> FormData:
    """The form of this request. Raises `FormRefused` unless a page of this session has sent it."""
    _declared_bytes(request, MOST_FORM_BYTES, MOST_FORM_BYTES)
    form = await request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=MOST_FORM_BYTES)
    token = form.get("csrf")
    if not isinstance(token, str) or not session.has_sent(token):
        await form.close()
        raise FormRefused(403, _FROM_ELSEWHERE)
    request.state.once = text_of(form, "once")
    return form


def _declared_bytes(request: Request, most: int, said: int) -> int:
    """How long a body says that it is. Raises `FormRefused` where that is above `most`, and names the bound `said`."""
    declared = request.headers.get("content-length", "")
    if not declared.isascii() or not declared.isdigit() or int(declared) > most:
        raise _too_large(said)
    return int(declared)


def _too_large(most: int) -> FormRefused:
    return FormRefused(413, f"A form may have {most // 1024 // 1024} MB and must say how long it is.")


def text_of(form: FormData, name: str) -> str:
    """A field of a form, without white space around it; empty when it is not there."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def _ticked(form: FormData, name: str) -> str:
    """The values of a group of ticks, with spaces between; a value has none."""
    return " ".join("".join(value.split()) for value in form.getlist(name) if isinstance(value, str))


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of a form: its name as the browser gives it, and its bytes."""

    name: str
    content: bytes


async def file_of(form: FormData, name: str) -> SentFile | None:
    """The file in a field of a form; None where none was chosen. No file of the form is kept after this."""
    file = form.get(name)
    sent = SentFile(file.filename or "", await file.read()) if isinstance(file, UploadFile) else None
    await form.close()
    return sent if sent is not None and (sent.name or sent.content) else None


def local_path(path: str) -> str:
    """A path of the console itself, from a text that may come from anywhere; the first page for everything else."""
    parts = urlsplit(path)
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if plain and not parts.scheme and not parts.netloc else "/"


def sign_in_path(request: Request) -> str:
    """Where to sign in and then come back to this page."""
    return "/sign-in" if request.method != "GET" else _sign_in_to(request.url.path, request.url.query)


def sign_in_from(request: Request) -> str:
    """Where to sign in and then come back to the page that asks for a piece of itself, as htmx names it."""
    page = urlsplit(request.headers.get("hx-current-url", "/"))
    return _sign_in_to(page.path, page.query)


def _sign_in_to(path: str, query: str) -> str:
    asked = path + (f"?{query}" if query else "")
    return "/sign-in" if asked in ("", "/") else f"/sign-in?to={quote(asked, safe='')}"
