"""What commands print."""

import json
import re
from typing import Any

import pytest

from dialstream_cli.output import cell, show, show_one, tsv, value_of

ROW: dict[str, Any] = {
    "name": "Spring\tsale\n",
    "contacts": {"total": 3},
    "numbers": ["+1", "+2"],
    "on": True,
    "at": None,
}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (0, "0"),
        (0.5, "0.5"),
        ("a\tb\nc", "a b c"),
        ("\x1b[2Jgone", " [2Jgone"),
        ("Zoë 東京", "Zoë 東京"),
        (["a", None, 2], "a, , 2"),
        ({"ä": 1}, '{"ä": 1}'),
    ],
)
def test_a_value_is_one_cell_on_one_line(value: Any, text: str) -> None:
    assert cell(value) == text


def test_rows_are_tab_separated_under_a_head() -> None:
    assert tsv([ROW], ("name", "contacts.total", "numbers", "on", "at")) == (
        "name\tcontacts.total\tnumbers\ton\tat\nSpring sale \t3\t+1, +2\ttrue\t\n"
    )
    assert tsv([], ("name",)) == "name\n"
    assert tsv([ROW], ("on",), head=False) == "true\n"


def test_a_name_leads_into_objects_and_nowhere_else() -> None:
    assert value_of(ROW, "contacts.total") == 3
    assert value_of(ROW, "contacts.none") is None
    assert value_of(ROW, "name.total") is None


def test_without_a_terminal_it_is_tsv_and_as_json_it_is_all_that_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    show([ROW], ("on",), as_json=False)
    assert capsys.readouterr().out == "on\ntrue\n"
    show([ROW], ("on",), as_json=True)
    assert json.loads(capsys.readouterr().out) == [ROW]
    show_one(ROW, ("on", "contacts.total"), as_json=False)
    assert capsys.readouterr().out == "on\ttrue\ncontacts.total\t3\n"


def test_where_columns_have_no_room_each_row_is_shown_by_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    columns = ("id", "name", "state", "a", "b", "c")
    rows = [{"id": "0d5e8a0e-6c0b-4b55-a6de-3b6f3f2a9d1c", "name": "Spring"}, {"id": "2"}]
    show(rows, columns, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["id     0d5e8a0e-6c0b-4b55-a6de-3b6f3f2a9d1c", "name   Spring"]
    assert (lines[6], lines[7]) == ("", "id     2")
    show(rows, columns[:2], as_json=False)
    assert re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).split()[:2] == ["id", "name"]


def test_colours_are_left_out_on_request(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    show([{"name": "Spring"}], ("name",), as_json=False)
    assert not re.search(r"\x1b\[[0-9;]*(3|4|9|10)[0-9][;m]", capsys.readouterr().out)


def test_on_a_terminal_it_is_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    show([{"name": "[red]Spring[/red]", "max_calls": 2}], ("name", "max_calls"), as_json=False)
    head, row = (line.split("  ") for line in capsys.readouterr().out.splitlines())
    assert [part.strip() for part in head if part.strip()] == ["name", "max calls"]
    assert row[0].strip() == "[red]Spring[/red]", "a name is no markup"
