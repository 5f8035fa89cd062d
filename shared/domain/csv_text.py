"""CSV files as programs write them: which encoding, which separator, and their records, read piece by piece.

A record is a row of cells; row 1 is the first record of a file. Blank lines are records, line breaks inside quotation
marks are none. Reading can go on at the byte where a record ends, so that memory stays flat and work is never repeated.
"""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_COLUMNS: Final = 1000
# Characters in one cell: the limit of Python's csv module. A contact's whole data has half as much.
MAX_CELL: Final = 131_072
# Characters in one record; a longer one is no row of a table.
MAX_RECORD: Final = 1024 * 1024
# In this order: a file whose header fits two of them is read by the first.
SEPARATORS: Final = (",", ";", "\t")
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)")
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WINDOWS: Final = "cp1252"
# Excel's own first line, which names the separator.
_HINT: Final = "sep="


class CsvFlaw(StrEnum):
    """Why a file cannot be read as a list of contacts."""

    EMPTY = "empty"
    NO_ROWS = "no rows"
    NO_PHONE_COLUMN = "no phone column"
    UNKNOWN_COLUMN = "unknown column"
    DUPLICATE_COLUMN = "duplicate column"
    TOO_MANY_COLUMNS = "too many columns"
    CELL_TOO_LARGE = "cell too large"
    UNCLOSED_QUOTE = "unclosed quote"
    NUL = "nul"
    NOT_TEXT = "not text"
    GONE = "file gone"


class BadCsv(Exception):
    """The file cannot be read. `row` is the row of the fault, from 1; None: the file as a whole. `name`: a column."""

    def __init__(self, flaw: CsvFlaw, row: int | None = None, name: str | None = None) -> None:
        super().__init__(f"{flaw}: row {row}" if row is not None else str(flaw))
        self.flaw, self.row, self.name = flaw, row, name


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file's bytes become text; `start`: the byte after its byte order mark."""

    name: str
    start: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """One row of cells. `row` is its number, from 1; the next record begins at byte `end`."""

    row: int
    cells: list[str]
    end: int


class EncodingSeeker:
    """Finds a file's encoding from its bytes, all of which are fed to it.

    UTF-16 has a byte order mark; UTF-8 may have one; what is neither is Windows-1252.
    """

    def __init__(self) -> None:
        self._head = b""
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()

    @property
    def is_settled(self) -> bool:
        """Whether further bytes cannot change the answer."""
        return self._decoder is None or self._marked() not in (None, Encoding("utf-8", 3))

    def feed(self, data: bytes, *, last: bool = False) -> None:
        """Look at the next bytes of the file."""
        if len(self._head) < 3:
            self._head += data[:3]
        if self._decoder is None:
            return
        try:
            self._decoder.decode(data, last)
        except UnicodeDecodeError:
            self._decoder = None

    @property
    def encoding(self) -> Encoding:
        """The encoding, as far as the bytes tell that were fed."""
        marked = self._marked()
        if marked is not None and (marked.name != "utf-8" or self._decoder is not None):
            return marked
        return Encoding(_WINDOWS if self._decoder is None else "utf-8")

    def _marked(self) -> Encoding | None:
        for mark, name in _BYTE_ORDER_MARKS:
            if self._head.startswith(mark):
                return Encoding(name, len(mark))
        return None


