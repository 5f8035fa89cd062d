"""A form whose last field is a file: its fields are read first, then the file as it comes.

Neither memory nor disk grows with the file, and nothing of it is read before its fields are known to be good.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

# What stands before the file: its fields and their headers.
MOST_BEFORE_FILE: Final = 8 * 1024
# A file of which nothing comes for so long is given up.
SILENCE_SECONDS: Final = 60.0


class BrokenForm(Exception):
    """The body is no such form, or ends before the form does. What was read of the file may not be all of it."""


class FileForm:
    """A form of `length` bytes with a file at its end; open it first.

    `fields` are those before the file, by name; `name` and `size` (bytes) the file's; without a file they are empty, 0.
    """

    def __init__(self, content_type: str, length: int, body: AsyncIterator[bytes]) -> None:
        kind, options = parse_options_header(content_type)
        self._boundary = options.get(b"boundary", b"") if kind == b"multipart/form-data" else b""
        self._length, self._body, self._parts = length, body, _Parts()
        self.size = 0
        self.is_broken = False

    @property
    def fields(self) -> dict[str, str]:
        """The fields before the file, by name."""
        return self._parts.fields

    @property
    def name(self) -> str:
        """The file's name, as the browser gives it."""
        return self._parts.file_name or ""

    async def open(self) -> None:
        """Read the form up to where its file begins. Raises `BrokenForm`."""
        if not self._boundary:
            raise BrokenForm
        try:
            self._parser = self._parts.parser(self._boundary)
        except FormParserError as error:
            raise BrokenForm from error
        read = 0
        while not self._parts.is_over:
            chunk = await self._next()
            # Byte by byte: where the file begins says how long it is, for behind it only the form's end may come.
            for place in range(len(chunk)):
                self._write(chunk[place : place + 1])
                read += 1
                if self._parts.file_name is not None:
                    self.size = max(0, self._length - read - len(b"\r\n--" + self._boundary + b"--\r\n"))
                    self._write(chunk[place + 1 :])
                    return
                if read > MOST_BEFORE_FILE:
                    raise BrokenForm

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file as it comes: `size` bytes. Raises `BrokenForm`, which `is_broken` tells, where it has others."""
        try:
            async for piece in self._pieces():
                yield piece
        except BrokenForm:
            self.is_broken = True
            raise

    async def _pieces(self) -> AsyncIterator[bytes]:
        given = 0
        while True:
            pieces, self._parts.pieces = self._parts.pieces, []
            given += sum(map(len, pieces))
            if given > self.size:
                raise BrokenForm
            for piece in pieces:
                yield piece
            if self._parts.is_over:
                break
            self._write(await self._next())
        if given != self.size:
            raise BrokenForm

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                return await anext(self._body)
        except (StopAsyncIteration, TimeoutError) as error:
            raise BrokenForm from error

    def _write(self, data: bytes) -> None:
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise BrokenForm from error


class _Parts:
    """What the parser has found: whole fields, the file's name (None: not yet), pieces of the file that wait."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None
        self.pieces: list[bytes] = []
        self.is_over = False
        self._header, self._value, self._field = bytearray(), bytearray(), bytearray()
        self._disposition = ""
        self._name = ""

    def parser(self, boundary: bytes) -> MultipartParser:
        """A parser that tells of what it finds here. Raises `FormParserError`."""
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._take,
                "on_part_end": self._end_field,
                "on_end": self._end,
            },
        )

    def _begin(self) -> None:
        if self.file_name is not None:
            # A field behind the file, which nobody would look at.
            raise BrokenForm
        self._disposition, self._field = "", bytearray()

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            # As the parser of its options takes and gives it; they are UTF-8.
            self._disposition = self._value.decode("latin-1")
        self._header, self._value = bytearray(), bytearray()

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = _text(options.get(b"name", b""))
        if b"filename" in options:
            self.file_name = _text(options[b"filename"])

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self.file_name is None:
            self._field += data[start:end]
        else:
            self.pieces.append(bytes(data[start:end]))

    def _end_field(self) -> None:
        if self.file_name is None:
            self.fields[self._name] = _text(self._field)

    def _end(self) -> None:
        self.is_over = True


def _text(data: bytes | bytearray) -> str:
    return data.decode("utf-8", errors="replace")
