"""Forms with a file at their end, read as they come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import test_utils, web
from hypothesis import given
from hypothesis import strategies as st

from services.console import uploads
from services.console.api import Api, ApiAway
from services.console.uploads import MOST_BEFORE_FILE, BrokenForm, FileForm

KIND = "multipart/form-data; boundary=bound"
END = b"\r\n--bound--\r\n"


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'\r\n--bound\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value


def body(file: bytes, *, fields: bytes = b"", name: str = "list.csv", end: bytes = END) -> bytes:
    before = part("csrf", b"token") + fields
    return before[2:] + part("file", file, f'; filename="{name}"\r\nContent-Type: text/csv') + end


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def form_of(data: bytes, size: int = 7, kind: str = KIND) -> FileForm:
    return FileForm(kind, len(data), pieces(data, size))


async def read(form: FileForm) -> bytes:
    return b"".join([piece async for piece in form.chunks()])


@given(
    file=st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--bound", b"\r\n--boun", b"\x00", b"a,b"])).map(b"".join),
    size=st.integers(1, 300),
)
async def test_a_file_arrives_as_it_was_sent_however_it_is_cut(file: bytes, size: int) -> None:
    if b"\r\n--bound" in b"\r\n" + file:
        file = file.replace(b"bound", b"board")
    form = form_of(body(file, fields=part("campaign", "Frühling\r\n".encode())), size)
    await form.open()
    assert form.fields == {"csrf": "token", "campaign": "Frühling\r\n"}
    assert (form.name, form.size) == ("list.csv", len(file))
    assert await read(form) == file
    assert not form.is_broken


async def test_nothing_of_the_file_is_read_before_it_is_wanted_and_no_more_than_came() -> None:
    sent: list[int] = []

    async def slowly(data: bytes) -> AsyncIterator[bytes]:
        for number in range(0, len(data), 1000):
            sent.append(number)
            yield data[number : number + 1000]

    data = body(b"x" * 10_000)
    form = FileForm(KIND, len(data), slowly(data))
    await form.open()
    assert sent == [0]
    chunks = form.chunks()
    assert (len(await anext(chunks)) < 1000, sent) == (True, [0])
    await anext(chunks)
    assert sent == [0, 1000]


async def test_the_name_is_the_browsers() -> None:
    form = form_of(body(b"x", name="Ärzte.csv"))
    await form.open()
    assert form.name == "Ärzte.csv"


async def test_a_form_without_a_file_has_none() -> None:
    for data in (part("csrf", b"token")[2:] + END, body(b"", name="")):
        form = form_of(data)
        await form.open()
        assert (form.fields, form.name, form.size) == ({"csrf": "token"}, "", 0)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"csrf=token", "application/x-www-form-urlencoded"),
        (body(b"x"), "multipart/form-data"),
        (body(b"x"), ""),
        (body(b"x"), f"multipart/form-data; boundary={'b' * 300}"),
        (b"no form at all", KIND),
        (body(b"x")[:40], KIND),
        (body(b"x", fields=part("more", b"y" * MOST_BEFORE_FILE)), KIND),
        (body(b"x", fields=part("more", b"y", ";" * 9000)), KIND),
    ],
)
async def test_what_is_no_such_form_is_not_read(data: bytes, kind: str) -> None:
    with pytest.raises(BrokenForm):
        await form_of(data, kind=kind).open()


@pytest.mark.parametrize(
    "data",
    [
        body(b"x" * 100)[:-20],
        body(b"x" * 100, end=b"\r\n--bound--"),
        body(b"x" * 100, end=END + b"more"),
        body(b"x" * 100, end=part("people", b"yes") + END),
    ],
)
async def test_a_file_that_is_not_all_of_it_is_broken(data: bytes) -> None:
    form = form_of(data)
    await form.open()
    with pytest.raises(BrokenForm):
        await read(form)
    assert form.is_broken


async def test_a_file_of_which_nothing_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "SILENCE_SECONDS", 0.01)

    async def silent() -> AsyncIterator[bytes]:
        yield body(b"x" * 100)[:-50]
        await asyncio.Event().wait()

    form = FileForm(KIND, 1000, silent())
    await form.open()
    with pytest.raises(BrokenForm):
        await read(form)


@asynccontextmanager
async def store_of_files(got: list[tuple[str | None, bool, bytes]]) -> AsyncIterator[str]:
    """A place that takes files; it notes the length that was said, whether the body came in chunks, and the body."""

    async def take(request: web.Request) -> web.Response:
        in_chunks = "Transfer-Encoding" in request.headers
        got.append((request.headers.get("Content-Length"), in_chunks, await request.read()))
        return web.Response()

    app = web.Application(client_max_size=10_000_000)
    app.router.add_put("/file", take)
    async with test_utils.TestServer(app) as server:
        yield str(server.make_url("/file"))


async def test_the_store_is_told_how_long_a_file_is_as_s3_wants_it() -> None:
    got: list[tuple[str | None, bool, bytes]] = []
    file = bytes(range(256)) * 4000
    form = form_of(body(file), size=50_000)
    await form.open()
    async with store_of_files(got) as url, Api("http://127.0.0.1:1", seconds=5) as api:
        await api.upload(url, form.chunks(), form.size)
    assert got == [(str(len(file)), False, file)]


async def test_a_file_that_breaks_off_is_not_stored() -> None:
    got: list[tuple[str | None, bool, bytes]] = []
    data = body(b"x" * 500_000)
    form = FileForm(KIND, len(data), pieces(data[:-100_000], 50_000))
    await form.open()
    async with store_of_files(got) as url, Api("http://127.0.0.1:1", seconds=5) as api:
        with pytest.raises(ApiAway):
            await api.upload(url, form.chunks(), form.size)
    assert (got, form.is_broken) == ([], True)
