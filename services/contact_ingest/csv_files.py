"""CSV files from where they are kept: how one is read, decided once, and its rows in chunks, from any of them on.

Memory holds a few chunks, whatever the size of the file; parsing goes on beside the event loop.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from shared.domain.csv_check import strict_columns
from shared.domain.csv_columns import PHONE, Columns, separator_of, understood
from shared.domain.csv_people import person_columns
from shared.domain.csv_text import (
    MAX_RECORD,
    SEPARATORS,
    BadCsv,
    CsvFlaw,
    Encoding,
    EncodingSeeker,
    Record,
    RecordReader,
    header_of,
)
from shared.domain.jobs import CHUNK_ROWS, ImportOrder, Position, Reading

# The bytes of a file from its beginning, each time it is called.
Source = Callable[[], AsyncIterator[bytes]]


async def survey(source: Source, order: ImportOrder) -> Reading:
    """How the file is read: encoding, separator, columns, rows. Raises `BadCsv`.

    The whole file is looked at, so that one which is no table is refused before any of its rows is stored.
    """
    encoding, head = await _look(source)
    if not head[encoding.start :].strip(b"\r\n \0"):
        raise BadCsv(CsvFlaw.EMPTY)
    whole = len(head) < MAX_RECORD
    headers = {separator: header_of(head, encoding, separator, whole=whole) for separator in SEPARATORS}
    separator = separator_of({each: record.cells for each, record in headers.items()}, _mapping(order))
    header = headers[separator]
    # First, because what is no table says so better than its header does.
    total = await _count(source, encoding, separator) - header.row
    columns = _columns(header.cells, order)
    if total <= 0:
        raise BadCsv(CsvFlaw.NO_ROWS)
    return Reading(encoding.name, separator, header.end, header.row, columns.names, columns.fields, total)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that follow each other in a file; the next ones begin at `to`, or `last`: there are none."""

    records: Sequence[Record]
    to: Position
    last: bool


async def chunks_of(source: Source, reading: Reading, position: Position) -> AsyncGenerator[Chunk, None]:
    """The file's rows from a position on, a thousand at a time; the last chunk may be empty. Raises `BadCsv`."""
    reader = RecordReader(reading.encoding, reading.separator, position.byte, position.row)
    records: list[Record] = []
    passed = position.byte
    async for data in source():
        if passed >= len(data):
            passed -= len(data)
            continue
        new, passed = data[passed:], 0
        records += await asyncio.to_thread(_fed, reader, new)
        while len(records) > CHUNK_ROWS:
            yield _chunk(records[:CHUNK_ROWS], position, last=False)
            del records[:CHUNK_ROWS]
    records += _fed(reader, b"", last=True)
    while len(records) > CHUNK_ROWS:
        yield _chunk(records[:CHUNK_ROWS], position, last=False)
        del records[:CHUNK_ROWS]
    yield _chunk(records, position, last=True)


def _chunk(records: Sequence[Record], begun: Position, *, last: bool) -> Chunk:
    to = Position(records[-1].end, records[-1].row) if records else begun
    return Chunk(records, to, last)


def _fed(reader: RecordReader, data: bytes, *, last: bool = False) -> list[Record]:
    return list(reader.feed(data, last=last))


async def _look(source: Source) -> tuple[Encoding, bytes]:
    """The file's encoding, for which it may have to be read to its end, and its first bytes."""
    seeker, head = EncodingSeeker(), bytearray()
    async for data in source():
        seeker.feed(data)
        if len(head) < MAX_RECORD:
            head += data[: MAX_RECORD - len(head)]
        if seeker.is_settled and len(head) == MAX_RECORD:
            break
    else:
        seeker.feed(b"", last=True)
    return seeker.encoding, bytes(head)


def _mapping(order: ImportOrder) -> dict[str, str]:
    return {"phone_number": PHONE} if order.layout.as_context else dict(order.mapping)


def _columns(header: list[str], order: ImportOrder) -> Columns:
    if order.people:
        return person_columns(header, order.mapping)
    if not order.layout.as_context:
        return understood(header, order.mapping)
    columns = strict_columns(header)
    if PHONE not in columns.fields:
        raise BadCsv(CsvFlaw.NO_PHONE_COLUMN, 1)
    return columns


async def _count(source: Source, encoding: Encoding, separator: str) -> int:
    """The number of the last record, all of which are looked at. Raises `BadCsv`."""
    reader, last, passed = RecordReader(encoding.name, separator, encoding.start), 0, encoding.start

    def count(data: bytes, *, ended: bool = False) -> int:
        row = last
        for record in reader.feed(data, last=ended):
            row = record.row
        return row

    async for data in source():
        last, passed = await asyncio.to_thread(count, data[passed:]), max(0, passed - len(data))
    return count(b"", ended=True)
