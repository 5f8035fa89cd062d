"""CSV files as spreadsheets and CRMs write them: encodings, separators, records, and what is no table."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.csv_columns import separator_of, understood
from shared.domain.csv_text import (
    MAX_CELL,
    MAX_COLUMNS,
    SEPARATORS,
    BadCsv,
    CsvFlaw,
    Encoding,
    EncodingSeeker,
    RecordReader,
    encoding_of,
    records_of,
)

PEOPLE = [["Zoë", "+491701234500"], ["Bo;b, Jr", "+491701234501"]]


def _table(data: bytes) -> tuple[str, list[list[str]]]:
    encoding = encoding_of(data)
    headers = {each: next(records_of(data, encoding, each)).cells for each in SEPARATORS}
    separator = separator_of(headers)
    return separator, [record.cells for record in records_of(data, encoding, separator)]


# Each program's own manner: mark, encoding, separator, line break, what is in quotation marks.
@pytest.mark.parametrize(
    ("data", "separator"),
    [
        pytest.param(
            '\ufeffName;Phone\r\nZoë;+491701234500\r\n"Bo;b, Jr";+491701234501\r\n'.encode(), ";", id="excel utf-8"
        ),
        pytest.param(
            'Name;Phone\r\nZoë;+491701234500\r\n"Bo;b, Jr";+491701234501\r\n'.encode("cp1252"), ";", id="excel ansi"
        ),
        pytest.param(
            "Name\tPhone\r\nZoë\t+491701234500\r\nBo;b, Jr\t+491701234501\r\n".encode("utf-16"),
            "\t",
            id="excel unicode text",
        ),
        pytest.param(
            "\ufeffName\tPhone\r\nZoë\t+491701234500\r\nBo;b, Jr\t+491701234501".encode("utf-16-be"),
            "\t",
            id="utf-16 big endian",
        ),
        pytest.param(
            'Name;Phone\nZoë;+491701234500\n"Bo;b, Jr";+491701234501\n'.encode(), ";", id="numbers, german settings"
        ),
        pytest.param(
            'Name,Phone\nZoë,+491701234500\n"Bo;b, Jr",+491701234501\n'.encode(), ",", id="libreoffice, utf-8"
        ),
        pytest.param(
            '"Name","Phone Number"\n"Zoë","+491701234500"\n"Bo;b, Jr","+491701234501"\n'.encode(), ",", id="hubspot"
        ),
        pytest.param(
            '"Name","Phone"\r\n"Zoë","+491701234500"\r\n"Bo;b, Jr","+491701234501"\r\n'.encode("cp1252"),
            ",",
            id="salesforce, western european",
        ),
        pytest.param(
            'Name,Phone\r\nZoë,+491701234500\r\n"Bo;b, Jr",+491701234501'.encode(),
            ",",
            id="google sheets",
        ),
        pytest.param(
            'Name,Phone\rZoë,+491701234500\r"Bo;b, Jr",+491701234501\r'.encode("cp1252"), ",", id="old mac line breaks"
        ),
    ],
)
def test_a_file_of_each_program_is_read(data: bytes, separator: str) -> None:
    found, rows = _table(data)
    assert (found, rows[1:]) == (separator, PEOPLE)


def test_line_breaks_in_quotation_marks_are_no_rows_and_blank_lines_are() -> None:
    data = b'phone,note\n\n+1,"a\r\nb ""c"""\n'
    assert [(each.row, each.cells) for each in records_of(data, Encoding("utf-8"), ",")] == [
        (1, ["phone", "note"]),
        (2, []),
        (3, ["+1", 'a\r\nb "c"']),
    ]


