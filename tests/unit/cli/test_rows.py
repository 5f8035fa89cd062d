"""Rows of files: batches, refusals, messages for Kafka."""

import hashlib
import hmac
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from dialstream_cli.commands.contacts import mapping_of, progress
from dialstream_cli.commands.do_not_call import bad_numbers
from dialstream_cli.commands.ingest import message_of, messages_of, signed
from dialstream_cli.faults import Refused, UsageFault
from dialstream_cli.rows import (
    FileRow,
    SetAside,
    batches,
    check_writable,
    count_of,
    lines_of,
    parsed,
    write_set_aside,
)
from dialstream_cli.uploads import bad_rows


def rows(*texts: str) -> list[FileRow]:
    return [FileRow(number, text) for number, text in enumerate(texts, 1)]


def refusal(*locs: list[Any], status: int = 422) -> Refused:
    return Refused(status, {"detail": "No.", "errors": [{"loc": loc, "msg": "is bad", "type": "t"} for loc in locs]})


@pytest.mark.parametrize(
    ("most", "most_bytes", "sizes"),
    [(2, 1000, [2, 2, 1]), (5, 1000, [5]), (9, 6, [2, 2, 1]), (9, 1, [1, 1, 1, 1, 1])],
)
def test_batches_keep_order_count_and_bytes(most: int, most_bytes: int, sizes: list[int]) -> None:
    taken = [*batches(rows("aa", "bb", "cc", "dd", "ee"), most, most_bytes)]
    assert [len(batch) for batch in taken] == sizes
    assert [row.number for batch in taken for row in batch] == [1, 2, 3, 4, 5]


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_bytes("\ufeffone\r\n\r\n  two\n".encode())
    assert [*lines_of(file)] == [FileRow(1, "one"), FileRow(3, "two")]
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageFault, match="UTF-8"):
        [*lines_of(file)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "1",
        "[" * 100_000,
        '{"a": NaN}',
        '{"a": [-Infinity]}',
        '{"a": 1e400}',
        r'{"\ud800": 1}',
        '{"a": ' + "[" * 100 + "]" * 100 + "}",
    ],
)
def test_a_line_that_is_no_object_is_set_aside(text: str) -> None:
    assert isinstance(parsed(FileRow(7, text)), SetAside)


def test_a_line_of_any_letters_and_many_lists_is_a_contact() -> None:
    value = {"a": "Zoë 東京 \U0001f600", "b": [[n] for n in range(200)], "c": {"d": {}}}
    assert parsed(FileRow(1, json.dumps(value))) == value


def test_a_refusal_names_rows_of_the_file() -> None:
    named = refusal(["body", "contacts", 1, "phone_numbers", 0], ["body", "contacts", 0])
    assert bad_rows(named, [10, 20]) == [SetAside(20, "phone_numbers[0]", "is bad"), SetAside(10, "", "is bad")]
    assert bad_numbers(refusal(["body", "phone_numbers", 1]), rows("a", "b")) == [SetAside(2, "phone_number", "is bad")]


def test_a_row_that_is_too_large_alone_is_set_aside() -> None:
    too_large = Refused(413, {"detail": "The body is larger than 32 MiB."})
    assert bad_rows(too_large, [7]) == [SetAside(7, "", "The body is larger than 32 MiB.")]
    assert bad_rows(too_large, [7, 8]) == []


def test_rows_are_counted_before_the_first_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_bytes(b"one\n\ntwo\n")
    assert count_of(file) == 2
    file.write_bytes(b"one\n" * 5000 + "Zoë".encode("latin-1"))
    with pytest.raises(UsageFault, match="UTF-8"):
        count_of(file)
    os.mkfifo(tmp_path / "pipe")
    assert count_of(tmp_path / "pipe") is None, "what is read once is not read here"


def test_where_refused_rows_cannot_go_is_said_at_once(tmp_path: Path) -> None:
    assert check_writable(tmp_path / "rows.csv") == tmp_path / "rows.csv"
    for target in (tmp_path, tmp_path / "none" / "rows.csv"):
        with pytest.raises(UsageFault, match="cannot be written"):
            check_writable(target)


def test_set_aside_rows_are_written_whatever_their_fields_are_called(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    write_set_aside([SetAside(1, "data.\ud800", "No, this is not text.")], file)
    assert file.read_text().splitlines() == ["row,field,reason", r'1,data.\ud800,"No, this is not text."']


@pytest.mark.parametrize(
    "other",
    [
        refusal(["body", "contacts", 0], ["query", "limit"]),
        refusal(["body", "contacts", 5]),
        refusal(["body", "contacts", 0], status=409),
        refusal(),
    ],
)
def test_a_refusal_of_something_else_names_no_row(other: Refused) -> None:
    assert bad_rows(other, [10, 20]) == []


def test_the_same_contacts_are_the_same_message_and_others_another(tmp_path: Path) -> None:
    first = message_of("org", "spring", (1,), [{"external_id": "ä"}])
    assert message_of("org", "spring", (1,), [{"external_id": "ä"}]) == first
    others = [
        message_of("org", "autumn", (1,), [{"external_id": "ä"}]),
        message_of("org", "spring", (1,), [{"external_id": "b"}]),
    ]
    assert len({first.batch_id, *(other.batch_id for other in others)}) == 3
    assert json.loads(first.value)["contacts"] == [{"external_id": "ä"}]
    file, bad = tmp_path / "rows", list[SetAside]()
    file.write_text("no\n" + '{"a": 1}\n' * 1001)
    assert [len(message.rows) for message in messages_of(file, "org", "spring", bad)] == [999, 2]
    assert [row.row for row in bad] == [1]


def test_a_message_is_signed_as_documented() -> None:
    # docs/kafka-batches.md: HMAC-SHA256 of the value, its key the SHA-256 of the secret in hexadecimal.
    key = hashlib.sha256(b"secret").hexdigest().encode()
    expected = hmac.new(key, b"value", hashlib.sha256).hexdigest()
    assert signed("ak_id.secret", b"value") == [
        ("dialstream-key", b"id"),
        ("dialstream-signature", f"v1={expected}".encode()),
    ]
    with pytest.raises(UsageFault):
        signed("pat_id.secret", b"value")


def test_a_bar_moves_on_a_terminal_and_elsewhere_a_line_says_what_is_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with progress("Loading [x].csv", 10) as advance:
        advance(5)
    assert capsys.readouterr() == ("", "Loading [x].csv.\n")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    with progress("Loading [x].csv", 10) as advance:
        advance(5)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Loading [x].csv" in shown.err
    assert "50%" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.err)


def test_columns_are_mapped_by_name() -> None:
    assert mapping_of(["Mobile=phone_numbers", "a=b=ignore"]) == {"Mobile": "phone_numbers", "a=b": "ignore"}
    with pytest.raises(UsageFault, match="COLUMN=FIELD"):
        mapping_of(["Mobile"])