class RecordReader:
    """Reads records from the bytes that are fed to it, from byte `offset` of the file on.

    `row` is the number of the record before it, 0 at the start. `offset` must be where a record begins.
    """

    def __init__(self, encoding: str, separator: str, offset: int, row: int = 0) -> None:
        errors = "replace" if encoding == _WINDOWS else "strict"
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)
        self._encoding = encoding
        self._begun = ""
        self._lines = _Lines()
        self._csv = csv.reader(self._lines, delimiter=separator)
        self._offset, self._row = offset, row

    def feed(self, data: bytes, *, last: bool = False) -> Iterator[Record]:
        """The records that these bytes complete; `last` when no bytes follow. Raises `BadCsv`.

        The iterator must be used up before more is fed.
        """
        try:
            text = self._decoder.decode(data, last)
        except UnicodeDecodeError as error:
            raise BadCsv(CsvFlaw.NOT_TEXT, self._row + 1) from error
        self._lines.has_nul = self._lines.has_nul or "\0" in text
        text = self._begun + text
        # A carriage return at the end may be half of a line break.
        usable = text if last or not text.endswith("\r") else text[:-1]
        whole = max(usable.rfind("\n"), usable.rfind("\r")) + 1
        self._lines.waiting.extend(_LINE.findall(text[:whole]))
        self._begun = text[whole:]
        if last and self._begun:
            self._lines.waiting.append(self._begun)
            self._begun = ""
        yield from self._records(last)
        if len(self._begun) > MAX_RECORD:
            raise BadCsv(CsvFlaw.NUL if "\0" in self._begun else CsvFlaw.CELL_TOO_LARGE, self._row + 1)

    def _records(self, last: bool) -> Iterator[Record]:
        lines = self._lines
        while lines.waiting:
            lines.taken.clear()
            lines.ran_out = False
            row = self._row + 1
            try:
                cells = next(self._csv)
            except csv.Error as error:
                # A quotation mark that nothing closes takes the following lines into its cell.
                unclosed = len(lines.taken) > 1
                raise BadCsv(CsvFlaw.UNCLOSED_QUOTE if unclosed else CsvFlaw.CELL_TOO_LARGE, row) from error
            except _NulFound as error:
                raise BadCsv(CsvFlaw.NUL, row) from error
            if lines.ran_out:
                if last or sum(map(len, lines.taken)) > MAX_RECORD:
                    raise BadCsv(CsvFlaw.UNCLOSED_QUOTE, row)
                lines.waiting.extendleft(reversed(lines.taken))
                return
            if len(cells) > MAX_COLUMNS:
                raise BadCsv(CsvFlaw.TOO_MANY_COLUMNS, row)
            self._row = row
            self._offset += sum(map(self._bytes_of, lines.taken))
            yield Record(row, cells, self._offset)

    def _bytes_of(self, line: str) -> int:
        if self._encoding == _WINDOWS or (self._encoding == "utf-8" and line.isascii()):
            return len(line)
        return len(line.encode(self._encoding))


class _NulFound(Exception):
    pass


class _Lines:
    """The lines that the csv module takes one by one, and which of them went into the record in hand."""

    def __init__(self) -> None:
        self.waiting: deque[str] = deque()
        self.taken: list[str] = []
        self.ran_out = False
        self.has_nul = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if not self.waiting:
            self.ran_out = True
            raise StopIteration
        line = self.waiting.popleft()
        if self.has_nul and "\0" in line:
            raise _NulFound
        self.taken.append(line)
        return line


def records_of(data: bytes, encoding: Encoding, separator: str) -> Iterator[Record]:
    """All records of a file that is at hand as a whole. Raises `BadCsv`."""
    return RecordReader(encoding.name, separator, encoding.start).feed(data[encoding.start :], last=True)


def header_of(head: bytes, encoding: Encoding, separator: str, *, whole: bool) -> Record:
    """The first record that is not blank, from the first bytes of a file; `whole`: these are all. Raises `BadCsv`."""
    reader = RecordReader(encoding.name, separator, encoding.start)
    for record in reader.feed(head[encoding.start :], last=whole):
        if any(cell.strip() for cell in record.cells) and not record.cells[0].lower().startswith(_HINT):
            return record
    raise BadCsv(CsvFlaw.EMPTY if whole else CsvFlaw.CELL_TOO_LARGE, 1)


def encoding_of(data: bytes) -> Encoding:
    """The encoding of a file that is at hand as a whole."""
    seeker = EncodingSeeker()
    seeker.feed(data, last=True)
    return seeker.encoding