@pytest.mark.parametrize(
    ("data", "flaw", "row"),
    [
        (b'phone,name\n+1,a\n+2,"b\n+3,c\n', CsvFlaw.UNCLOSED_QUOTE, 3),
        (b'phone,name\n+1,"' + b"x\n" * MAX_CELL, CsvFlaw.UNCLOSED_QUOTE, 2),
        (b"phone\n+1\n+2\x00\n", CsvFlaw.NUL, 3),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", CsvFlaw.NUL, 3),
        (b"phone\n" + b"9" * (10 * 1024 * 1024) + b"\n", CsvFlaw.CELL_TOO_LARGE, 2),
        (b"phone\n" + b"," * (MAX_COLUMNS - 1) + b"\n", None, None),
        (b"phone\n" + b"," * 2000 + b"\n", CsvFlaw.TOO_MANY_COLUMNS, 2),
        (b"\xff\xfea\x00\x00\xd8a\x00", CsvFlaw.NOT_TEXT, 1),
    ],
)
def test_what_is_no_table_names_its_row(data: bytes, flaw: CsvFlaw | None, row: int | None) -> None:
    encoding = encoding_of(data)
    if flaw is None:
        assert len(list(records_of(data, encoding, ","))) == 2
        return
    with pytest.raises(BadCsv) as refused:
        list(records_of(data, encoding, ","))
    assert (refused.value.flaw, refused.value.row) == (flaw, row)


def test_an_endless_line_is_refused_before_it_fills_memory() -> None:
    reader = RecordReader("utf-8", ",", 0)
    for _ in range(10):
        assert not list(reader.feed(b"x" * 100_000))
    with pytest.raises(BadCsv):
        list(reader.feed(b"x" * 100_000))


_CELL = st.text(alphabet=st.sampled_from('ab,;"\r\n é\u2028€😀'), max_size=6)


@given(
    rows=st.lists(st.lists(_CELL, min_size=2, max_size=4), min_size=1, max_size=6),
    codec=st.sampled_from(["utf-8", "utf-16-le"]),
    step=st.integers(1, 9),
)
def test_any_table_is_read_in_any_pieces_and_from_the_end_of_any_record(
    rows: list[list[str]], codec: str, step: int
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    data = text.getvalue().encode(codec)
    reader = RecordReader(codec, ",", 0)
    records = [record for start in range(0, len(data), step) for record in reader.feed(data[start : start + step])]
    records += reader.feed(b"", last=True)
    assert [record.cells for record in records] == rows
    for place, record in enumerate(records):
        rest = RecordReader(codec, ",", record.end, record.row).feed(data[record.end :], last=True)
        assert list(rest) == records[place + 1 :]


def test_the_encoding_is_found_however_the_bytes_come() -> None:
    data = "name\nZoë".encode()
    seeker = EncodingSeeker()
    for byte in data:
        seeker.feed(bytes([byte]))
    seeker.feed(b"", last=True)
    assert seeker.encoding == Encoding("utf-8")
    assert encoding_of(data[:-1]) == Encoding("cp1252")


@pytest.mark.parametrize(
    ("header", "mapping", "fields"),
    [
        (["First Name", "Mobile Phone Number", "Record ID"], {}, ["data", "phone_numbers", "external_id"]),
        (["Name", "Phone 1 - Value", "Phone 2 - Value"], {}, ["data", "phone_numbers", "phone_numbers"]),
        (["Nachname", "Telefonnummer", "Zeitzone", ""], {}, ["data", "phone_numbers", "timezone", "ignore"]),
        (["Contact ID", "Lead ID", "Phone"], {}, ["external_id", "data", "phone_numbers"]),
        (["phone", "other"], {"Other": "phone_numbers"}, ["data", "phone_numbers"]),
        (["phone", "secret"], {"secret": "ignore"}, ["phone_numbers", "ignore"]),
    ],
)
def test_columns_are_understood_by_name_or_as_told(
    header: list[str], mapping: dict[str, str], fields: list[str]
) -> None:
    assert list(understood(header, mapping).fields) == fields


def test_columns_of_one_name_are_told_apart() -> None:
    assert understood(["phone", "Email", "Email"]).names == ("phone", "Email", "Email 2")


def test_a_header_without_numbers_or_without_a_told_column_is_refused() -> None:
    with pytest.raises(BadCsv) as none:
        understood(["name", "city"])
    with pytest.raises(BadCsv) as unknown:
        understood(["phone"], {"Handset": "phone_numbers"})
    assert (none.value.flaw, unknown.value.flaw) == (CsvFlaw.NO_PHONE_COLUMN, CsvFlaw.UNKNOWN_COLUMN)
    assert unknown.value.name == "Handset"
