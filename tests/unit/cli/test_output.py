"""What commands print."""

import json
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


def test_on_a_terminal_it_is_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    show([{"name": "[red]Spring[/red]", "max_calls": 2}], ("name", "max_calls"), as_json=False)
    head, row = (line.split("  ") for line in capsys.readouterr().out.splitlines())
    assert [part.strip() for part in head if part.strip()] == ["name", "max calls"]
    assert row[0].strip() == "[red]Spring[/red]", "a name is no markup"
